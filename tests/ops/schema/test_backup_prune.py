"""Old backups go by a rule that never takes the one that is needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from config import BackupSettings
from portal.ops.schema.backup.info import BackupInfo
from portal.ops.schema.backup.prune import expendable
from portal.ops.schema.tables import MigrationLog
from tests.ops.schema.backup_support import SECOND, left_behind, make, vault_of, with_settings

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def of(*ages: float, status: str = "ok", clinic: str | None = None) -> list[BackupInfo]:
    """Return backups that are so many days old."""
    kind = "clinic" if clinic else "database"
    return [
        BackupInfo(id=uuid7(), kind=kind, clinic=clinic, status=status, started_at=NOW - timedelta(days=age))
        for age in ages
    ]


def ages(backups: list[BackupInfo]) -> list[float]:
    return sorted(round((NOW - one.started_at) / timedelta(days=1), 2) for one in backups)


def settings(newest: int, days: int, months: int) -> BackupSettings:
    return BackupSettings(folder=Path(), keep_newest=newest, keep_days=days, keep_months=months)


@pytest.mark.parametrize(
    ("rule", "have", "gone"),
    [
        ((2, 0, 0), [0.1, 0.2, 0.3, 40], [0.3, 40]),
        ((1, 3, 0), [0.1, 0.2, 1.1, 1.2, 2.1, 3.1], [0.2, 1.2, 3.1]),  # one a day, the day's newest
        (
            (1, 0, 2),
            [1, 2, 20, 30, 40, 60],
            [2, 20, 40, 60],
        ),  # 20 days ago was November, 30 and 40 October, 60 September
        ((5, 30, 12), [0.1], []),
        ((1, 0, 0), [400], []),  # the newest good one stays, however old
        ((1, 0, 13), [1, 370, 400], [400]),  # November a year ago is the thirteenth month
        ((1, 0, 12), [1, 370], [370]),
    ],
)
def test_the_rule(rule, have, gone):
    assert ages(expendable(of(*have), settings(*rule), NOW)) == gone


def test_what_an_upgrade_would_be_undone_with_stays():
    backups = of(1, 100, 200)
    assert ages(expendable(backups, settings(1, 0, 0), NOW, {backups[1].id})) == [200]


def test_failed_ones_do_not_count_and_go_once_a_good_one_is_newer():
    backups = [*of(1, 3, status="failed"), *of(2, 5)]
    assert ages(expendable(backups, settings(1, 0, 0), NOW)) == [3, 5]
    assert expendable(of(1, 2, status="failed"), settings(1, 0, 0), NOW) == []


@pytest.mark.parametrize("status", ["missing", "incomplete", "running"])
def test_what_a_person_should_look_at_is_left(status):
    assert expendable([*of(9, status=status), *of(1)], settings(1, 0, 0), NOW) == []


def test_each_clinic_keeps_its_own_newest():
    backups = [*of(1, 2), *of(50, 60, clinic="lale"), *of(70, clinic="papatya")]
    assert ages(expendable(backups, settings(1, 0, 0), NOW)) == [2, 60]


def test_pruning_deletes_files_and_is_in_the_history(current, tmp_path):
    vault = vault_of(current, tmp_path, keep_newest=1, keep_days=0, keep_months=0)
    needed, old, new = make(vault), make(vault), make(vault)
    clinic = make(vault, clinic=SECOND)
    with current.engine().begin() as connection:
        newest = sa.select(sa.func.max(MigrationLog.started_at)).where(MigrationLog.direction == "up").scalar_subquery()
        connection.execute(sa.update(MigrationLog).where(MigrationLog.started_at == newest).values(backup_id=needed.id))
    before = left_behind(tmp_path)
    assert [one.id for one in vault.prune(dry_run=True)] == [old.id]
    assert left_behind(tmp_path) == before
    assert [one.id for one in vault.prune(dry_run=False)] == [old.id]
    assert {one.id for one in vault.list()} == {needed.id, new.id, clinic.id}
    assert len(left_behind(tmp_path)) == 6
    assert current.execute("SELECT id FROM ops.migration_backup WHERE pruned_at IS NOT NULL") == [(old.id,)]
    assert with_settings(vault, keep_newest=5).prune() == []
