"""What the portal tells one of a clinic's staff: shown at the bell, until it is read."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, TenantScoped, tenant_reference


class Notification(TenantScoped, Base):
    """One thing told to one person, about one row. ``props`` holds no personal data: the page looks names up."""

    __tablename__ = "notifications"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "user_id", "dedupe_key"),
        tenant_reference("user_id", "users", ondelete="CASCADE"),
        sa.Index(None, "clinic_id", "user_id", "read_at", "id"),
    )

    user_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(sa.String(40))
    object_type: Mapped[str] = mapped_column(sa.String(40))
    object_id: Mapped[UUID]
    props: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", default=dict)
    dedupe_key: Mapped[str | None] = mapped_column(sa.String(120))
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    read_at: Mapped[datetime | None]
