"""What the first page tells: counted over the clinic's own rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.core.clinics import ClinicInfo
from portal.core.clock import days_ago
from portal.core.database import current_session
from portal.home.today import Today, list_today
from portal.offers.models import OfferKind, OfferStatus
from portal.offers.queries import OfferFilter, count_by_status, list_offers, list_statuses
from portal.offers.rules import OPEN_KINDS
from portal.patients.models import Patient
from portal.patients.queries import PatientFilter, list_patients

WEEK = 7
FEW = 6


@dataclass(frozen=True)
class Overview:
    """The first page of a clinic."""

    new_patients: int
    drafts: int
    undecided: int
    accepted: int
    today: Today
    patients: Sequence[Any]
    offers: Sequence[Any]
    statuses: dict[Any, OfferStatus]


def overview(clinic: ClinicInfo, *, user_id: UUID | None) -> Overview:
    """Return what is to be done by one person, or by all (None), and what is new."""
    statuses = list_statuses()
    counts = count_by_status()

    def total(*kinds: OfferKind) -> int:
        return sum(counts.get(status.id, 0) for status in statuses if status.kind in kinds)

    return Overview(
        new_patients=_count_new_patients(),
        drafts=total(OfferKind.DRAFT),
        undecided=total(*OPEN_KINDS),
        accepted=total(OfferKind.ACCEPTED),
        today=list_today(clinic, user_id=user_id),
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
