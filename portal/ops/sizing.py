"""How large the tables are: the table of today, and the lines of the chart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _

from portal.ops.presenting import percent
from portal.ops.queries import list_sizes

LARGEST = 6


@dataclass(frozen=True)
class SizedTable:
    """A table as the newest sample found it; ``growth`` is since the first sample shown."""

    name: str
    bytes: int
    rows: int
    share: str
    growth: int | None


@dataclass(frozen=True)
class Line:
    """A line of the chart: its name, its place in the legend, and a value for each day (None: not there yet)."""

    name: str
    place: int
    values: Sequence[int | None]


class SizesView:
    """Sizes of the newest day, and how they came about."""

    def __init__(self) -> None:
        self._found: dict[str, dict[date, Any]] = defaultdict(dict)
        for row in list_sizes():
            name = row.table_name if row.schema_name == "public" else f"{row.schema_name}.{row.table_name}"
            self._found[name][row.day] = row
        self.days: list[date] = sorted({day for samples in self._found.values() for day in samples})

    @property
    def tables(self) -> list[SizedTable]:
        """The tables of the newest day, the largest first."""
        if not self.days:
            return []
        first, last = self.days[0], self.days[-1]
        newest = {name: samples[last] for name, samples in self._found.items() if last in samples}
        whole = sum(row.bytes for row in newest.values()) or 1
        found = [
            SizedTable(
                name, row.bytes, max(0, row.rows), percent(row.bytes, whole),
                row.bytes - self._found[name][first].bytes if first != last and first in self._found[name] else None,
            )
            for name, row in newest.items()
        ]  # fmt: skip
        return sorted(found, key=lambda table: (-table.bytes, table.name))

    @property
    def total(self) -> int:
        """The size of all tables together."""
        return sum(table.bytes for table in self.tables)

    @property
    def lines(self) -> list[Line]:
        """The largest tables, and all others in one line."""
        names = [table.name for table in self.tables]
        shown, rest = names[:LARGEST], [name for name in self._found if name not in names[:LARGEST]]
        lines = [Line(name, place, [self._bytes(name, day) for day in self.days]) for place, name in enumerate(shown)]
        if rest:
            sums = [sum(self._bytes(name, day) or 0 for name in rest) for day in self.days]
            lines.append(Line(_("All others"), LARGEST, sums))
        return lines

    def _bytes(self, name: str, day: date) -> int | None:
        row = self._found[name].get(day)
        return None if row is None else int(row.bytes)
