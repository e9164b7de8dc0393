"""Short lock waits, repeated: an ALTER that queues behind an open reader stalls every reader after it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from alembic.ddl.postgresql import PostgresqlImpl

from portal.ops.evolve.watch import watching

Result = TypeVar("Result")

LOCK_TIMEOUT = "100ms"
ATTEMPTS = 40
LONGEST_WAIT = 2.0


def patiently(connection: sa.Connection, statement: str, action: Callable[[], Result]) -> Result:
    """Run ``action``, which sends ``statement``, again after a growing wait each time a lock was not to be had.

    Inside a transaction each attempt is a savepoint, so the locks of a failed one are let go.
    Raises the last error after ``ATTEMPTS`` attempts, about a minute.
    """
    for wait in _waits():
        try:
            return _attempt(connection, statement, action)
        except sa.exc.OperationalError as error:
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
                raise
            watching().retried()
            time.sleep(wait)
    return _attempt(connection, statement, action)


def _attempt(connection: sa.Connection, statement: str, action: Callable[[], Result]) -> Result:
    with _savepoint(connection), watching().statement(connection, statement):
        return action()


def _savepoint(connection: sa.Connection) -> AbstractContextManager[object]:
    if is_autocommit(connection):
        return nullcontext()
    return connection.begin_nested() if connection.in_transaction() else connection.begin()


def is_autocommit(connection: sa.Connection) -> bool:
    """Tell whether each statement on ``connection`` commits by itself."""
    return connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"


def _waits() -> Iterator[float]:
    wait = 0.05
    for _ in range(ATTEMPTS - 1):
        yield wait * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing
        wait = min(wait * 1.4, LONGEST_WAIT)


class RetryingImpl(PostgresqlImpl):
    """Alembic's PostgreSQL with every statement of a revision run patiently. Importing it is enough."""

    __dialect__ = "postgresql"

    def _exec(
        self,
        construct: sa.Executable | str,
        execution_options: Mapping[str, Any] | None = None,
        multiparams: Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] = sa.util.immutabledict(),
    ) -> sa.CursorResult[Any] | None:
        def action() -> sa.CursorResult[Any] | None:
            return super(RetryingImpl, self)._exec(construct, execution_options, multiparams, params)

        if self.as_sql or self.connection is None:
            return action()
        return patiently(self.connection, str(construct), action)
