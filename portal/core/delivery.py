"""Delivering the outbox by SMTP: one mail a transaction, at least once, and nothing lost when the worker is killed.

A mail is sent under its row's lock and noted in the same transaction. Killed in between, the row is queued still and
goes out again with the same Message-ID, by which mailboxes tell that it is the same.
"""

from __future__ import annotations

import smtplib
import ssl
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from uuid import UUID

import sqlalchemy as sa
import structlog

from config import MailSettings
from portal.core.clinics import Clinic, open_clinic_ids
from portal.core.clock import now
from portal.core.database import current_session, require_scope
from portal.core.jobs import portal_app, queue
from portal.core.outbox import SECRET_KINDS, MailStatus, OutboxMail
from portal.core.scope import ClinicScope
from portal.core.settings import settings
from portal.core.work import clinic_work, platform_work

log = structlog.get_logger("portal.mail")
TRIES = 8
WAITS = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720)]  # about a day in all
_PER_RUN = 200
_TIMEOUT = 20


@queue.periodic(cron="* * * * *")
@queue.task(name="mail.deliver", queueing_lock="mail.deliver", pass_context=False)
def deliver(timestamp: int) -> None:  # noqa: ARG001 - the queue passes the time
    """Send what is due, every minute."""
    app = portal_app()
    with app.app_context():
        mail = settings().mail
    if mail is None:
        return
    with platform_work(app, "deliver mails"):
        clinics = open_clinic_ids()
    for clinic_id in clinics:
        _deliver_for(clinic_id, mail)


def deliver_next(mail: MailSettings) -> bool:
    """Send the pinned clinic's next due mail and note what became of it; return False where none is due."""
    statement = (
        sa.select(OutboxMail)
        .where(OutboxMail.status == MailStatus.QUEUED, OutboxMail.due_at <= now())
        .order_by(OutboxMail.due_at, OutboxMail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = current_session().scalars(statement).first()
    if row is None:
        return False
    try:
        _send(mail, compose(row, mail, _clinic_name()))
    except (OSError, smtplib.SMTPException, ValueError) as error:
        _note_failure(row, error)
    else:
        _note_sent(row)
    return True


def compose(row: OutboxMail, mail: MailSettings, clinic: str) -> EmailMessage:
    """Return a mail as it goes out. Its Message-ID is the row's, however often it is sent."""
    message = EmailMessage()
    message["From"] = formataddr((clinic, mail.sender))
    message["To"] = row.to_address
    message["Subject"] = row.subject
    message["Date"] = format_datetime(row.created_at)
    message["Message-ID"] = f"<{row.id}@{mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(row.body)
    return message


def _deliver_for(clinic_id: UUID, mail: MailSettings) -> None:
    try:
        for _mail in range(_PER_RUN):
            with clinic_work(portal_app(), clinic_id):
                if not deliver_next(mail):
                    return
    except Exception:  # logged; the other clinics' mails go out, and the next run tries again
        log.exception("mail.run_failed", clinic_id=str(clinic_id))


def _send(mail: MailSettings, message: EmailMessage) -> None:
    kind = smtplib.SMTP_SSL if mail.tls else smtplib.SMTP
    with kind(mail.host, mail.port, timeout=_TIMEOUT) as server:
        server.ehlo()
        if not mail.tls and (mail.user or server.has_extn("starttls")):
            server.starttls(context=ssl.create_default_context())
        if mail.user:
            server.login(mail.user, mail.password or "")
        server.send_message(message)


def _note_sent(row: OutboxMail) -> None:
    row.attempts += 1
    row.status, row.sent_at, row.last_error = MailStatus.SENT, now(), None
    if row.kind in SECRET_KINDS:
        row.body = ""  # whoever reads the database later finds no link that opens an account


def _note_failure(row: OutboxMail, error: Exception) -> None:
    """Note a failed try by its kind only: what a server answers may hold the address."""
    row.attempts += 1
    code = getattr(error, "smtp_code", None)
    row.last_error = f"{type(error).__name__} {code}" if code else type(error).__name__
    if row.attempts >= TRIES:
        row.status = MailStatus.FAILED
    else:
        row.due_at = now() + WAITS[row.attempts - 1]
    log.warning("mail.failed", mail_id=str(row.id), attempt=row.attempts, error=row.last_error)


def _clinic_name() -> str:
    scope = require_scope(current_session())
    assert isinstance(scope, ClinicScope)
    return current_session().get_one(Clinic, scope.clinic_id).name
