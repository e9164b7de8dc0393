"""Coming in by a link: an invitation, or a forgotten password."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.auth import limits
from portal.auth.mails import mail_link
from portal.auth.models import AccountTokenKind, User
from portal.auth.services import TooManyAttemptsError, choose_password, end_sessions, realm_name
from portal.auth.tokens import TokenState, find_link, make_link, revoke_links, state_of
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.jobs import SYSTEM, enqueue

PER_ADDRESS = limits.Limit("account link", 20, 30.0)
RESETS_PER_ADDRESS = limits.Limit("resets of an address", 10, 60.0)
RESETS_PER_ACCOUNT = limits.Limit("resets of an account", 3, 600.0)
SEND_RESET = "auth.reset"


class DeadLinkError(Exception):
    """A link opens nothing; ``state`` is None where there is no such link in this clinic."""

    def __init__(self, state: TokenState | None) -> None:
        super().__init__(str(state))
        self.state = state


def open_link(token: str, kind: AccountTokenKind, *, lock: bool = False) -> tuple[Any, Any]:
    """Return a link that opens something and whose it is; raises DeadLinkError for any other."""
    found = find_link(token, kind, lock=lock)
    state = state_of(*found) if found else None
    if found is None or state is not TokenState.OPEN:
        raise DeadLinkError(state)
    return found


def count_try(actor: Actor) -> None:
    """Count a form sent to a link, be there such a link or not; raises TooManyAttemptsError."""
    if not limits.take([(PER_ADDRESS, actor.ip or "")]):
        raise TooManyAttemptsError(_("Too many attempts. Wait a few minutes, then try again."))


def use_link(actor: Actor, token: str, kind: AccountTokenKind, *, password: str, name: str | None = None) -> None:
    """Let whoever has a link choose a password, once; every session and every other link of hers ends.

    Raises DeadLinkError, and RuleError for a password that will not do.
    """
    link, person = open_link(token, kind, lock=True)
    if name is not None:
        person.name = name
    choose_password(person, password)
    audit.record(replace(actor, id=person.id, name=person.name), f"{kind}.used", person)
    link.used_at = now()
    current_session().flush()
    revoke_links(replace(actor, id=person.id, name=person.name), person)
    end_sessions(person.id)


def ask_for_reset(actor: Actor, *, email: str) -> None:
    """Have a link for a new password sent, should there be such an account; raises TooManyAttemptsError.

    The same is done whoever asks, one row for the queue: neither the answer nor its time tells who has an account.
    The row names the account by a hash.
    """
    if not limits.take([(RESETS_PER_ADDRESS, actor.ip or "")]):
        raise TooManyAttemptsError(_("Too many attempts. Wait a few minutes, then try again."))
    name = _account_name(email)
    if limits.take([(RESETS_PER_ACCOUNT, name)]):
        enqueue(SEND_RESET, clinic=realm_name(), account=name)


def send_reset(account: str) -> bool:
    """Mail a link for a new password to whom ``account`` names in the pinned clinic; return False for nobody.

    Somebody who was deactivated, or has not chosen a password yet, gets none.
    """
    known = sa.select(User).where(User.is_active, User.password_hash.is_not(None))
    person = next((row for row in current_session().scalars(known) if _account_name(row.email) == account), None)
    if person is None:
        return False
    mail_link(person, make_link(SYSTEM, person, AccountTokenKind.RESET), AccountTokenKind.RESET)
    return True


def _account_name(email: str) -> str:
    return hashlib.sha256(f"{realm_name()} {email.strip().lower()}".encode()).hexdigest()
