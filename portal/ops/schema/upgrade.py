"""A whole upgrade or downgrade: what must be true before, the backup, the run, the look afterwards.

Everything happens under the migration lock, backup and checks included, so of ten started together one works and
nine find nothing to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from portal.ops.evolve.errors import BackupError
from portal.ops.evolve.retry import patiently
from portal.ops.schema.backup import Vault
from portal.ops.schema.checklist import keep_reads
from portal.ops.schema.place import Place
from portal.ops.schema.plan import keep_plan, make_plan
from portal.ops.schema.recorder import Run
from portal.ops.schema.scripts import Phase, Revision
from portal.ops.schema.sizes import record_sizes
from portal.ops.schema.snapshot import count_rows
from portal.ops.schema.state import State, read_state
from portal.ops.schema.tables import Rehearsal, WorkStatus, ensure_tables
from portal.ops.schema.verify import Report, verify

Tell = Callable[[str, Mapping[str, Any]], None]
EVIDENCE_AGE = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the caller wants done, and which precautions to leave out, each with its reason."""

    target: str = "head"
    phase: Phase | None = None
    by: str | None = None
    without_backup: str | None = None
    without_rehearsal: str | None = None
    needs_rehearsal: bool = False
    verify: bool = True

    @property
    def notes(self) -> str | None:
        """The reasons, for the history."""
        left_out = {"backup": self.without_backup, "rehearsal": self.without_rehearsal}
        return "; ".join(f"without {what}: {reason}" for what, reason in left_out.items() if reason) or None


@dataclass
class Outcome:
    """What an upgrade or a downgrade did."""

    run_id: UUID
    revisions: list[Revision] = field(default_factory=list)
    backup_id: UUID | None = None
    rehearsal_id: UUID | None = None
    duration_ms: int = 0
    report: Report | None = None
    kept: dict[str, int] = field(default_factory=dict)  # table put aside -> rows


@dataclass(frozen=True)
class Move:
    """One upgrade or downgrade of a place: with which vault, as which wish says, telling whom."""

    place: Place
    vault: Vault
    wish: Wish
    tell: Tell

    def upgrade(self) -> Outcome:
        """Bring the database to the wished revision.

        Raises DivergedError, DangerousError, BackupError, MigrationLockedError before anything is changed, and
        MigrationDataError, which leaves what the revisions before did.
        """
        with self._begun() as (connection, state):
            todo = _todo(self.place.scripts(), state, self.wish)
            run = self._run()
            outcome = Outcome(run.id, todo)
            if not todo:
                return outcome
            if not is_empty(connection):
                self._take_precautions(state, run, todo[-1].id)
            outcome.backup_id, outcome.rehearsal_id = run.backup_id, run.rehearsal_id
            started = time.perf_counter()
            self.place.upgrade(todo[-1].id, run, connection)
            outcome.duration_ms = round((time.perf_counter() - started) * 1000)
            connection.rollback()
            if not is_empty(connection):
                outcome.report = self._look_after(connection)
            return outcome

    def downgrade(self) -> Outcome:
        """Take the database down; what the older schema cannot hold is kept in tables of its own.

        Raises as ``upgrade`` does.
        """
        with self._begun() as (connection, state):
            todo = undone(self.place.scripts(), state, self.wish.target)
            run = self._run()
            outcome = Outcome(run.id, todo)
            if not todo:
                return outcome
            if not is_empty(connection):
                run.backup_id = outcome.backup_id = self._back_up(todo[0].id)
            before = _aside(connection)
            started = time.perf_counter()
            self.place.downgrade(", ".join(todo[-1].down) or "base", run, connection)
            outcome.duration_ms = round((time.perf_counter() - started) * 1000)
            outcome.kept = {table: rows for table, rows in _aside(connection).items() if rows != before.get(table)}
            return outcome

    @contextmanager
    def _begun(self) -> Iterator[tuple[sa.Connection, State]]:
        """Hold the lock and yield the connection that does, with what it found."""
        text = "Another run is at it; waiting for it to end ..."
        with self.place.locked(lambda: self.tell("note", {"text": text})) as connection:
            ensure_tables(connection)
            state = read_state(connection, self.place.revisions())
            connection.rollback()
            state.refuse_divergence()
            yield connection, state

    def _run(self) -> Run:
        return Run(app_user=self.wish.by, notes=self.wish.notes, tell=self.tell)

    def _take_precautions(self, state: State, run: Run, target: str) -> None:
        """Refuse what is dangerous, ask for a rehearsal where one is needed, and make a backup."""
        self.tell("note", {"text": "Looking at what the pending revisions do ..."})
        plan = make_plan(self.place, state, target)
        with self.place.engine.connect() as connection:
            keep_plan(connection, plan)
            run.rehearsal_id = find_rehearsal(connection, state, target)
        plan.refuse_dangers()
        if self.wish.needs_rehearsal and run.rehearsal_id is None and not self.wish.without_rehearsal:
            raise BackupError(
                "These revisions were not rehearsed on a copy of the data within seven days. Run `flask db rehearse`, "
                "or give --without-rehearsal with the reason. Nothing was changed."
            )
        run.backup_id = self._back_up(target)
        keep_reads(self.place)  # what the checklist afterwards compares with

    def _back_up(self, revision: str) -> UUID | None:
        if self.wish.without_backup:
            return None
        self.tell("note", {"text": "Making a backup ..."})
        return self.vault.make(reason=f"before {revision}", by=self.wish.by, tell=self.tell).id

    def _look_after(self, connection: sa.Connection) -> Report | None:
        record_sizes(connection)
        connection.commit()
        if not self.wish.verify:
            return None
        self.tell("note", {"text": "Checking the data ..."})
        return verify(self.place, by=self.wish.by, tell=self.tell, connection=connection)


