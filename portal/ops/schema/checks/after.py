"""The guide's checklist after a migration: each item with its evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask

from config import Settings
from portal.ops.schema.checks.items import EVER, Checklist, Facts, Item, ItemState, done_if, written
from portal.ops.schema.checks.reads import measure_reads, slower_reads, written_reads
from portal.ops.schema.tables import MigrationLog, RunStatus, Signature, Verification, WorkStatus

READS = "reads"
MACHINE = "machine"
SIGNABLE = ("performance", "functionality", "monitoring")
_HAS_LOGS = """
SELECT count(*) = 2 FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = 'system_logs' AND column_name IN ('at', 'level')
"""
_ERRORS = "SELECT count(*) FROM system_logs WHERE at > :since AND lower(level) IN ('error', 'critical')"
_HAS_CLINICS = "SELECT to_regclass('public.clinics') IS NOT NULL"
_OPEN_CLINIC = """
SELECT subdomain FROM clinics WHERE to_jsonb(clinics) ->> 'status' IS NULL
    OR to_jsonb(clinics) ->> 'status' NOT IN ('suspended', 'closed') ORDER BY id LIMIT 1
"""


@dataclass(frozen=True)
class Upgraded:
    """When the newest run began and when its last revision was done."""

    began: datetime = EVER
    ended: datetime = EVER


def judge_after(facts: Facts, app: Flask) -> list[Item]:
    """Return the items in the guide's order."""
    upgraded = _newest_run(facts)
    return [
        _data(facts, upgraded),
        _performance(facts, upgraded),
        _functionality(facts, app),
        _monitoring(facts, upgraded),
        _backup(facts, upgraded),
    ]


def _newest_run(facts: Facts) -> Upgraded:
    if not facts.has_history:
        return Upgraded()
    last = facts.connection.execute(
        sa.select(MigrationLog.run_id, MigrationLog.finished_at)
        .where(MigrationLog.status == RunStatus.APPLIED, MigrationLog.finished_at.is_not(None))
        .order_by(MigrationLog.finished_at.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return Upgraded()
    began = sa.select(sa.func.min(MigrationLog.started_at)).where(MigrationLog.run_id == last.run_id)
    return Upgraded(facts.connection.execute(began).scalar_one(), last.finished_at)


def _data(facts: Facts, upgraded: Upgraded) -> Item:
    key, title = "data", "Data check"
    row = None
    if facts.has_history:
        row = facts.connection.execute(
            sa.select(Verification.status, Verification.checks, Verification.started_at)
            .where(Verification.started_at >= upgraded.ended, Verification.heads == facts.current)
            .where(Verification.status != WorkStatus.RUNNING)
            .order_by(Verification.started_at.desc())
            .limit(1)
        ).one_or_none()
    if row is None:
        return done_if(False, key, title, "Not checked since the upgrade: flask db verify")
    checks = row.checks or []
    if any(check.get("skipped") for check in checks):
        return done_if(False, key, title, "Only a quick check since the upgrade: flask db verify")
    findings = sum(len(check["findings"]) for check in checks)
    evidence = f"{len(checks)} checks at {written(row.started_at)}, {findings} findings."
    return done_if(row.status == WorkStatus.OK, key, title, evidence)


def _performance(facts: Facts, upgraded: Upgraded) -> Item:
    key, title = "performance", "Performance test"
    now = measure_reads(facts.connection)
    before = _reads_before(facts, upgraded)
    if not before.keys() & now.keys():
        evidence = f"Now {written_reads(now) or 'nothing to read'}; `flask db preflight` measured nothing before."
        return Item(key, title, ItemState.TO_SIGN, evidence)
    slower = slower_reads(before, now)
    evidence = f"Now {written_reads(now)}; before {written_reads(before)}."
    return done_if(not slower, key, title, f"Slower: {', '.join(slower)}. {evidence}" if slower else evidence)


def _reads_before(facts: Facts, upgraded: Upgraded) -> Mapping[str, float]:
    """Return the newest figures from before the run; where nothing ran yet, the newest."""
    if not facts.has_history:
        return {}
    statement = sa.select(Signature.note).where(Signature.checklist == Checklist.BEFORE, Signature.item == READS)
    if upgraded.began != EVER:
        statement = statement.where(Signature.at < upgraded.began)
    note = facts.connection.execute(statement.order_by(Signature.at.desc()).limit(1)).scalar_one_or_none()
    kept: dict[str, float] = json.loads(note) if note else {}
    return kept


def _functionality(facts: Facts, app: Flask) -> Item:
    key, title = "functionality", "Functionality test"
    settings: Settings = app.extensions["portal_settings"]
    asked = [("admin", "/readyz")]
    if facts.connection.execute(sa.text(_HAS_CLINICS)).scalar_one():
        subdomain = facts.connection.execute(sa.text(_OPEN_CLINIC)).scalar_one_or_none()
        asked += [(subdomain, "/login")] if subdomain else []
    # In a thread: the request must not share this command's application context, nor its session.
    with ThreadPoolExecutor(1) as pool:
        answers = {
            f"{settings.url_for_host(label)}{path}": pool.submit(_ask, app, settings.url_for_host(label), path).result()
            for label, path in asked
        }
    evidence = ", ".join(f"{address} {status}" for address, status in answers.items())
    return done_if(set(answers.values()) == {200}, key, title, f"{evidence}.")


def _ask(app: Flask, base_url: str, path: str) -> int:
    return app.test_client().get(path, base_url=base_url).status_code


def _monitoring(facts: Facts, upgraded: Upgraded) -> Item:
    failed = logged = 0
    if facts.has_history:
        ended_badly = MigrationLog.status.in_((RunStatus.FAILED, RunStatus.INTERRUPTED))
        statement = sa.select(sa.func.count()).where(ended_badly, MigrationLog.started_at > upgraded.ended)
        failed = facts.connection.execute(statement).scalar_one()
    if facts.connection.execute(sa.text(_HAS_LOGS)).scalar_one():
        logged = facts.connection.execute(sa.text(_ERRORS), {"since": upgraded.ended}).scalar_one()
    evidence = f"{failed} failed runs and {logged} errors in the portal's log since the upgrade."
    return done_if(not failed and not logged, "monitoring", "Monitoring: no errors", evidence)


def _backup(facts: Facts, upgraded: Upgraded) -> Item:
    key, title = "backup", "New backup"
    row: Any = facts.newest_backup()
    if row is None or row.started_at < upgraded.ended:
        return done_if(False, key, title, "None since the upgrade: flask db backup")
    proven = "proven by restoring it" if row.proven_at else "not proven yet"
    return done_if(True, key, title, f"{row.file} of {written(row.started_at)}, {proven}.")
