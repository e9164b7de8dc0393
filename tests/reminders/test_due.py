"""Days and hours by the clinic's clock: hours that come twice, hours that are skipped, days without an hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from portal.reminders.calendar import month_sheet, read_day, week_sheet
from portal.reminders.due import MissingHourError, due_moment, next_monday, next_working_day
from portal.reminders.following import working_moment

BERLIN, ISTANBUL = "Europe/Berlin", "Europe/Istanbul"


def test_an_hour_is_the_clinics_and_kept_in_utc() -> None:
    assert due_moment(date(2026, 11, 25), time(9), ISTANBUL) == datetime(2026, 11, 25, 6, tzinfo=UTC)
    assert due_moment(date(2026, 7, 1), time(9), BERLIN) == datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert due_moment(date(2026, 12, 1), time(9), BERLIN) == datetime(2026, 12, 1, 8, tzinfo=UTC)


def test_an_hour_that_the_clock_skips_is_refused_and_the_next_one_is_named() -> None:
    with pytest.raises(MissingHourError) as refused:
        due_moment(date(2027, 3, 28), time(2, 30), BERLIN)
    assert refused.value.instead == time(3, 30)
    assert due_moment(date(2027, 3, 28), time(3), BERLIN) == datetime(2027, 3, 28, 1, tzinfo=UTC)


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    assert due_moment(date(2026, 10, 25), time(2, 30), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_reminder_without_an_hour_is_due_all_day_in_every_zone() -> None:
    for zone in (ISTANBUL, BERLIN, "America/Santiago", "Pacific/Apia", "Asia/Kathmandu"):
        for day in (date(2026, 11, 25), date(2027, 3, 28), date(2026, 9, 6)):
            due = due_moment(day, None, zone)
            assert due > due_moment(day, time(23, 30), zone)
            assert due < due_moment(date.fromordinal(day.toordinal() + 1), time(1, 30), zone)


def test_the_next_working_day_and_the_next_monday() -> None:
    friday = date(2026, 11, 27)
    assert next_working_day(friday) == next_monday(friday) == date(2026, 11, 30)
    assert next_working_day(date(2026, 11, 24)) == date(2026, 11, 25)
    assert next_monday(date(2026, 11, 30)) == date(2026, 12, 7)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2030, 5, 7, 10, tzinfo=UTC), datetime(2030, 5, 7, 10, tzinfo=UTC)),  # a Tuesday at one
        (datetime(2030, 5, 7, 2, tzinfo=UTC), datetime(2030, 5, 7, 6, tzinfo=UTC)),  # at five in the morning
        (datetime(2030, 5, 7, 20, tzinfo=UTC), datetime(2030, 5, 8, 6, tzinfo=UTC)),  # at eleven at night
        (datetime(2030, 5, 11, 10, tzinfo=UTC), datetime(2030, 5, 13, 6, tzinfo=UTC)),  # a Saturday
    ],
)
def test_rules_ask_nobody_to_call_at_night_or_at_the_weekend(moment: datetime, expected: datetime) -> None:
    assert working_moment(moment, ISTANBUL) == expected


def test_the_calendar_has_whole_weeks_from_monday_and_knows_its_neighbours() -> None:
    month = month_sheet(date(2026, 11, 25), [], today=date(2026, 11, 25), zone=ISTANBUL)
    assert month.weeks[0][0].day == date(2026, 10, 26)
    assert month.weeks[-1][-1].day == date(2026, 12, 6)
    assert (month.before, month.after) == (date(2026, 10, 1), date(2026, 12, 1))
    assert [cell.day for week in month.weeks for cell in week if cell.is_today] == [date(2026, 11, 25)]
    week = week_sheet(date(2027, 1, 1), [], today=date(2026, 11, 25), zone=ISTANBUL)
    assert (week.first, week.before, week.after) == (date(2026, 12, 28), date(2026, 12, 21), date(2027, 1, 4))


@pytest.mark.parametrize("text", [None, "", "x", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_a_day_that_makes_no_sense_shows_today(text: str | None) -> None:
    assert read_day(text, date(2026, 11, 25)) == date(2026, 11, 25)
