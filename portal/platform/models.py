"""What the portal notes about itself: technical log lines."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Identified


class SystemLog(Identified, Base):
    """A technical event; of one clinic where one was pinned. Never holds personal data."""

    __tablename__ = "system_logs"
    __table_args__ = (sa.Index(None, "clinic_id", "at"), sa.Index(None, "at"))

    clinic_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("clinics.id"))
    at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    level: Mapped[str] = mapped_column(sa.String(10))
    logger: Mapped[str] = mapped_column(sa.String(120))
    message: Mapped[str]
    stack_trace: Mapped[str | None]
    request_id: Mapped[str | None] = mapped_column(sa.String(40))
