"""Workers that are killed, and two at once: with real connections and commits, in databases of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.auth.models import User
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.jobs import SYSTEM
from portal.core.outbox import OutboxMail
from portal.core.work import clinic_work
from portal.offers import services as offers
from portal.offers.models import PatientOffer
from portal.offers.queries import get_offer
from portal.reminders import digest, following
from portal.reminders.digest import mail_digests
from portal.reminders.following import follow_up
from portal.reminders.models import Reminder, RuleAssignee, Trigger
from portal.reminders.rules import create_rule
from portal.reminders.services import create_reminder
from tests.reminders.test_digest import SEVEN
from tests.support.data import add_offer, add_patient
from tests.support.people import Person

pytestmark = pytest.mark.faults
OFFERS = 4
LATER = timedelta(hours=30)


class Killed(BaseException):
    """The worker's process is gone."""


def test_two_workers_at_once_make_one_reminder_of_each_cause(own: Flask, papatya: ClinicInfo) -> None:
    _send_offers(own, papatya)
    start, made = threading.Barrier(2), []

    def work() -> None:
        with clinic_work(own, papatya.id):
            start.wait()
            made.append(follow_up(SYSTEM)[0])

    with time_machine.travel(now() + LATER, tick=True):
        _at_once(work)
    assert sum(made) == OFFERS
    assert len(_reminders(own, papatya)) == OFFERS


@pytest.mark.parametrize("step", range(OFFERS + 1))
def test_a_worker_killed_at_any_reminder_loses_none_and_makes_none_twice(
    own: Flask, papatya: ClinicInfo, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    _send_offers(own, papatya)
    with time_machine.travel(now() + LATER, tick=True):
        with monkeypatch.context() as patched:
            patched.setattr(following, "_make", _until(following._make, step))
            with pytest.raises(Killed):
                _die(own, papatya, lambda: follow_up(SYSTEM))
        assert _reminders(own, papatya) == []
        for expected in (OFFERS, 0):
            with clinic_work(own, papatya.id):
                assert follow_up(SYSTEM)[0] == expected
    assert len(set(_reminders(own, papatya))) == OFFERS


@pytest.mark.parametrize("step", range(3))
def test_a_worker_killed_at_any_mail_of_the_morning_loses_none_and_queues_none_twice(
    own: Flask, papatya: ClinicInfo, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    people = _give_work(own, papatya)
    with time_machine.travel(SEVEN, tick=True):
        with monkeypatch.context() as patched:
            patched.setattr(digest, "_mail", _until(digest._mail, step))
            with pytest.raises(Killed):
                _die(own, papatya, mail_digests)
        assert _mails(own, papatya) == []
        for _run in range(2):
            with clinic_work(own, papatya.id):
                mail_digests()
    assert _mails(own, papatya) == people


def test_two_workers_at_once_queue_one_mail_for_each(own: Flask, papatya: ClinicInfo) -> None:
    people, start = _give_work(own, papatya), threading.Barrier(2)

    def work() -> None:
        with clinic_work(own, papatya.id):
            start.wait()
            mail_digests()

    with time_machine.travel(SEVEN, tick=True):
        _at_once(work)
    assert _mails(own, papatya) == people


def test_guessing_at_calendars_is_slowed_down(own: Flask) -> None:
    visitor = Person(own, "papatya")
    answers = [visitor.get(f"/calendar/{number}").status_code for number in range(35)]
    assert answers[0] == 404 and answers[-1] == 429


def _die(own: Flask, papatya: ClinicInfo, work: Callable[[], Any]) -> None:
    """Work until the process is killed, at the latest just before it commits."""
    with clinic_work(own, papatya.id):
        work()
        raise Killed


def _until(work: Callable[..., Any], steps: int) -> Callable[..., Any]:
    """Return ``work``, killed when it is called for the time after ``steps``."""
    done: list[None] = []

    def limited(*args: Any) -> Any:
        if len(done) == steps:
            raise Killed
        done.append(None)
        return work(*args)

    return limited


def _at_once(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _send_offers(own: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(own, papatya.id) as session:
        create_rule(SYSTEM, values={
            "name": "Rule", "title": "Ask", "trigger": Trigger.UNOPENED, "delay_hours": 24, "kind": "call",
            "priority": "normal", "assignee": RuleAssignee.COORDINATOR, "is_active": True,
        })  # fmt: skip
        for _number in range(OFFERS):
            offer = get_offer(add_offer(papatya, add_patient()).id)
            offers.send_offer(SYSTEM, offer)
            row = session.scalars(sa.select(PatientOffer).where(PatientOffer.offer_id == offer.id)).one()
            row.token_hash = offer.id.bytes
        audit.record(SYSTEM, "test", PatientOffer)


def _give_work(own: Flask, papatya: ClinicInfo) -> list[str]:
    """Give two people something that is due; return their addresses."""
    with clinic_work(own, papatya.id) as session:
        people = session.scalars(sa.select(User).where(User.role.in_(("coordinator", "doctor")))).all()
        for person in people:
            values = {"title": "Call", "due_at": SEVEN - timedelta(days=1), "assigned_to_id": person.id}
            create_reminder(SYSTEM, form_key=None, values=values)
        return sorted(person.email for person in people)


def _reminders(own: Flask, papatya: ClinicInfo) -> list[UUID | None]:
    with clinic_work(own, papatya.id) as session:
        return list(session.scalars(sa.select(Reminder.offer_id).where(Reminder.rule_id.is_not(None))))


def _mails(own: Flask, papatya: ClinicInfo) -> list[str]:
    with clinic_work(own, papatya.id) as session:
        return sorted(session.scalars(sa.select(OutboxMail.to_address)))
