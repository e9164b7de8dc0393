"""Which backups may go: a rule over moments, apart from files and databases."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID

from config import BackupSettings
from portal.ops.schema.backup.info import BackupInfo
from portal.ops.schema.tables import WorkStatus


def expendable(
    backups: Sequence[BackupInfo], settings: BackupSettings, now: datetime, protected: Collection[UUID] = ()
) -> list[BackupInfo]:
    """Return the backups that the rule lets go, oldest first.

    Whole backups and each clinic's are judged apart. Of the good ones stay the newest ``keep_newest``, the newest of
    each of the last ``keep_days`` days and of each of the last ``keep_months`` months, and those ``protected``; the
    newest good one always. A failed one goes as soon as a good one is newer. What is missing or incomplete is left
    for a person to look at.
    """
    ordered = sorted(backups, key=lambda one: (one.kind, one.clinic or "", one.started_at))
    gone: list[BackupInfo] = []
    for _, group in groupby(ordered, key=lambda one: (one.kind, one.clinic)):
        gone += _expendable_of(list(group), settings, now, protected)
    return sorted(gone, key=lambda one: one.started_at)


def _expendable_of(
    group: list[BackupInfo], settings: BackupSettings, now: datetime, protected: Collection[UUID]
) -> list[BackupInfo]:
    good = [one for one in reversed(group) if one.status == WorkStatus.OK]  # newest first
    if not good:
        return []
    kept = {one.id for one in good[: max(1, settings.keep_newest)]} | set(protected)
    kept |= _newest_of_each(good, now - timedelta(days=settings.keep_days), "%Y-%m-%d")
    kept |= _newest_of_each(good, _months_before(now, settings.keep_months), "%Y-%m")
    failed = [one for one in group if one.status == WorkStatus.FAILED and one.started_at < good[0].started_at]
    return [one for one in (*good, *failed) if one.id not in kept]


def _newest_of_each(good: Sequence[BackupInfo], since: datetime, period: str) -> set[UUID]:
    """Return the newest backup of each period after ``since``, in UTC."""
    newest: dict[str, UUID] = {}
    for one in good:
        if one.started_at > since:
            newest.setdefault(one.started_at.astimezone(UTC).strftime(period), one.id)
    return set(newest.values())


def _months_before(now: datetime, months: int) -> datetime:
    """Return the beginning of the month that comes ``months`` - 1 before this one; ``now`` where none is to stay."""
    if months <= 0:
        return now
    year, month = divmod(now.year * 12 + now.month - months, 12)
    # A moment before it, so that a backup of the very first moment counts.
    return datetime(year, month + 1, 1, tzinfo=UTC) - timedelta(microseconds=1)
