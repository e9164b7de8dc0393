"""Time: stored in UTC, shown and counted in the clinic's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def today(zone: str) -> date:
    """Return the current day in the time zone ``zone`` (IANA name)."""
    return now().astimezone(ZoneInfo(zone)).date()


def day_start(day: date, zone: str) -> datetime:
    """Return the first moment of ``day`` in ``zone``, in UTC."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def days_ago(days: int) -> datetime:
    """Return the moment ``days`` days before now, in UTC."""
    return now() - timedelta(days=days)
