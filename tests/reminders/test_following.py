"""Follow-up rules: one reminder for each cause, from what happens since the rule acts, until the patient does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers import services as offers
from portal.offers.models import DeclineReason, Offer, OfferKind, PatientOffer
from portal.offers.queries import default_status, get_offer
from portal.patients.models import Patient
from portal.reminders import following
from portal.reminders.following import follow_up, working_moment
from portal.reminders.models import Reminder, ReminderStatus, RuleAssignee, Trigger
from portal.reminders.rules import create_rule, get_rule, propose_rules, update_rule
from portal.reminders.services import complete_reminder
from portal.sharing.deciding import answer_question, ask_question, decline_offer
from portal.sharing.models import OfferQuestion
from tests.support.data import add_offer, add_patient
from tests.support.pages import field_errors, form_values, told
from tests.support.people import Person

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULE: dict[str, Any] = {
    "name": "Rule", "title": "Call and ask", "trigger": Trigger.UNOPENED, "delay_hours": 24, "kind": "call",
    "priority": "normal", "assignee": RuleAssignee.COORDINATOR, "assignee_id": None, "is_active": True,
}  # fmt: skip


@dataclass
class Clinic:
    """Papatya at a moment of the test's own clock."""

    portal: Flask
    info: ClinicInfo
    clock: Any
    begin: datetime

    def at(self, hours: float) -> None:
        """Go on to some hours after the beginning."""
        self.clock.move_to(self.begin + hours * HOUR)

    def rule(self, **values: Any) -> UUID:
        """Make a rule now."""
        with clinic_work(self.portal, self.info.id):
            return create_rule(SYSTEM, values={**RULE, **values}).id

    def send(self, days: int = 30, **patient: Any) -> UUID:
        """Send an offer with a link now; return its id."""
        with clinic_work(self.portal, self.info.id) as session:
            offer = get_offer(
                add_offer(self.info, add_patient(**patient), valid_until=(now() + days * DAY).date()).id
            )  # fmt: skip
            offers.send_offer(SYSTEM, offer)
            self._recipient(session, offer.id).token_hash = offer.id.bytes
            audit.record(SYSTEM, "test", offer, changes={})
            return offer.id

    def view(self, offer_id: UUID) -> None:
        """Let the patient open her link now."""
        with clinic_work(self.portal, self.info.id) as session:
            recipient, offer = self._recipient(session, offer_id), get_offer(offer_id)
            recipient.view_count += 1
            recipient.first_viewed_at = recipient.last_viewed_at = offer.first_viewed_at = now()
            audit.record(SYSTEM, "test", offer, changes={})

    def move(self, offer_id: UUID, kind: OfferKind) -> None:
        """Give an offer another status now."""
        with clinic_work(self.portal, self.info.id):
            offers.move_offer(SYSTEM, get_offer(offer_id), status=default_status(kind))

    def ask(self, offer_id: UUID, body: str = "Teşekkürler") -> UUID:
        """Let the patient write now."""
        with clinic_work(self.portal, self.info.id) as session:
            return ask_question(SYSTEM, self._recipient(session, offer_id), body=body, form_key=None).id

    def run(self) -> tuple[int, int]:
        """Let the rules work now; return how many reminders were made and dropped."""
        with clinic_work(self.portal, self.info.id):
            return follow_up(SYSTEM)

    def do(self, work: Callable[..., Any]) -> Any:
        """Do something in the clinic's scope."""
        with clinic_work(self.portal, self.info.id) as session:
            return work(session)

    def reminders(self) -> list[Reminder]:
        """Return every reminder that a rule made."""
        statement = sa.select(Reminder).where(Reminder.rule_id.is_not(None)).order_by(Reminder.id)
        return list(self.do(lambda session: session.scalars(statement).all()))

    def _recipient(self, session: Any, offer_id: UUID) -> PatientOffer:
        found: PatientOffer = session.scalars(sa.select(PatientOffer).where(PatientOffer.offer_id == offer_id)).one()
        return found


