"""When a reminder is due: a day and perhaps an hour by the clinic's clock, kept as a moment in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WHOLE_DAY = time(23, 59)
NINE = time(9, 0)
_SATURDAY = 5


class MissingHourError(ValueError):
    """This hour does not exist on that day: the clock is put forward over it. ``instead`` is the next one that does."""

    def __init__(self, instead: time) -> None:
        super().__init__(f"the clock skips this hour; next is {instead}")
        self.instead = instead


def due_moment(day: date, hour: time | None, zone: str) -> datetime:
    """Return the moment in UTC; without an hour the reminder is due all day, and overdue only once it is over.

    An hour that comes twice, when the clock is put back, is its first time. Raises MissingHourError for one that
    the clock skips.
    """
    local = datetime.combine(day, hour or WHOLE_DAY, ZoneInfo(zone))  # fold=0: the first of two (PEP 495)
    moment = local.astimezone(UTC)
    there = moment.astimezone(ZoneInfo(zone))
    if there.replace(tzinfo=None) != local.replace(tzinfo=None):
        if hour is None:
            return moment
        raise MissingHourError(there.time())
    return moment


def next_working_day(day: date) -> date:
    """Return the first day after ``day`` that is no Saturday and no Sunday."""
    day += timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return day


def next_monday(day: date) -> date:
    """Return the first Monday after ``day``."""
    return day + timedelta(days=7 - day.weekday())
