"""What the first page tells: counted over the clinic's own rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from portal.core.clinics import ClinicInfo
from portal.core.clock import days_ago, today
from portal.core.database import current_session
from portal.offers.models import OfferKind, OfferStatus
from portal.offers.queries import OfferFilter, count_by_status, list_expiring, list_offers, list_statuses
from portal.offers.rules import OPEN_KINDS
from portal.patients.models import Patient
from portal.patients.queries import PatientFilter, list_patients

SOON = timedelta(days=3)
WEEK = 7
FEW = 6


@dataclass(frozen=True)
class Overview:
    """The first page of a clinic."""

    new_patients: int
    drafts: int
    undecided: int
    accepted: int
    expiring: Sequence[Any]
    patients: Sequence[Any]
    offers: Sequence[Any]
    statuses: dict[Any, OfferStatus]


def overview(clinic: ClinicInfo) -> Overview:
    """Return what is due and what is new."""
    statuses = list_statuses()
    counts = count_by_status()
    day = today(clinic.timezone)

    def total(*kinds: OfferKind) -> int:
        return sum(counts.get(status.id, 0) for status in statuses if status.kind in kinds)

    return Overview(
        new_patients=_count_new_patients(),
        drafts=total(OfferKind.DRAFT),
        undecided=total(*OPEN_KINDS),
        accepted=total(OfferKind.ACCEPTED),
        expiring=list_expiring(day, day + SOON, statuses),
        patients=list_patients(PatientFilter(), None).items[:FEW],
        offers=list_offers(OfferFilter(), None, statuses).items[:FEW],
        statuses={status.id: status for status in statuses},
    )


def _count_new_patients() -> int:
    statement = sa.select(sa.func.count()).select_from(Patient).where(Patient.created_at >= days_ago(WEEK))
    return (
        current_session()
        .execute(statement.where(Patient.archived_at.is_(None), Patient.merged_into_id.is_(None)))
        .scalar_one()
    )
