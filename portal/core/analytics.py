"""Anonymous usage: which features are used how often. Never holds personal data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.audit import Actor
from portal.core.database import Base, TenantScoped, current_session


class AnalyticsEvent(TenantScoped, Base):
    """One use of a feature, with the actor as a hash. Never holds personal data."""

    __tablename__ = "analytics_events"
    __table_args__ = (sa.Index(None, "clinic_id", "name", "at"),)

    at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    name: Mapped[str] = mapped_column(sa.String(80))
    actor_hash: Mapped[str | None] = mapped_column(sa.String(64))
    page: Mapped[str | None] = mapped_column(sa.String(200))
    props: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


def note_use(name: str, *, actor: Actor, props: Mapping[str, Any]) -> None:
    """Count one use of a feature; ``props`` must not tell whose."""
    hashed = hashlib.sha256(f"{actor.kind}:{actor.id}".encode()).hexdigest() if actor.id else None
    current_session().add(AnalyticsEvent(name=name, actor_hash=hashed, props=dict(props)))
