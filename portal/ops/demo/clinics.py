"""The demonstration clinics and who can sign in to them, all with one password that everybody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from rich.table import Table

from portal.auth.models import PlatformUser, User
from portal.auth.passwords import hash_password
from portal.core import audit
from portal.core.access import ClinicRole, PlatformRole
from portal.core.database import current_session
from portal.core.hosts import PLATFORM_LABEL
from portal.core.jobs import SYSTEM
from portal.ops.demo.dice import Dice
from portal.ops.demo.names import TURKISH

PASSWORD = "demo-klinik-2026"  # noqa: S105 - public on purpose; commands refuse it in production
PLATFORM_DOMAIN = "clinikoop.example.com"


@dataclass(frozen=True, slots=True)
class DemoClinic:
    """A clinic to look at: ``patients`` of them, and an offer for every ``offer_every``-th."""

    name: str
    subdomain: str
    prices_include_vat: bool = True
    patients: int = 0
    offer_every: int = 2


DEMO_CLINICS = (
    DemoClinic("Demo Diş Kliniği", "demo", patients=140),
    DemoClinic("Gülüş Ağız ve Diş Sağlığı Polikliniği", "gulus", prices_include_vat=False, patients=60),
    DemoClinic("Boş Klinik", "bos"),
)

CLINIC_MAILBOXES = {
    ClinicRole.OWNER: "sahip",
    ClinicRole.ADMIN: "yonetici",
    ClinicRole.COORDINATOR: "koordinator",
    ClinicRole.DOCTOR: "hekim",
    ClinicRole.ASSISTANT: "asistan",
    ClinicRole.READONLY: "izleyici",
}
PLATFORM_PEOPLE = {
    PlatformRole.OWNER: "Deniz Erkin",
    PlatformRole.AGENT: "Ceren Uysal",
    PlatformRole.OPS: "Tolga Başaran",
}


def staff_email(subdomain: str, role: ClinicRole) -> str:
    """Return the address the account of ``role`` signs in with."""
    return f"{CLINIC_MAILBOXES[role]}@{subdomain}.example.com"


def platform_email(role: PlatformRole) -> str:
    """Return the address the platform's account of ``role`` signs in with."""
    return f"{role}@{PLATFORM_DOMAIN}"


def add_staff(subdomain: str) -> None:
    """Give the pinned clinic an account for every role it has none for by that address."""
    _add_accounts(User, [(role, staff_email(subdomain, role), _name(subdomain, role)) for role in ClinicRole])


def add_platform_people() -> None:
    """Add the platform's own accounts that are missing; needs the platform's scope."""
    _add_accounts(PlatformUser, [(role, platform_email(role), name) for role, name in PLATFORM_PEOPLE.items()])


def accounts_table(address: Callable[[str], str]) -> Table:
    """Return who can sign in where; ``address`` makes a host label, such as "demo", into a URL."""
    table = Table(title=f"The password of every account is {PASSWORD}", title_justify="left", show_lines=True)
    table.add_column("Address", no_wrap=True)
    table.add_column("Role")
    table.add_column("Account", no_wrap=True)
    for demo in DEMO_CLINICS:
        emails = [staff_email(demo.subdomain, role) for role in ClinicRole]
        table.add_row(address(demo.subdomain), "\n".join(ClinicRole), "\n".join(emails))
    emails = [platform_email(role) for role in PlatformRole]
    table.add_row(address(PLATFORM_LABEL), "\n".join(PlatformRole), "\n".join(emails))
    return table


def _name(subdomain: str, role: ClinicRole) -> str:
    dice = Dice(f"{subdomain}/staff/{role}")
    return f"{dice.choice(TURKISH.female + TURKISH.male)} {dice.choice(TURKISH.last)}"


def _add_accounts(model: Any, people: Iterable[tuple[str, str, str]]) -> None:
    session = current_session()
    known = set(session.scalars(sa.select(model.email)))
    missing = [(role, email, name) for role, email, name in people if email not in known]
    if not missing:
        return
    password_hash = hash_password(PASSWORD)
    for role, email, name in missing:
        person = model(email=email, name=name, role=role, password_hash=password_hash, locale="tr")
        session.add(person)
        session.flush()
        audit.record(SYSTEM, "account.created", person, changes={})
