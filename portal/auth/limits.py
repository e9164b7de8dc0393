"""Limits on logging in that hold across workers: token buckets in the database."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.core.database import current_session, independent, require_scope


@dataclass(frozen=True)
class Limit:
    """At most ``capacity`` attempts at once, and one more every ``seconds``."""

    name: str
    capacity: int
    seconds: float


PER_ACCOUNT = Limit("account", 8, 90.0)
PER_ADDRESS = Limit("address", 40, 15.0)

# One statement takes a token or, with no row returned, refuses; two workers cannot both take the last.
_TAKE = sa.text("""
INSERT INTO login_buckets AS bucket (key, tokens, updated_at) VALUES (:key, :capacity - 1, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET
  tokens = LEAST(:capacity, bucket.tokens
    + EXTRACT(EPOCH FROM clock_timestamp() - bucket.updated_at) / CAST(:seconds AS double precision)) - 1,
  updated_at = clock_timestamp()
WHERE LEAST(:capacity, bucket.tokens
    + EXTRACT(EPOCH FROM clock_timestamp() - bucket.updated_at) / CAST(:seconds AS double precision)) >= 1
RETURNING tokens
""")
_DROP = sa.text("DELETE FROM login_buckets WHERE key = :key")
_PURGE = sa.text("DELETE FROM login_buckets WHERE updated_at < now() - interval '1 day'")


def take(attempts: Sequence[tuple[Limit, str]]) -> bool:
    """Count one attempt against every limit; tell whether all of them allow it.

    Runs in a transaction of its own, so a refused or failed request still counts.
    """
    with independent(require_scope(current_session())) as connection:
        allowed = [
            connection.execute(
                _TAKE, {"key": _key(limit, subject), "capacity": limit.capacity, "seconds": limit.seconds}
            ).one_or_none()
            is not None
            for limit, subject in attempts
        ]
    return all(allowed)


def forgive(limit: Limit, subject: str) -> None:
    """Give a subject its full bucket back: a successful login clears earlier mistakes."""
    with independent(require_scope(current_session())) as connection:
        connection.execute(_DROP, {"key": _key(limit, subject)})


def purge() -> int:
    """Delete buckets that have long been full again; return how many."""
    with independent(require_scope(current_session())) as connection:
        return connection.execute(_PURGE).rowcount


def _key(limit: Limit, subject: str) -> bytes:
    return hashlib.sha256(f"{limit.name}\n{subject}".encode()).digest()
