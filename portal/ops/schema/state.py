"""Where a database stands: which revisions it has, which are pending, and whether the two still belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from portal.ops.evolve.errors import DivergedError, ExitCode
from portal.ops.evolve.lock import LOCK_KEY
from portal.ops.schema.scripts import Phase, Revision
from portal.ops.schema.tables import Direction, MigrationLog, RunStatus, has_tables

# "running" is believed only while the row's own session holds the migration lock.
_HOLDERS = sa.text(
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = :key AND classid = 0"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
).bindparams(key=LOCK_KEY)
_LATEST = (
    sa.select(
        MigrationLog.id, MigrationLog.revision, MigrationLog.name, MigrationLog.direction, MigrationLog.status,
        MigrationLog.started_at, MigrationLog.finished_at, MigrationLog.duration_ms, MigrationLog.backend_pid,
        MigrationLog.checksum, MigrationLog.ast_checksum, MigrationLog.error_class, MigrationLog.error,
        MigrationLog.applied_steps_count, MigrationLog.migration_steps_count, MigrationLog.phase,
    )
    .ext(distinct_on(MigrationLog.revision))
    .order_by(MigrationLog.revision, MigrationLog.started_at.desc(), MigrationLog.id.desc())
)  # fmt: skip


@dataclass(frozen=True)
class State:
    """What the database and the revision files say of each other. Revisions are ids, oldest first."""

    current: tuple[str, ...]
    revisions: Sequence[Revision]
    heads: tuple[str, ...]
    latest: dict[str, Any]  # revision -> its newest row of the history
    running: tuple[str, ...]
    unfinished: tuple[str, ...]  # failed or interrupted, and not run again or resolved since
    unknown: tuple[str, ...]  # in the database, not among the files
    edited: tuple[str, ...]  # applied, and the code was changed since
    touched: tuple[str, ...]  # applied, and a comment was changed since
    has_history: bool

    @property
    def applied(self) -> list[Revision]:
        """The revisions the database has."""
        pending = {revision.id for revision in self.pending}
        return [revision for revision in self.revisions if revision.id not in pending]

    @property
    def pending(self) -> list[Revision]:
        """The revisions the database lacks; all of them where it stands at an unknown one is not known, so none."""
        if self.unknown:
            return []
        have = _reached(self.current, {revision.id: revision for revision in self.revisions})
        return [revision for revision in self.revisions if revision.id not in have]

    @property
    def problems(self) -> list[str]:
        """What keeps an upgrade from starting, as sentences."""
        found = [f"The database stands at {revision}, which is none of our files." for revision in self.unknown]
        if len(self.heads) > 1:
            found.append(f"There are {len(self.heads)} heads: {', '.join(self.heads)}. `flask db merge` joins them.")
        return found + [
            f"{revision} was applied with other code than the file has now. Put the file back, or say that it may "
            f"be: flask db resolve {revision} --accept-checksum"
            for revision in self.edited
        ]

    @property
    def exit_code(self) -> ExitCode:
        """What `flask db status` ends with."""
        if self.problems:
            return ExitCode.DIVERGED
        if self.unfinished:
            return ExitCode.FAILED
        return ExitCode.PENDING if self.pending else ExitCode.OK

    def refuse_divergence(self) -> None:
        """Raise DivergedError where database and files do not belong together."""
        if self.problems:
            raise DivergedError("\n".join(self.problems))

    def target(self, phase: Phase | None) -> str | None:
        """Return the last pending revision a run of ``phase`` reaches, None where there is nothing to do.

        Expand stops before the first revision the old release could not live with; contract takes those that
        come next and stops before the first that expands again.
        """
        reached = None
        for revision in self.pending:
            expands = revision.phase is Phase.EXPAND
            if (phase is Phase.EXPAND and not expands) or (phase is Phase.CONTRACT and expands):
                break
            reached = revision.id
        return reached


def read_state(connection: sa.Connection, revisions: Sequence[Revision]) -> State:
    """Compare the database with the files; a history that is not there yet is an empty one."""
    history = has_tables(connection)
    latest = {row.revision: row for row in connection.execute(_LATEST)} if history else {}
    current = _current(connection, history)
    known = {revision.id: revision for revision in revisions}
    holders = set(connection.execute(_HOLDERS).scalars())
    running = [row for row in latest.values() if row.status == RunStatus.RUNNING]
    dead = [row for row in running if row.backend_pid not in holders]
    failed = [row for row in latest.values() if row.status in (RunStatus.FAILED, RunStatus.INTERRUPTED)]
    have = _reached(current, known)
    differing = [row for row in _applied_with(connection, history) if row.revision in have and _differs(row, known)]
    return State(
        current=current,
        revisions=revisions,
        heads=tuple(sorted(set(known) - {down for revision in revisions for down in revision.down})),
        latest=latest,
        running=tuple(row.revision for row in running if row not in dead),
        unfinished=tuple(sorted(row.revision for row in [*failed, *dead])),
        unknown=tuple(revision for revision in current if revision not in known),
        edited=tuple(row.revision for row in differing if row.ast_checksum != known[row.revision].ast_checksum),
        touched=tuple(row.revision for row in differing if row.ast_checksum == known[row.revision].ast_checksum),
        has_history=history,
    )


def _current(connection: sa.Connection, history: bool) -> tuple[str, ...]:
    if history:
        return tuple(connection.exec_driver_sql("SELECT ops.current_heads()").scalar_one())
    if not connection.exec_driver_sql("SELECT to_regclass('public.alembic_version') IS NOT NULL").scalar_one():
        return ()
    return tuple(connection.exec_driver_sql("SELECT version_num FROM public.alembic_version ORDER BY 1").scalars())


def _applied_with(connection: sa.Connection, history: bool) -> list[Any]:
    """Return, of each revision that is in force, the row of its last application."""
    if not history:
        return []
    return list(connection.execute(
        sa.select(MigrationLog.revision, MigrationLog.checksum, MigrationLog.ast_checksum)
        .ext(distinct_on(MigrationLog.revision))
        .where(MigrationLog.direction.in_((Direction.UP, Direction.STAMP)), MigrationLog.status == RunStatus.APPLIED)
        .order_by(MigrationLog.revision, MigrationLog.started_at.desc(), MigrationLog.id.desc())
    ))  # fmt: skip


def _reached(current: Sequence[str], known: dict[str, Revision]) -> set[str]:
    """Return the ids of the revisions below ``current``, itself included; of unknown ones nothing is known."""
    have: set[str] = set()
    todo = [revision for revision in current if revision in known]
    while todo:
        revision = todo.pop()
        if revision not in have:
            have.add(revision)
            todo += known[revision].down
    return have


def _differs(row: Any, known: dict[str, Revision]) -> bool:
    return row.checksum is not None and row.checksum != known[row.revision].checksum
