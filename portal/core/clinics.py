"""Clinics, the tenants, and the directory that finds one by its host."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.database import Base, Identified, Timestamped, current_session, one_of
from portal.core.hosts import Host, HostKind


class ClinicStatus(StrEnum):
    """Where a clinic stands with the platform; only open ones can be worked in."""

    TRIAL = "trial"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    CLOSED = "closed"

    @property
    def is_open(self) -> bool:
        """Whether the clinic's staff may work."""
        return self not in (ClinicStatus.SUSPENDED, ClinicStatus.CLOSED)


class Clinic(Identified, Timestamped, Base):
    """One clinic: its address, its place, its money and its languages."""

    __tablename__ = "clinics"
    __table_args__ = (
        sa.CheckConstraint("subdomain = lower(subdomain)", name="subdomain_lower"),
        one_of("status", ClinicStatus),
    )

    name: Mapped[str]
    subdomain: Mapped[str] = mapped_column(sa.String(63), unique=True)
    domain: Mapped[str | None] = mapped_column(sa.String(253), unique=True)
    status: Mapped[str] = mapped_column(sa.String(12), server_default=ClinicStatus.ACTIVE)
    country: Mapped[str] = mapped_column(sa.String(2), server_default="TR")
    timezone: Mapped[str] = mapped_column(sa.String(64), server_default="Europe/Istanbul")
    default_locale: Mapped[str] = mapped_column(sa.String(8), server_default="tr")
    default_currency: Mapped[str] = mapped_column(sa.String(3), server_default="TRY")
    prices_include_vat: Mapped[bool] = mapped_column(server_default=sa.true())
    offer_validity_days: Mapped[int] = mapped_column(sa.SmallInteger, server_default="30")


@dataclass(frozen=True)
class ClinicInfo:
    """What a request needs to know of its clinic, as plain values that outlive the session."""

    id: UUID
    name: str
    subdomain: str
    status: ClinicStatus
    country: str
    timezone: str
    default_locale: str
    default_currency: str
    prices_include_vat: bool
    offer_validity_days: int


# The application's role sees only the pinned clinic's row (row-level security); this function,
# owned by the owner, is its one way to find a clinic before any is pinned.
_BY_HOST = sa.text(
    "SELECT id, name, subdomain, status, country, timezone, default_locale, default_currency,"
    " prices_include_vat, offer_validity_days FROM clinic_by_host(:subdomain, :domain)"
)


class ClinicDirectory:
    """Finds clinics by host, keeping each answer for a few seconds.

    A clinic suspended elsewhere is thus still served for at most ``seconds`` by this process.
    """

    def __init__(self, seconds: float = 10.0, size: int = 2000) -> None:
        self._seconds = seconds
        self._size = size
        self._known: dict[Host, tuple[float, ClinicInfo | None]] = {}
        self._lock = Lock()

    def find(self, engine: sa.Engine | sa.Connection, host: Host) -> ClinicInfo | None:
        """Return the clinic that ``host`` names, or None."""
        if host.kind not in (HostKind.SUBDOMAIN, HostKind.DOMAIN):
            return None
        now = time.monotonic()
        known = self._known.get(host)
        if known and known[0] > now:
            return known[1]
        info = _fetch(engine, host)
        with self._lock:
            if len(self._known) >= self._size:
                self._known.clear()
            self._known[host] = (now + self._seconds, info)
        return info

    def forget(self) -> None:
        """Drop every remembered answer."""
        with self._lock:
            self._known.clear()


def _fetch(engine: sa.Engine | sa.Connection, host: Host) -> ClinicInfo | None:
    parameters = {
        "subdomain": host.name if host.kind is HostKind.SUBDOMAIN else None,
        "domain": host.name if host.kind is HostKind.DOMAIN else None,
    }
    with nullcontext(engine) if isinstance(engine, sa.Connection) else engine.connect() as connection:
        row = connection.execute(_BY_HOST, parameters).mappings().one_or_none()
    if row is None:
        return None
    values = dict(row)
    return ClinicInfo(**{**values, "status": ClinicStatus(values["status"])})


def open_clinic_ids() -> list[UUID]:
    """Return the clinics that are not suspended or closed; needs the platform's scope."""
    open_states = [status for status in ClinicStatus if status.is_open]
    statement = sa.select(Clinic.id).where(Clinic.status.in_(open_states)).order_by(Clinic.id)
    return list(current_session().scalars(statement))
