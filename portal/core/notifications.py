"""What the portal tells one of a clinic's staff: shown at the bell, until it is read.

A module that tells something registers how its kind reads and where it leads::

    tell_by("note.mention", tell_mentions)
    notify(colleague_id, kind="note.mention", object_type="notes", object_id=note.id, dedupe_key=f"note:{note.id}")
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.clock import days_ago, now
from portal.core.database import Base, TenantScoped, current_session, tenant_reference
from portal.core.errors import NotFoundError
from portal.core.pagination import Order, Page, keyset_page

KEPT_DAYS, UNREAD_DAYS = 90, 365  # how long they are kept after they were read, and where they never are


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


@dataclass(frozen=True)
class Told:
    """How one notification reads, and the page it leads to."""

    text: str
    url: str
    icon: str = "bell"


Teller = Callable[[Sequence[Notification]], Mapping[UUID, Told]]
_tellers: dict[str, Teller] = {}


def tell_by(kind: str, teller: Teller) -> None:
    """Let ``teller`` word the notifications of a kind, many at once; one it leaves out is about what is gone."""
    _tellers[kind] = teller


def tell(rows: Iterable[Notification]) -> dict[UUID, Told]:
    """Return how notifications read, by their ids."""
    by_kind: dict[str, list[Notification]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    told: dict[UUID, Told] = {}
    for kind, some in by_kind.items():
        if kind in _tellers:
            told.update(_tellers[kind](some))
    return told


def notify(
    user_id: UUID, *, kind: str, object_type: str, object_id: UUID, props: Mapping[str, Any] | None = None,
    dedupe_key: str | None = None,
) -> None:  # fmt: skip
    """Tell somebody of the pinned clinic something, once for each ``dedupe_key``."""
    if dedupe_key is not None and _is_told(user_id, dedupe_key):
        return
    row = Notification(
        user_id=user_id, kind=kind, object_type=object_type, object_id=object_id, props=dict(props or {}),
        dedupe_key=dedupe_key,
    )  # fmt: skip
    try:
        with current_session().begin_nested():
            current_session().add(row)
            current_session().flush()
    except IntegrityError:
        if dedupe_key is None or not _is_told(user_id, dedupe_key):
            raise  # else another one at the same moment has told it


def _is_told(user_id: UUID, dedupe_key: str) -> bool:
    known = sa.select(Notification.id).where(Notification.user_id == user_id, Notification.dedupe_key == dedupe_key)
    return current_session().execute(known).first() is not None


def unread_count(clinic_id: Any, user_id: Any) -> sa.Select[int]:
    """Select how many are unread, for the query that finds who is signed in: the bell costs none of its own."""
    return sa.select(sa.func.count(Notification.id)).where(
        Notification.clinic_id == clinic_id, Notification.user_id == user_id, Notification.read_at.is_(None)
    )


def list_notifications(user_id: UUID, cursor: str | None) -> Page[Notification]:
    """Return one page of what somebody was told, the newest first."""
    statement = sa.select(Notification, Notification.id.label("id")).where(Notification.user_id == user_id)
    page = keyset_page(statement, Order((Notification.id,), descending=True), cursor)
    return Page([row.Notification for row in page.items], page.next_cursor, page.previous_cursor)


def get_notification(user_id: UUID, notification_id: UUID) -> Notification:
    """Return one that somebody was told; raises NotFoundError, for a colleague's as well."""
    statement = sa.select(Notification).where(Notification.id == notification_id, Notification.user_id == user_id)
    found = current_session().scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def mark_read(user_id: UUID, ids: Collection[UUID] | None = None) -> None:
    """Mark those as read, or all that somebody was told."""
    statement = sa.update(Notification).where(Notification.user_id == user_id, Notification.read_at.is_(None))
    if ids is not None:
        statement = statement.where(Notification.id.in_(ids))
    current_session().execute(statement.values(read_at=now()), execution_options={"synchronize_session": False})


def purge_notifications() -> None:
    """Delete what was read long ago, and what nobody will read any more."""
    old = sa.delete(Notification).where(
        sa.or_(Notification.read_at < days_ago(KEPT_DAYS), Notification.created_at < days_ago(UNREAD_DAYS))
    )
    current_session().execute(old, execution_options={"synchronize_session": False})
