"""Reading accounts and login sessions of the pinned scope, a clinic's or the platform's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.auth.models import LoginSession, PlatformSession, PlatformUser, User, UserPermission
from portal.core.access import PLATFORM_PERMISSIONS, ClinicRole, PlatformRole, effective_permissions
from portal.core.clock import now
from portal.core.database import current_session, require_scope
from portal.core.errors import NotFoundError
from portal.core.identity import Identity
from portal.core.notifications import unread_count
from portal.core.scope import PlatformScope


@dataclass(frozen=True)
class Realm:
    """The tables of one kind of account."""

    person: Any
    login: Any
    identity: sa.Select[Any]


def _identity_statement(person: Any, login: Any, *more: Any) -> sa.Select[Any]:
    columns = (
        person.id, person.name, person.email, person.role, person.locale, person.must_change_password,
        person.totp_confirmed_at.is_(None).label("without_second_step"),
    )  # fmt: skip
    return (
        sa.select(login.id.label("session_id"), *columns, *more)
        .join_from(login, person, _same_person(person, login))
        .where(
            login.token_hash == sa.bindparam("token_hash"),
            login.expires_at > sa.bindparam("moment"),
            person.is_active,
        )
    )


def _same_person(person: Any, login: Any) -> sa.ColumnElement[bool]:
    same = login.user_id == person.id
    return sa.and_(same, login.clinic_id == person.clinic_id) if hasattr(person, "clinic_id") else same


_OVERRIDES = (
    sa.select(sa.func.jsonb_object_agg(UserPermission.permission, UserPermission.is_granted))
    .where(UserPermission.clinic_id == User.clinic_id, UserPermission.user_id == User.id)
    .scalar_subquery()
)
_required: list[sa.ColumnElement[bool]] = []
_counted: dict[str, sa.ScalarSelect[int]] = {}


def require_second_step_where(condition: sa.ColumnElement[bool]) -> None:
    """Ask those of a clinic's staff for a second step at login for whom ``condition``, over User, holds."""
    _required[:] = [condition]
    _clinic.cache_clear()


def count_for_menu(key: str, counted: sa.Select[int]) -> None:
    """Show a number beside the menu's entry ``key``: selected for User, with the parameter "moment" for the present.

    It is read together with who is signed in, so that it costs no query of its own.
    """
    _counted[key] = counted.scalar_subquery()
    _clinic.cache_clear()


_UNREAD = unread_count(User.clinic_id, User.id).scalar_subquery()


@cache
def _clinic() -> Realm:
    required = sa.or_(sa.false(), *_required).label("second_step_required")
    more = (_OVERRIDES.label("overrides"), _UNREAD.label("unread"), required, *_counts())
    return Realm(User, LoginSession, _identity_statement(User, LoginSession, *more))


def _counts() -> list[sa.Label[int]]:
    return [counted.label(f"count_{key}") for key, counted in _counted.items()]


_PLATFORM = Realm(PlatformUser, PlatformSession, _identity_statement(PlatformUser, PlatformSession))


def current_realm() -> Realm:
    """Return the accounts that belong to the pinned scope."""
    return _PLATFORM if isinstance(require_scope(current_session()), PlatformScope) else _clinic()


def token_hash(token: str) -> bytes:
    """Return what is stored of a session token."""
    return hashlib.sha256(token.encode()).digest()


def find_identity(token: str) -> Identity | None:
    """Return who holds ``token`` in the pinned scope: one query for the session and the person."""
    realm = current_realm()
    row = current_session().execute(realm.identity, {"token_hash": token_hash(token), "moment": now()}).one_or_none()
    if row is None:
        return None
    if realm is _PLATFORM:
        role: ClinicRole | PlatformRole = PlatformRole(row.role)
        permissions = PLATFORM_PERMISSIONS[PlatformRole(row.role)]
    else:
        role = ClinicRole(row.role)
        permissions = effective_permissions(role, row.overrides or {})
    return Identity(
        id=row.id, session_id=row.session_id, token=token, name=row.name, email=row.email,
        role=role, locale=row.locale, permissions=permissions, unread=getattr(row, "unread", 0), duty=_duty(row),
        counts={key: getattr(row, f"count_{key}", 0) for key in _counted},
    )  # fmt: skip


def _duty(row: Any) -> str | None:
    """Return the endpoint of what somebody has to do first."""
    if row.must_change_password:
        return "auth.account"
    return "auth.second_step" if row.without_second_step and getattr(row, "second_step_required", False) else None


def find_account(email: str) -> Any | None:
    """Return the account with this address in the pinned scope, or None."""
    person = current_realm().person
    return current_session().scalars(sa.select(person).where(person.email == email.strip().lower())).one_or_none()


def get_account(account_id: UUID) -> Any:
    """Return an account of the pinned scope; raises NotFoundError."""
    person = current_realm().person
    found = current_session().scalars(sa.select(person).where(person.id == account_id)).one_or_none()
    if found is None:
        raise NotFoundError
    return found
