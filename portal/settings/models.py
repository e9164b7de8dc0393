"""Settings a clinic makes for itself, and its document templates."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Audited
from portal.core.database import Base, TenantScoped, Timestamped


class Setting(Audited, TenantScoped, Timestamped, Base):
    """One value under one key; keys are unique within a clinic."""

    __tablename__ = "settings"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "key"),)

    key: Mapped[str] = mapped_column(sa.String(80))
    value: Mapped[str]


class PdfTemplate(Audited, TenantScoped, Timestamped, Base):
    """The text of a printed document; names are unique within a clinic."""

    __tablename__ = "pdf_templates"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "name"),)

    name: Mapped[str] = mapped_column(sa.String(120))
    body: Mapped[str]
    is_default: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
