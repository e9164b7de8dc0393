"""`flask db verify --fix`: only what can lose nothing, statement by statement, beside running work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa

from portal.ops.evolve.retry import LOCK_TIMEOUT, patiently
from portal.ops.schema.checks.base import Finding, Tell


@dataclass(frozen=True)
class Mended:
    """What was done about a finding. ``error`` tells why it could not be; what was done before it stays."""

    what: str
    statements: tuple[str, ...]
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as it is printed."""
        return {"what": self.what, "statements": list(self.statements), "error": self.error}


def mend(connection: sa.Connection, findings: Iterable[Finding], tell: Tell) -> list[Mended]:
    """Run the fixes of ``findings`` on the connection that holds the migration lock, outside a transaction."""
    fixable = [finding for finding in findings if finding.fixable]
    done = []
    with _committing(connection):
        for number, finding in enumerate(fixable, 1):
            done.append(Mended(finding.what, finding.fix, _run(connection, finding.fix)))
            tell("part", {"what": "fixes", "done": number, "total": len(fixable)})
    return done


def _run(connection: sa.Connection, statements: Iterable[str]) -> str | None:
    """Run statements and return what went wrong, None where nothing did."""
    for statement in statements:
        try:
            with _waiting_for_locks(connection, statement):
                patiently(connection, statement, partial(connection.exec_driver_sql, statement.replace("%", "%%")))
        except sa.exc.DBAPIError as error:
            if connection.invalidated:
                raise
            original = error.orig
            primary = original.diag.message_primary if isinstance(original, psycopg.Error) else None
            return primary or type(original).__name__
    return None


@contextmanager
def _committing(connection: sa.Connection) -> Iterator[None]:
    """Let every statement commit by itself: CONCURRENTLY asks for it, and no lock outlives its statement."""
    connection.execution_options(isolation_level="AUTOCOMMIT")
    try:
        yield
    finally:
        connection.rollback()
        connection.execution_options(isolation_level=connection.default_isolation_level or "READ COMMITTED")


@contextmanager
def _waiting_for_locks(connection: sa.Connection, statement: str) -> Iterator[None]:
    """Let CONCURRENTLY wait as long as it takes: it waits for older transactions, and nobody waits for it."""
    if "CONCURRENTLY" not in statement:
        yield
        return
    connection.exec_driver_sql("SET lock_timeout = 0")
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
