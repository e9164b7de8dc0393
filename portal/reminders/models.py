"""Reminders: what somebody of a clinic has to do, and when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Audited
from portal.core.database import Base, TenantScoped, Timestamped, one_of, tenant_reference


class ReminderStatus(StrEnum):
    """Whether a reminder still waits."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Reminder(Audited, TenantScoped, Timestamped, Base):
    """A call, a message or a task, due at a moment; it may concern a patient or an offer."""

    __tablename__ = "reminders"
    __table_args__ = (
        one_of("status", ReminderStatus),
        tenant_reference("patient_id", "patients"),
        tenant_reference("offer_id", "offers"),
        tenant_reference("created_by_id", "users"),
        tenant_reference("assigned_to_id", "users"),
        sa.Index(None, "clinic_id", "assigned_to_id", "status", "due_at"),
        sa.Index(None, "clinic_id", "patient_id"),
        sa.Index(None, "clinic_id", "offer_id"),
        sa.Index(None, "clinic_id", "created_by_id"),
    )
    audit_hidden = frozenset({"title", "description"})

    title: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str | None]
    due_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(sa.String(10), server_default=ReminderStatus.OPEN)
    is_pinned: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    patient_id: Mapped[UUID | None]
    offer_id: Mapped[UUID | None]
    created_by_id: Mapped[UUID | None]
    assigned_to_id: Mapped[UUID | None]
    completed_at: Mapped[datetime | None]
