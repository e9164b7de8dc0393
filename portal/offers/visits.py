"""Visits: the stays at the clinic an offer takes, and the days of healing between them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from portal.core.database import current_session
from portal.offers.lines import PricedLine
from portal.offers.models import OfferVisit
from portal.offers.queries import list_visits

LONG_HEALING = 14  # days; from here on a patient goes home and comes back
LAB_DAYS = 3  # between two appointments of one stay, for what is made outside the mouth
MOST_VISITS = 8


@dataclass(frozen=True)
class TypedVisit:
    """One stay, as typed; its number comes from its place."""

    days: int = 1
    gap_days: int = 0
    starts_on: date | None = None
    note: str | None = None


@dataclass(frozen=True)
class Proposal:
    """The stays that some lines take, and the number of the one each line begins at."""

    visits: tuple[TypedVisit, ...]
    numbers: tuple[int, ...]


def propose_visits(lines: Sequence[PricedLine]) -> Proposal | None:
    """Return the stays that the catalogue's visits and healing days come to; None where it says nothing of them.

    What heals long on the same teeth comes first, and the rest of it a stay later. Appointments of one stay lie a few
    days apart.
    """
    if not any(line.sittings or line.healing_days for line in lines):
        return None
    first = [0] * len(lines)
    for place in sorted(range(len(lines)), key=lambda place: not _heals_long(lines[place])):
        before = [
            first[other] + 1
            for other in range(len(lines))
            if first[other] and _heals_long(lines[other]) and _together(lines[other], lines[place])
        ]
        first[place] = min(max(before, default=1), MOST_VISITS)
    last = min(max(start + _returns(line) for start, line in zip(first, lines, strict=True)), MOST_VISITS)
    visits = tuple(_visit(number, first, lines) for number in range(1, last + 1))
    return Proposal(visits, tuple(first))


def _visit(number: int, first: Sequence[int], lines: Sequence[PricedLine]) -> TypedVisit:
    begun = [line for start, line in zip(first, lines, strict=True) if start == number]
    gap = [line.healing_days or 0 for start, line in zip(first, lines, strict=True) if start == number - 1]
    sittings = max((max(1, (line.sittings or 1) - _returns(line)) for line in begun), default=1)
    return TypedVisit(1 + (sittings - 1) * LAB_DAYS, max([days for days in gap if days >= LONG_HEALING], default=0))


def _heals_long(line: PricedLine) -> bool:
    return (line.healing_days or 0) >= LONG_HEALING


def _returns(line: PricedLine) -> bool:
    """Tell whether a line ends a stay later than it begins: an implant is uncovered once it has healed."""
    return _heals_long(line) and (line.sittings or 1) > 1


def _together(earlier: PricedLine, later: PricedLine) -> bool:
    """Tell whether one line waits for another: done on the same teeth, in one way to treat."""
    if earlier is later or (None not in (earlier.option, later.option) and earlier.option != later.option):
        return False
    return bool(set(earlier.teeth) & set(later.teeth))


def stored_visits(rows: Collection[OfferVisit]) -> list[TypedVisit]:
    """Return visits as stored."""
    return [TypedVisit(row.days, row.gap_days_before, row.starts_on, row.note) for row in rows]


def store_visits(offer_id: UUID, visits: Sequence[TypedVisit]) -> None:
    """Write an offer's visits in place of those it had."""
    stored = {row.visit_no: row for row in list_visits(offer_id)}
    for number, visit in enumerate(visits, 1):
        row = stored.pop(number, None) or OfferVisit(offer_id=offer_id, visit_no=number)
        row.days, row.gap_days_before, row.starts_on, row.note = (
            visit.days, visit.gap_days, visit.starts_on, visit.note,
        )  # fmt: skip
        current_session().add(row)
    for row in stored.values():
        current_session().delete(row)
