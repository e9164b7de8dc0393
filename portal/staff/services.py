"""Changing a colleague's account: her data, her role and her single permissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from portal.auth.models import User, UserPermission
from portal.core import audit
from portal.core.access import CLINIC_PERMISSIONS, GRANTABLE, ClinicRole, Permission
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.core.errors import RuleError, StaleVersionError
from portal.staff.queries import actor_authority, authority_of, list_overrides, lock_owners
from portal.staff.rules import Authority, may_appoint, may_manage


def update_person(actor: Actor, person: User, *, version: int, values: Mapping[str, Any]) -> None:
    """Change a colleague's data and role. Raises RuleError where that is not hers to do, StaleVersionError."""
    by = check_manages(actor, person)
    owners = lock_owners() if _role_changes(person, values) else []
    _lock_version(person, version)
    if _role_changes(person, values):
        _check_role(by, person, ClinicRole(values["role"]))
        if person.role == ClinicRole.OWNER:
            check_owner_remains(person, owners)
    for name, value in values.items():
        setattr(person, name, value)
    if not current_session().is_modified(person):
        return
    person.version += 1
    audit.record(actor, "account.changed", person)
    current_session().flush()
    _drop_idle_overrides(person)


def set_permissions(actor: Actor, person: User, *, version: int, wanted: frozenset[Permission]) -> None:
    """Let a colleague do what is ``wanted``, by exceptions from her role.

    Raises RuleError where whoever acts would grant what she lacks, or change herself or an owner; StaleVersionError.
    """
    by = check_manages(actor, person)
    if by.id == person.id:
        raise RuleError(_("Nobody changes her own permissions. Ask a colleague who may."))
    if person.role == ClinicRole.OWNER:
        raise RuleError(_("An owner may do everything. Change the role first."))
    _lock_version(person, version)
    before = authority_of(person).permissions
    if (wanted - before) - by.permissions:
        raise RuleError(_("You can grant only what you may do yourself."))
    changes = {
        str(name): [name in before, name in wanted]
        for name in sorted(GRANTABLE)
        if (name in before) != (name in wanted)
    }
    if changes:
        _write_overrides(person, wanted)
        person.version += 1
        audit.record(actor, "account.permissions", person, changes=changes)
        current_session().flush()


def check_manages(actor: Actor, person: User) -> Authority:
    """Return what whoever acts may do; raises RuleError where the colleague's account is not hers to change."""
    by = actor_authority(actor)
    if not may_manage(by, authority_of(person)):
        raise RuleError(_("This colleague may do more than you. Ask an owner of your clinic."))
    return by


def check_owner_remains(person: User, owners: list[Any]) -> None:
    """Raise RuleError where nobody else of ``owners``, who are locked, would be left."""
    if not set(owners) - {person.id}:
        raise RuleError(_("Your clinic needs an owner who can log in. Make somebody else an owner first."))


def _role_changes(person: User, values: Mapping[str, Any]) -> bool:
    return bool(values.get("role", person.role) != person.role)


def _lock_version(person: User, version: int) -> None:
    current_session().refresh(person, with_for_update=True)
    if person.version != version:
        raise StaleVersionError


def _check_role(by: Authority, person: User, role: ClinicRole) -> None:
    if by.id == person.id and not by.is_owner:
        raise RuleError(_("Nobody changes her own role. Ask a colleague who may."))
    if not may_appoint(by, role):
        raise RuleError(_("You cannot give a role that may do more than you."))


def _write_overrides(person: User, wanted: frozenset[Permission]) -> None:
    """Keep one row for each difference between ``wanted`` and the role, and no other."""
    default, session = CLINIC_PERMISSIONS[ClinicRole(person.role)], current_session()
    differing = {name: name in wanted for name in GRANTABLE if (name in wanted) != (name in default)}
    for row in list_overrides(person.id):
        name = next((known for known in differing if known == row.permission), None)  # None: of another release
        if name is not None and differing[name] is row.is_granted:
            del differing[name]
        else:
            session.delete(row)
    session.flush()
    session.add_all(
        UserPermission(user_id=person.id, permission=name, is_granted=yes) for name, yes in differing.items()
    )


def _drop_idle_overrides(person: User) -> None:
    """Delete exceptions that say what the role says anyway, so that a later change of role meets none of them."""
    role = ClinicRole(person.role)
    for row in list_overrides(person.id):
        says = role is ClinicRole.OWNER or (row.permission in CLINIC_PERMISSIONS[role]) is row.is_granted
        if says:
            current_session().delete(row)
