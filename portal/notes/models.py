"""Notes about patients and offers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Audited
from portal.core.database import Base, TenantScoped, Timestamped, one_of, tenant_reference


class NoteVisibility(StrEnum):
    """Who of the staff may read a note."""

    PRIVATE = "private"
    CLINIC = "clinic"
    DOCTORS = "doctors"


class Note(Audited, TenantScoped, Timestamped, Base):
    """What one of the staff wrote down about a patient, an offer, or both."""

    __tablename__ = "notes"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "form_key"),
        one_of("visibility", NoteVisibility),
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
    visibility: Mapped[str] = mapped_column(sa.String(8), server_default="clinic", default=NoteVisibility.CLINIC)
    mentions: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]", default=list)  # ids of colleagues
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    form_key: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own declarative setting


class NoteRevision(Audited, TenantScoped, Base):
    """What a note said before it was edited."""

    __tablename__ = "note_revisions"
    __table_args__ = (
        tenant_reference("note_id", "notes", ondelete="CASCADE"),
        tenant_reference("edited_by_id", "users"),
        sa.Index(None, "clinic_id", "note_id", "id"),
        sa.Index(None, "clinic_id", "edited_by_id"),
    )
    audit_hidden = frozenset({"body"})

    note_id: Mapped[UUID]
    body: Mapped[str]
    edited_by_id: Mapped[UUID | None]
    edited_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
