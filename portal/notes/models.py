"""Notes about patients and offers."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Audited
from portal.core.database import Base, TenantScoped, Timestamped, tenant_reference


class Note(Audited, TenantScoped, Timestamped, Base):
    """What one of the staff wrote down about a patient, an offer, or both."""

    __tablename__ = "notes"
    __table_args__ = (
        tenant_reference("author_id", "users"),
        tenant_reference("patient_id", "patients"),
        tenant_reference("offer_id", "offers"),
        sa.Index(None, "clinic_id", "patient_id", "id"),
        sa.Index(None, "clinic_id", "offer_id", "id"),
        sa.Index(None, "clinic_id", "author_id"),
    )
    audit_hidden = frozenset({"body"})

    author_id: Mapped[UUID | None]
    patient_id: Mapped[UUID | None]
    offer_id: Mapped[UUID | None]
    body: Mapped[str]
    is_pinned: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