def is_empty(connection: sa.Connection) -> bool:
    """Tell whether the database holds no row that could be lost. Leaves no transaction open."""
    counts = patiently(connection, "SELECT", lambda: count_rows(connection))
    connection.rollback()
    return not any(counts.values())


def undone(scripts: ScriptDirectory, state: State, target: str) -> list[Revision]:
    """Return the revisions a downgrade to ``target`` takes back, newest first; ``target`` as Alembic reads it."""
    by_id = {revision.id: revision for revision in state.revisions}
    current = ", ".join(state.current)
    if not current:
        return []
    steps = scripts._downgrade_revs(target, current)  # the only place that reads "-1" and partial ids alike
    return [by_id[step.revision.revision] for step in steps]


def _todo(scripts: ScriptDirectory, state: State, wish: Wish) -> list[Revision]:
    """Return what is to be run, oldest first."""
    pending = {revision.id: revision for revision in state.pending}
    reached = state.target(wish.phase)
    if wish.phase is not None and reached is None:
        return []
    target = wish.target if wish.phase is None else str(reached)
    steps = scripts._upgrade_revs(target, ", ".join(state.current) or "base")
    return [pending[step.revision.revision] for step in steps if step.revision.revision in pending]


def find_rehearsal(connection: sa.Connection, state: State, target: str) -> UUID | None:
    """Return the newest good rehearsal of just these revisions, unchanged since, of the last seven days."""
    checksums = {revision.id: revision.ast_checksum for revision in state.pending if revision.id <= target}
    rows = connection.execute(
        sa.select(Rehearsal.id, Rehearsal.checksums)
        .where(Rehearsal.status == WorkStatus.OK, Rehearsal.from_heads == ", ".join(state.current))
        .where(Rehearsal.started_at > datetime.now(UTC) - EVIDENCE_AGE)
        .order_by(Rehearsal.started_at.desc())
    )
    for row in rows:
        if checksums.items() <= row.checksums.items():
            return UUID(str(row.id))
    return None


def _aside(connection: sa.Connection) -> dict[str, int]:
    """Return the tables that migrations put aside, with their rows."""
    return {
        name: rows for name, rows in count_rows(connection).items() if name.startswith("keep_") or "_quarantine" in name
    }
