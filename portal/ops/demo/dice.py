"""Seeded chance, and the moments of a clinic's past year: the same seed on the same day gives the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.core.clock import day_start

OPENS = time(9)
OPEN_MINUTES = 9 * 60
SUNDAY = 6
DAYS = 365

_Item = TypeVar("_Item")


class Dice(Random):
    """A source of every choice about one thing; its name, such as "demo/patient/17", is the seed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def chance(self, share: float) -> bool:
        """Say yes in ``share`` of the cases, 0 to 1."""
        return self.random() < share

    def weighted(self, choices: Sequence[tuple[_Item, int]]) -> _Item:
        """Draw one of (item, weight)."""
        return self.choices([item for item, _ in choices], weights=[weight for _, weight in choices])[0]

    def uuid7(self, moment: datetime) -> UUID:
        """Return a UUID of version 7 whose time is ``moment`` (RFC 9562, to the millisecond)."""
        milliseconds = int(moment.timestamp() * 1000)
        number = milliseconds << 80 | 0x7 << 76 | self.getrandbits(12) << 64 | 0b10 << 62 | self.getrandbits(62)
        return UUID(int=number)

    def between(self, first: datetime, last: datetime) -> datetime:
        """Return a moment from ``first`` on and before ``last``, to the second; ``first`` where there is none."""
        seconds = int((last - first).total_seconds())
        return first + timedelta(seconds=self.randrange(max(seconds, 1)))


class PastYear:
    """The working hours of the 365 days before ``today`` in a clinic's zone; Sundays are free."""

    def __init__(self, today: date, zone: str) -> None:
        days = (today - timedelta(days=back) for back in range(DAYS, 0, -1))
        self._days = [day for day in days if day.weekday() != SUNDAY]
        self._zone = ZoneInfo(zone)
        self.today = today
        self.end = day_start(today, zone)

    def moment(self, share: float) -> datetime:
        """Return the moment at ``share`` of the year's working hours, from 0 up to but not including 1."""
        day, part = divmod(share * len(self._days), 1)
        opening = datetime.combine(self._days[int(day)], OPENS, self._zone)
        return opening + timedelta(seconds=int(part * OPEN_MINUTES * 60))

    def in_hours(self, moment: datetime) -> datetime:
        """Move a moment into the working hours of its day; the order of two moments stays."""
        local = moment.astimezone(self._zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return local.replace(hour=OPENS.hour, minute=0, second=0) + (local - midnight) * OPEN_MINUTES / (24 * 60)

    def day(self, moment: datetime) -> date:
        """Return the day of a moment in the clinic's zone."""
        return moment.astimezone(self._zone).date()
