"""Referral sources of a clinic."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Audited
from portal.core.database import Base, TenantScoped, Timestamped


class ReferralSource(Audited, TenantScoped, Timestamped, Base):
    """Where patients come from: a campaign, a partner, another patient, the street."""

    __tablename__ = "referral_sources"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "name"),)

    name: Mapped[str] = mapped_column(sa.String(120))
    position: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    is_active: Mapped[bool] = mapped_column(server_default=sa.true(), default=True)
