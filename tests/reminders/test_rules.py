"""Follow-up rules make one reminder for each cause, ever, and drop it when the patient acts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.clock import now, today
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers.documents import EventKind
from portal.offers.events import note_event
from portal.offers.models import Offer, OfferKind, PatientOffer
from portal.offers.queries import default_status
from portal.reminders.following import follow_up
from portal.reminders.models import FollowUpRule, Reminder, ReminderStatus, Trigger
from portal.reminders.rules import create_rule, proposed_rules, update_rule
from portal.reminders.services import complete_reminder
from tests.support.people import Person

Add = Callable[..., UUID]
Find = Callable[[UUID], list[Reminder]]
WEEK = timedelta(days=7)


@pytest.fixture
def rule(portal: Flask, papatya: ClinicInfo) -> Callable[..., UUID]:
    """Make a rule that has been in use for a week."""

    def make(trigger: Trigger, hours: int = 24, **values: Any) -> UUID:
        with clinic_work(portal, papatya.id):
            made = create_rule(SYSTEM, values={"name": "x", "title": "Ask", "delay_hours": hours, "trigger": trigger})
            made.active_since = now() - WEEK
            for name, value in values.items():
                setattr(made, name, value)
            return made.id

    return make


@pytest.fixture
def run(portal: Flask, papatya: ClinicInfo) -> Callable[[], tuple[int, int]]:
    """Let the rules of papatya work once."""

    def once() -> tuple[int, int]:
        with clinic_work(portal, papatya.id):
            return follow_up(SYSTEM)

    return once


def change(portal: Flask, clinic: ClinicInfo, offer_id: UUID, kind: OfferKind | None = None, **values: Any) -> None:
    with clinic_work(portal, clinic.id) as session:
        if kind:
            values["status_id"] = default_status(kind).id
        session.execute(sa.update(Offer).where(Offer.id == offer_id).values(**values))


def ask(portal: Flask, clinic: ClinicInfo, offer_id: UUID, kind: EventKind) -> None:
    with clinic_work(portal, clinic.id):
        note_event(offer_id, kind, actor=SYSTEM)


@pytest.mark.parametrize(
    ("trigger", "offer", "early"),
    [
        (Trigger.UNOPENED, {"sent": 25}, {"sent": 23}),
        (Trigger.UNDECIDED, {"sent": 60, "opened": 25}, {"sent": 60, "opened": 23}),
        (Trigger.DECLINED, {"kind": OfferKind.DECLINED, "decided": 25}, {"kind": OfferKind.DECLINED, "decided": 23}),
        (Trigger.ACCEPTED, {"kind": OfferKind.ACCEPTED, "decided": 25}, {"kind": OfferKind.ACCEPTED, "decided": 23}),
        (Trigger.EXPIRING, {"sent": 90, "ends": 0}, {"sent": 90, "ends": 5}),
    ],
)
def test_a_rule_acts_once_its_time_has_come_and_only_once(
    trigger: Trigger, offer: dict[str, Any], early: dict[str, Any], rule: Callable[..., UUID], add: Add,
    run: Callable[[], tuple[int, int]], reminders_of: Find, papatya: ClinicInfo,
) -> None:  # fmt: skip
    def made(values: dict[str, Any]) -> UUID:
        given = dict(values)
        if "decided" in given:
            given["decided_at"] = now() - timedelta(hours=given.pop("decided"))
        if "ends" in given:
            given["valid_until"] = today(papatya.timezone) + timedelta(days=given.pop("ends"))
        return add(**given)

    rule_id, due, waits = rule(trigger), made(offer), made(early)
    assert run()[0] == 1
    assert run()[0] == 0
    (reminder,) = reminders_of(due)
    assert (reminder.rule_id, reminder.title, reminder.status) == (rule_id, "Ask", ReminderStatus.OPEN)
    assert reminder.due_at >= now() - timedelta(minutes=1)
    assert reminders_of(waits) == []


def test_what_happened_before_the_rule_was_in_use_makes_nothing(
    rule: Callable[..., UUID], add: Add, run: Callable[[], tuple[int, int]]
) -> None:
    rule(Trigger.UNOPENED, active_since=now() - timedelta(hours=10), delay_hours=1)
    add(sent=11)
    assert run()[0] == 0
    add(sent=9)
    assert run()[0] == 1


def test_a_rule_switched_on_again_begins_anew(portal: Flask, papatya: ClinicInfo, rule: Callable[..., UUID]) -> None:
    rule_id = rule(Trigger.UNOPENED, is_active=False)
    with clinic_work(portal, papatya.id) as session:
        row = session.scalars(sa.select(FollowUpRule).where(FollowUpRule.id == rule_id)).one()
        update_rule(SYSTEM, row, version=row.version, values={"is_active": True})
        assert now() - row.active_since < timedelta(minutes=1)


def test_a_patient_not_to_be_contacted_is_left_alone(
    rule: Callable[..., UUID], add: Add, run: Callable[[], tuple[int, int]]
) -> None:
    rule(Trigger.UNOPENED)
    add(sent=30, patient={"do_not_contact": True})
    assert run()[0] == 0


@pytest.mark.parametrize(
    ("trigger", "offer", "act"),
    [
        (Trigger.UNOPENED, {"sent": 30}, "open"),
        (Trigger.UNOPENED, {"sent": 30}, OfferKind.ACCEPTED),
        (Trigger.UNDECIDED, {"sent": 60, "opened": 50}, OfferKind.DECLINED),
        (Trigger.UNDECIDED, {"sent": 60, "opened": 50}, "revise"),
        (Trigger.UNDECIDED, {"sent": 60, "opened": 50}, OfferKind.EXPIRED),
    ],
)
def test_a_reminder_goes_when_the_patient_acts(
    trigger: Trigger, offer: dict[str, Any], act: Any, rule: Callable[..., UUID], add: Add,
    run: Callable[[], tuple[int, int]], reminders_of: Find, portal: Flask, papatya: ClinicInfo,
) -> None:  # fmt: skip
    rule(trigger)
    offer_id = add(**offer)
    assert run() == (1, 0)
    assert run() == (0, 0)
    if act == "open":
        with clinic_work(portal, papatya.id) as session:
            session.execute(sa.update(PatientOffer).where(PatientOffer.offer_id == offer_id).values(view_count=1))
    elif act == "revise":
        change(portal, papatya, offer_id, superseded_at=now())
    else:
        change(portal, papatya, offer_id, act)
    assert run() == (0, 1)
    assert [row.status for row in reminders_of(offer_id)] == [ReminderStatus.CANCELLED]


def test_thanks_neither_drops_nor_reopens_anything(
    rule: Callable[..., UUID], add: Add, run: Callable[[], tuple[int, int]], reminders_of: Find, portal: Flask,
    papatya: ClinicInfo,
) -> None:  # fmt: skip
    rule(Trigger.UNDECIDED)
    waiting, done = add(sent=60, opened=50), add(sent=60, opened=50)
    run()
    with clinic_work(portal, papatya.id) as session:
        complete_reminder(SYSTEM, session.merge(reminders_of(done)[0]))
    for offer_id in (waiting, done):
        ask(portal, papatya, offer_id, EventKind.QUESTION)
    assert run() == (0, 0)
    assert [row.status for row in (*reminders_of(waiting), *reminders_of(done))] == ["open", "done"]


def test_a_question_is_chased_until_it_is_answered(
    rule: Callable[..., UUID], add: Add, run: Callable[[], tuple[int, int]], reminders_of: Find, portal: Flask,
    papatya: ClinicInfo,
) -> None:  # fmt: skip
    rule(Trigger.QUESTION, 0)
    offer_id = add(sent=1, opened=1)
    ask(portal, papatya, offer_id, EventKind.QUESTION)
    assert run() == (1, 0)
    ask(portal, papatya, offer_id, EventKind.ANSWERED)
    assert run() == (0, 1)
    ask(portal, papatya, offer_id, EventKind.QUESTION)
    assert run()[0] == 1  # another question is another cause
    assert len(reminders_of(offer_id)) == 2


def test_the_proposed_rules_are_taken_over_once(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    owner = sign_in("owner")
    assert "Use these rules" in owner.get("/reminders/rules").text
    for _twice in range(2):
        assert owner.post("/reminders/rules/proposed").status_code == 302
    with clinic_work(portal, papatya.id) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(FollowUpRule)) == len(proposed_rules()) == 6


def test_a_run_that_dies_leaves_nothing_half_done_and_the_next_one_makes_all(
    rule: Callable[..., UUID], add: Add, run: Callable[[], tuple[int, int]], monkeypatch: pytest.MonkeyPatch,
    reminders_of: Find,
) -> None:  # fmt: skip
    rule(Trigger.UNOPENED)
    offers = [add(sent=30) for _ in range(3)]
    real, calls = follow_up.__globals__["_make"], []

    def dies(*args: Any) -> bool:
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return bool(real(*args))

    monkeypatch.setitem(follow_up.__globals__, "_make", dies)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert [reminders_of(offer_id) for offer_id in offers] == [[], [], []]
    assert run() == (3, 0)
    assert [len(reminders_of(offer_id)) for offer_id in offers] == [1, 1, 1]
