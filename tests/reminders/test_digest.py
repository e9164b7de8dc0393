"""The morning's mail: once a day to each who has something due, at her clinic's hour, naming nobody."""

# ruff: noqa: PLR0917 - a test asks for its fixtures by name, as many as it needs

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.auth.models import User
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.outbox import OutboxMail
from portal.core.work import clinic_work
from portal.reminders.digest import DIGEST, mail_digests
from portal.settings.registry import set_setting
from tests.support.data import add_patient
from tests.support.people import Person

SEVEN = datetime(2026, 12, 2, 4, 15, tzinfo=UTC)  # a Wednesday; a quarter past seven in Istanbul
Remind = Callable[..., UUID]


@pytest.fixture
def mail_at(portal: Flask, papatya: ClinicInfo) -> Callable[[datetime], list[OutboxMail]]:
    """Run the job of papatya at a moment; return every mail there is."""

    def run(moment: datetime) -> list[OutboxMail]:
        with time_machine.travel(moment, tick=False), clinic_work(portal, papatya.id) as session:
            mail_digests()
            session.flush()
            return list(session.scalars(sa.select(OutboxMail).order_by(OutboxMail.to_address)))

    return run


def test_who_has_something_due_gets_one_mail_that_names_nobody(
    mail_at: Callable[[datetime], list[OutboxMail]], remind: Remind, person_id: Callable[[str], UUID], portal: Flask,
    papatya: ClinicInfo,
) -> None:  # fmt: skip
    with clinic_work(portal, papatya.id):
        patient = add_patient(first_name="Nazlı", last_name="Ilgın")
    remind(title="Call Nazlı Ilgın", patient_id=patient.id, kind="call", due_at=SEVEN - timedelta(days=1))
    remind(title="Order gloves", due_at=SEVEN + timedelta(hours=3))
    remind(title="Tomorrow", due_at=SEVEN + timedelta(days=1))
    remind(title="Nobody's", assigned_to_id=None, due_at=SEVEN)
    for _run in range(3):
        (mail,) = mail_at(SEVEN)
    assert mail.to_address == "coordinator@papatya.example.com"
    assert "2 reminders" in mail.body and "1 of them is overdue" in mail.body
    assert f"patient {patient.patient_no}" in mail.body
    told = mail.subject + mail.body
    assert "Nazlı" not in told and "Ilgın" not in told and "gloves" not in told
    assert (mail.dedupe_key or "").endswith(f"{person_id('coordinator')}:2026-12-02")


@pytest.mark.parametrize("moment", [
    SEVEN - timedelta(hours=1),
    SEVEN + timedelta(hours=5),
    SEVEN + timedelta(days=3),  # a Saturday
    SEVEN + timedelta(days=4),
])  # fmt: skip
def test_nobody_is_mailed_at_night_late_or_at_the_weekend(
    mail_at: Callable[[datetime], list[OutboxMail]], remind: Remind, moment: datetime
) -> None:
    remind(due_at=SEVEN - timedelta(days=1))
    assert mail_at(moment) == []


def test_a_worker_that_was_down_at_seven_mails_later_and_the_next_day_again(
    mail_at: Callable[[datetime], list[OutboxMail]], remind: Remind
) -> None:
    remind(due_at=SEVEN - timedelta(days=1))
    assert len(mail_at(SEVEN + timedelta(hours=3))) == 1
    assert len(mail_at(SEVEN + timedelta(days=1))) == 2


def test_it_is_written_in_the_persons_language(
    mail_at: Callable[[datetime], list[OutboxMail]], remind: Remind, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id) as session:
        session.execute(sa.update(User).where(User.role == "coordinator").values(locale="tr"))
        audit.record(SYSTEM, "test", User)
    remind(due_at=SEVEN - timedelta(days=1))
    (mail,) = mail_at(SEVEN)
    assert "hatırlat" in (mail.subject + mail.body).lower()


def test_who_refuses_it_and_who_has_left_get_none(
    mail_at: Callable[[datetime], list[OutboxMail]], remind: Remind, person_id: Callable[[str], UUID], portal: Flask,
    papatya: ClinicInfo, sign_in: Callable[..., Person],
) -> None:  # fmt: skip
    for role in ("coordinator", "doctor"):
        remind(due_at=SEVEN - timedelta(days=1), assigned_to_id=person_id(role))
    coordinator = sign_in("coordinator")
    assert coordinator.post("/reminders/mine/mail", {"wanted": "no"}).status_code == 302
    assert "Send me the mail" in coordinator.get("/reminders/mine").text
    with clinic_work(portal, papatya.id) as session:
        session.execute(sa.update(User).where(User.role == "doctor").values(is_active=False))
        audit.record(SYSTEM, "test", User)
    assert mail_at(SEVEN) == []
    coordinator.post("/reminders/mine/mail", {"wanted": "yes"})
    assert [mail.to_address for mail in mail_at(SEVEN)] == ["coordinator@papatya.example.com"]


def test_a_clinic_may_switch_it_off(
    mail_at: Callable[[datetime], list[OutboxMail]], remind: Remind, portal: Flask, papatya: ClinicInfo
) -> None:
    remind(due_at=SEVEN - timedelta(days=1))
    with clinic_work(portal, papatya.id):
        set_setting(SYSTEM, DIGEST, value=False)
    assert mail_at(SEVEN) == []


def test_many_reminders_of_nobody_hide_nobody_elses(
    mail_at: Callable[[datetime], list[OutboxMail]], remind: Remind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.reminders.queries.MOST", 3)
    for _number in range(4):
        remind(due_at=SEVEN - timedelta(days=2), assigned_to_id=None)
    remind(due_at=SEVEN)
    assert len(mail_at(SEVEN)) == 1
