"""Links that let one person choose a password: made, found, used once, taken back. Only their hashes are kept."""

from __future__ import annotations

import secrets
from datetime import timedelta
from enum import StrEnum

import sqlalchemy as sa

from portal.auth.models import AccountToken, AccountTokenKind, User
from portal.auth.queries import token_hash
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session

LIFETIMES = {AccountTokenKind.INVITE: timedelta(days=7), AccountTokenKind.RESET: timedelta(hours=1)}


class TokenState(StrEnum):
    """Whether a link still opens something."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


def make_link(actor: Actor, person: User, kind: AccountTokenKind) -> str:
    """Return a new link's token; links of this kind that the person had before are dead at once."""
    revoke_links(actor, person, kind)
    token = secrets.token_urlsafe(32)
    row = AccountToken(
        user_id=person.id, kind=kind, token_hash=token_hash(token), expires_at=now() + LIFETIMES[kind]
    )  # fmt: skip
    current_session().add(row)
    audit.record(actor, f"{kind}.made", person, changes={})
    current_session().flush()
    return token


def revoke_links(actor: Actor, person: User, *kinds: AccountTokenKind) -> int:
    """Take back a person's open links of these kinds, of every kind where none is named; return how many."""
    statement = sa.select(AccountToken).where(
        AccountToken.user_id == person.id, AccountToken.kind.in_(kinds or AccountTokenKind),
        AccountToken.used_at.is_(None), AccountToken.revoked_at.is_(None),
    )  # fmt: skip
    links = current_session().scalars(statement.with_for_update()).all()
    for link in links:
        link.revoked_at = now()
    if links:
        audit.record(actor, "links.revoked", person, changes={})
    return len(links)


def find_link(token: str, kind: AccountTokenKind, *, lock: bool = False) -> tuple[AccountToken, User] | None:
    """Return a link of the pinned clinic and whose it is; with ``lock``, of two who use it one waits."""
    statement = (
        sa.select(AccountToken, User)
        .join(User, sa.and_(User.clinic_id == AccountToken.clinic_id, User.id == AccountToken.user_id))
        .where(AccountToken.token_hash == token_hash(token), AccountToken.kind == kind)
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = current_session().execute(statement).one_or_none()
    return None if row is None else (row[0], row[1])


def state_of(link: AccountToken, person: User) -> TokenState:
    """Return whether a link still opens something; one of somebody who was deactivated does not."""
    if link.used_at is not None:
        return TokenState.USED
    if link.revoked_at is not None or not person.is_active:
        return TokenState.REVOKED
    return TokenState.EXPIRED if link.expires_at <= now() else TokenState.OPEN
