"""What pending revisions will do, before they do it: run on an empty copy that stands where the database stands.

Steps that depend on rows show only in a rehearsal; everything else is seen here: the SQL, the locks, the rewrites.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from portal.ops.evolve.errors import DangerousError
from portal.ops.schema.lint import Finding, lint_revision
from portal.ops.schema.observe import Seen
from portal.ops.schema.place import Place
from portal.ops.schema.recorder import Run
from portal.ops.schema.scratch import scratch
from portal.ops.schema.scripts import Revision
from portal.ops.schema.state import State
from portal.ops.schema.tables import Plan as PlanRow
from portal.ops.schema.tables import has_tables


@dataclass(frozen=True)
class PlannedRevision:
    """One pending revision, what it sent to the copy, and what is to be said about it."""

    revision: Revision
    statements: list[Seen]
    findings: list[Finding]

    @property
    def locks(self) -> list[dict[str, Any]]:
        """Tables others will have to wait for, and in which mode, each once."""
        found = {(lock.relation, lock.mode): lock for seen in self.statements for lock in seen.locks}
        return [found[key].as_json() for key in sorted(found)]

    @property
    def rewrites(self) -> list[str]:
        """Tables that are written anew."""
        return sorted({name for seen in self.statements for name in seen.rewrites})

    def as_json(self, *, sql: bool = False) -> dict[str, Any]:
        """Return it as it is kept and printed."""
        kept = {
            "revision": self.revision.id,
            "name": self.revision.name,
            "phase": self.revision.phase,
            "what": self.revision.header.get("What it does", self.revision.title),
            "warnings": self.revision.header.get("Warnings"),
            "statements": len(self.statements),
            "findings": [finding.as_json() for finding in self.findings],
            "locks": self.locks,
            "rewrites": self.rewrites,
        }
        return {**kept, "sql": [seen.statement for seen in self.statements]} if sql else kept


@dataclass(frozen=True)
class Plan:
    """The pending revisions in order."""

    from_heads: tuple[str, ...]
    to: str | None
    revisions: list[PlannedRevision]

    @property
    def dangers(self) -> list[tuple[Revision, Finding]]:
        """What must not run: findings without a reason, in revisions that are bound by the rules."""
        return [
            (planned.revision, finding)
            for planned in self.revisions
            for finding in planned.findings
            if finding.is_dangerous and not planned.revision.is_exempt
        ]

    def refuse_dangers(self) -> None:
        """Raise DangerousError where a revision does something dangerous and does not say why."""
        if self.dangers:
            listed = "\n".join(f"  {revision.id}: {finding}" for revision, finding in self.dangers)
            raise DangerousError(
                f"{listed}\nDo it another way, or say in the revision why it is safe here: "
                'allow = {"rule": "the reason"}. Nothing was changed.'
            )


def make_plan(place: Place, state: State, target: str = "head") -> Plan:
    """Run the pending revisions up to ``target`` on an empty copy and return what was seen.

    Raises DivergedError where database and files do not belong together.
    """
    state.refuse_divergence()
    if not state.pending:
        return Plan(state.current, None, [])
    run = Run(rewrites=True)
    with scratch(place) as copy:
        for revision in state.current:
            copy.upgrade(revision)
        copy.upgrade(target, run)
    planned = [
        PlannedRevision(revision, run.seen[revision.id], lint_revision(revision, run.seen[revision.id]))
        for revision in state.pending
        if revision.id in run.seen
    ]
    return Plan(state.current, planned[-1].revision.id if planned else None, planned)


def keep_plan(connection: sa.Connection, plan: Plan) -> None:
    """Store a plan for the admin host; only the newest is of interest. Commits."""
    if not plan.revisions or not has_tables(connection):
        return
    connection.execute(sa.delete(PlanRow))
    connection.execute(
        sa.insert(PlanRow).values(
            id=uuid7(),
            from_heads=", ".join(plan.from_heads),
            to_heads=plan.to,
            checksums=_checksums(plan),
            revisions=[planned.as_json() for planned in plan.revisions],
        )
    )
    connection.commit()


def _checksums(plan: Plan) -> Mapping[str, str]:
    return {planned.revision.id: planned.revision.ast_checksum for planned in plan.revisions}