@pytest.fixture
def clinic(portal: Flask, papatya: ClinicInfo) -> Iterator[Clinic]:
    """Papatya, with a clock that stands still."""
    begin = now()
    with time_machine.travel(begin, tick=False) as clock:
        yield Clinic(portal, papatya, clock, begin)


def test_an_unopened_offer_makes_one_reminder_after_the_delay_however_often_the_job_runs(clinic: Clinic) -> None:
    clinic.rule()
    clinic.at(1)
    offer_id = clinic.send()
    clinic.at(24)
    assert clinic.run() == (0, 0)
    clinic.at(25)
    assert clinic.run() == (1, 0)
    assert clinic.run() == (0, 0)
    (made,) = clinic.reminders()
    assert (made.offer_id, made.title, made.kind, made.status) == (offer_id, "Call and ask", "call", "open")
    assert made.patient_id is not None and made.due_at >= now()
    with_log = clinic.do(lambda session: session.scalars(
        sa.select(audit.ActivityLog.object_id).where(audit.ActivityLog.action == "reminder.created")
    ).all())  # fmt: skip
    assert with_log == [made.id]


def test_offers_sent_or_ending_at_the_same_moment_get_a_reminder_each(clinic: Clinic) -> None:
    clinic.rule()
    clinic.rule(trigger=Trigger.EXPIRING, delay_hours=72)
    for _number in range(3):
        clinic.send(days=10)
    clinic.at(25)
    assert clinic.run() == (3, 0)
    clinic.at(8 * 24)
    assert clinic.run() == (3, 0)
    assert clinic.run() == (0, 0)


def test_what_happened_before_a_rule_acted_makes_nothing(clinic: Clinic) -> None:
    sent, ending = clinic.send(), clinic.send(days=2)
    viewed, declined = clinic.send(), clinic.send()
    clinic.view(viewed)
    clinic.move(declined, OfferKind.DECLINED)
    clinic.at(1)
    for trigger in Trigger:
        clinic.rule(trigger=trigger, delay_hours=48)
    clinic.at(55)
    assert clinic.run() == (0, 0), (sent, ending)


def test_a_rule_switched_off_and_on_again_or_to_another_trigger_begins_anew(clinic: Clinic) -> None:
    rule_id = clinic.rule(is_active=False)
    clinic.send()
    clinic.at(30)
    assert clinic.run() == (0, 0)

    def save(**values: Any) -> None:
        def work(_session: Any) -> None:
            rule = get_rule(rule_id)
            update_rule(SYSTEM, rule, version=rule.version, values={**RULE, **values})

        clinic.do(work)

    save()
    assert clinic.run() == (0, 0)
    declined = clinic.send()
    clinic.move(declined, OfferKind.DECLINED)
    clinic.at(60)
    save(trigger=Trigger.DECLINED)
    clinic.at(90)
    assert clinic.run() == (0, 0)


def test_opening_drops_the_reminder_about_not_opening_and_starts_the_wait_for_a_decision(clinic: Clinic) -> None:
    clinic.rule()
    clinic.rule(trigger=Trigger.UNDECIDED, delay_hours=48)
    offer_id = clinic.send()
    clinic.at(25)
    assert clinic.run() == (1, 0)
    clinic.at(26)
    clinic.view(offer_id)
    assert clinic.run() == (0, 1)
    clinic.at(26 + 48)
    assert clinic.run() == (1, 0)
    assert [row.status for row in clinic.reminders()] == [ReminderStatus.CANCELLED, ReminderStatus.OPEN]


@pytest.mark.parametrize("kind", [OfferKind.ACCEPTED, OfferKind.DECLINED, OfferKind.CANCELLED])
def test_a_decision_drops_what_asked_for_one(clinic: Clinic, kind: OfferKind) -> None:
    clinic.rule(trigger=Trigger.UNDECIDED)
    offer_id = clinic.send()
    clinic.view(offer_id)
    clinic.at(25)
    assert clinic.run() == (1, 0)
    clinic.move(offer_id, kind)
    assert clinic.run() == (0, 1)
    clinic.at(100)
    assert clinic.run() == (0, 0)


