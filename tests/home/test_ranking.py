"""Why a row is on today's list and where it stands: by the clock, the clinic's day and how the patient reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from portal.home.ranking import OfferFacts, Reason, Signal, Task, is_cause, offer_task, ranked, signals_of

NOON = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
DAY = date(2026, 11, 25)
YESTERDAY = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)  # where it began in Istanbul


def offer(**values: Any) -> OfferFacts:
    facts = {
        "id": UUID(int=1), "sent_at": None, "first_viewed_at": None, "last_viewed_at": None, "valid_until": None,
        "decided_at": None, "signoff_asked_at": None, "is_open": True, "is_shared": True, "declined_for_price": False,
    }  # fmt: skip
    return OfferFacts(**{**facts, **values})


def reasons(**values: Any) -> list[Reason]:
    return [signal.reason for signal in signals_of(offer(**values), moment=NOON, day=DAY, yesterday=YESTERDAY)]


def hours(count: float) -> datetime:
    return NOON - timedelta(hours=count)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"sent_at": hours(23.9)}, []),
        ({"sent_at": hours(24)}, [Reason.UNOPENED]),
        ({"sent_at": hours(24), "is_shared": False}, []),  # handed over on paper: there is nothing to open
        ({"sent_at": hours(60), "first_viewed_at": hours(47), "last_viewed_at": hours(47)}, []),
        ({"sent_at": hours(60), "first_viewed_at": hours(48), "last_viewed_at": hours(48)}, [Reason.UNDECIDED]),
        ({"first_viewed_at": hours(5), "last_viewed_at": hours(5)}, [Reason.OPENED]),
        ({"first_viewed_at": hours(90), "last_viewed_at": YESTERDAY}, [Reason.OPENED, Reason.UNDECIDED]),
        ({"first_viewed_at": hours(20), "last_viewed_at": YESTERDAY - timedelta(seconds=1)}, []),
        ({"valid_until": DAY}, [Reason.EXPIRING]),
        ({"valid_until": DAY + timedelta(days=3)}, [Reason.EXPIRING]),
        ({"valid_until": DAY + timedelta(days=4)}, []),
        ({"valid_until": DAY - timedelta(days=1)}, []),
        ({"is_open": False, "declined_for_price": True, "decided_at": hours(20)}, [Reason.DECLINED]),
        ({"is_open": False, "declined_for_price": True, "decided_at": hours(24 * 7)}, []),
        ({"is_open": False, "declined_for_price": False, "decided_at": hours(20)}, []),
        ({"is_open": False, "signoff_asked_at": hours(1)}, [Reason.SIGNOFF]),
        ({"is_open": False, "valid_until": DAY, "first_viewed_at": hours(90)}, []),  # decided: nobody is to be chased
    ],
)
def test_an_offer_is_on_the_list_for_what_it_waits_for(values: dict[str, Any], expected: list[Reason]) -> None:
    assert reasons(**values) == expected


def test_what_happens_again_is_another_cause_so_that_the_row_comes_back() -> None:
    first = signals_of(offer(last_viewed_at=hours(5)), moment=NOON, day=DAY, yesterday=YESTERDAY)
    again = signals_of(offer(last_viewed_at=hours(1)), moment=NOON, day=DAY, yesterday=YESTERDAY)
    assert first[0].cause != again[0].cause
    assert first == signals_of(offer(last_viewed_at=hours(5)), moment=hours(-1), day=DAY, yesterday=YESTERDAY)
    assert is_cause(first[0].cause)
    assert not is_cause("rule:opened")
    assert not is_cause("today:" + "x" * 200)


def test_the_list_is_ranked_by_reason_and_then_by_age() -> None:
    def lone(reason: Reason, age: float, key: int) -> Task:
        return offer_task(UUID(int=key), [Signal(reason, hours(age))])

    def reminder(reason: Reason, age: float, key: int) -> Task:
        return Task((Signal(reason, hours(age)),), reminder_id=UUID(int=key))

    offers = [lone(Reason.UNOPENED, 50, 1), lone(Reason.OPENED, 1, 2), lone(Reason.OPENED, 3, 3)]
    reminders = [reminder(Reason.DUE, -2, 4), reminder(Reason.OVERDUE, 30, 5), reminder(Reason.PINNED, -1, 6)]
    order = [(task.reminder_id or task.offer_id).int for task in ranked(reminders, offers)]  # type: ignore[union-attr]
    assert order == [6, 5, 3, 2, 4, 1]


def test_a_reminder_about_an_offer_and_the_offers_own_reasons_are_one_row() -> None:
    key = UUID(int=9)
    call = Task((Signal(Reason.DUE, hours(-1)),), reminder_id=UUID(int=1), offer_id=key)
    other = offer_task(key, [Signal(Reason.UNDECIDED, hours(60), "today:undecided:x"), Signal(Reason.OPENED, hours(2))])
    (row,) = ranked([call], [other])
    assert [signal.reason for signal in row.signals] == [Reason.OPENED, Reason.DUE, Reason.UNDECIDED]
    assert row.reminder_id == UUID(int=1)
    assert row.causes == ("today:undecided:x",)
