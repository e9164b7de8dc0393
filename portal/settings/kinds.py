"""Kinds of settings: how each value is written into ``settings.value`` and read back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from decimal import Decimal, InvalidOperation
from typing import Generic, TypeVar

from flask_babel import LazyString

T = TypeVar("T")
Labels = Mapping[str, str | LazyString]
Day = tuple[time, time] | None  # from when to when a clinic is open; None: closed
Week = tuple[Day, Day, Day, Day, Day, Day, Day]  # from Monday

YES, NO = "yes", "no"
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_PREFIX = re.compile(r"[A-Z](?:[A-Z0-9-]*[A-Z-])?", re.ASCII)
PREFIX_LENGTH = 4
_WHOLE = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}", re.ASCII)


class Kind(Generic[T]):
    """One kind of value. ``read`` raises ValueError for what is none, be it typed or of another release."""

    def read(self, text: str) -> T:
        """Return the value that ``text`` holds."""
        raise NotImplementedError

    def write(self, value: T) -> str:
        """Return the text to store."""
        return str(value)


class Flag(Kind[bool]):
    """Yes or no; an empty text is no, as releases before this one wrote it."""

    def read(self, text: str) -> bool:
        """Return True for "yes"."""
        if text not in (YES, NO, ""):
            raise ValueError("neither yes nor no")
        return text == YES

    def write(self, value: bool) -> str:
        """Return "yes" or "no"."""
        return YES if value else NO


@dataclass(frozen=True)
class Whole(Kind[int]):
    """A whole number within bounds."""

    low: int
    high: int

    def read(self, text: str) -> int:
        """Return the number."""
        if not _WHOLE.fullmatch(text) or not self.low <= int(text) <= self.high:
            raise ValueError("no number within bounds")
        return int(text)


@dataclass(frozen=True)
class Percent(Kind[Decimal]):
    """A percentage within bounds, as Decimal: 12.5 for 12.5 %."""

    low: Decimal
    high: Decimal

    def read(self, text: str) -> Decimal:
        """Return the percentage."""
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise ValueError("no number") from None
        if not value.is_finite() or not self.low <= value <= self.high:
            raise ValueError("out of bounds")
        return value

    def write(self, value: Decimal) -> str:
        """Return it without exponent."""
        return f"{value:f}"


@dataclass(frozen=True)
class Text(Kind[str]):
    """A text; ``lines`` lets it have several. ``shape`` tells forms to look closer: "email", "phone" or ""."""

    limit: int
    lines: bool = False
    shape: str = ""

    def read(self, text: str) -> str:
        """Return the text as it is."""
        if len(text) > self.limit or (not self.lines and "\n" in text):
            raise ValueError("too long")
        return text


@dataclass(frozen=True)
class Choice(Kind[str]):
    """One of several values; ``labels`` names them in the order in which they are offered."""

    labels: Labels

    def read(self, text: str) -> str:
        """Return the value."""
        if text not in self.labels:
            raise ValueError("no such choice")
        return text


@dataclass(frozen=True)
class Choices(Kind[tuple[str, ...]]):
    """Some of several values, at least one; kept in the order of ``labels``."""

    labels: Labels

    def read(self, text: str) -> tuple[str, ...]:
        """Return the values."""
        found = text.split(",")
        if not set(found) <= set(self.labels):
            raise ValueError("no such choice")
        return tuple(value for value in self.labels if value in found)

    def write(self, value: tuple[str, ...]) -> str:
        """Return them with commas between."""
        return ",".join(choice for choice in self.labels if choice in value)


class Prefix(Kind[str]):
    """What stands before a number: a few capitals, digits and hyphens; its end is no digit, so numbers stay apart."""

    def read(self, text: str) -> str:
        """Return the prefix in capitals."""
        if text and (len(text) > PREFIX_LENGTH or not _PREFIX.fullmatch(text.upper())):
            raise ValueError("no prefix")
        return text.upper()


class Colour(Kind[str]):
    """A colour as #rrggbb, in small letters."""

    def read(self, text: str) -> str:
        """Return the colour."""
        if not _COLOUR.fullmatch(text.lower()):
            raise ValueError("no colour")
        return text.lower()


class Clock(Kind[time]):
    """A time of day, to the minute."""

    def read(self, text: str) -> time:
        """Return the time of "09:30"."""
        if not _TIME.fullmatch(text):
            raise ValueError("no time")
        return time.fromisoformat(text)

    def write(self, value: time) -> str:
        """Return it as "09:30"."""
        return f"{value:%H:%M}"


class Hours(Kind[Week]):
    """When a clinic is open on each day of a week, from Monday: "09:00-18:00;...;;"."""

    def read(self, text: str) -> Week:
        """Return the seven days."""
        days = [self._read_day(part) for part in text.split(";")]
        if len(days) != 7:
            raise ValueError("no week")
        return tuple(days)  # type: ignore[return-value]

    def write(self, value: Week) -> str:
        """Return the days with semicolons between; nothing where it is closed."""
        return ";".join(f"{day[0]:%H:%M}-{day[1]:%H:%M}" if day else "" for day in value)

    @staticmethod
    def _read_day(text: str) -> Day:
        if not text:
            return None
        opens, _, closes = text.partition("-")
        day = Clock().read(opens), Clock().read(closes)
        if day[0] >= day[1]:
            raise ValueError("it closes before it opens")
        return day
