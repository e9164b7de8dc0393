"""Signing in and out, and changing a password or a language."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.auth import limits, passwords
from portal.auth.models import LoginSession, PlatformSession
from portal.auth.queries import current_realm, find_account, get_account, token_hash
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session, require_scope
from portal.core.errors import RuleError
from portal.core.scope import ClinicScope


class TooManyAttemptsError(RuleError):
    """The limit on logging in was reached, for this account or this address."""


class WeakPasswordError(RuleError):
    """A new password that is known to thieves, or easy to guess."""


def check_login(actor: Actor, *, email: str, password: str) -> Any | None:
    """Return the account that address and password open, or None where either is wrong.

    Raises TooManyAttemptsError; the counting comes first, so it fails closed.
    """
    account_key = f"{realm_name()} {email.strip().lower()}"
    if not limits.take([(limits.PER_ACCOUNT, account_key), (limits.PER_ADDRESS, actor.ip or "")]):
        raise TooManyAttemptsError(_("Too many attempts. Wait a few minutes, then try again."))
    person = find_account(email)
    right, fresh_hash = passwords.check_password(password, person.password_hash if person else None)
    if person is None or not right or not person.is_active:
        return None
    limits.forgive(limits.PER_ACCOUNT, account_key)
    if fresh_hash:
        person.password_hash = fresh_hash
        audit.record(replace(actor, id=person.id, name=person.name), "password.rehashed", person)
    return person


def start_session(actor: Actor, person: Any, *, expires_at: datetime, user_agent: str | None) -> str:
    """Return the token of a new session of somebody who has shown who she is."""
    person.last_login_at = now()
    token = secrets.token_urlsafe(32)
    current_session().add(
        current_realm().login(
            user_id=person.id, token_hash=token_hash(token), expires_at=expires_at, ip=actor.ip,
            user_agent=(user_agent or "")[:300],
        )
    )  # fmt: skip
    audit.record(replace(actor, id=person.id, name=person.name), "session.started", person, changes={})
    return token


def sign_out(actor: Actor, *, token: str) -> None:
    """End the session of ``token``; it will never be accepted again."""
    login = current_realm().login
    _delete(login.token_hash == token_hash(token))
    person = current_realm().person
    audit.record(actor, "session.ended", person, subject_id=actor.id)


def change_password(actor: Actor, *, token: str, current: str, new: str) -> None:
    """Set a new password and end every other session of this account.

    Raises RuleError where the current password is wrong or the new one is weak.
    """
    person = confirm_password(actor, current)
    choose_password(person, new)
    login = current_realm().login
    _delete(login.user_id == person.id, login.token_hash != token_hash(token))
    audit.record(actor, "password.changed", person)


def confirm_password(actor: Actor, password: str) -> Any:
    """Return the actor's own account; raises RuleError unless ``password`` is hers, and TooManyAttemptsError."""
    assert actor.id is not None
    person = get_account(actor.id)
    if not limits.take([(limits.PER_ACCOUNT, f"{realm_name()} password {actor.id}")]):
        raise TooManyAttemptsError(_("Too many attempts. Wait a few minutes, then try again."))
    if not passwords.check_password(password, person.password_hash)[0]:
        raise RuleError(_("This is not your current password."))
    return person


def choose_password(person: Any, new: str) -> None:
    """Give an account its password, to be logged by whoever calls; raises WeakPasswordError."""
    weakness = passwords.find_weakness(new, person.name, person.email)
    if weakness is passwords.Weakness.LEAKED:
        raise WeakPasswordError(
            _("This password stands in lists that thieves try first. A few unrelated words make a good one.")
        )
    if weakness is not None:
        raise WeakPasswordError(_("This password is easy to guess. A few unrelated words make a good one."))
    person.password_hash = passwords.hash_password(new)
    person.must_change_password, person.password_changed_at = False, now()


def set_language(actor: Actor, *, language: str) -> None:
    """Remember the language a person reads."""
    assert actor.id is not None
    person = get_account(actor.id)
    if person.locale != language:
        person.locale = language
        audit.record(actor, "language.changed", person)


def end_sessions(person_id: UUID, *, but: UUID | None = None) -> int:
    """End every session of an account, to be logged by whoever calls; ``but`` names one that stays. Return how many."""
    login = current_realm().login
    return _delete(login.user_id == person_id, *([login.id != but] if but else []))


def purge_sessions() -> int:
    """Delete the pinned scope's sessions that have ended; return how many."""
    return _delete(current_realm().login.expires_at < now())


def _delete(*conditions: Any) -> int:
    login: type[LoginSession] | type[PlatformSession] = current_realm().login
    done = current_session().execute(
        sa.delete(login).where(*conditions), execution_options={"synchronize_session": False}
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def realm_name() -> str:
    """Return what tells the accounts of one clinic, or of the platform, from all others in the keys of limits."""
    scope = require_scope(current_session())
    return str(scope.clinic_id) if isinstance(scope, ClinicScope) else "platform"
