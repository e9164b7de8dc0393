"""A stretch of whole days: read from an address, and as the condition of a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.core.clock import day_start

_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y")
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True)
class Days:
    """From one day to another in a clinic's zone, both included."""

    first: date
    last: date
    zone: str

    def during(self, column: Any) -> sa.ColumnElement[bool]:
        """Return the condition that a moment lies in these days."""
        start, end = day_start(self.first, self.zone), day_start(self.last + timedelta(days=1), self.zone)
        return sa.and_(column >= start, column < end)

    def args(self) -> dict[str, str]:
        """Return the parameters of an address that read_days reads."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def read_days(args: Mapping[str, str], zone: str) -> Days | None:
    """Return the days an address names as ``from`` and ``to``; None where it names none, or none that make sense."""
    first, last = _day(args.get("from")), _day(args.get("to"))
    if first is None or last is None or not EARLIEST <= first <= last <= LATEST:
        return None
    return Days(first, last, zone)


def _day(text: str | None) -> date | None:
    for written in _FORMATS:
        try:
            return datetime.strptime((text or "").strip(), written).date()
        except ValueError:
            continue
    return None
