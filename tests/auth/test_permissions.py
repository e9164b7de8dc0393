"""Who may do what: the whole table, written out, so that a change of it is seen."""

from __future__ import annotations

import pytest

from portal.core.access import CLINIC_PERMISSIONS, PLATFORM_PERMISSIONS, ClinicRole, Permission, PlatformRole
from portal.core.identity import ROLE_LABELS

# Columns: owner, admin, coordinator, doctor, assistant, readonly.
CLINIC_TABLE = """
patients.read    yes yes yes yes yes yes
patients.write   yes yes yes yes yes -
patients.export  yes yes yes -   -   -
catalog.read     yes yes yes yes yes yes
catalog.write    yes yes -   -   -   -
offers.read      yes yes yes yes yes yes
offers.write     yes yes yes yes -   -
offers.export    yes yes yes -   -   -
offers.sign      yes -   -   yes -   -
settings.write   yes yes -   -   -   -
medical.read     yes yes yes yes yes -
medical.write    yes -   -   yes yes -
files.read       yes yes yes yes yes -
files.write      yes yes yes yes yes -
patients.merge   yes yes yes -   -   -
sources.write    yes yes -   -   -   -
staff.write      yes yes -   -   -   -
privacy.manage   yes yes -   -   -   -
rules.write      yes yes -   -   -   -
clinics.read     -   -   -   -   -   -
ops.read         -   -   -   -   -   -
ops.run          -   -   -   -   -   -
"""
# Columns: owner, agent, ops.
PLATFORM_TABLE = """
patients.read    -   -   -
patients.write   -   -   -
patients.export  -   -   -
catalog.read     -   -   -
catalog.write    -   -   -
offers.read      -   -   -
offers.write     -   -   -
offers.export    -   -   -
offers.sign      -   -   -
settings.write   -   -   -
medical.read     -   -   -
medical.write    -   -   -
files.read       -   -   -
files.write      -   -   -
patients.merge   -   -   -
sources.write    -   -   -
staff.write      -   -   -
privacy.manage   -   -   -
rules.write      -   -   -
clinics.read     yes yes yes
ops.read         yes -   yes
ops.run          yes -   yes
"""


def cells(table: str, roles: list[str]) -> dict[tuple[str, str], bool]:
    rows = [line.split() for line in table.strip().splitlines()]
    return {(role, row[0]): cell == "yes" for row in rows for role, cell in zip(roles, row[1:], strict=True)}


CLINIC = cells(CLINIC_TABLE, ["owner", "admin", "coordinator", "doctor", "assistant", "readonly"])
PLATFORM = cells(PLATFORM_TABLE, ["owner", "agent", "ops"])


def test_the_tables_name_every_role_and_permission() -> None:
    assert set(CLINIC) == {(role, permission) for role in ClinicRole for permission in Permission}
    assert set(PLATFORM) == {(role, permission) for role in PlatformRole for permission in Permission}


@pytest.mark.parametrize(("role", "permission"), CLINIC)
def test_a_clinics_role_has_exactly_its_permissions(role: str, permission: str) -> None:
    assert (Permission(permission) in CLINIC_PERMISSIONS[ClinicRole(role)]) is CLINIC[role, permission]


@pytest.mark.parametrize(("role", "permission"), PLATFORM)
def test_a_platforms_role_has_exactly_its_permissions(role: str, permission: str) -> None:
    assert (Permission(permission) in PLATFORM_PERMISSIONS[PlatformRole(role)]) is PLATFORM[role, permission]


def test_every_role_has_a_name_to_show() -> None:
    assert set(ROLE_LABELS) == {*ClinicRole, *PlatformRole}
