"""Support tickets of clinics, their messages, and the platform's lists that sort them."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Audited
from portal.core.database import Base, Identified, TenantScoped, Timestamped, one_of, tenant_reference


class TicketKind(StrEnum):
    """What a ticket's status means, whatever it is called."""

    NEW = "new"
    OPEN = "open"
    WAITING_CLINIC = "waiting_clinic"
    RESOLVED = "resolved"
    CLOSED = "closed"


class AuthorKind(StrEnum):
    """Who wrote a message: one of the clinic's staff, an agent of the platform, or the portal itself."""

    USER = "user"
    PLATFORM = "platform"
    SYSTEM = "system"


class LookupColumns(Audited):
    """What each of the platform's lists holds of one entry."""

    key: Mapped[str] = mapped_column(sa.String(60), unique=True)
    label_tr: Mapped[str] = mapped_column(sa.String(80))
    label_en: Mapped[str] = mapped_column(sa.String(80))
    position: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    is_active: Mapped[bool] = mapped_column(server_default=sa.true(), default=True)


class SupportCategory(LookupColumns, Identified, Timestamped, Base):
    """What a ticket is about. The platform's own list, the same for every clinic."""

    __tablename__ = "support_categories"


class SupportPriority(LookupColumns, Identified, Timestamped, Base):
    """How much a ticket presses; a higher level presses more."""

    __tablename__ = "support_priorities"

    level: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")


class SupportStatus(LookupColumns, Identified, Timestamped, Base):
    """Where a ticket stands."""

    __tablename__ = "support_statuses"
    __table_args__ = (one_of("kind", TicketKind),)

    kind: Mapped[str] = mapped_column(sa.String(20), server_default=TicketKind.OPEN)


class SupportTicket(Audited, TenantScoped, Timestamped, Base):
    """A question or a problem a clinic brings to the platform."""

    __tablename__ = "support_tickets"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "ticket_number"),
        tenant_reference("created_by", "users"),
        sa.Index(None, "clinic_id", "created_by"),
        sa.Index(None, "clinic_id", "status_id"),
        sa.Index(None, "status_id", "assigned_to"),
    )
    audit_hidden = frozenset({"subject", "description"})

    ticket_number: Mapped[str] = mapped_column(sa.String(20))
    subject: Mapped[str] = mapped_column(sa.String(200))
    description: Mapped[str]
    is_urgent: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    category_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("support_categories.id"))
    priority_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("support_priorities.id"))
    status_id: Mapped[UUID] = mapped_column(sa.ForeignKey("support_statuses.id"))
    created_by: Mapped[UUID | None]
    assigned_to: Mapped[UUID | None] = mapped_column(sa.ForeignKey("platform_users.id"))


class SupportMessage(Audited, TenantScoped, Timestamped, Base):
    """One message of a ticket. Internal ones are for the platform's eyes: the clinic's role cannot read them."""

    __tablename__ = "support_messages"
    __table_args__ = (
        one_of("author_kind", AuthorKind),
        tenant_reference("ticket_id", "support_tickets", ondelete="CASCADE"),
        tenant_reference("user_id", "users"),
        sa.Index(None, "clinic_id", "ticket_id", "id"),
        sa.Index(None, "clinic_id", "user_id"),
    )
    audit_hidden = frozenset({"body"})

    ticket_id: Mapped[UUID]
    author_kind: Mapped[str] = mapped_column(sa.String(10), server_default=AuthorKind.USER)
    user_id: Mapped[UUID | None]
    platform_user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("platform_users.id"))
    body: Mapped[str]
    is_internal: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
