"""Referral sources of a clinic, their groups, and patients moved from one to another."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Audited
from portal.core.database import Base, TenantScoped, Timestamped, one_of, tenant_reference
from portal.core.money import Currency


class SourceKind(StrEnum):
    """What sort of source it is."""

    ONLINE = "online"
    PATIENT = "patient"
    PARTNER = "partner"
    WALK_IN = "walk_in"
    OTHER = "other"


class ReferralGroup(Audited, TenantScoped, Timestamped, Base):
    """Sources that belong together, such as all social media."""

    __tablename__ = "referral_source_groups"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "name"),)

    name: Mapped[str] = mapped_column(sa.String(120))
    position: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0", default=0)


class ReferralSource(Audited, TenantScoped, Timestamped, Base):
    """Where patients come from: a campaign, a partner, another patient, the street."""

    __tablename__ = "referral_sources"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "name"),
        one_of("kind", SourceKind),
        one_of("cost_currency", Currency),
        tenant_reference("group_id", "referral_source_groups"),
        sa.Index(None, "clinic_id", "group_id"),
        sa.CheckConstraint("monthly_cost >= 0", name="monthly_cost"),
    )

    name: Mapped[str] = mapped_column(sa.String(120))
    position: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    is_active: Mapped[bool] = mapped_column(server_default=sa.true(), default=True)
    kind: Mapped[str] = mapped_column(sa.String(8), server_default="other", default=SourceKind.OTHER)
    group_id: Mapped[UUID | None]
    colour: Mapped[str | None] = mapped_column(sa.String(7))  # as #rrggbb
    monthly_cost: Mapped[Decimal | None]
    cost_currency: Mapped[str | None] = mapped_column(sa.String(3))
    archived_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own declarative setting


class ReferralTransfer(Audited, TenantScoped, Base):
    """Patients moved from one source to another at once; undone while nobody has moved them on."""

    __tablename__ = "referral_transfers"
    __table_args__ = (
        tenant_reference("from_id", "referral_sources"),
        tenant_reference("to_id", "referral_sources"),
        tenant_reference("actor_id", "users"),
        sa.Index(None, "clinic_id", "from_id"),
        sa.Index(None, "clinic_id", "to_id"),
        sa.Index(None, "clinic_id", "actor_id"),
    )

    from_id: Mapped[UUID]
    to_id: Mapped[UUID]
    patient_ids: Mapped[list[Any]] = mapped_column(JSONB)
    archived_source: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    actor_id: Mapped[UUID | None]
    moved_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    undone_at: Mapped[datetime | None]
