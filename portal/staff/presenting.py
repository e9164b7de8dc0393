"""How a colleague's account is written: facts, permissions, differences and what was done to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask_babel import LazyString
from flask_babel import gettext as _

from portal.auth.models import User
from portal.core.access import CLINIC_PERMISSIONS, ClinicRole, Permission
from portal.core.activity import Entry, list_entries
from portal.core.conflicts import Conflict, column_conflicts
from portal.core.i18n import other_languages
from portal.core.identity import ROLE_LABELS, Identity
from portal.core.phones import show_phone
from portal.core.templating import moment
from portal.staff.forms import PersonForm
from portal.staff.handover import work_labels
from portal.staff.labels import ACTIONS, FIELDS, PERMISSION_LABELS, STATE_KINDS, STATE_LABELS
from portal.staff.queries import authority_of, state_of
from portal.staff.rules import Authority, may_appoint, may_manage


@dataclass(frozen=True)
class PermissionRow:
    """One permission: what the role says, what holds for this person, and whether the reader may change it."""

    name: Permission
    label: LazyString
    by_role: bool
    effective: bool
    changeable: bool


class PersonView:
    """What the pages of one colleague show."""

    def __init__(self, person: User, identity: Identity) -> None:
        self.person = person
        self.by = reader(identity)
        self.authority = authority_of(person)
        self.is_self = identity.id == person.id
        state = state_of(person)
        self.state = str(STATE_LABELS[state]), STATE_KINDS[state]
        self.may_manage = may_manage(self.by, self.authority)
        self.may_end = self.may_manage and not self.is_self
        self.may_change_permissions = self.may_manage and not self.is_self and not self.authority.is_owner

    def facts(self) -> list[tuple[str, str, str]]:
        """Return (label, text, link) of what is known about the colleague; the link may be empty."""
        person = self.person
        rows = [
            (_("E-mail"), person.email, f"mailto:{person.email}"),
            (_("Phone"), show_phone(person.phone_e164), f"tel:{person.phone_e164}"),
            (_("Role"), str(ROLE_LABELS[ClinicRole(person.role)]), ""),
            (_("Language"), dict(other_languages()).get(person.locale or "", _("As the clinic")), ""),
            (_("Second step at login"), _("yes") if person.totp_confirmed_at else _("no"), ""),
            (_("Last login"), moment(person.last_login_at) or _("never"), ""),
            (_("Account made"), moment(person.created_at), ""),
        ]
        return [(label, text, link) for label, text, link in rows if text]

    def permissions(self) -> list[PermissionRow]:
        """Return every permission of a clinic."""
        default, effective = CLINIC_PERMISSIONS[self.authority.role], self.authority.permissions
        return [
            PermissionRow(
                name, label, name in default, name in effective,
                self.may_change_permissions and (name in effective or name in self.by.permissions),
            )
            for name, label in PERMISSION_LABELS.items()
        ]  # fmt: skip

    def roles(self) -> Sequence[ClinicRole]:
        """Return the roles that the reader may give this person, her present one among them."""
        fixed = self.is_self and not self.by.is_owner
        return [
            role for role in ClinicRole
            if role is self.authority.role or (not fixed and may_appoint(self.by, role))
        ]  # fmt: skip


def reader(identity: Identity) -> Authority:
    """Return what whoever reads the page may do."""
    return Authority(identity.id, ClinicRole(identity.role), identity.permissions)


def appointable(identity: Identity) -> Sequence[ClinicRole]:
    """Return the roles that somebody may give."""
    return [role for role in ClinicRole if may_appoint(reader(identity), role)]


def activity(user_id: UUID) -> list[Entry]:
    """Return what was done to an account."""
    fields = {
        **FIELDS,
        "is_active": _("Active"),
        **{str(name): label for name, label in PERMISSION_LABELS.items()},
        **work_labels(),
    }
    roles = {"role": lambda value: str(ROLE_LABELS[ClinicRole(value)]) if value in set(ClinicRole) else str(value)}
    return list_entries("users", user_id, actions=ACTIONS, fields=fields, values=roles)


def conflicts(form: PersonForm, person: User) -> list[Conflict]:
    """Return where a refused form and the stored account differ."""
    return column_conflicts(form, person, form.values(), FIELDS)
