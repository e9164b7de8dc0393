"""A calendar that a phone reads: by a secret alone, on the clinic's host alone, telling little."""

# ruff: noqa: PLR0917 - a test asks for its fixtures by name, as many as it needs

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from uuid import UUID

import icalendar
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from portal.auth.models import User, UserPermission
from portal.core import audit
from portal.core.access import Permission
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.reminders.digest import mail_digests
from portal.reminders.feeds import FEED_TELLS, Told
from portal.reminders.models import CalendarFeed
from portal.settings.registry import set_setting
from tests.reminders.test_digest import SEVEN
from tests.support.data import add_patient
from tests.support.people import Person

Visit = Callable[..., Person]


def renewed(person: Person) -> str:
    """Make a calendar address as its owner does; return its path."""
    page = person.post("/reminders/mine/calendar")
    found = re.search(r'id="address" value="http://[^/"]+(/calendar/[^"]+)"', unescape(page.text))
    assert found, page.text
    return found.group(1)


def summaries(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200 and answer.mimetype == "text/calendar"
    return sorted(str(event["SUMMARY"]) for event in icalendar.Calendar.from_ical(answer.data).walk("VEVENT"))


@pytest.mark.parametrize(("told", "expected"), [
    (Told.NOTHING, "Call"), (Told.NUMBER, "Call, patient {number}"), (Told.INITIALS, "Call, N. I."),
])  # fmt: skip
def test_a_calendar_tells_as_much_of_a_patient_as_the_clinic_allows(
    coordinator: Person, visit: Visit, remind: Callable[..., UUID], portal: Flask, papatya: ClinicInfo, told: Told,
    expected: str,
) -> None:  # fmt: skip
    with clinic_work(portal, papatya.id):
        patient = add_patient(first_name="Nazlı", last_name="Ilgın")
        set_setting(SYSTEM, FEED_TELLS, str(told))
    remind(title="Implant 36: call Nazlı", description="Diabetes", patient_id=patient.id, kind="call")
    answer = visit().get(renewed(coordinator))
    assert summaries(answer) == [expected.format(number=patient.patient_no)]
    assert not re.search("Implant|Nazl|Diabetes|Ilg", answer.text)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_calendar_holds_ones_own_open_reminders_with_all_day_ones_on_their_day(
    coordinator: Person, visit: Visit, remind: Callable[..., UUID], person_id: Callable[[str], UUID]
) -> None:
    due = now() + timedelta(days=3)
    remind(kind="task", is_all_day=True, due_at=due)
    remind(kind="call", due_at=due)
    remind(kind="message", assigned_to_id=person_id("doctor"))
    done = remind(kind="recall")
    coordinator.post(f"/reminders/{done}/done")
    answer = visit().get(renewed(coordinator))
    assert summaries(answer) == ["Call", "Task"]
    assert b"DTSTART;VALUE=DATE:" in answer.data


def test_only_the_newest_address_opens_and_none_once_it_is_ended(coordinator: Person, visit: Visit) -> None:
    old, new = renewed(coordinator), renewed(coordinator)
    visitor = visit()
    assert [visitor.get(path).status_code for path in (old, new)] == [404, 200]
    coordinator.post("/reminders/mine/calendar/end")
    assert visitor.get(new).status_code == 404


def test_an_address_opens_nothing_at_another_clinic_or_once_its_owner_has_left(
    coordinator: Person, visit: Visit, portal: Flask, papatya: ClinicInfo
) -> None:
    path = renewed(coordinator)
    assert visit("lale").get(path).status_code == 404
    with clinic_work(portal, papatya.id) as session:
        session.execute(sa.update(User).where(User.role == "coordinator").values(is_active=False))
        audit.record(SYSTEM, "test", User)
    assert visit().get(path).status_code == 404


def test_only_the_hash_of_an_address_is_kept_and_it_is_shown_once(
    coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    token = renewed(coordinator).rpartition("/")[2]
    with clinic_work(portal, papatya.id) as session:
        (feed,) = session.scalars(sa.select(CalendarFeed))
        assert token.encode() not in feed.token_hash and len(feed.token_hash) == 32
    assert token not in coordinator.get("/reminders/mine").text


def test_who_may_no_longer_see_patients_has_neither_calendar_nor_mail(
    coordinator: Person, visit: Visit, remind: Callable[..., UUID], portal: Flask, papatya: ClinicInfo
) -> None:
    remind()
    path = renewed(coordinator)
    assert visit().get(path).status_code == 200
    with clinic_work(portal, papatya.id) as session:
        person_id = session.scalars(sa.select(User.id).where(User.email == "coordinator@papatya.example.com")).one()
        taken = UserPermission(user_id=person_id, permission=Permission.PATIENTS_READ, is_granted=False)
        session.add(taken)
        audit.record(SYSTEM, "test", taken)
    assert visit().get(path).status_code == 404
    with time_machine.travel(SEVEN, tick=False), clinic_work(portal, papatya.id):
        assert mail_digests() == 0
