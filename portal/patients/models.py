"""Patients, and the words they are found by."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.audit import Audited
from portal.core.database import Base, ClinicOwned, TenantScoped, Timestamped, one_of, tenant_reference
from portal.referrals.models import ReferralSource


class Gender(StrEnum):
    """As the clinic records it."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


class Patient(Audited, TenantScoped, Timestamped, Base):
    """A patient or a lead of one clinic. Families share phones, so a phone is not unique."""

    __tablename__ = "patients"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "patient_no"),
        sa.UniqueConstraint("clinic_id", "form_key"),
        one_of("gender", Gender),
        tenant_reference("referral_source_id", "referral_sources"),
        tenant_reference("merged_into_id", "patients"),
        tenant_reference("coordinator_id", "users"),
        tenant_reference("doctor_id", "users"),
        sa.Index(None, "clinic_id", "name_key", "id"),
        sa.Index(None, "clinic_id", "merged_into_id"),
        sa.Index(None, "clinic_id", "coordinator_id"),
        sa.Index(None, "clinic_id", "doctor_id"),
        sa.Index(None, "clinic_id", "phone_e164"),
        sa.Index(None, "clinic_id", "referral_source_id"),
        sa.Index(None, "clinic_id", "created_at"),
    )
    audit_hidden = frozenset(
        {
            "first_name", "last_name", "gender", "nationality", "residence_country", "locale", "phone_e164",
            "phone_raw", "email", "birth_date", "address", "city", "instagram", "facebook", "linkedin", "x_handle",
            "notes", "emergency_name", "emergency_relation", "emergency_phone", "insurer", "insurance_no",
            "hold_reason",
        }
    )  # fmt: skip
    audit_skipped = frozenset({"name_key"})

    patient_no: Mapped[str] = mapped_column(sa.String(20))
    first_name: Mapped[str] = mapped_column(sa.String(100))
    last_name: Mapped[str] = mapped_column(sa.String(100))
    name_key: Mapped[str] = mapped_column(sa.Text(collation="C"))
    phone_e164: Mapped[str | None] = mapped_column(sa.String(16))
    phone_raw: Mapped[str | None] = mapped_column(sa.String(40))
    email: Mapped[str | None] = mapped_column(sa.String(254))
    birth_date: Mapped[date | None]
    gender: Mapped[str | None] = mapped_column(sa.String(10))
    nationality: Mapped[str | None] = mapped_column(sa.String(2))
    residence_country: Mapped[str | None] = mapped_column(sa.String(2))
    locale: Mapped[str | None] = mapped_column(sa.String(8))
    address: Mapped[str | None] = mapped_column(sa.String(500))
    city: Mapped[str | None] = mapped_column(sa.String(100))
    instagram: Mapped[str | None] = mapped_column(sa.String(60))
    facebook: Mapped[str | None] = mapped_column(sa.String(60))
    linkedin: Mapped[str | None] = mapped_column(sa.String(60))
    x_handle: Mapped[str | None] = mapped_column(sa.String(60))
    referral_source_id: Mapped[UUID | None]
    notes: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(server_default=sa.true(), default=True)
    archived_at: Mapped[datetime | None]
    form_key: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(server_default="1")
    coordinator_id: Mapped[UUID | None]
    doctor_id: Mapped[UUID | None]
    do_not_contact: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    emergency_name: Mapped[str | None] = mapped_column(sa.String(200))
    emergency_relation: Mapped[str | None] = mapped_column(sa.String(60))
    emergency_phone: Mapped[str | None] = mapped_column(sa.String(40))
    insurer: Mapped[str | None] = mapped_column(sa.String(120))
    insurance_no: Mapped[str | None] = mapped_column(sa.String(60))
    merged_into_id: Mapped[UUID | None]  # this row is a duplicate; what hung on it hangs on that one
    anonymised_at: Mapped[datetime | None]
    hold_until: Mapped[date | None]  # a legal hold: not to be anonymised before
    hold_reason: Mapped[str | None] = mapped_column(sa.String(300))

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own declarative setting

    # The clinic stands in the join, so assigning another clinic's source fails instead of moving the row.
    referral_source: Mapped[ReferralSource | None] = relationship(
        primaryjoin=lambda: sa.and_(
            Patient.clinic_id == ReferralSource.clinic_id,
            ReferralSource.id == sa.orm.foreign(Patient.referral_source_id),
        ),
        lazy="raise_on_sql",
    )

    @property
    def full_name(self) -> str:
        """First and last name as one line."""
        return f"{self.first_name} {self.last_name}".strip()


class PatientTerm(ClinicOwned, Base):
    """A folded word that finds a patient; queried by prefix (``^@``), which row-level security can index."""

    __tablename__ = "patient_terms"
    __table_args__ = (
        tenant_reference("patient_id", "patients", ondelete="CASCADE"),
        sa.Index(None, "clinic_id", "patient_id"),
    )

    term: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)


class PatientMerge(Audited, TenantScoped, Base):
    """A duplicate joined to the patient who is kept, with what it takes to part them again."""

    __tablename__ = "patient_merges"
    __table_args__ = (
        tenant_reference("kept_id", "patients"),
        tenant_reference("merged_id", "patients"),
        tenant_reference("actor_id", "users"),
        sa.Index(None, "clinic_id", "kept_id"),
        sa.Index(None, "clinic_id", "merged_id"),
        sa.Index(None, "clinic_id", "actor_id"),
    )
    audit_hidden = frozenset({"moved", "before"})

    kept_id: Mapped[UUID]
    merged_id: Mapped[UUID]
    moved: Mapped[dict[str, Any]] = mapped_column(JSONB)  # table -> ids of the rows that changed hands
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)  # the kept patient's values that were replaced
    actor_id: Mapped[UUID | None]
    merged_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    undone_at: Mapped[datetime | None]
