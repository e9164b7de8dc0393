"""What a patient leaves on her page: questions, and the signature of a decision."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Audited
from portal.core.database import Base, TenantScoped, one_of, tenant_reference


class SignatureMethod(StrEnum):
    """How a decision was signed."""

    TYPED = "typed"
    DRAWN = "drawn"


class OfferQuestion(Audited, TenantScoped, Base):
    """A patient's question about an offer, and the clinic's answer."""

    __tablename__ = "offer_questions"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "form_key"),
        tenant_reference("offer_id", "offers", ondelete="CASCADE"),
        tenant_reference("patient_offer_id", "patient_offers"),
        tenant_reference("answered_by_id", "users"),
        sa.Index(None, "clinic_id", "offer_id", "id"),
        sa.Index(None, "clinic_id", "patient_offer_id"),
        sa.Index(None, "clinic_id", "answered_by_id"),
    )
    audit_hidden = frozenset({"body", "answer"})

    offer_id: Mapped[UUID]
    patient_offer_id: Mapped[UUID]
    body: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[UUID | None]
    form_key: Mapped[UUID | None]


class OfferSignature(Audited, TenantScoped, Base):
    """A signed decision: over which content, for which option and lines, by whom and how."""

    __tablename__ = "offer_signatures"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "offer_id"),
        tenant_reference("offer_id", "offers"),
        tenant_reference("patient_offer_id", "patient_offers"),
        tenant_reference("option_id", "offer_options"),
        sa.Index(None, "clinic_id", "patient_offer_id"),
        sa.Index(None, "clinic_id", "option_id"),
        one_of("method", SignatureMethod),
    )
    audit_hidden = frozenset({"signer_name", "drawing", "ip", "user_agent"})

    offer_id: Mapped[UUID]
    patient_offer_id: Mapped[UUID]
    option_id: Mapped[UUID | None]
    accepted_lines: Mapped[list[Any]] = mapped_column(JSONB)  # ids of the lines
    signer_name: Mapped[str] = mapped_column(sa.String(200))
    method: Mapped[str] = mapped_column(sa.String(5))
    drawing: Mapped[list[Any] | None] = mapped_column(JSONB)  # strokes, each a list of [x, y] in thousandths
    content_sha256: Mapped[str] = mapped_column(sa.String(64))
    locale: Mapped[str] = mapped_column(sa.String(8))
    ip: Mapped[str | None] = mapped_column(sa.String(45))
    user_agent: Mapped[str | None] = mapped_column(sa.String(300))
    signed_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
