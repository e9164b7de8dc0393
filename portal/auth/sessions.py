"""Sessions as their owner sees them: on which device, from where, since when; and ending them one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import sqlalchemy as sa
from ua_parser import parse

from portal.auth.queries import current_realm
from portal.auth.services import end_sessions
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import NotFoundError


@dataclass(frozen=True)
class SessionRow:
    """A login that still holds. ``device`` is "" where the browser does not tell."""

    id: UUID
    device: str
    ip: str
    started_at: datetime
    ends_at: datetime
    is_current: bool


def list_sessions(person_id: UUID, *, current: UUID | None = None) -> Sequence[SessionRow]:
    """Return the sessions of an account that have not ended, newest first."""
    login = current_realm().login
    statement = (
        sa.select(login.id, login.user_agent, login.ip, login.created_at, login.expires_at)
        .where(login.user_id == person_id, login.expires_at > now())
        .order_by(login.created_at.desc(), login.id)
    )
    return [
        SessionRow(row.id, device_of(row.user_agent), row.ip or "", row.created_at, row.expires_at, row.id == current)
        for row in current_session().execute(statement)
    ]


def end_session(actor: Actor, session_id: UUID) -> None:
    """End one of the actor's own sessions; raises NotFoundError for any other."""
    realm = current_realm()
    mine = realm.login.id == session_id, realm.login.user_id == actor.id
    done = current_session().execute(
        sa.delete(realm.login).where(*mine), execution_options={"synchronize_session": False}
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise NotFoundError
    audit.record(actor, "session.ended", realm.person, subject_id=actor.id)


def end_other_sessions(actor: Actor, *, current: UUID) -> int:
    """End every session of the actor but the one at hand; return how many."""
    assert actor.id is not None
    count = end_sessions(actor.id, but=current)
    if count:
        audit.record(actor, "sessions.ended", current_realm().person, subject_id=actor.id)
    return count


@lru_cache(maxsize=512)
def device_of(user_agent: str | None) -> str:
    """Write a browser and its system as people call them: "Chrome, Windows"."""
    told = parse(user_agent or "")
    parts = (told.user_agent.family if told.user_agent else "", told.os.family if told.os else "")
    return ", ".join(part for part in parts if part and part != "Other")
