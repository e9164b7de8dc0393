"""Notices and consents, the log of who read a patient's record, requests of patients, and proofs of erasure."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import ActorKind, Audited
from portal.core.database import Base, TenantScoped, Timestamped, one_of, tenant_reference


class ConsentKind(StrEnum):
    """What a patient is told of, or agrees to (KVKK articles 5, 6, 9 and 10)."""

    NOTICE = "notice"
    TREATMENT = "treatment"
    PHOTO_RECORD = "photo_record"
    PHOTO_PUBLISH = "photo_publish"
    MARKETING = "marketing"
    WHATSAPP = "whatsapp"
    ABROAD_TRANSFER = "abroad_transfer"


class ConsentChannel(StrEnum):
    """How a consent was given."""

    PAPER = "paper"
    ON_SCREEN = "on_screen"
    LINK = "link"
    VERBAL = "verbal"


class AccessAction(StrEnum):
    """What somebody did with a patient's record that reads it."""

    VIEW = "view"
    MEDICAL = "medical"
    FILE = "file"
    EXPORT = "export"
    PRINT = "print"
    EDIT = "edit"


class RequestKind(StrEnum):
    """What a data subject may ask for (KVKK article 11, GDPR articles 15 to 21)."""

    ACCESS = "access"
    EXPORT = "export"
    RECTIFY = "rectify"
    ERASE = "erase"
    OBJECT = "object"


class RequestStatus(StrEnum):
    """Where a request is."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


class PrivacyText(Audited, TenantScoped, Timestamped, Base):
    """One version of a notice or a consent's text, in one language; a published one never changes."""

    __tablename__ = "privacy_texts"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "kind", "locale", "version_no"),
        one_of("kind", ConsentKind),
    )

    kind: Mapped[str] = mapped_column(sa.String(16))
    locale: Mapped[str] = mapped_column(sa.String(8))
    version_no: Mapped[int] = mapped_column(sa.SmallInteger)
    body: Mapped[str]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    published_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class PatientConsent(Audited, TenantScoped, Timestamped, Base):
    """That a patient was told or agreed, to which text, when and how; a withdrawal is noted and removes nothing."""

    __tablename__ = "patient_consents"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "form_key"),
        tenant_reference("patient_id", "patients"),
        tenant_reference("text_id", "privacy_texts"),
        tenant_reference("file_id", "patient_files"),
        tenant_reference("recorded_by_id", "users"),
        sa.Index(None, "clinic_id", "patient_id", "id"),
        sa.Index(None, "clinic_id", "text_id"),
        sa.Index(None, "clinic_id", "file_id"),
        sa.Index(None, "clinic_id", "recorded_by_id"),
        one_of("kind", ConsentKind),
        one_of("channel", ConsentChannel),
    )
    audit_hidden = frozenset({"evidence"})

    patient_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(sa.String(16))
    text_id: Mapped[UUID]
    text_sha256: Mapped[str] = mapped_column(sa.String(64))
    channel: Mapped[str] = mapped_column(sa.String(10))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None] = mapped_column(sa.String(300))
    file_id: Mapped[UUID | None]  # the signed paper
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", default=dict)
    recorded_by_id: Mapped[UUID | None]
    form_key: Mapped[UUID | None]


class PatientAccess(TenantScoped, Base):
    """One read of a patient's record. Append-only: the application's role may insert and read."""

    __tablename__ = "patient_access_log"
    __table_args__ = (
        tenant_reference("patient_id", "patients"),
        sa.Index(None, "clinic_id", "patient_id", "id"),
        sa.Index(None, "clinic_id", "actor_id", "id"),
        one_of("action", AccessAction),
        one_of("actor_kind", ActorKind),
    )

    patient_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    actor_kind: Mapped[str] = mapped_column(sa.String(10))
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(sa.String(200))
    action: Mapped[str] = mapped_column(sa.String(8))
    page: Mapped[str | None] = mapped_column(sa.String(80))  # the endpoint, never an address with values
    ip: Mapped[str | None] = mapped_column(sa.String(45))
    request_id: Mapped[str | None] = mapped_column(sa.String(40))


class SubjectRequest(Audited, TenantScoped, Timestamped, Base):
    """A request of a data subject, with the day by which it must be answered."""

    __tablename__ = "data_subject_requests"
    __table_args__ = (
        tenant_reference("patient_id", "patients"),
        tenant_reference("handled_by_id", "users"),
        sa.Index(None, "clinic_id", "patient_id"),
        sa.Index(None, "clinic_id", "handled_by_id"),
        sa.Index(None, "clinic_id", "status", "due_on"),
        one_of("kind", RequestKind),
        one_of("status", RequestStatus),
    )
    audit_hidden = frozenset({"detail", "outcome"})

    patient_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(sa.String(8))
    received_on: Mapped[date]
    due_on: Mapped[date]
    status: Mapped[str] = mapped_column(sa.String(8), server_default="open", default=RequestStatus.OPEN)
    detail: Mapped[str | None]
    outcome: Mapped[str | None]
    handled_by_id: Mapped[UUID | None]
    handled_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own declarative setting


class Erasure(Audited, TenantScoped, Base):
    """The proof that a patient was anonymised: when, by whom, what was emptied, and a hash over it all."""

    __tablename__ = "erasures"
    __table_args__ = (
        tenant_reference("patient_id", "patients"),
        tenant_reference("actor_id", "users"),
        tenant_reference("request_id", "data_subject_requests"),
        sa.Index(None, "clinic_id", "patient_id"),
        sa.Index(None, "clinic_id", "actor_id"),
        sa.Index(None, "clinic_id", "request_id"),
    )

    patient_id: Mapped[UUID]
    actor_id: Mapped[UUID | None]
    request_id: Mapped[UUID | None]
    reason: Mapped[str] = mapped_column(sa.String(300))
    emptied: Mapped[dict[str, Any]] = mapped_column(JSONB)  # table -> rows emptied or deleted
    sha256: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
