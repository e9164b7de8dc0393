"""How an invented offer fared: its status, its dates, and who did what when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from portal.offers.models import OfferKind
from portal.offers.rules import DECIDED_KINDS, OPEN_KINDS
from portal.ops.demo.dice import Dice, PastYear

# Of twenty offers in a row, so many have each kind: every kind occurs even in a small clinic.
DECK = (
    *[OfferKind.DRAFT] * 3, *[OfferKind.SENT] * 4, *[OfferKind.VIEWED] * 3, *[OfferKind.NEGOTIATING] * 2,
    *[OfferKind.ACCEPTED] * 4, *[OfferKind.DECLINED] * 2, OfferKind.EXPIRED, OfferKind.CANCELLED,
)  # fmt: skip
WAY: dict[OfferKind, tuple[OfferKind, ...]] = {
    OfferKind.DRAFT: (),
    OfferKind.SENT: (OfferKind.SENT,),
    OfferKind.VIEWED: (OfferKind.SENT, OfferKind.VIEWED),
    OfferKind.NEGOTIATING: (OfferKind.SENT, OfferKind.VIEWED, OfferKind.NEGOTIATING),
    OfferKind.ACCEPTED: (OfferKind.SENT, OfferKind.VIEWED, OfferKind.ACCEPTED),
    OfferKind.DECLINED: (OfferKind.SENT, OfferKind.VIEWED, OfferKind.NEGOTIATING, OfferKind.DECLINED),
    OfferKind.EXPIRED: (OfferKind.SENT, OfferKind.VIEWED, OfferKind.EXPIRED),
    OfferKind.CANCELLED: (OfferKind.SENT, OfferKind.CANCELLED),
}
DAYS_LEFT = (1, 2, 3, 3, 5, 7, 10, 14, 18, 21, 25, 28)  # of an offer that still waits for an answer
THINKING = timedelta(days=12)
SHORTEST_VALIDITY = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class History:
    """The kind an offer has come to, its last day, and each status it took on the way with the moment."""

    kind: OfferKind
    created_at: datetime
    valid_until: date
    steps: tuple[tuple[OfferKind, datetime], ...]

    @property
    def sent_at(self) -> datetime | None:
        """When it went to the patient."""
        return next((at for kind, at in self.steps if kind is OfferKind.SENT), None)

    @property
    def decided_at(self) -> datetime | None:
        """When the patient decided."""
        return next((at for kind, at in self.steps if kind in DECIDED_KINDS), None)

    @property
    def changed_at(self) -> datetime:
        """When it last changed."""
        return self.steps[-1][1] if self.steps else self.created_at


def make_history(dice: Dice, kind: OfferKind, registered_at: datetime, year: PastYear, validity: timedelta) -> History:
    """Invent the history of an offer for a patient registered at ``registered_at``; all of it is past.

    An offer too young to have expired is one still looked at.
    """
    if kind is OfferKind.EXPIRED and year.end - registered_at < 2 * SHORTEST_VALIDITY:
        kind = OfferKind.VIEWED
    if kind is OfferKind.DRAFT or kind in OPEN_KINDS:
        left = timedelta(days=min(dice.choice(DAYS_LEFT), max(validity.days - 2, 0)))
        valid_until, first_day = year.today + left, year.end + left - validity
        created_at = _written(dice, registered_at, dice.between(first_day, first_day + timedelta(days=1)), year)
    else:
        thought = min(registered_at + THINKING, year.end - SHORTEST_VALIDITY)
        created_at = _written(dice, registered_at, dice.between(registered_at, thought), year)
        valid_until = year.day(created_at + validity)
    if kind is OfferKind.EXPIRED:
        valid_until = min(valid_until, year.today - timedelta(days=2))
    return History(kind, created_at, valid_until, _steps(dice, kind, created_at, valid_until, year))


def _written(dice: Dice, registered_at: datetime, about: datetime, year: PastYear) -> datetime:
    """Return when an offer was written: in working hours, and only after the patient was registered."""
    return max(year.in_hours(about), registered_at + timedelta(minutes=dice.randint(10, 40)))


def _steps(
    dice: Dice, kind: OfferKind, created_at: datetime, valid_until: date, year: PastYear
) -> tuple[tuple[OfferKind, datetime], ...]:
    """Return each status and when it was taken; an offer expires in the night after its last day."""
    way: list[OfferKind] = [step for step in WAY[kind] if step is not OfferKind.EXPIRED]
    last_day = year.end + (valid_until - year.today)
    end = min(created_at + THINKING, last_day, year.end)
    moments = sorted(year.in_hours(dice.between(created_at, end)) for _ in way)
    steps: list[tuple[OfferKind, datetime]] = [
        (step, max(at, created_at)) for step, at in zip(way, moments, strict=True)
    ]
    if kind is OfferKind.EXPIRED:
        steps.append((kind, last_day + timedelta(days=1, minutes=5)))
    return tuple(steps)
