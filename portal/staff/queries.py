"""Reading a clinic's staff. They are few, so a list is read whole and sorted as the Turkish alphabet is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.auth.models import User, UserPermission
from portal.core.access import ClinicRole, effective_permissions
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.core.text import fold, sort_key, words
from portal.staff.rules import SYSTEM_AUTHORITY, Authority


class PersonState(StrEnum):
    """Whether somebody can log in."""

    ACTIVE = "active"
    INVITED = "invited"
    INACTIVE = "inactive"


@dataclass(frozen=True)
class StaffFilter:
    """What a list of staff is narrowed to."""

    query: str = ""
    state: PersonState | None = None
    role: ClinicRole | None = None


_COLUMNS = (
    User.id, User.name, User.title, User.email, User.role, User.is_active, User.last_login_at,
    User.password_hash.is_not(None).label("has_password"), User.totp_confirmed_at.is_not(None).label("second_factor"),
)  # fmt: skip


def list_people(wanted: StaffFilter) -> list[Any]:
    """Return the clinic's staff that match, by name."""
    rows = current_session().execute(sa.select(*_COLUMNS)).all()
    return sorted((row for row in rows if _matches(row, wanted)), key=lambda row: (sort_key(row.name), row.email))


def _matches(row: Any, wanted: StaffFilter) -> bool:
    told = [*words(f"{row.name} {row.title or ''}"), fold(row.email)]
    asked = words(wanted.query) if "@" not in wanted.query else [fold(wanted.query.strip())]
    if wanted.query and not (asked and all(any(word.startswith(part) for word in told) for part in asked)):
        return False
    return wanted.state in (None, state_of(row)) and wanted.role in (None, row.role)


def state_of(row: Any) -> PersonState:
    """Return whether somebody can log in, from a row of the list or a User."""
    if not row.is_active:
        return PersonState.INACTIVE
    known = row.password_hash is not None if isinstance(row, User) else row.has_password
    return PersonState.ACTIVE if known else PersonState.INVITED


def get_person(user_id: UUID) -> User:
    """Return one of the clinic's staff; raises NotFoundError."""
    found = current_session().scalars(sa.select(User).where(User.id == user_id)).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def list_overrides(user_id: UUID) -> Sequence[UserPermission]:
    """Return the single permissions that somebody has besides her role's, or that are taken from her."""
    return current_session().scalars(sa.select(UserPermission).where(UserPermission.user_id == user_id)).all()


def authority_of(person: User) -> Authority:
    """Return what somebody of the staff may do."""
    role, overrides = ClinicRole(person.role), list_overrides(person.id)
    return Authority(
        person.id, role, effective_permissions(role, {row.permission: row.is_granted for row in overrides})
    )


def actor_authority(actor: Actor) -> Authority:
    """Return what whoever acts may do; the portal itself may do what an owner may."""
    return SYSTEM_AUTHORITY if actor.id is None else authority_of(get_person(actor.id))


def lock_owners() -> list[UUID]:
    """Return the owners who can log in, and let whoever asks next wait until this transaction has ended.

    Asked again by PostgreSQL once the wait is over, the rows are those of that moment.
    """
    statement = (
        sa.select(User.id)
        .where(User.role == ClinicRole.OWNER, User.is_active, User.password_hash.is_not(None))
        .order_by(User.id)
        .with_for_update()
    )
    return list(current_session().scalars(statement))
