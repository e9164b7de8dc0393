"""Who may do what to a colleague's account. Pure rules over what somebody may do."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.core.access import CLINIC_PERMISSIONS, ClinicRole, Permission

# A manager appoints dentists without being one: these come with a colleague's role, and are not lent.
CLINICAL = frozenset({Permission.OFFERS_SIGN, Permission.MEDICAL_READ, Permission.MEDICAL_WRITE})


@dataclass(frozen=True)
class Authority:
    """Somebody's role and what she may really do; ``id`` is None for the portal itself."""

    id: UUID | None
    role: ClinicRole
    permissions: frozenset[Permission]

    @property
    def is_owner(self) -> bool:
        """Whether she owns the clinic's portal."""
        return self.role is ClinicRole.OWNER


SYSTEM_AUTHORITY = Authority(None, ClinicRole.OWNER, CLINIC_PERMISSIONS[ClinicRole.OWNER])


def may_manage(by: Authority, other: Authority) -> bool:
    """Tell whether ``by`` may change a colleague's account: an owner's only owners, nobody's who may do more."""
    if by.is_owner or by.id == other.id:
        return True
    return not other.is_owner and other.permissions - CLINICAL <= by.permissions


def may_appoint(by: Authority, role: ClinicRole) -> bool:
    """Tell whether ``by`` may give somebody ``role``: owners any, others none that may do more than they."""
    if by.is_owner:
        return True
    return role is not ClinicRole.OWNER and CLINIC_PERMISSIONS[role] - CLINICAL <= by.permissions
