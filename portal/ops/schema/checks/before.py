"""The guide's checklist before a migration, and what else would stop one: each item with its evidence."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from portal.core.roles import ROLES
from portal.core.settings import settings
from portal.ops.schema.checks.items import Facts, Item, ItemState, age_of, done_if, written
from portal.ops.schema.scripts import Phase
from portal.ops.schema.tables import Rehearsal, WorkStatus

FRESH_BACKUP = timedelta(hours=1)
FRESH_REHEARSAL = timedelta(days=7)
LONGEST_LOCK_MS = 500
SIGNABLE = ("downtime", "monitoring", "runs")
# Of other roles only somebody who may read all statistics sees the age; a snapshot shows that one is open.
_TRANSACTIONS = """
SELECT count(*) FILTER (WHERE xact_start < now() - interval '5 minutes') AS old,
       count(*) FILTER (WHERE xact_start IS NULL AND backend_xmin IS NOT NULL) AS hidden
  FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_PREPARED = """
SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database() AND prepared < now() - interval '5 minutes'
"""
_MEGABYTE = 1024**2


def judge_before(facts: Facts) -> list[Item]:
    """Return the items in the guide's order, then what a machine can see besides."""
    rehearsal = _find_rehearsal(facts)
    return [
        _backup(facts),
        _tested(facts, rehearsal),
        _downtime(facts, rehearsal),
        _rollback(facts, rehearsal),
        _monitoring(facts),
        _state(facts),
        _runs(facts),
        _transactions(facts),
        _disk(facts),
        _roles(facts),
    ]


def _nothing_at_risk(facts: Facts) -> str | None:
    """Return why an item need not be asked, None where it must."""
    if facts.state.problems:
        return None
    if not facts.state.pending:
        return "Nothing is pending."
    return None if facts.state.current else "The database is new: there is nothing to lose."


def _backup(facts: Facts) -> Item:
    key, title = "backup", "Backup taken"
    reason = _nothing_at_risk(facts)
    if reason:
        return done_if(True, key, title, reason)
    row = facts.newest_backup()
    fresh = row is not None and age_of(row.started_at) <= FRESH_BACKUP and row.started_at > facts.last_moved()
    if fresh and row.proven_at is not None:
        evidence = f"{row.file} of {written(row.started_at)}, proven by restoring it."
        return done_if(True, key, title, evidence)
    known = "The newest one is not proven." if fresh else "There is none of the last hour and since the last revision."
    return done_if(False, key, title, f"{known} `flask db upgrade` makes one.", automatic=True)


def _find_rehearsal(facts: Facts) -> Any:
    """Return the newest finished rehearsal of the way from here to the newest revision, or None."""
    if not facts.has_history:
        return None
    return facts.connection.execute(
        sa.select(
            Rehearsal.status, Rehearsal.started_at, Rehearsal.checksums, Rehearsal.longest_lock_ms,
            Rehearsal.downgrade_ms, Rehearsal.expected_ms,
        )
        .where(Rehearsal.from_heads == facts.current, Rehearsal.to_heads == facts.target)
        .where(Rehearsal.status != WorkStatus.RUNNING)
        .order_by(Rehearsal.started_at.desc())
        .limit(1)
    ).one_or_none()  # fmt: skip


def _fault(facts: Facts, rehearsal: Any) -> str | None:
    """Return why a rehearsal is no evidence, None where it is."""
    checksums = {revision.id: revision.ast_checksum for revision in facts.state.pending}
    if rehearsal is None:
        return "It was not rehearsed on a copy of the data: flask db rehearse"
    when = written(rehearsal.started_at)
    if rehearsal.status != WorkStatus.OK:
        return f"The rehearsal of {when} failed: flask db rehearse"
    if rehearsal.checksums != checksums:
        return f"The rehearsal of {when} was of other code: flask db rehearse"
    if age_of(rehearsal.started_at) > FRESH_REHEARSAL:
        return f"The rehearsal of {when} is older than seven days: flask db rehearse"
    return None


def _tested(facts: Facts, rehearsal: Any) -> Item:
    key, title = "tested", "Tested on a copy of the data"
    reason = _nothing_at_risk(facts)
    if reason:
        return done_if(True, key, title, reason)
    fault = _fault(facts, rehearsal)
    if fault:
        return done_if(False, key, title, fault)
    expected = f"; about {rehearsal.expected_ms / 1000:.1f} s on this database" if rehearsal.expected_ms else ""
    return done_if(True, key, title, f"Rehearsed on {written(rehearsal.started_at)}{expected}.")