def test_a_revision_drops_the_reminders_of_what_it_replaced(clinic: Clinic) -> None:
    clinic.rule()
    offer_id = clinic.send()
    clinic.at(25)
    assert clinic.run() == (1, 0)
    clinic.do(lambda session: (
        session.execute(sa.update(Offer).where(Offer.id == offer_id).values(superseded_at=now())),
        audit.record(SYSTEM, "test", Offer),
    ))  # fmt: skip
    assert clinic.run() == (0, 1)


def test_thanks_decides_nothing_and_brings_no_done_reminder_back(clinic: Clinic) -> None:
    clinic.rule(trigger=Trigger.UNDECIDED)
    offer_id = clinic.send()
    clinic.view(offer_id)
    clinic.at(25)
    clinic.run()
    (made,) = clinic.reminders()
    clinic.do(lambda session: complete_reminder(SYSTEM, session.get_one(Reminder, (clinic.info.id, made.id))))
    clinic.ask(offer_id)
    clinic.at(120)
    assert clinic.run() == (0, 0)
    assert [row.status for row in clinic.reminders()] == [ReminderStatus.DONE]


def test_a_question_makes_a_reminder_until_it_is_answered(clinic: Clinic) -> None:
    clinic.rule(trigger=Trigger.QUESTION, delay_hours=0)
    offer_id = clinic.send()
    question_id = clinic.ask(offer_id)
    clinic.at(3)
    assert clinic.run() == (1, 0)
    clinic.at(4)
    clinic.do(lambda session: answer_question(
        SYSTEM, session.get_one(OfferQuestion, (clinic.info.id, question_id)), answer="Evet"
    ))  # fmt: skip
    assert clinic.run() == (0, 1)
    assert clinic.run() == (0, 0)


def test_a_decline_that_turns_into_talks_drops_its_reminder(clinic: Clinic) -> None:
    clinic.rule(trigger=Trigger.DECLINED)
    offer_id = clinic.send()
    clinic.do(lambda session: decline_offer(
        SYSTEM, clinic._recipient(session, offer_id), reason=DeclineReason.PRICE, note=None
    ))  # fmt: skip
    clinic.at(25)
    assert clinic.run() == (1, 0)
    clinic.move(offer_id, OfferKind.NEGOTIATING)
    assert clinic.run() == (0, 1)


def test_nobody_is_chased_who_asked_not_to_be_contacted(clinic: Clinic) -> None:
    clinic.rule()
    offer_id = clinic.send()
    clinic.do(lambda session: (
        session.execute(sa.update(Patient).values(do_not_contact=True)), audit.record(SYSTEM, "test", Patient)
    ))  # fmt: skip
    clinic.at(25)
    assert clinic.run() == (0, 0), offer_id


@pytest.mark.parametrize(("assignee", "expected"), [
    (RuleAssignee.COORDINATOR, "coordinator"), (RuleAssignee.DOCTOR, "doctor"), (RuleAssignee.USER, "assistant"),
])  # fmt: skip
def test_a_rule_gives_its_reminder_to_whom_it_says(
    clinic: Clinic, person_id: Callable[[str], UUID], assignee: RuleAssignee, expected: str
) -> None:
    clinic.rule(assignee=assignee, assignee_id=person_id("assistant") if assignee is RuleAssignee.USER else None)
    offer_id = clinic.send()

    def assign(_session: Any) -> None:
        offer = get_offer(offer_id)
        offer.coordinator_id, offer.doctor_id = person_id("coordinator"), person_id("doctor")
        audit.record(SYSTEM, "test", offer)

    clinic.do(assign)
    clinic.at(25)
    clinic.run()
    assert clinic.reminders()[0].assigned_to_id == person_id(expected)


