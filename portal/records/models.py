"""Medical data, sealed at rest, and files of patients."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Audited
from portal.core.database import Base, TenantScoped, Timestamped, one_of, tenant_reference


class FileKind(StrEnum):
    """What a file shows."""

    XRAY = "xray"
    PHOTO = "photo"
    SCAN = "scan"
    IDENTITY = "identity"
    CONSENT = "consent"
    OTHER = "other"


class PatientMedical(Audited, TenantScoped, Timestamped, Base):
    """One patient's medical record: a document of its own, sealed with a key that the database does not hold.

    A table of its own: its own permission, its own log. ``key_id`` names the key, so that keys can be rotated.
    """

    __tablename__ = "patient_medical"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "patient_id"),
        tenant_reference("patient_id", "patients"),
        tenant_reference("reviewed_by_id", "users"),
        sa.Index(None, "clinic_id", "reviewed_by_id"),
        sa.Index(None, "clinic_id", "key_id"),
    )
    audit_hidden = frozenset({"sealed"})

    patient_id: Mapped[UUID]
    sealed: Mapped[bytes] = mapped_column(sa.LargeBinary)
    key_id: Mapped[str] = mapped_column(sa.String(20))
    reviewed_by_id: Mapped[UUID | None]
    reviewed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own declarative setting


class PatientFile(Audited, TenantScoped, Timestamped, Base):
    """A file kept of a patient; its bytes are in the file store under ``storage_key``, named by nothing personal."""

    __tablename__ = "patient_files"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "storage_key"),
        sa.UniqueConstraint("clinic_id", "form_key"),
        tenant_reference("patient_id", "patients"),
        tenant_reference("uploaded_by_id", "users"),
        sa.Index(None, "clinic_id", "patient_id", "id"),
        sa.Index(None, "clinic_id", "uploaded_by_id"),
        one_of("kind", FileKind),
    )
    audit_hidden = frozenset({"filename", "note"})

    patient_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(sa.String(10))
    storage_key: Mapped[str] = mapped_column(sa.String(120))
    thumbnail_key: Mapped[str | None] = mapped_column(sa.String(120))
    filename: Mapped[str] = mapped_column(sa.String(200))
    mime: Mapped[str] = mapped_column(sa.String(80))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    taken_on: Mapped[date | None]
    note: Mapped[str | None] = mapped_column(sa.String(500))
    uploaded_by_id: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]
    form_key: Mapped[UUID | None]
