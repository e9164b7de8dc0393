"""The operators' single pages: where the database stands, one run, one rehearsal, one verification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from portal.ops import queries
from portal.ops.files import current_revisions
from portal.ops.presenting import Verdict, verdict
from portal.ops.progress import Now, look
from portal.ops.schema.scripts import Revision
from portal.ops.schema.state import State
from portal.ops.schema.tables import Backup, MigrationLog, Rehearsal, Verification, WorkStatus

SLOWEST = 10


@dataclass(frozen=True)
class Pending:
    """A revision the database lacks; ``planned`` is what its newest plan says, None where there is no plan."""

    revision: Revision
    planned: Mapping[str, Any] | None


class StatusView:
    """Where the database stands, what is pending, and what was last done for its safety."""

    def __init__(self) -> None:
        self._state = queries.get_state(current_revisions())
        self.verdict: Verdict = verdict(self._state)
        self.now: Now = look(self._state)
        self.pending = _with_plans(self._state)
        self.backup = queries.find_newest(Backup, Backup.kind == "database", Backup.status != WorkStatus.RUNNING)
        self.rehearsal = queries.find_newest(Rehearsal, Rehearsal.status != WorkStatus.RUNNING)
        self.verification = queries.find_newest(Verification, Verification.status != WorkStatus.RUNNING)

    @property
    def current(self) -> list[tuple[str, str]]:
        """Where the database stands, as (id, name); the name is empty where it is unknown."""
        names = {revision.id: revision.name for revision in self._state.revisions}
        return [(revision, names.get(revision, "")) for revision in self._state.current]

    @property
    def heads(self) -> list[tuple[str, str]]:
        """Where this release leads."""
        names = {revision.id: revision.name for revision in self._state.revisions}
        return [(revision, names[revision]) for revision in self._state.heads]

    @property
    def stopped(self) -> list[Any]:
        """The rows of the history that failed or were interrupted and wait to be run again."""
        return [self._state.latest[revision] for revision in self._state.unfinished]

    @property
    def counts(self) -> tuple[int, int]:
        """How many revisions the database has, of how many."""
        return len(self._state.applied), len(self._state.revisions)

    @property
    def is_planned(self) -> bool:
        """Whether every pending revision has a plan made for its present code."""
        return all(pending.planned is not None for pending in self.pending)


def _with_plans(state: State) -> list[Pending]:
    """Return the pending revisions, each with its plan where its code has not changed since."""
    plan = queries.find_plan(state) if state.pending else None
    planned = {item["revision"]: item for item in plan.revisions} if plan else {}
    known = plan.checksums if plan else {}
    return [
        Pending(item, planned.get(item.id) if known.get(item.id) == item.ast_checksum else None)
        for item in state.pending
    ]  # fmt: skip


def current_now() -> Now:
    """Return what goes on, for the part of a page that is fetched again and again."""
    return look(queries.get_state(current_revisions()))


class RunView:
    """One run of one revision."""

    def __init__(self, log_id: UUID) -> None:
        self.log = queries.get_row(MigrationLog, log_id)

    @cached_property
    def backup(self) -> Backup | None:
        """The backup made before it."""
        return queries.find_backup(self.log.backup_id)

    @property
    def locks(self) -> list[Mapping[str, Any]]:
        """What stood in others' way, the longest first."""
        return sorted(self.log.locks or [], key=lambda lock: -lock["ms"])

    @property
    def rows(self) -> list[tuple[str, int | None, int | None]]:
        """(table, rows before, rows after) of every table; None where there was none."""
        before, after = self.log.rows_before or {}, self.log.rows_after
        if after is None:
            return [(table, rows, None) for table, rows in sorted(before.items())]
        return [(table, before.get(table), after.get(table)) for table in sorted({*before, *after})]

    @property
    def is_counted_twice(self) -> bool:
        """Whether rows were counted after it, too: not where it stopped."""
        return self.log.rows_after is not None

    @property
    def changed(self) -> list[tuple[str, int | None, int | None]]:
        """The tables whose rows became more or fewer."""
        return [row for row in self.rows if row[1] != row[2]] if self.is_counted_twice else []

    @property
    def same(self) -> list[tuple[str, int | None, int | None]]:
        """The others."""
        return [row for row in self.rows if not self.is_counted_twice or row[1] == row[2]]


class RehearsalView:
    """One rehearsal, its statements slowest first."""

    def __init__(self, rehearsal_id: UUID) -> None:
        self.row = queries.get_row(Rehearsal, rehearsal_id)
        self._statements = sorted(self.row.statements or [], key=lambda one: -one["ms"])

    @property
    def locks(self) -> list[Mapping[str, Any]]:
        """The locks that stood longest in others' way: of each table and mode the longest."""
        longest: dict[tuple[str, str], Mapping[str, Any]] = {}
        for lock in sorted((lock for one in self._statements for lock in one["locks"]), key=lambda lock: lock["ms"]):
            longest[lock["relation"], lock["mode"]] = lock
        return sorted(longest.values(), key=lambda lock: -lock["ms"])[:SLOWEST]

    @property
    def slowest(self) -> Sequence[Mapping[str, Any]]:
        """The statements that took longest."""
        return self._statements[:SLOWEST]

    @property
    def others(self) -> Sequence[Mapping[str, Any]]:
        """The rest."""
        return self._statements[SLOWEST:]


class VerificationView:
    """One verification: the checks that found something, then the others."""

    def __init__(self, verification_id: UUID) -> None:
        self.row = queries.get_row(Verification, verification_id)
        checks = self.row.checks or []
        self.failed = [check for check in checks if check["findings"]]
        self.passed = [check for check in checks if not check["findings"]]
