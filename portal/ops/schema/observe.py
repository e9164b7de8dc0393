"""What a statement locks and rewrites, asked of the database itself right after it ran."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from portal.ops.evolve.retry import is_autocommit

# Modes that make somebody wait: readers (the last one) or writers.
BLOCKING = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
_LOCKS = f"""
SELECT c.oid::integer, c.oid::regclass::text AS relation, l.mode
  FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
 WHERE l.pid = pg_backend_pid() AND l.granted AND l.locktype = 'relation' AND c.relkind IN ('r', 'p')
   AND l.mode IN {BLOCKING}
"""
_FILES = """
SELECT oid::integer, oid::regclass::text, relfilenode::bigint FROM pg_class
 WHERE relkind IN ('r', 'p') AND relnamespace IN ('public'::regnamespace, coalesce(to_regnamespace('jobs'), 0))
"""
# Statements that manage the session, or that PostgreSQL refuses inside a transaction.
_BARE = re.compile(r"\s*(SET|RESET|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|VACUUM)\b|.*\bCONCURRENTLY\b", re.I | re.S)
_READ = re.compile(r"\s*(SELECT|SHOW|TABLE|VALUES)\b", re.IGNORECASE)


@dataclass
class Lock:
    """A lock on a table that others could see, and for how long it was held, in milliseconds."""

    relation: str
    mode: str
    ms: float = 0.0

    def as_json(self) -> dict[str, object]:
        """Return it as the history keeps it."""
        return {"relation": self.relation, "mode": self.mode, "ms": round(self.ms, 1)}


@dataclass
class Seen:
    """What was seen of one statement."""

    statement: str
    ms: float = 0.0
    locks: list[Lock] = field(default_factory=list)
    rewrites: list[str] = field(default_factory=list)


class Observer:
    """Looks at one connection's locks, statement by statement, inside one revision.

    Locks on tables that the revision itself made are left out: nobody else can wait for them.
    A statement outside a transaction is put into one of its own, so that its locks can still be seen.
    """

    def __init__(self, connection: sa.Connection, *, rewrites: bool = False) -> None:
        self._rewrites = rewrites
        self._files = self._read_files(connection)
        self.statements: list[Seen] = []
        self._held: dict[tuple[str, str], tuple[float, Lock]] = {}
        self.locks: dict[tuple[str, str], float] = {}

    @contextmanager
    def statement(self, connection: sa.Connection, statement: str) -> Iterator[Seen]:
        """Surround a statement that is not a mere question; what was seen is filled in afterwards."""
        seen = Seen(statement)
        alone = is_autocommit(connection)
        bare = bool(_BARE.match(statement))
        started = time.perf_counter()
        if alone and not bare:
            connection.exec_driver_sql("BEGIN")
        try:
            yield seen
            if not bare:
                self._look(connection, seen, started)
            if alone and not bare:
                connection.exec_driver_sql("COMMIT")
        except BaseException:
            if alone and not bare and not connection.invalidated:
                _roll_back_quietly(connection)
            raise
        seen.ms = (time.perf_counter() - started) * 1000
        self.statements.append(seen)
        if alone:
            self.end_transaction()

    @contextmanager
    def batch(self, statement: str) -> Iterator[None]:
        """Surround a batch of a backfill: it locks rows, not tables, so it is only timed."""
        started = time.perf_counter()
        yield
        self.statements.append(Seen(statement, (time.perf_counter() - started) * 1000))

    def end_transaction(self) -> None:
        """Tell that the transaction has ended, and its locks with it."""
        now = time.perf_counter()
        for key, (since, lock) in self._held.items():
            lock.ms = (now - since) * 1000
            self.locks[key] = max(self.locks.get(key, 0.0), lock.ms)
        self._held.clear()

    def longest(self) -> float:
        """Return how long the longest lock was held, in milliseconds."""
        return max(self.locks.values(), default=0.0)

    def _look(self, connection: sa.Connection, seen: Seen, started: float) -> None:
        for oid, relation, mode in connection.exec_driver_sql(_LOCKS).all():
            if oid in self._files and (relation, mode) not in self._held:
                lock = Lock(relation, mode)
                seen.locks.append(lock)
                self._held[relation, mode] = started, lock
        if self._rewrites:
            files = self._read_files(connection)
            seen.rewrites = [
                name for oid, (name, file) in files.items() if oid in self._files and self._files[oid][1] != file
            ]
            self._files.update({oid: files[oid] for oid in files.keys() & self._files.keys()})

    @staticmethod
    def _read_files(connection: sa.Connection) -> dict[int, tuple[str, int]]:
        return {oid: (name, file) for oid, name, file in connection.exec_driver_sql(_FILES).all()}


def is_question(statement: str) -> bool:
    """Tell whether a statement only asks."""
    return bool(_READ.match(statement))


def _roll_back_quietly(connection: sa.Connection) -> None:
    try:
        connection.exec_driver_sql("ROLLBACK")
    except sa.exc.SQLAlchemyError:
        return  # the connection is gone, and the transaction with it
