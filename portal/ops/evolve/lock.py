"""One upgrade at a time: a session's advisory lock on the migration's own connection.

It is polled: a connection that waits inside ``pg_advisory_lock`` holds a snapshot, and CREATE INDEX
CONCURRENTLY would wait for that snapshot for ever. Should the process die, its session ends and the
lock with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from portal.ops.evolve.errors import MigrationLockedError
from portal.ops.evolve.retry import LOCK_TIMEOUT

LOCK_KEY = 0x636C6E6B  # "clnk"; advisory locks are per database
POLL_SECONDS = 0.2


@contextmanager
def exclusive(
    connection: sa.Connection, wait_seconds: float, waiting: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Hold the migration lock; raises MigrationLockedError where another run keeps it too long.

    ``waiting`` is called once where it has to wait. ``connection`` must not be in a transaction, and is not in one
    inside.
    """
    _settle(connection, f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    _notice_lost_clients(connection)
    deadline = time.monotonic() + wait_seconds
    told = False
    while not _settle(connection, f"SELECT pg_try_advisory_lock({LOCK_KEY})"):
        if time.monotonic() > deadline:
            raise MigrationLockedError(f"Another upgrade has been running for over {wait_seconds:.0f} s.")
        if not told:
            told = True
            waiting()
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.rollback()
            _settle(connection, f"SELECT pg_advisory_unlock({LOCK_KEY})")
            _settle(connection, "RESET lock_timeout")
            _settle(connection, "RESET client_connection_check_interval")


def _notice_lost_clients(connection: sa.Connection) -> None:
    """Let the server stop a statement whose client died; not every platform's server can."""
    try:
        _settle(connection, "SET client_connection_check_interval = '5s'")
    except sa.exc.DBAPIError:
        connection.rollback()


def _settle(connection: sa.Connection, statement: str) -> object:
    """Run one statement and end its transaction, so that no snapshot is held between polls."""
    result = connection.exec_driver_sql(statement)
    value = result.scalar_one() if result.returns_rows else None
    connection.commit()
    return value
