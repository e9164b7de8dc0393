"""The outbox is delivered to a real SMTP server: at least once, with waits, and nothing is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from flask import Flask

from config import MailSettings, Settings, SettingsError
from portal.core import delivery
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.outbox import OutboxMail, queue_mail
from portal.core.work import clinic_work


@dataclass
class Inbox:
    """What a server has taken, and what it answers."""

    mails: list[Message] = field(default_factory=list)
    answer: str = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Take a mail."""
        if self.answer.startswith("2"):
            self.mails.append(message_from_bytes(envelope.content))
        return self.answer


@pytest.fixture
def inbox() -> Inbox:
    """The mails taken."""
    return Inbox()


@pytest.fixture
def mail(inbox: Inbox) -> Iterator[MailSettings]:
    """A server on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield MailSettings(host="127.0.0.1", port=port, tls=False, sender="offers@clinikoop.example")
    controller.stop()


def put(app: Flask, clinic: ClinicInfo, **values: Any) -> bool:
    with clinic_work(app, clinic.id):
        columns = {"kind": "test", "to_address": "nazli@example.com", "subject": "Öffnen", "body": "Guten Tag\n"}
        return queue_mail(**{**columns, **values})


def run(app: Flask, clinic: ClinicInfo, mail: MailSettings) -> bool:
    with clinic_work(app, clinic.id):
        return delivery.deliver_next(mail)


def stored(app: Flask, clinic: ClinicInfo) -> list[OutboxMail]:
    with clinic_work(app, clinic.id) as session:
        return list(session.scalars(sa.select(OutboxMail).order_by(OutboxMail.id)))


def test_a_queued_mail_arrives_and_is_noted(
    portal: Flask, papatya: ClinicInfo, mail: MailSettings, inbox: Inbox
) -> None:
    put(portal, papatya)
    assert [run(portal, papatya, mail), run(portal, papatya, mail)] == [True, False]
    (row,), (got,) = stored(portal, papatya), inbox.mails
    assert (row.status, row.attempts, row.sent_at is not None) == ("sent", 1, True)
    assert got["Message-ID"] == f"<{row.id}@clinikoop.example>"
    assert got["To"] == "nazli@example.com"
    assert got.get_payload(decode=True) == b"Guten Tag\r\n"


def test_a_clinics_mails_are_its_own(portal: Flask, papatya: ClinicInfo, lale: ClinicInfo, mail: MailSettings) -> None:
    put(portal, papatya)
    assert run(portal, lale, mail) is False


def test_one_event_is_told_once(portal: Flask, papatya: ClinicInfo) -> None:
    assert [put(portal, papatya, dedupe_key="accepted:1") for _time in range(3)] == [True, False, False]
    assert len(stored(portal, papatya)) == 1


def test_a_refused_mail_waits_longer_each_time_and_fails_after_eight(
    portal: Flask, papatya: ClinicInfo, mail: MailSettings, inbox: Inbox
) -> None:
    put(portal, papatya)
    inbox.answer, waits = "451 nazli@example.com is busy", []
    for _try in range(delivery.TRIES):
        before = now()
        assert run(portal, papatya, mail)
        with clinic_work(portal, papatya.id) as session:
            row = session.scalars(sa.select(OutboxMail)).one()
            waits.append(row.due_at - before)
            row.due_at = now() - timedelta(seconds=1)
    assert waits[:-1] == sorted(waits[:-1]) and waits[0] < timedelta(minutes=2) < timedelta(hours=11) < waits[-2]
    (row,) = stored(portal, papatya)
    assert (row.status, row.attempts, row.last_error) == ("failed", 8, "SMTPDataError 451")
    assert run(portal, papatya, mail) is False


def test_a_server_that_is_away_loses_nothing(
    portal: Flask, papatya: ClinicInfo, mail: MailSettings, inbox: Inbox
) -> None:
    put(portal, papatya)
    away = MailSettings(host="127.0.0.1", port=1, tls=False, sender=mail.sender)
    assert run(portal, papatya, away)
    assert [(row.status, row.attempts) for row in stored(portal, papatya)] == [("queued", 1)]
    with clinic_work(portal, papatya.id) as session:
        session.scalars(sa.select(OutboxMail)).one().due_at = now()
    run(portal, papatya, mail)
    assert len(inbox.mails) == 1


def test_an_address_cannot_smuggle_a_header_in(
    portal: Flask, papatya: ClinicInfo, mail: MailSettings, inbox: Inbox
) -> None:
    put(portal, papatya, to_address="a@example.com\r\nBcc: b@example.com")
    run(portal, papatya, mail)
    assert inbox.mails == []
    assert [row.last_error for row in stored(portal, papatya)] == ["ValueError"]


_KILLED = """
import os, signal, sys
from uuid import UUID
from portal.app import create_app
from portal.core import delivery
from portal.core.settings import settings
from portal.core.work import clinic_work
delivery._note_sent = lambda row: os.kill(os.getpid(), signal.SIGKILL)
app = create_app()
with clinic_work(app, UUID(sys.argv[1])):
    delivery.deliver_next(settings().mail)
"""


@pytest.mark.faults
def test_a_worker_killed_between_sending_and_noting_sends_again_with_the_same_id(
    app: Flask, clinics: dict[str, ClinicInfo], mail: MailSettings, inbox: Inbox
) -> None:
    clinic, urls = clinics["papatya"], app.extensions["database_urls"]
    put(app, clinic, dedupe_key="killed")
    env = {
        **os.environ, "CLINIKOOP_ENV": "testing", "SECRET_KEY": "only for tests " * 3, "DATABASE_URL": urls.app,
        "DATABASE_PLATFORM_URL": urls.platform, "CLINIKOOP_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
        "CLINIKOOP_MAIL_FROM": mail.sender,
    }  # fmt: skip
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(clinic.id)], env=env, check=False, timeout=60)
    try:
        assert ended.returncode == -signal.SIGKILL
        assert [(row.status, row.attempts) for row in stored(app, clinic)] == [("queued", 0)]
        assert run(app, clinic, mail)
        assert [row.status for row in stored(app, clinic)] == ["sent"]
        assert len(inbox.mails) == 2
        assert len({got["Message-ID"] for got in inbox.mails}) == 1
    finally:
        with clinic_work(app, clinic.id) as session:
            session.execute(sa.delete(OutboxMail))


@pytest.mark.parametrize(
    ("url", "sender"), [("http://x", "a@b"), ("smtp://", "a@b"), ("smtp://h", ""), ("smtp://h", "a b@c")]
)
def test_a_mail_server_that_cannot_be_understood_stops_the_start(url: str, sender: str) -> None:
    env = {"CLINIKOOP_ENV": "testing", "SECRET_KEY": "x" * 40, "CLINIKOOP_SMTP_URL": url, "CLINIKOOP_MAIL_FROM": sender}
    with pytest.raises(SettingsError):
        Settings.from_environment({**env, "CLINIKOOP_INSTANCE": "/nonexistent"})


def test_without_a_mail_server_mails_stay_queued(portal: Flask, papatya: ClinicInfo) -> None:
    put(portal, papatya)
    delivery.deliver(0)
    assert [row.status for row in stored(portal, papatya)] == ["queued"]
