"""The calendar: every day by the clinic's clock, with what is due on it, as links alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.support.pages import told
from tests.support.people import Person

Remind = Callable[..., UUID]


@pytest.mark.parametrize("path", ["/reminders/calendar", "/reminders/calendar/week"])
def test_a_reminder_late_at_night_stands_on_the_clinics_day(coordinator: Person, remind: Remind, path: str) -> None:
    remind(title="Late", due_at=datetime(2026, 12, 9, 21, 30, tzinfo=UTC))  # half past midnight in Istanbul
    page = coordinator.get(f"{path}?day=2026-12-10").text
    day = page.partition('<time datetime="2026-12-10">')[2].partition("</td>")[0]
    assert "Late" in day and "00:30" in day


def test_ones_own_are_shown_or_everybodys(
    coordinator: Person, remind: Remind, person_id: Callable[[str], UUID]
) -> None:  # fmt: skip
    moment = datetime(2026, 12, 9, 9, tzinfo=UTC)
    remind(title="My own", due_at=moment)
    remind(title="The doctor's", due_at=moment, assigned_to_id=person_id("doctor"))
    mine = told(coordinator.get("/reminders/calendar?day=2026-12-10"))
    assert "My own" in mine and "The doctor's" not in mine
    hers = told(coordinator.get(f"/reminders/calendar/week?day=2026-12-10&of={person_id('doctor')}"))
    assert "My own" not in hers and "The doctor's" in hers
    everybody = told(coordinator.get("/reminders/calendar?day=2026-12-10&of=all"))
    assert "My own" in everybody and "The doctor's" in everybody


def test_a_reader_leads_on_from_month_to_month_and_to_the_week(coordinator: Person) -> None:
    page = coordinator.get("/reminders/calendar?day=2026-12-10").text
    for target in ("day=2026-11-01", "day=2027-01-01", "/reminders/calendar/week?day=2026-12-10"):
        assert target in page, target
