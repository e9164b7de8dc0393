"""Settings a clinic makes for itself, and its document templates."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Audited
from portal.core.database import Base, TenantScoped, Timestamped, tenant_reference


class Setting(Audited, TenantScoped, Timestamped, Base):
    """One value under one key; keys are unique within a clinic."""

    __tablename__ = "settings"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "key"),)

    key: Mapped[str] = mapped_column(sa.String(80))
    value: Mapped[str]


class PdfTemplate(Audited, TenantScoped, Timestamped, Base):
    """The text of a printed document; names are unique within a clinic."""

    __tablename__ = "pdf_templates"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "name"),
        tenant_reference("logo_id", "clinic_images"),
        sa.Index(None, "clinic_id", "logo_id"),
    )

    name: Mapped[str] = mapped_column(sa.String(120))
    body: Mapped[str]
    is_default: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    locale: Mapped[str | None] = mapped_column(sa.String(8))  # None: for every language
    blocks: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}", default=dict)  # block -> text
    accent: Mapped[str | None] = mapped_column(sa.String(7))  # a colour as #rrggbb
    logo_id: Mapped[UUID | None]


class ClinicImage(Audited, TenantScoped, Timestamped, Base):
    """A picture of the clinic's own, such as its logo: written anew by us, so that it holds nothing else."""

    __tablename__ = "clinic_images"
    audit_skipped = frozenset({"content"})

    mime: Mapped[str] = mapped_column(sa.String(20))
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    width: Mapped[int]
    height: Mapped[int]


class MessageTemplate(Audited, TenantScoped, Timestamped, Base):
    """What a clinic writes to patients on one occasion, over one channel, in one language."""

    __tablename__ = "message_templates"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "key", "channel", "locale"),)

    key: Mapped[str] = mapped_column(sa.String(40))
    channel: Mapped[str] = mapped_column(sa.String(10))
    locale: Mapped[str] = mapped_column(sa.String(8))
    subject: Mapped[str | None] = mapped_column(sa.String(200))
    body: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own declarative setting
