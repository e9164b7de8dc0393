"""The activity log: who did what, in the same transaction as the change itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event, orm
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Identified, PortalSession, TenantScoped, current_session, one_of
from portal.core.scope import PlatformScope

Changes = dict[str, list[Any] | None]


class ActorKind(StrEnum):
    """What kind of actor did something."""

    USER = "user"
    PLATFORM = "platform"
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """Who acts, as plain values: made by the web layer, a job or a command, and handed down."""

    kind: ActorKind
    name: str
    id: UUID | None = None
    ip: str | None = None
    request_id: str | None = None


class UnloggedChangeError(RuntimeError):
    """A change was about to be committed without its row in the activity log."""


class ActivityColumns:
    """What both logs, a clinic's and the platform's, hold of one action."""

    at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    actor_kind: Mapped[str] = mapped_column(sa.String(10))
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(sa.String(200))
    action: Mapped[str] = mapped_column(sa.String(60))
    object_type: Mapped[str] = mapped_column(sa.String(40))
    object_id: Mapped[UUID | None]
    changes: Mapped[Changes] = mapped_column(JSONB, server_default="{}")
    ip: Mapped[str | None] = mapped_column(sa.String(45))
    request_id: Mapped[str | None] = mapped_column(sa.String(40))


class ActivityLog(ActivityColumns, TenantScoped, Base):
    """One action in a clinic. Append-only: the application's role may insert and read."""

    __tablename__ = "activity_logs"
    __table_args__ = (
        one_of("actor_kind", ActorKind),
        sa.Index("ix_activity_logs_object", "clinic_id", "object_type", "object_id", "id"),
    )


class PlatformActivityLog(ActivityColumns, Identified, Base):
    """One action of the platform's own people. Append-only."""

    __tablename__ = "platform_activity_logs"
    __table_args__ = (one_of("actor_kind", ActorKind),)


class Audited:
    """A row whose every change must reach the activity log.

    ``audit_hidden`` names the columns whose values stay out of it (the log tells that they
    changed): personal and secret data, so that erasing a person need not rewrite the log.
    ``audit_skipped`` names derived columns that say nothing: a change of these alone needs no row.
    """

    audit_hidden: frozenset[str] = frozenset()
    audit_skipped: frozenset[str] = frozenset()


def record(
    actor: Actor,
    action: str,
    subject: Audited | type[Audited],
    *,
    subject_id: UUID | None = None,
    changes: Mapping[str, Sequence[Any] | None] | None = None,
) -> None:
    """Add one row to the log of the pinned scope, with ``changes`` as column -> [old, new] or None.

    Without ``changes`` they are read from the object's unflushed history; call it before a flush.
    """
    session = current_session()
    table = subject.__tablename__  # type: ignore[union-attr]
    if changes is None:
        changes = {} if isinstance(subject, type) else changes_of(subject)
    log = PlatformActivityLog if isinstance(session.scope, PlatformScope) else ActivityLog
    session.add(
        log(
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=actor.name,
            action=action,
            object_type=table,
            object_id=subject_id or (None if isinstance(subject, type) else getattr(subject, "id", None)),
            changes={name: pair and [_plain(value) for value in pair] for name, pair in changes.items()},
            ip=actor.ip,
            request_id=actor.request_id,
        )
    )


def changes_of(subject: Audited) -> Changes:
    """Return what changed on an object since its last flush, hidden columns as None."""
    changes: Changes = {}
    state: orm.InstanceState[Any] = sa.inspect(subject)
    for attribute in state.mapper.column_attrs:
        name = attribute.key
        if name in subject.audit_skipped or name in _SILENT:
            continue
        history = state.attrs[name].history
        if not history.has_changes():
            continue
        old, new = (history.deleted or [None])[0], (history.added or [None])[0]
        if old == new:
            continue
        changes[name] = None if name in subject.audit_hidden else [_plain(old), _plain(new)]
    return changes


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str) else str(value)


_SILENT = frozenset({"id", "clinic_id", "version", "form_key", "created_at", "updated_at"})


def _note_changes(session: orm.Session, _context: Any) -> None:
    session.info.setdefault("logged", []).extend(row for row in session.new if isinstance(row, ActivityColumns))
    if any(isinstance(row, Audited) for row in (*session.new, *session.deleted)) or any(
        isinstance(row, Audited) and _is_told(row) for row in filter(session.is_modified, session.dirty)
    ):
        session.info["changed"] = True


def _is_told(row: Audited) -> bool:
    """Tell whether more than skipped columns of a row changed, its collections included."""
    state: orm.InstanceState[Any] = sa.inspect(row)
    changed = {attribute.key for attribute in state.attrs if attribute.history.has_changes()}
    return not changed <= row.audit_skipped


def _note_bulk(state: orm.ORMExecuteState) -> None:
    """Note what passes the unit of work by: an UPDATE, DELETE or INSERT of many rows."""
    if state.bind_mapper is None or state.is_select:
        return
    if issubclass(state.bind_mapper.class_, ActivityColumns):
        state.session.info.setdefault("logged", []).append(None)
    elif issubclass(state.bind_mapper.class_, Audited):
        state.session.info["changed"] = True


def _refuse_unlogged(session: orm.Session) -> None:
    if session.in_nested_transaction():
        return  # a savepoint: what counts is the transaction around it
    session.flush()
    logged = session.info.pop("logged", [])
    # A row of the log that a savepoint has rolled back is no longer in the session.
    if session.info.pop("changed", False) and not any(row is None or row in session for row in logged):
        raise UnloggedChangeError("A change has no row in the activity log; call audit.record() in its service.")


def _forget(session: orm.Session, ended: orm.SessionTransaction) -> None:
    if not ended.nested:
        session.info.pop("changed", None)
        session.info.pop("logged", None)


def install_audit_check() -> None:
    """Make every commit refuse changes that have no row in the activity log."""
    listeners: dict[str, Any] = {
        "after_flush": _note_changes,
        "do_orm_execute": _note_bulk,
        "before_commit": _refuse_unlogged,
        "after_soft_rollback": _forget,
    }
    for name, listener in listeners.items():
        if not event.contains(PortalSession, name, listener):
            event.listen(PortalSession, name, listener)
