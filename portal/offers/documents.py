"""What an offer leaves behind: its printed documents and the history of what happened to it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import ActorKind
from portal.core.database import Base, TenantScoped, one_of, tenant_reference


class EventKind(StrEnum):
    """What can happen to an offer once it exists."""

    CREATED = "created"
    SENT = "sent"
    OPENED = "opened"
    VERIFIED = "verified"
    VERIFY_FAILED = "verify_failed"
    SECTION_READ = "section_read"
    PDF = "pdf"
    QUESTION = "question"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    REISSUED = "reissued"
    REVOKED = "revoked"
    REVISED = "revised"


class Section(StrEnum):
    """A part of the patient's page, by its place in the address."""

    TREATMENTS = "treatments"
    TOTALS = "totals"
    VISITS = "visits"
    DECISION = "decision"
    QUESTIONS = "questions"


class OfferEvent(TenantScoped, Base):
    """One thing that happened to an offer. Append-only; never holds personal data."""

    __tablename__ = "offer_events"
    __table_args__ = (
        tenant_reference("offer_id", "offers", ondelete="CASCADE"),
        tenant_reference("patient_offer_id", "patient_offers"),
        sa.Index(None, "clinic_id", "offer_id", "id"),
        sa.Index(None, "clinic_id", "patient_offer_id"),
        one_of("kind", EventKind),
    )

    offer_id: Mapped[UUID]
    patient_offer_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(sa.String(15))
    at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    actor_kind: Mapped[str] = mapped_column(sa.String(10), server_default="system", default=ActorKind.SYSTEM)
    actor_id: Mapped[UUID | None]
    meta: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", default=dict)


class PdfDocument(TenantScoped, Base):
    """A document as it was made when an offer was sent, with the hash of what it says."""

    __tablename__ = "pdf_documents"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "offer_id", "locale", "content_sha256"),
        tenant_reference("offer_id", "offers", ondelete="CASCADE"),
    )

    offer_id: Mapped[UUID]
    locale: Mapped[str] = mapped_column(sa.String(8))
    content_sha256: Mapped[str] = mapped_column(sa.String(64))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)
    made_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