def _downtime(facts: Facts, rehearsal: Any) -> Item:
    key, title = "downtime", "Downtime planned"
    reason = _nothing_at_risk(facts)
    if reason:
        return done_if(True, key, title, reason)
    contracting = [revision.id for revision in facts.state.pending if revision.phase is not Phase.EXPAND]
    if contracting:
        evidence = f"{', '.join(contracting)}: the release before cannot work beside it. Who plans the window?"
        return Item(key, title, ItemState.TO_SIGN, evidence)
    if _fault(facts, rehearsal) or rehearsal.longest_lock_ms is None:
        return Item(key, title, ItemState.TO_SIGN, "How long tables are locked is not known. Who plans the window?")
    longest = f"The longest lock of the rehearsal was {rehearsal.longest_lock_ms} ms"
    if rehearsal.longest_lock_ms > LONGEST_LOCK_MS:
        return Item(key, title, ItemState.TO_SIGN, f"{longest}, over {LONGEST_LOCK_MS}. Who plans the window?")
    return done_if(True, key, title, f"None is needed: the old release works on. {longest}.")


def _rollback(facts: Facts, rehearsal: Any) -> Item:
    key, title = "rollback", "Rollback plan"
    reason = _nothing_at_risk(facts)
    if reason:
        return done_if(True, key, title, reason)
    fault = _fault(facts, rehearsal)
    if fault or rehearsal.downgrade_ms is None:
        return done_if(False, key, title, fault or "The way back was not rehearsed: flask db rehearse")
    took = f"in {rehearsal.downgrade_ms / 1000:.1f} s"
    return done_if(True, key, title, f"`flask db downgrade` brought the copy back {took}, every row as before.")


def _monitoring(facts: Facts) -> Item:
    key, title = "monitoring", "Monitoring"
    if not facts.state.problems and not facts.state.pending:
        return done_if(True, key, title, "Nothing is pending.")
    pages = f"{settings().url_for_host('admin')}/ops/migrations"
    return Item(key, title, ItemState.TO_SIGN, f"Who watches {pages} and `flask db log` meanwhile?")


def _state(facts: Facts) -> Item:
    problems = facts.state.problems
    evidence = " ".join(problems) or "Database and revision files belong together."
    return done_if(not problems, "state", "No divergence", evidence)


def _runs(facts: Facts) -> Item:
    key, title = "runs", "No other run, none that failed"
    if facts.state.running:
        return done_if(False, key, title, f"{', '.join(facts.state.running)} is running.")
    if facts.state.unfinished:
        names = ", ".join(facts.state.unfinished)
        evidence = f"{names} did not end well: flask db log --failed. Who has looked at why?"
        return Item(key, title, ItemState.TO_SIGN, evidence)
    return done_if(True, key, title, "No run is at work and none is unfinished.")


def _transactions(facts: Facts) -> Item:
    row = facts.connection.execute(sa.text(_TRANSACTIONS)).one()
    old = row.old + facts.connection.execute(sa.text(_PREPARED)).scalar_one()
    unseen = f" Of {row.hidden} more, of other roles, the age is hidden." if row.hidden else ""
    evidence = f"{old} open for over five minutes: every lock waits for them." if old else "None over five minutes."
    return done_if(not old, "transactions", "No old transaction", evidence + unseen)


def _disk(facts: Facts) -> Item:
    needed = int(facts.connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())
    folder = _existing(facts.folder)
    free = shutil.disk_usage(folder).free
    evidence = f"{free / _MEGABYTE:,.0f} MB are free, and the database has {needed / _MEGABYTE:,.0f} MB."
    return done_if(free > needed, "disk", "Room for the backup", evidence)


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there: the first backup makes the rest."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _roles(facts: Facts) -> Item:
    known = set(facts.connection.execute(sa.text("SELECT rolname::text FROM pg_roles")).scalars())
    missing = [role for role in ROLES if role not in known]
    evidence = f"Missing: {', '.join(missing)}. `flask db roles` makes them." if missing else "All four are there."
    return done_if(not missing, "roles", "Database roles", evidence)
