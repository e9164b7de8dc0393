"""Today's list on its page: what is on it, done, put off and taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.auth.models import User, UserPermission
from portal.core import audit
from portal.core.access import Permission
from portal.core.clinics import ClinicInfo
from portal.core.clock import now, today
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers.models import DeclineReason, OfferKind, PatientOffer
from portal.reminders.models import Reminder, ReminderStatus
from portal.reminders.services import create_reminder
from tests.support.pages import text_of
from tests.support.people import Person

Add = Callable[..., UUID]
Find = Callable[[UUID], list[Reminder]]


def rows(person: Person, query: str = "") -> list[str]:
    """Return the list's rows as text, in order."""
    page = person.get(f"/{query}")
    assert page.status_code == 200
    found = re.findall(r'<li class="task".*?</li>', page.text, re.DOTALL)
    return [text_of(row) for row in found]


def sent_fields(person: Person, path: str = "/today/done", **fields: Any) -> dict[str, Any]:
    """Return what the first row's form sends: its hidden fields and what is chosen."""
    row = re.search(r'<li class="task".*?</li>', person.get("/").text, re.DOTALL).group()  # type: ignore[union-attr]
    form = re.search(rf'action="{path}".*?</form>', row, re.DOTALL).group()  # type: ignore[union-attr]
    hidden: dict[str, Any] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form):
        hidden.setdefault(name, []).append(unescape(value))
    return {**hidden, **fields}


@pytest.fixture
def remind(portal: Flask, papatya: ClinicInfo) -> Callable[..., UUID]:
    """Make a reminder for somebody of papatya: ``remind("coordinator", hours=-1)``."""

    def make(role: str | None = "coordinator", *, hours: float = -1, **values: Any) -> UUID:
        with clinic_work(portal, papatya.id) as session:
            email = f"{role}@papatya.example.com"
            person = session.scalars(sa.select(User.id).where(User.email == email)).one() if role else None
            columns = {"title": "Call her", "due_at": now() + timedelta(hours=hours), "assigned_to_id": person}
            return create_reminder(SYSTEM, form_key=None, values={**columns, **values}).id

    return make


def test_an_empty_list_says_that_nothing_waits(coordinator: Person) -> None:
    assert "Nothing is waiting" in coordinator.get("/").text


def test_each_reason_is_told_with_the_next_step_and_the_most_pressing_come_first(
    add: Add, remind: Callable[..., UUID], coordinator: Person, papatya: ClinicInfo
) -> None:
    add(sent=30)
    add(sent=99, opened=70)
    add(sent=5, valid_until=today(papatya.timezone) + timedelta(days=2))
    add(OfferKind.DECLINED, decided_at=now() - timedelta(hours=5), decline_reason=DeclineReason.PRICE)
    add(OfferKind.DRAFT, signoff_asked_at=now())
    add(sent=30, opened=1)
    remind(hours=-2)
    remind(hours=-3, is_pinned=True, title="Pinned one")
    texts = rows(coordinator)
    order = [
        "Pinned one", "Call her", "Just read", "Ends soon", "Waits for a dentist", "Undecided",
        "Declined for its price", "Not opened",
    ]  # fmt: skip
    assert [next(word for word in order if word in text) for text in texts] == order
    assert "Call while it is fresh" in texts[2] and "Nazlı Ilgın" in texts[2] and "opened once" in texts[2]
    assert "Ask whether it arrived" in texts[7]


def test_an_offer_with_a_reminder_is_one_row_with_all_its_reasons(
    add: Add, remind: Callable[..., UUID], coordinator: Person
) -> None:
    remind(hours=-1, offer_id=add(sent=99, opened=70))
    (text,) = rows(coordinator)
    assert "Overdue" in text and "Undecided" in text and "Call her" in text


def test_one_sees_ones_own_and_nobodys_and_all_on_request(
    add: Add, remind: Callable[..., UUID], coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id) as session:
        doctor = session.scalars(sa.select(User.id).where(User.email == "doctor@papatya.example.com")).one()
    add(sent=30, doctor_id=doctor)
    remind("doctor")
    remind(None, title="Anybody's")
    assert [("Anybody's" in text) for text in rows(coordinator)] == [True]
    assert len(rows(coordinator, "?of=all")) == 3


