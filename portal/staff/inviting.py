"""Inviting people: an account without a password, and a link by which its owner chooses one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.auth.mails import Letter, link_letter, mail_link
from portal.auth.models import AccountToken, AccountTokenKind, User
from portal.auth.tokens import make_link, revoke_links
from portal.core import audit
from portal.core.access import ClinicRole
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import RuleError
from portal.staff.limits import check_room
from portal.staff.queries import PersonState, actor_authority, state_of
from portal.staff.rules import may_appoint
from portal.staff.services import check_manages


def invite_person(actor: Actor, *, email: str, values: Mapping[str, Any], by_mail: bool) -> tuple[User, Letter]:
    """Make an account and its link; return both, the link to be shown once where it does not go by mail.

    Raises RuleError where the address is taken, the role is not hers to give, or the package has no room.
    """
    if not may_appoint(actor_authority(actor), ClinicRole(values["role"])):
        raise RuleError(_("You cannot give a role that may do more than you."))
    check_room()
    if current_session().scalars(sa.select(User.id).where(User.email == email)).first():
        raise RuleError(_("There is an account with this address already."))
    person = User(email=email, invited_by_id=actor.id, **values)
    current_session().add(person)
    current_session().flush()
    audit.record(actor, "account.invited", person, changes={"role": [None, person.role]})
    return person, _send(actor, person, by_mail=by_mail)


def invite_again(actor: Actor, person: User, *, by_mail: bool) -> Letter:
    """Make a new link for somebody who has not come yet; the one before is dead at once. Raises RuleError."""
    check_manages(actor, person)
    if state_of(person) is not PersonState.INVITED:
        raise RuleError(_("This colleague has chosen a password already, or is deactivated."))
    return _send(actor, person, by_mail=by_mail)


def revoke_invite(actor: Actor, person: User) -> None:
    """Take an invitation back; raises RuleError where the colleague's account is not hers to change."""
    check_manages(actor, person)
    revoke_links(actor, person, AccountTokenKind.INVITE)


def has_open_invite(person: User) -> bool:
    """Tell whether somebody has a link that still opens."""
    statement = sa.select(AccountToken.id).where(
        AccountToken.user_id == person.id, AccountToken.kind == AccountTokenKind.INVITE,
        AccountToken.used_at.is_(None), AccountToken.revoked_at.is_(None), AccountToken.expires_at > now(),
    )  # fmt: skip
    return current_session().scalars(statement).first() is not None


def _send(actor: Actor, person: User, *, by_mail: bool) -> Letter:
    token = make_link(actor, person, AccountTokenKind.INVITE)
    if by_mail:
        mail_link(person, token, AccountTokenKind.INVITE)
    return link_letter(person, token, AccountTokenKind.INVITE)
