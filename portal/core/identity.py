"""Who is signed in, as plain values that outlive the database session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from flask import g, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.core.access import ClinicRole, Permission, PlatformRole
from portal.core.audit import Actor, ActorKind
from portal.core.clinics import ClinicInfo

ROLE_LABELS: dict[ClinicRole | PlatformRole, LazyString] = {
    ClinicRole.OWNER: _l("Owner"),  # the platform's owner too: members of a StrEnum with one value are one key
    ClinicRole.ADMIN: _l("Clinic manager"),
    ClinicRole.COORDINATOR: _l("Coordinator"),
    ClinicRole.DOCTOR: _l("Dentist"),
    ClinicRole.ASSISTANT: _l("Assistant"),
    ClinicRole.READONLY: _l("Viewer"),
    PlatformRole.AGENT: _l("Support agent"),
    PlatformRole.OPS: _l("Operations"),
}


@dataclass(frozen=True)
class Identity:
    """A signed-in person, as Flask-Login's user. ``token`` is the cookie's, never its hash.

    ``duty`` is the endpoint of what this person has to do before anything else, such as choosing a new password.
    """

    id: UUID
    session_id: UUID
    token: str
    name: str
    email: str
    role: ClinicRole | PlatformRole
    locale: str | None
    permissions: frozenset[Permission]
    duty: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)  # by key of the menu's entry, such as what is overdue
    unread: int = 0  # notifications, read with the session so that the bell costs no query

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return what Flask-Login keeps in the cookie: the session's random token."""
        return self.token

    def can(self, permission: str) -> bool:
        """Tell whether this person has ``permission``, named as in Permission."""
        return Permission(permission) in self.permissions

    @property
    def role_label(self) -> LazyString:
        """The role in the reader's language."""
        return ROLE_LABELS[self.role]


def current_identity() -> Identity:
    """Return who is signed in. The gate has made sure that somebody is; elsewhere it is an error."""
    identity = g.get("identity")
    assert isinstance(identity, Identity)
    return identity


def current_clinic() -> ClinicInfo:
    """Return the clinic whose host this request came to."""
    return cast(ClinicInfo, g.clinic)


def request_actor(identity: Identity | None = None) -> Actor:
    """Return the actor services record: who is signed in, from which address, in which request."""
    who = identity or g.get("identity")
    kind = ActorKind.USER if g.get("clinic") else ActorKind.PLATFORM
    return Actor(
        kind=kind,
        name=who.name if who else "",
        id=who.id if who else None,
        ip=request.remote_addr,
        request_id=g.get("request_id"),
    )