def test_what_was_dealt_with_leaves_the_list_until_something_new_happens(
    add: Add, coordinator: Person, reminders_of: Find, portal: Flask, papatya: ClinicInfo
) -> None:
    offer_id = add(sent=30, opened=1)
    for _click in range(2):
        assert len(rows(coordinator)) == 1
        fields = sent_fields(coordinator)
        assert coordinator.post("/today/done", fields).status_code == 302
        assert coordinator.post("/today/done", fields).status_code == 302
        assert rows(coordinator) == []
        with clinic_work(portal, papatya.id) as session:
            read_again = sa.update(PatientOffer).where(PatientOffer.offer_id == offer_id)
            audit.record(SYSTEM, "test", PatientOffer)
            session.execute(read_again.values(last_viewed_at=now() + timedelta(minutes=_click)))
    kept = reminders_of(offer_id)
    assert [row.status for row in kept] == [ReminderStatus.DONE] * 2
    assert len({row.cause for row in kept}) == 2


def test_done_can_be_taken_back(add: Add, remind: Callable[..., UUID], coordinator: Person) -> None:
    remind(offer_id=add(sent=99, opened=70))
    answer = coordinator.post("/today/done", sent_fields(coordinator, outcome="reached"))
    page = coordinator.get(answer.location)
    assert rows(coordinator) == []
    undo = unescape(re.search(r'action="(/today/undo[^"]*)"', page.text).group(1))  # type: ignore[union-attr]
    assert coordinator.post(undo).status_code == 302
    (text,) = rows(coordinator)
    assert "Overdue" in text and "Undecided" in text


def test_what_is_put_off_comes_back_as_a_reminder_at_its_time(
    add: Add, coordinator: Person, reminders_of: Find
) -> None:
    offer_id = add(sent=30)
    coordinator.post("/today/later", sent_fields(coordinator, "/today/later", until="tomorrow"))
    assert rows(coordinator) == []
    (kept,) = reminders_of(offer_id)
    assert (kept.status, kept.due_at.hour, kept.due_at.minute) == (ReminderStatus.OPEN, 6, 0)  # nine in Istanbul
    with time_machine.travel(kept.due_at + timedelta(minutes=1), tick=False):
        (text,) = rows(coordinator.sign_in("coordinator"))
        assert "Overdue" in text and "Ask whether it arrived" in text


def test_a_patient_not_to_be_contacted_shows_neither_number_nor_message(add: Add, coordinator: Person) -> None:
    add(sent=30, patient={"do_not_contact": True})
    page = coordinator.get("/").text
    assert "Not to be contacted" in page
    assert "wa.me" not in page and "tel:" not in page


def test_reading_only_shows_the_list_without_buttons(add: Add, sign_in: Callable[..., Person]) -> None:
    add(sent=30)
    page = sign_in("readonly").get("/?of=all").text
    assert 'class="task"' in page
    assert "/today/done" not in page and "/today/later" not in page


def test_the_list_takes_the_same_few_statements_whatever_its_length(
    add: Add, remind: Callable[..., UUID], coordinator: Person, statements: list[str]
) -> None:
    coordinator.get("/")
    statements.clear()
    coordinator.get("/")
    few = len(statements)
    for _more in range(4):
        add(sent=30)
        remind(offer_id=add(sent=99, opened=70))
    statements.clear()
    assert len(rows(coordinator)) == 8
    # And one for what was dealt with, asked only where there is an offer, and one for its patients' consents.
    assert len(statements) <= few + 2


def test_another_clinics_offer_and_reminder_are_not_there(
    add: Add, remind: Callable[..., UUID], sign_in: Callable[..., Person], reminders_of: Find
) -> None:
    offer_id, reminder_id = add(sent=30), remind()
    stranger = sign_in("owner", "lale")
    cause = "today:unopened:x"
    for fields in ({"offer_id": str(offer_id), "cause": cause}, {"reminder_id": str(reminder_id)}):
        for path in ("/today/done", "/today/later"):
            assert stranger.post(path, fields).status_code == 404
    assert reminders_of(offer_id) == []


@pytest.mark.parametrize("taken", [Permission.PATIENTS_READ, Permission.OFFERS_READ])
def test_who_may_not_see_patients_or_offers_is_led_past_the_list(
    portal: Flask, papatya: ClinicInfo, sign_in: Callable[..., Person], taken: Permission
) -> None:
    person = sign_in("coordinator")
    with clinic_work(portal, papatya.id) as session:
        account = session.scalars(sa.select(User.id).where(User.email == "coordinator@papatya.example.com")).one()
        row = UserPermission(user_id=account, permission=taken, is_granted=False)
        session.add(row)
        audit.record(SYSTEM, "test", row)
    assert person.get("/").location == "/account"
    assert person.get("/account").status_code == 200


def test_a_reminder_about_nobody_says_its_title_once(
    remind: Callable[..., UUID], sign_in: Callable[..., Person]
) -> None:
    remind(title="Order gloves")
    (row,) = [row for row in rows(sign_in("coordinator")) if "Order gloves" in row]
    assert row.count("Order gloves") == 1
