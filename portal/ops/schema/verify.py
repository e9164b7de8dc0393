"""Whether the data and the database are whole: one look in one snapshot, kept in ``ops.migration_verify``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from portal.ops.evolve.errors import ExitCode
from portal.ops.schema.checks import CHECKS, Check, Finding, Look, Tell, nobody
from portal.ops.schema.checks.mend import Mended, mend
from portal.ops.schema.checks.references import catalogue_references, count_given, count_lost
from portal.ops.schema.place import Place
from portal.ops.schema.state import State, read_state
from portal.ops.schema.tables import Verification, WorkStatus, has_tables

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


@dataclass
class Report:
    """What a look at the database found. ``ms`` in milliseconds."""

    heads: tuple[str, ...]
    quick: bool
    id: UUID = field(default_factory=uuid7)
    checks: list[Check] = field(default_factory=list)
    ms: int = 0

    @property
    def findings(self) -> list[Finding]:
        """Everything that is not as it should be."""
        return [finding for check in self.checks for finding in check.findings]

    @property
    def lines(self) -> list[str]:
        """The findings as sentences."""
        return [finding.what for finding in self.findings]

    @property
    def exit_code(self) -> ExitCode:
        """What `flask db verify` ends with."""
        return ExitCode.DATA if self.findings else ExitCode.OK

    def as_json(self) -> dict[str, Any]:
        """Return it as it is printed."""
        return {
            "id": str(self.id),
            "ok": not self.findings,
            "quick": self.quick,
            "heads": list(self.heads),
            "ms": self.ms,
            "checks": [check.as_json() for check in self.checks],
        }


@dataclass(frozen=True)
class Repair:
    """A look, what was mended, and the look after it."""

    before: Report
    mended: list[Mended]
    after: Report


@dataclass(frozen=True)
class Held:
    """A foreign key and its rows: how many hold it and how many break it."""

    key: str
    name: str | None
    valid: bool
    holding: int
    breaking: int


def verify(
    place: Place, *, by: str | None, tell: Tell = nobody, quick: bool = False, connection: sa.Connection | None = None
) -> Report:
    """Look at everything, or with ``quick`` at what needs no reading of rows, and keep the result.

    ``connection`` is one that holds the migration lock already and is not in a transaction.
    Raises MigrationLockedError where another run keeps the lock.
    """
    with _held(place, connection, tell) as held:
        return _look_around(place, held, by, tell, quick)


def repair(place: Place, *, by: str | None, tell: Tell = nobody) -> Repair:
    """Look at everything, mend what can lose nothing, and look again.

    Raises MigrationLockedError where another run keeps the lock.
    """
    with _held(place, None, tell) as connection:
        before = _look_around(place, connection, by, tell, quick=False)
        mended = mend(connection, before.findings, tell)
        return Repair(before, mended, _look_around(place, connection, by, tell, quick=False) if mended else before)


def list_references(place: Place, tell: Tell = nobody) -> list[Held]:
    """Return every foreign key of the database with its rows, counted now.

    Raises MigrationLockedError where another run keeps the lock.
    """
    held = []
    with _held(place, None, tell) as connection:
        state = _read_state(place, connection)
        with _snapshot(connection):
            look = Look(connection, state, tell)
            references = catalogue_references(look)
            for number, one in enumerate(references, 1):
                given, lost = count_given(look, one), count_lost(look, one)
                held.append(Held(one.said, one.name, one.valid, given - lost, lost))
                tell("part", {"what": "foreign keys", "done": number, "total": len(references)})
    return held


def _look_around(place: Place, connection: sa.Connection, by: str | None, tell: Tell, quick: bool) -> Report:
    state = _read_state(place, connection)
    report = Report(state.current, quick)
    started = time.perf_counter()
    with _recorded(connection, report, by, kept=state.has_history):
        with _snapshot(connection):
            look = Look(connection, state, tell)
            for number, kind in enumerate(CHECKS, 1):
                check = Check(kind.name, kind.title, skipped=quick and kind.reads_rows)
                began = time.perf_counter()
                if not check.skipped:
                    kind.run(look, check)
                check.ms = _since(began)
                report.checks.append(check)
                tell("part", {"what": "checks", "done": number, "total": len(CHECKS)})
        report.ms = _since(started)
    return report


@contextmanager
def _held(place: Place, connection: sa.Connection | None, tell: Tell) -> Iterator[sa.Connection]:
    """Yield a connection that holds the migration lock: a look while revisions run would find halves."""
    if connection is not None:
        yield connection
        return
    with place.locked(lambda: tell("note", {"text": "Another run is at work; waiting for it."})) as locked:
        yield locked


@contextmanager
def _snapshot(connection: sa.Connection) -> Iterator[None]:
    """Let everything inside see one moment, and write nothing."""
    with connection.begin():
        connection.exec_driver_sql(_SNAPSHOT)
        yield


@contextmanager
def _recorded(connection: sa.Connection, report: Report, by: str | None, *, kept: bool) -> Iterator[None]:
    """Keep the report, where there is a history; committed before the look begins and after it."""
    if not kept or not has_tables(connection):
        connection.rollback()
        yield
        return
    # Under the lock nobody else is at it.
    connection.execute(
        sa.update(Verification)
        .where(Verification.status == WorkStatus.RUNNING)
        .values(status=WorkStatus.FAILED, error="The process ended without a word.")
    )
    connection.execute(
        sa.insert(Verification).values(id=report.id, status=WorkStatus.RUNNING, heads=", ".join(report.heads), by=by)
    )
    connection.commit()
    try:
        yield
    except Exception as error:
        if not connection.invalidated:
            connection.rollback()
            _close(connection, report, WorkStatus.FAILED, type(error).__name__)
        raise
    _close(connection, report, WorkStatus.FAILED if report.findings else WorkStatus.OK, None)


def _close(connection: sa.Connection, report: Report, status: WorkStatus, error: str | None) -> None:
    connection.execute(
        sa.update(Verification)
        .where(Verification.id == report.id)
        .values(
            status=status, finished_at=sa.func.clock_timestamp(), duration_ms=report.ms, error=error,
            checks=[check.as_json() for check in report.checks],
        )
    )  # fmt: skip
    connection.commit()


def _read_state(place: Place, connection: sa.Connection) -> State:
    state = read_state(connection, place.revisions())
    connection.rollback()
    return state


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
