"""What is going on right now: migrations with their backfills, and jobs that wait or are being done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from portal.core.clock import now
from portal.ops import queries
from portal.ops.presenting import WORKS, percent, span
from portal.ops.queries import Job
from portal.ops.schema.state import State
from portal.ops.schema.tables import Backup, Rehearsal, Verification
from portal.ops.services import Work

PATIENCE = timedelta(minutes=1)
KINDS: dict[Work, type[Backup | Rehearsal | Verification]] = {
    Work.BACKUP: Backup,
    Work.REHEARSAL: Rehearsal,
    Work.VERIFICATION: Verification,
}


@dataclass(frozen=True)
class Backfill:
    """How far one backfill is; ``left`` is empty where nobody can know."""

    table: str
    done: int
    total: int
    left: str

    @property
    def percent(self) -> str:
        """How much is done, in per cent."""
        return percent(self.done, self.total)


@dataclass(frozen=True)
class Going:
    """A revision that runs, and its backfills."""

    log: Any
    backfills: list[Backfill]


@dataclass(frozen=True)
class Line:
    """A piece of work that waits or is being done. ``is_stuck``: nobody seems to be there to do it."""

    label: str
    is_waiting: bool
    since: datetime
    by: str | None = None
    is_stuck: bool = False


@dataclass(frozen=True)
class Now:
    """Everything that goes on."""

    going: list[Going] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing goes on."""
        return not self.going and not self.lines

    @property
    def seconds(self) -> int:
        """After how many seconds it is worth looking again."""
        return 2 if self.going or any(not line.is_waiting for line in self.lines) else 5


def look(state: State) -> Now:
    """Return what goes on, migrations of ``state`` included."""
    running = [state.latest[revision] for revision in state.running]
    steps = queries.list_steps([row.revision for row in running])
    going = [
        Going(row, [_backfill(step, row) for step in steps if step.revision == row.revision]) for row in running
    ]  # fmt: skip
    jobs = queries.list_jobs(list(Work))
    return Now(going, [line for work in Work for line in _lines(work, [job for job in jobs if job.name == work])])


def _backfill(step: Any, row: Any) -> Backfill:
    """Return a step as it is shown; one that an earlier run began tells nothing of this run's speed."""
    left, spent = "", step.updated_at - step.started_at
    if step.rows_done and step.started_at >= row.started_at:
        left = span(spent * (max(0, step.rows_total - step.rows_done) / step.rows_done))
    return Backfill(step.table_name, step.rows_done, max(step.rows_total, step.rows_done), left)


def _lines(work: Work, jobs: Sequence[Job]) -> list[Line]:
    """Return the jobs of one kind, and what a command on some machine does of it."""
    label = str(WORKS[work])
    lines = [Line(label, job.is_waiting, job.since, is_stuck=_is_stuck(job)) for job in jobs]
    if any(not job.is_waiting for job in jobs):
        return lines
    return [Line(label, False, row.started_at, row.by) for row in queries.list_running(KINDS[work])] + lines


def _is_stuck(job: Job) -> bool:
    return job.is_waiting and (now() - job.since > PATIENCE or not queries.has_worker())
