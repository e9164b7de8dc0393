"""What to do next, as one ranked list: why a row is there, and what it is about. No SQL, no web."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID


class Reason(StrEnum):
    """Why a row is on today's list, the most pressing first; of one offer's reasons the first one ranks it."""

    PINNED = "pinned"
    OVERDUE = "overdue"
    OPENED = "opened"
    EXPIRING = "expiring"
    DUE = "due"
    SIGNOFF = "signoff"
    UNDECIDED = "undecided"
    DECLINED = "declined"
    UNOPENED = "unopened"


_RANKS = {reason: rank for rank, reason in enumerate(Reason)}
UNOPENED_AFTER = timedelta(hours=24)
UNDECIDED_AFTER = timedelta(hours=48)
EXPIRING_WITHIN = timedelta(days=3)
DECLINED_WITHIN = timedelta(days=7)
CAUSE_PREFIX = "today:"
_HANDLED_CAUSE_LIMIT = 120  # as the column holds them


@dataclass(frozen=True)
class Signal:
    """One reason, since when it holds, and the cause by which somebody's having dealt with it is remembered."""

    reason: Reason
    at: datetime
    cause: str = ""


@dataclass(frozen=True)
class OfferFacts:
    """What the list needs to know of one offer and how its patient reads it."""

    id: UUID
    sent_at: datetime | None
    first_viewed_at: datetime | None
    last_viewed_at: datetime | None
    valid_until: date | None
    decided_at: datetime | None
    signoff_asked_at: datetime | None
    is_open: bool
    is_shared: bool
    declined_for_price: bool


@dataclass(frozen=True)
class Task:
    """One row: a reminder, an offer, or a reminder about an offer; ``signals`` with the most pressing first."""

    signals: tuple[Signal, ...]
    reminder_id: UUID | None = None
    offer_id: UUID | None = None

    @property
    def reason(self) -> Reason:
        """Why it is where it is."""
        return self.signals[0].reason

    @property
    def causes(self) -> tuple[str, ...]:
        """What is settled once this row is done."""
        return tuple(signal.cause for signal in self.signals if signal.cause)


def signals_of(offer: OfferFacts, *, moment: datetime, day: date, yesterday: datetime) -> list[Signal]:
    """Return why an offer is on the list of ``day``, which began yesterday at ``yesterday``; empty: it is not."""
    found: list[Signal] = []
    if offer.is_open:
        found += _reading_signals(offer, moment=moment, yesterday=yesterday)
        if offer.valid_until is not None and day <= offer.valid_until <= day + EXPIRING_WITHIN:
            found.append(_signal(Reason.EXPIRING, moment, str(offer.valid_until)))
    elif offer.declined_for_price and offer.decided_at is not None and moment - offer.decided_at < DECLINED_WITHIN:
        found.append(_signal(Reason.DECLINED, offer.decided_at))
    elif offer.signoff_asked_at is not None:
        found.append(_signal(Reason.SIGNOFF, offer.signoff_asked_at))
    return found


def _reading_signals(offer: OfferFacts, *, moment: datetime, yesterday: datetime) -> list[Signal]:
    found = []
    if offer.last_viewed_at is not None and offer.last_viewed_at >= yesterday:
        found.append(_signal(Reason.OPENED, offer.last_viewed_at))
    if offer.last_viewed_at is None and offer.is_shared and offer.sent_at and moment - offer.sent_at >= UNOPENED_AFTER:
        found.append(_signal(Reason.UNOPENED, offer.sent_at))
    if offer.first_viewed_at is not None and moment - offer.first_viewed_at >= UNDECIDED_AFTER:
        found.append(_signal(Reason.UNDECIDED, offer.first_viewed_at))
    return found


def _signal(reason: Reason, at: datetime, since: str = "") -> Signal:
    """A cause names the moment too: when it happens again, the row comes back."""
    return Signal(reason, at, f"{CAUSE_PREFIX}{reason}:{since or at.strftime('%Y-%m-%dT%H:%M:%S')}")


def is_cause(text: str) -> bool:
    """Tell whether a text that a form sends may be the cause of a row."""
    return text.startswith(CAUSE_PREFIX) and len(text) <= _HANDLED_CAUSE_LIMIT


def ranked(reminders: Iterable[Task], offers: Iterable[Task]) -> list[Task]:
    """Return reminders and offers as one list, the most pressing first; an offer that has a reminder is one row."""
    rest = {task.offer_id: task for task in offers}
    rows = []
    for task in reminders:
        same = rest.pop(task.offer_id, None) if task.offer_id else None
        rows.append(replace(task, signals=_sorted((*task.signals, *same.signals))) if same else task)
    return sorted((*rows, *rest.values()), key=lambda task: (_RANKS[task.reason], task.signals[0].at))


def offer_task(offer_id: UUID, signals: Iterable[Signal]) -> Task:
    """Return the row of an offer alone."""
    return Task(_sorted(signals), offer_id=offer_id)


def _sorted(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    return tuple(sorted(signals, key=lambda signal: _RANKS[signal.reason]))
