"""The calendar of reminders: a month in weeks from Monday, or one week, by the clinic's days."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class CalendarDay:
    """One cell: a day, whether it belongs to the month shown, and its reminders."""

    day: date
    is_inside: bool
    is_today: bool
    rows: Sequence[Any]


@dataclass(frozen=True)
class Sheet:
    """A month or a week: its cells, week by week, and the days that the pages before and after begin with."""

    first: date
    weeks: list[list[CalendarDay]]
    before: date
    after: date


def read_day(text: str | None, today: date) -> date:
    """Return the day an address names; today where it names none of this century."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return today
    return day if _FIRST_YEAR <= day.year < _LAST_YEAR else today


def month_span(day: date) -> tuple[date, date]:
    """Return the first day shown of a month and the day after the last."""
    weeks = Calendar().monthdatescalendar(day.year, day.month)
    return weeks[0][0], weeks[-1][-1] + timedelta(days=1)


def week_span(day: date) -> tuple[date, date]:
    """Return the Monday of a day's week and the Monday after."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + _WEEK


def month_sheet(day: date, rows: Sequence[Any], *, today: date, zone: str) -> Sheet:
    """Return the month of ``day`` with its reminders."""
    first, last = month_span(day)
    cells = _cells(first, last, rows, today=today, zone=zone, month=day.month)
    start = day.replace(day=1)
    return Sheet(start, cells, (start - timedelta(days=1)).replace(day=1), (start + timedelta(days=32)).replace(day=1))


def week_sheet(day: date, rows: Sequence[Any], *, today: date, zone: str) -> Sheet:
    """Return the week of ``day`` with its reminders."""
    first, last = week_span(day)
    return Sheet(first, _cells(first, last, rows, today=today, zone=zone, month=None), first - _WEEK, last)


def _cells(
    first: date, last: date, rows: Sequence[Any], *, today: date, zone: str, month: int | None
) -> list[list[CalendarDay]]:
    by_day: dict[date, list[Any]] = {}
    for row in rows:
        by_day.setdefault(row.due_at.astimezone(ZoneInfo(zone)).date(), []).append(row)
    days = [first + timedelta(days=number) for number in range((last - first).days)]
    cells = [CalendarDay(day, month in (None, day.month), day == today, by_day.get(day, [])) for day in days]
    return [cells[place : place + 7] for place in range(0, len(cells), 7)]