def test_a_run_makes_a_bounded_number_and_the_next_goes_on(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic.rule()
    for _number in range(3):
        clinic.send()
    clinic.at(25)
    monkeypatch.setattr(following, "ROWS", 2)
    assert [clinic.run()[0] for _run in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(("moment", "due"), [
    (datetime(2026, 12, 1, 10, tzinfo=UTC), datetime(2026, 12, 1, 10, tzinfo=UTC)),  # a Tuesday, at one
    (datetime(2026, 12, 1, 3, tzinfo=UTC), datetime(2026, 12, 1, 6, tzinfo=UTC)),
    (datetime(2026, 12, 1, 17, tzinfo=UTC), datetime(2026, 12, 2, 6, tzinfo=UTC)),
    (datetime(2026, 12, 5, 10, tzinfo=UTC), datetime(2026, 12, 7, 6, tzinfo=UTC)),  # a Saturday
])  # fmt: skip
def test_nobody_is_reminded_at_night_or_at_the_weekend(moment: datetime, due: datetime) -> None:
    with time_machine.travel(datetime(2026, 11, 30, tzinfo=UTC), tick=False):
        assert working_moment(moment, "Europe/Istanbul") == due


def test_an_ending_offer_is_told_before_it_has_ended(clinic: Clinic) -> None:
    clinic.clock.move_to(datetime(2026, 12, 1, 9, tzinfo=UTC))
    clinic.rule(trigger=Trigger.EXPIRING, delay_hours=8)
    clinic.send(days=5)  # until a Sunday
    clinic.clock.move_to(datetime(2026, 12, 6, 14, tzinfo=UTC))
    assert clinic.run() == (1, 0)
    assert clinic.reminders()[0].due_at.date() == date(2026, 12, 6)


def test_proposed_rules_are_taken_over_once_and_all_of_them_act(clinic: Clinic) -> None:
    assert clinic.do(lambda _session: propose_rules(SYSTEM)) == len(Trigger)
    assert clinic.do(lambda _session: propose_rules(SYSTEM)) == 0
    clinic.send()
    clinic.at(25)
    assert clinic.run() == (1, 0)


def test_a_manager_takes_over_the_proposed_rules_and_changes_one(sign_in: Callable[..., Person]) -> None:
    owner = sign_in("owner")
    assert "Use these rules" in told(owner.get("/reminders/rules"))
    owner.post("/reminders/rules/proposed")
    page = owner.get("/reminders/rules")
    assert "Use these rules" not in page.text and "Book the first appointment" in page.text
    path = page.text.partition('class="row-link" href="')[2].partition('"')[0]
    first, second = form_values(owner.get(path)), form_values(owner.get(path))
    refused = owner.post(path, {**first, "delay_hours": "-1"})
    assert refused.status_code == 422 and "delay_hours" in field_errors(refused)
    refused = owner.post(path, {**first, "assignee": "user", "assignee_id": ""})
    assert "assignee_id" in field_errors(refused)
    assert owner.post(path, {**first, "delay_hours": "12"}).status_code == 302
    assert owner.post(path, {**second, "delay_hours": "36"}).status_code == 409
    assert "12 hours" in told(owner.get("/reminders/rules"))


def test_rules_are_the_managers_alone(sign_in: Callable[..., Person]) -> None:
    assert sign_in("coordinator").get("/reminders/rules").status_code == 403


def test_the_same_rule_made_twice_is_one(clinic: Clinic) -> None:
    values = {
        "name": "A",
        "title": "Call",
        "trigger": Trigger.UNOPENED,
        "delay_hours": 3,
        "assignee": RuleAssignee.DOCTOR,
    }
    made = [clinic.do(lambda _session: create_rule(SYSTEM, values=values).id) for _time in range(2)]
    assert made[0] == made[1]
    other = clinic.do(lambda _session: create_rule(SYSTEM, values={**values, "delay_hours": 4}).id)
    assert other != made[0]
