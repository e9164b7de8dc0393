"""The outbox: a mail is a row written in the same transaction as what it is about, and delivered by the worker.

A committed change never loses its mail, a rolled-back one never sends. Delivery happens at least once: a worker killed
between sending and noting it sends again, with the same Message-ID.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, TenantScoped, current_session, one_of

SECRET_KINDS = frozenset({"account.invite", "account.reset"})  # their text is forgotten once it is sent


class MailStatus(StrEnum):
    """Where a mail is."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class OutboxMail(TenantScoped, Base):
    """One mail of a clinic. ``dedupe_key`` keeps one event from being told twice."""

    __tablename__ = "outbox_mails"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "dedupe_key"),
        sa.Index(None, "clinic_id", "status", "due_at"),
        one_of("status", MailStatus),
    )

    kind: Mapped[str] = mapped_column(sa.String(40))
    dedupe_key: Mapped[str | None] = mapped_column(sa.String(120))
    to_address: Mapped[str] = mapped_column(sa.String(254))
    subject: Mapped[str] = mapped_column(sa.String(200))
    body: Mapped[str]
    status: Mapped[str] = mapped_column(sa.String(6), server_default="queued", default=MailStatus.QUEUED)
    attempts: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0", default=0)
    due_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(sa.String(200))
    about_id: Mapped[UUID | None]


def queue_mail(
    *, kind: str, to_address: str, subject: str, body: str, dedupe_key: str | None = None, about_id: UUID | None = None
) -> bool:
    """Queue a mail in the session's own transaction; return False where ``dedupe_key`` has queued it before.

    A subject is read on lock screens: it holds nothing personal.
    """
    session = current_session()
    if dedupe_key and session.scalars(sa.select(OutboxMail.id).where(OutboxMail.dedupe_key == dedupe_key)).first():
        return False
    mail = OutboxMail(
        kind=kind, to_address=to_address, subject=" ".join(subject.split()), body=body, dedupe_key=dedupe_key,
        about_id=about_id,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(mail)
    except IntegrityError:  # another request of the same moment
        return False
    return True
