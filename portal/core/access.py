"""Roles and what each may do, in one table; and how an endpoint declares what it asks for.

Closed by default: an endpoint without a declaration keeps the application from starting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TypeVar

View = TypeVar("View", bound=Callable[..., object])


class Permission(StrEnum):
    """What an endpoint may ask for."""

    PATIENTS_READ = "patients.read"
    PATIENTS_WRITE = "patients.write"
    PATIENTS_EXPORT = "patients.export"
    CATALOG_READ = "catalog.read"
    CATALOG_WRITE = "catalog.write"
    OFFERS_READ = "offers.read"
    OFFERS_WRITE = "offers.write"
    OFFERS_EXPORT = "offers.export"
    OFFERS_SIGN = "offers.sign"
    SETTINGS_WRITE = "settings.write"
    MEDICAL_READ = "medical.read"
    MEDICAL_WRITE = "medical.write"
    FILES_READ = "files.read"
    FILES_WRITE = "files.write"
    PATIENTS_MERGE = "patients.merge"
    SOURCES_WRITE = "sources.write"
    STAFF_WRITE = "staff.write"
    PRIVACY_MANAGE = "privacy.manage"
    RULES_WRITE = "rules.write"
    CLINICS_READ = "clinics.read"
    OPS_READ = "ops.read"
    OPS_RUN = "ops.run"


class ClinicRole(StrEnum):
    """Roles of a clinic's staff."""

    OWNER = "owner"
    ADMIN = "admin"
    COORDINATOR = "coordinator"
    DOCTOR = "doctor"
    ASSISTANT = "assistant"
    READONLY = "readonly"


class PlatformRole(StrEnum):
    """Roles of the platform's own people."""

    OWNER = "owner"
    AGENT = "agent"
    OPS = "ops"


_READ = frozenset({Permission.PATIENTS_READ, Permission.CATALOG_READ, Permission.OFFERS_READ})
_OFFER_WORK = _READ | {
    Permission.PATIENTS_WRITE, Permission.OFFERS_WRITE, Permission.FILES_READ, Permission.FILES_WRITE,
}  # fmt: skip
_MEDICAL = frozenset({Permission.MEDICAL_READ, Permission.MEDICAL_WRITE})
_HOUSE = _OFFER_WORK | {
    Permission.CATALOG_WRITE, Permission.PATIENTS_EXPORT, Permission.OFFERS_EXPORT, Permission.SETTINGS_WRITE,
    Permission.PATIENTS_MERGE, Permission.SOURCES_WRITE, Permission.STAFF_WRITE, Permission.PRIVACY_MANAGE,
    Permission.RULES_WRITE, Permission.MEDICAL_READ,
}  # fmt: skip

CLINIC_PERMISSIONS: dict[ClinicRole, frozenset[Permission]] = {
    ClinicRole.OWNER: _HOUSE | _MEDICAL | {Permission.OFFERS_SIGN},
    ClinicRole.ADMIN: _HOUSE,
    ClinicRole.COORDINATOR: _OFFER_WORK
    | {Permission.PATIENTS_EXPORT, Permission.OFFERS_EXPORT, Permission.PATIENTS_MERGE, Permission.MEDICAL_READ},
    ClinicRole.DOCTOR: _OFFER_WORK | _MEDICAL | {Permission.OFFERS_SIGN},
    ClinicRole.ASSISTANT: _READ | _MEDICAL | {Permission.PATIENTS_WRITE, Permission.FILES_READ, Permission.FILES_WRITE},
    ClinicRole.READONLY: _READ,
}

_OPERATION = frozenset({Permission.CLINICS_READ, Permission.OPS_READ, Permission.OPS_RUN})

PLATFORM_PERMISSIONS: dict[PlatformRole, frozenset[Permission]] = {
    PlatformRole.OWNER: _OPERATION,
    PlatformRole.AGENT: frozenset({Permission.CLINICS_READ}),
    PlatformRole.OPS: _OPERATION,
}

GRANTABLE: frozenset[Permission] = frozenset().union(*CLINIC_PERMISSIONS.values())


def effective_permissions(role: ClinicRole, overrides: Mapping[str, bool]) -> frozenset[Permission]:
    """Return what somebody may do: her role's permissions, and the single ones given to her or taken from her.

    An owner may always do what owners may; what no clinic can grant, or no release knows any more, counts for nothing.
    """
    default = CLINIC_PERMISSIONS[role]
    if role is ClinicRole.OWNER or not overrides:
        return default
    given = {permission for permission in GRANTABLE if overrides.get(permission)}
    taken = {permission for permission in GRANTABLE if overrides.get(permission) is False}
    return (default | given) - taken


class Open(Enum):
    """Declarations other than a permission."""

    PUBLIC = "anyone"
    SIGNED_IN = "anyone who is signed in"


class Site(Enum):
    """The hosts an endpoint answers on."""

    CLINIC = "clinic"
    PLATFORM = "platform"
    BOTH = "both"
    ANY = "any, even an unknown one"


VIEW = "view"  # the plainest of portal.privacy.models.AccessAction
PUBLIC = Open.PUBLIC
SIGNED_IN = Open.SIGNED_IN


@dataclass(frozen=True)
class Access:
    """What an endpoint declares: whom it lets in, on which hosts it exists, and whether it shows a form again.

    ``max_bytes`` is the most it takes; None: as much as any form may hold. ``reads`` is the argument that names whose
    record it shows, and ``reading`` what kind of read that is; see portal.core.reads. ``during_duty``: also those
    come here who must do something else first, such as choosing a new password.
    """

    rule: Permission | Open
    site: Site
    resumable: bool = False
    max_bytes: int | None = None
    reads: str | None = None
    reading: str = VIEW
    during_duty: bool = False


def access(
    rule: Permission | Open, site: Site = Site.CLINIC, *, resumable: bool = False, max_bytes: int | None = None,
    reads: str | None = None, reading: str = VIEW, during_duty: bool = False,
) -> Callable[[View], View]:  # fmt: skip
    """Declare whom a view lets in. Enforced before the view runs; see portal.core.gate.

    ``resumable``: a form carried here over a login is shown again and not acted upon. A view that
    answers GET as well is taken to be so; portal.auth.resume asks. ``max_bytes``: what it takes, for files.
    ``reads``: "patient_id" or "offer_id" where it shows a patient's record; every such read is logged, as ``reading``.
    ``during_duty``: it serves what somebody has to do before anything else, see Identity.duty.
    """

    def declare(view: View) -> View:
        view.__access__ = Access(rule, site, resumable, max_bytes, reads, reading, during_duty)  # type: ignore[attr-defined]
        return view

    return declare
