"""Reminders on their pages: made once, done, put off, dropped and brought back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.work import clinic_work
from portal.privacy.models import PatientAccess
from portal.reminders.models import Outcome, Reminder, ReminderStatus
from tests.support.data import add_offer, add_patient
from tests.support.pages import field_errors, flashes, form_values, link, row_names, told
from tests.support.people import Person

Stored = Callable[..., list[Reminder]]
WEDNESDAY = datetime(2026, 11, 25, 12, tzinfo=UTC)  # three in the afternoon in Istanbul


def typed(**fields: Any) -> dict[str, Any]:
    form = {
        "title": "Ask about the X-ray", "kind": "call", "day": "2026-12-01", "hour": "14:30", "priority": "normal",
        "form_key": str(uuid4()),
    }  # fmt: skip
    return {name: value for name, value in {**form, **fields}.items() if value is not None}


def test_a_reminder_is_made_at_the_clinics_hour(coordinator: Person, stored: Stored) -> None:
    answer = coordinator.post("/reminders/new", typed())
    assert answer.status_code == 302, field_errors(answer)
    (made,) = stored(title="Ask about the X-ray")
    assert made.due_at == datetime(2026, 12, 1, 11, 30, tzinfo=UTC)
    assert (made.status, made.kind, made.is_all_day) == (ReminderStatus.OPEN, "call", False)


def test_a_reminder_without_an_hour_is_due_all_day(coordinator: Person, stored: Stored) -> None:
    answer = coordinator.post("/reminders/new", typed(hour=""))
    assert answer.status_code == 302, field_errors(answer)
    (made,) = stored(title="Ask about the X-ray")
    assert made.is_all_day
    assert made.due_at == datetime(2026, 12, 1, 20, 59, tzinfo=UTC)
    shown = form_values(coordinator.get(f"/reminders/{made.id}"))
    assert (shown["day"], shown["hour"]) == ("2026-12-01", "")


def test_a_double_click_makes_one_reminder(coordinator: Person, stored: Stored) -> None:
    form = typed()
    for _click in range(3):
        assert coordinator.post("/reminders/new", form).status_code == 302
    assert len(stored(title="Ask about the X-ray")) == 1


@pytest.mark.parametrize(("field", "value"), [
    ("title", "  "), ("title", "x" * 201), ("day", ""), ("day", "31.02.2026"), ("day", "9999-12-31"),
    ("hour", "25:00"), ("hour", "soon"), ("kind", "party"), ("priority", "²"), ("assigned_to_id", str(UUID(int=7))),
])  # fmt: skip
def test_what_makes_no_sense_is_an_error_beside_its_field_and_keeps_the_rest(
    coordinator: Person, stored: Stored, field: str, value: str
) -> None:
    answer = coordinator.post("/reminders/new", typed(description="Upper left", **{field: value}))
    assert answer.status_code == 422
    assert field in field_errors(answer)
    assert form_values(answer)["description"] == "Upper left"
    assert stored(description="Upper left") == []


def test_another_clinics_patient_offer_and_colleague_are_not_there(
    coordinator: Person, portal: Flask, lale: ClinicInfo, remind: Callable[..., UUID]
) -> None:
    with clinic_work(portal, lale.id):
        patient = add_patient(first_name="Uzak", last_name="Hasta")
        offer = add_offer(lale, patient)
    foreign = remind(lale)
    for field, value in (("patient_id", patient.id), ("offer_id", offer.id)):
        assert coordinator.post("/reminders/new", typed(**{field: str(value)})).status_code == 404
    for path in ("", "/done", "/snooze", "/cancel", "/reopen", "/pin"):
        assert coordinator.post(f"/reminders/{foreign}{path}", typed(until="tomorrow")).status_code == 404


def test_what_is_done_leaves_the_list_with_its_outcome_and_can_be_taken_back(
    coordinator: Person, remind: Callable[..., UUID], stored: Stored
) -> None:
    reminder_id = remind(title="Call Işıl")
    assert "Call Işıl" in row_names(coordinator.get("/reminders/"))
    coordinator.post(f"/reminders/{reminder_id}/done", {"outcome": "reached", "note": "Comes on Monday"})
    (done,) = stored(id=reminder_id)
    assert (done.status, done.outcome, done.outcome_note) == ("done", Outcome.REACHED, "Comes on Monday")
    assert done.completed_at is not None and done.completed_by_id is not None
    page = coordinator.get("/reminders/")
    assert f'action="/reminders/{reminder_id}/reopen"' in page.text and "Call Işıl" not in row_names(page)
    assert "Call Işıl" in row_names(coordinator.get("/reminders/?when=done"))
    coordinator.post(f"/reminders/{reminder_id}/reopen")
    (again,) = stored(id=reminder_id)
    assert (again.status, again.outcome, again.completed_at) == ("open", None, None)


def test_done_twice_keeps_the_first_outcome(coordinator: Person, remind: Callable[..., UUID], stored: Stored) -> None:
    reminder_id = remind()
    coordinator.post(f"/reminders/{reminder_id}/done", {"outcome": "booked"})
    coordinator.post(f"/reminders/{reminder_id}/done", {"outcome": "declined"})
    assert stored(id=reminder_id)[0].outcome == Outcome.BOOKED


def test_nobody_answered_proposes_the_next_try_without_telling_the_address(
    coordinator: Person, remind: Callable[..., UUID], portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        patient = add_patient(first_name="Nazlı", last_name="Ilgın")
    reminder_id = remind(title="Call Nazlı Ilgın", patient_id=patient.id)
    answer = coordinator.post(f"/reminders/{reminder_id}/done", {"outcome": "no_answer"})
    assert answer.location.startswith("/reminders/new?")
    assert "Nazl" not in answer.location, "addresses are logged by proxies"
    proposed = form_values(coordinator.get(answer.location))
    assert proposed["title"] == "Call Nazlı Ilgın"
    assert proposed["patient_id"] == str(patient.id)


@pytest.mark.parametrize(("fields", "due"), [
    ({"until": "later"}, datetime(2026, 11, 25, 15, tzinfo=UTC)),
    ({"until": "tomorrow"}, datetime(2026, 11, 26, 6, tzinfo=UTC)),
    ({"until": "monday"}, datetime(2026, 11, 30, 6, tzinfo=UTC)),
    ({"until": "day", "day": "2026-12-24"}, datetime(2026, 12, 24, 6, tzinfo=UTC)),
])  # fmt: skip
def test_a_reminder_is_put_off_by_the_clinics_clock(
    sign_in: Callable[..., Person], remind: Callable[..., UUID], stored: Stored, fields: dict[str, str], due: datetime
) -> None:
    reminder_id = remind(due_at=WEDNESDAY - timedelta(hours=1))
    with time_machine.travel(WEDNESDAY, tick=False):
        person = sign_in("coordinator")
        assert person.post(f"/reminders/{reminder_id}/snooze", fields).status_code == 302
    (later,) = stored(id=reminder_id)
    assert (later.due_at, later.snooze_count, later.status) == (due, 1, "open")
    assert later.snoozed_from == WEDNESDAY - timedelta(hours=1)


@pytest.mark.parametrize("fields", [
    {}, {"until": "never"}, {"until": "day"}, {"until": "day", "day": "2020-01-01"}, {"until": "day", "day": "soon"},
])  # fmt: skip
def test_a_reminder_is_not_put_off_until_nothing_or_the_past(
    coordinator: Person, remind: Callable[..., UUID], stored: Stored, fields: dict[str, str]
) -> None:
    reminder_id = remind()
    before = stored(id=reminder_id)[0].due_at
    coordinator.post(f"/reminders/{reminder_id}/snooze", fields)
    assert (stored(id=reminder_id)[0].due_at, stored(id=reminder_id)[0].snooze_count) == (before, 0)
    assert any("Choose" in text for text in flashes(coordinator.get("/reminders/")))


def test_putting_off_past_the_last_day_of_the_offer_is_said(
    coordinator: Person, remind: Callable[..., UUID], portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        offer = add_offer(papatya, add_patient(), valid_until=(now() + timedelta(days=3)).date())
    early, late = ((now() + timedelta(days=days)).date().isoformat() for days in (2, 5))
    for day, is_told in ((early, False), (late, True)):
        reminder_id = remind(offer_id=offer.id)
        coordinator.post(f"/reminders/{reminder_id}/snooze", {"until": "day", "day": day})
        texts = flashes(coordinator.get("/reminders/"))
        assert any(offer.offer_no in text for text in texts) is is_told, (day, texts)


def test_dropping_has_an_undo(coordinator: Person, remind: Callable[..., UUID], stored: Stored) -> None:
    reminder_id = remind()
    coordinator.post(f"/reminders/{reminder_id}/cancel")
    assert stored(id=reminder_id)[0].status == "cancelled"
    assert f'action="/reminders/{reminder_id}/reopen"' in coordinator.get("/reminders/").text
    coordinator.post(f"/reminders/{reminder_id}/reopen")
    assert stored(id=reminder_id)[0].status == "open"


def test_the_second_of_two_editors_sees_both_versions(
    coordinator: Person, sign_in: Callable[..., Person], remind: Callable[..., UUID], stored: Stored
) -> None:
    reminder_id = remind(title="Call")
    path = f"/reminders/{reminder_id}"
    doctor = sign_in("doctor")
    first, second = form_values(coordinator.get(path)), form_values(doctor.get(path))
    assert coordinator.post(path, {**first, "title": "Call before noon"}).status_code == 302
    page = doctor.post(path, {**second, "title": "Write"})
    assert page.status_code == 409
    assert "Call before noon" in page.text
    assert stored(id=reminder_id)[0].title == "Call before noon"
    assert doctor.post(path, form_values(page)).status_code == 302
    assert stored(id=reminder_id)[0].title == "Write"


def test_the_list_shows_ones_own_by_their_time_and_finds_by_patient(
    coordinator: Person, remind: Callable[..., UUID], person_id: Callable[[str], UUID], portal: Flask,
    papatya: ClinicInfo,
) -> None:  # fmt: skip
    with clinic_work(portal, papatya.id):
        patient = add_patient(first_name="Çağla", last_name="Iğdır")
    remind(title="Overdue", patient_id=patient.id)
    remind(title="Later", due_at=now() + timedelta(days=9), kind="task")
    remind(title="Nobody's", assigned_to_id=None)
    remind(title="The doctor's", assigned_to_id=person_id("doctor"))

    def names(query: str) -> set[str]:
        return set(row_names(coordinator.get(f"/reminders/{query}")))

    assert names("") == {"Overdue", "Later", "Nobody's"}
    assert names("?of=all") == {"Overdue", "Later", "Nobody's", "The doctor's"}
    assert names(f"?of={person_id('doctor')}") == {"The doctor's"}
    assert names("?of=²") == {"Overdue", "Later", "Nobody's"}
    assert names("?when=overdue") == {"Overdue", "Nobody's"}
    assert names("?when=upcoming") == {"Later"}
    assert names("?kind=task&when=upcoming") == {"Later"}
    assert names("?q=cagla+igdir") == {"Overdue"}
    assert names("?q=%22%3C") == set()
    assert names("?when=never&kind=party") == {"Overdue", "Later", "Nobody's"}


def test_the_menu_counts_what_is_overdue_without_a_query_of_its_own(
    coordinator: Person, remind: Callable[..., UUID], person_id: Callable[[str], UUID], statements: list[str]
) -> None:
    assert "nav-count" not in coordinator.get("/patients/").text
    for values in ({}, {}, {"assigned_to_id": person_id("doctor")}, {"due_at": now() + timedelta(hours=1)}):
        remind(**values)
    coordinator.post(f"/reminders/{remind()}/done")
    statements.clear()
    page = coordinator.get("/patients/").text
    assert 'class="nav-count">2<' in page
    assert sum("reminders" in statement for statement in statements) == 1


def test_pages_of_the_list_skip_and_repeat_nothing(coordinator: Person, remind: Callable[..., UUID]) -> None:
    moment = now() - timedelta(days=1)
    for number in range(30):
        remind(title=f"Call {number}", due_at=moment)
    first = coordinator.get("/reminders/")
    following = link(first, "next")
    assert following is not None
    seen = row_names(first) + row_names(coordinator.get(following))
    assert sorted(seen) == sorted(f"Call {number}" for number in range(30))


def test_the_export_holds_the_list_runs_no_formula_and_is_logged(
    coordinator: Person, remind: Callable[..., UUID], portal: Flask, papatya: ClinicInfo
) -> None:
    remind(title="=HYPERLINK(1)")
    answer = coordinator.post("/reminders/export")
    assert answer.mimetype == "text/csv"
    assert "'=HYPERLINK(1)" in answer.text
    with clinic_work(portal, papatya.id) as session:
        logged = session.scalars(sa.select(ActivityLog.changes).where(ActivityLog.action == "reminders.exported"))
        assert logged.one() == {"rows": [None, 1]}


def test_the_export_is_a_read_of_every_patient_on_it(
    coordinator: Person, remind: Callable[..., UUID], portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        patient = add_patient(first_name="Gelir", last_name="Gider")
    remind(patient_id=patient.id)
    coordinator.post("/reminders/export")
    with clinic_work(portal, papatya.id) as session:
        read = sa.select(PatientAccess.page).where(PatientAccess.patient_id == patient.id)
        assert session.scalars(read).all() == ["reminders.export"]


def test_patients_and_offers_show_what_is_due_about_them(
    coordinator: Person, remind: Callable[..., UUID], portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        patient = add_patient()
        offer = add_offer(papatya, patient)
    remind(title="About the offer", offer_id=offer.id)
    remind(title="About her", patient_id=patient.id)
    page = told(coordinator.get(f"/patients/{patient.id}"))
    assert "About the offer" in page and "About her" in page
    page = told(coordinator.get(f"/offers/{offer.id}"))
    assert "About the offer" in page and "About her" not in page


def test_who_may_only_read_changes_nothing(
    sign_in: Callable[..., Person], remind: Callable[..., UUID], stored: Stored
) -> None:
    reader, reminder_id = sign_in("readonly"), remind()
    page = reader.get("/reminders/?of=all")
    assert page.status_code == 200 and f"/reminders/{reminder_id}/done" not in page.text
    for path in ("done", "snooze", "cancel", "reopen", "pin"):
        assert reader.post(f"/reminders/{reminder_id}/{path}", {"until": "tomorrow"}).status_code == 403
    assert stored(id=reminder_id)[0].status == "open"


def test_the_log_names_the_reminder_and_hides_what_it_says(
    coordinator: Person, stored: Stored, portal: Flask, papatya: ClinicInfo
) -> None:
    coordinator.post("/reminders/new", typed(title="Call Nazlı Ilgın", description="Gizli bilgi"))
    (made,) = stored(title="Call Nazlı Ilgın")
    with clinic_work(portal, papatya.id) as session:
        (entry,) = session.scalars(sa.select(ActivityLog).where(ActivityLog.action == "reminder.created"))
        assert entry.object_id == made.id
        assert "Nazlı" not in str(entry.changes) and "Gizli" not in str(entry.changes)
