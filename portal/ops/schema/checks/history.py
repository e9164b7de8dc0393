"""What the history says against what there is: unfinished runs, lost rows, rows put aside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from portal.ops.evolve.retry import patiently
from portal.ops.schema.checks.base import Check, Look, counted, listed
from portal.ops.schema.snapshot import count_rows, is_aside, list_tables
from portal.ops.schema.tables import Direction, MigrationLog, RunStatus

# Rows that end by themselves, and rows that people replace as they work: fewer of them proves no loss.
EXPIRING = frozenset({"login_sessions", "platform_sessions", "login_buckets"})
REPLACED = frozenset({"patient_terms", "offer_terms", "treatments", "treatment_teeth", "price_list_items"})
_KEPT = re.compile(r"^\"?keep_(?P<revision>\d{14})_")
_WHY_KEPT = {True: "in quarantine, each with its reason", False: "as they were before a restore or a recovery"}
_KEPT_SCHEMAS = "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^keep_[0-9]{14}_' ORDER BY 1"
_WORKED = "SELECT EXISTS (SELECT FROM activity_logs WHERE at BETWEEN :since AND :until)"
_MOVES = (Direction.UP, Direction.DOWN)  # a restore counts otherwise, and only what it brought back
_NEWEST_RUN = (
    sa.select(MigrationLog)
    .where(
        MigrationLog.run_id
        == sa.select(MigrationLog.run_id)
        .where(MigrationLog.rows_after.is_not(None), MigrationLog.direction.in_(_MOVES))
        .order_by(MigrationLog.started_at.desc(), MigrationLog.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    .where(MigrationLog.rows_after.is_not(None), MigrationLog.direction.in_(_MOVES))
    .order_by(MigrationLog.started_at, MigrationLog.id)
    .with_only_columns(
        MigrationLog.revision, MigrationLog.direction, MigrationLog.rows_before, MigrationLog.rows_after,
        MigrationLog.started_at, MigrationLog.finished_at,
    )
)  # fmt: skip


def check_history(look: Look, check: Check) -> None:
    """Look for runs that did not end well, and for files and database that do not belong together."""
    state = look.state
    check.looked_at = len(state.latest) or len(state.revisions)
    for problem in state.problems:
        check.find(problem)
    for revision in state.unfinished:
        row = state.latest[revision]
        ended = "failed" if row.status == RunStatus.FAILED else "was interrupted"
        check.find(
            f"{revision} {ended} on the way {row.direction} and was not run again. `flask db upgrade` goes on with it; "
            f"flask db resolve {revision} says what became of it."
        )
    for revision in state.touched:
        check.notes.append(f"{revision}: a comment of the file was changed since it was applied.")
    if state.current and not state.latest:
        check.notes.append("The history begins with the next upgrade; `flask db adopt` writes what was before.")


def check_counts(look: Look, check: Check) -> None:
    """Look, in the newest run, for tables that lost rows which no keep or quarantine table took."""
    rows = list(look.connection.execute(_NEWEST_RUN)) if look.state.has_history else []
    if not rows:
        check.notes.append("No run of the history has counts yet.")
        return
    for row in rows:
        check.looked_at += len(row.rows_before or {})
        if row.direction == Direction.UP:
            for table, lost in lost_rows(row.rows_before or {}, row.rows_after).items():
                _tell_loss(look, check, row, table, lost)
    after = {name: rows for name, rows in rows[-1].rows_after.items() if not is_aside(name)}
    now = patiently(look.connection, "count(*)", lambda: count_rows(look.connection))
    total = sum(count for name, count in now.items() if not is_aside(name))
    check.notes.append(f"{counted(total)} now, {counted(sum(after.values()))} right after {rows[-1].revision}.")
    fewer = [
        f"{name} {count - now.get(name, 0):,}" for name, count in sorted(after.items()) if now.get(name, 0) < count
    ]
    if fewer:
        check.notes.append(f"Fewer rows than then, as a clinic at work has: {listed(fewer, 8)}.")


def _tell_loss(look: Look, check: Check, row: Any, table: str, lost: int) -> None:
    worked = table in REPLACED and _people_worked(look, row.started_at, row.finished_at)
    if table in EXPIRING or worked:
        check.notes.append(f"{table} has {counted(lost)} fewer after {row.revision}; such rows come and go.")
    else:
        check.find(f"{table} lost {counted(lost)} in {row.revision}, and no table that keeps rows has them.", lost)


def lost_rows(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Return, per table, the rows that went and that no keep or quarantine table of its took."""
    lost = {}
    for table, count in before.items():
        gone = count - after.get(table, 0)
        if is_aside(table) or gone <= 0:
            continue
        kept = sum(
            max(0, rows - before.get(name, 0))
            for name, rows in after.items()
            if name == f"{table}_quarantine" or _is_kept_from(name, table)
        )
        if gone > kept:
            lost[table] = gone - kept
    return lost


def _is_kept_from(name: str, table: str) -> bool:
    found = _KEPT.match(name)
    # `keep_<revision>_offers` is not of `offers` alone: `keep_<revision>_offers_before` is, too.
    return bool(found) and (name[found.end() :] + "_").startswith(f"{table}_")  # type: ignore[union-attr]


def _people_worked(look: Look, since: datetime, until: datetime | None) -> bool:
    if "at" not in look.columns.get("activity_logs", {}):
        return False
    return bool(look.ask_one(_WORKED, since=since, until=until or since))


def check_kept(look: Look, check: Check) -> None:
    """Tell which rows wait in keep and quarantine tables; nothing of that is a fault."""
    names = [name for name in list_tables(look.connection) if name != "alembic_version" and is_aside(name)]
    for schema in (name for (name,) in look.ask(_KEPT_SCHEMAS)):
        names += list_tables(look.connection, schema)
    check.looked_at = len(names)
    for name in names:
        rows = int(look.ask_one(f"SELECT count(*) FROM {name}"))
        found = _KEPT.match(name)
        why = f"put aside by {found['revision']}" if found else _WHY_KEPT[name.endswith("_quarantine")]
        check.notes.append(f"{name}: {counted(rows)}, {why}.")
