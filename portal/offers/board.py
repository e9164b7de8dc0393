"""The board of offers: what stands where, how much it comes to, and the newest of each column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.core.database import current_session
from portal.offers.models import Offer, OfferKind, OfferStatus
from portal.offers.reading import with_reading
from portal.patients.models import Patient

COLUMNS = (
    OfferKind.DRAFT, OfferKind.SENT, OfferKind.VIEWED, OfferKind.NEGOTIATING, OfferKind.ACCEPTED, OfferKind.DECLINED,
    OfferKind.EXPIRED,
)  # fmt: skip
CARDS = 12


def sum_by_kind(coordinator_id: UUID | None) -> Sequence[Any]:
    """Return (kind, currency, count, total) of all offers, replaced versions aside."""
    statement = (
        sa.select(
            OfferStatus.kind, Offer.currency, sa.func.count().label("count"),
            sa.func.sum(Offer.grand_total).label("total"),
        )
        .join(OfferStatus, sa.and_(OfferStatus.clinic_id == Offer.clinic_id, OfferStatus.id == Offer.status_id))
        .where(Offer.superseded_at.is_(None), *_of(coordinator_id))
        .group_by(OfferStatus.kind, Offer.currency)
        .order_by(OfferStatus.kind, sa.desc("count"), Offer.currency)
    )  # fmt: skip
    return current_session().execute(statement).all()


def list_cards(coordinator_id: UUID | None) -> Sequence[Any]:
    """Return the newest offers of each column, at most CARDS each, with how their links were read."""
    place = sa.func.row_number().over(partition_by=OfferStatus.kind, order_by=Offer.id.desc())
    ranked = (
        sa.select(Offer.id, OfferStatus.kind, place.label("place"))
        .join(OfferStatus, sa.and_(OfferStatus.clinic_id == Offer.clinic_id, OfferStatus.id == Offer.status_id))
        .where(OfferStatus.kind.in_(COLUMNS), Offer.superseded_at.is_(None), *_of(coordinator_id))
        .subquery()
    )
    statement = (
        sa.select(
            Offer.id, Offer.offer_no, Offer.title, Offer.status_id, Offer.currency, Offer.grand_total,
            Offer.valid_until, Offer.created_at, Offer.sent_at, ranked.c.kind, Patient.first_name, Patient.last_name,
        )
        .join(ranked, ranked.c.id == Offer.id)
        .outerjoin(Patient, sa.and_(Patient.clinic_id == Offer.clinic_id, Patient.id == Offer.primary_patient_id))
        .where(ranked.c.place <= CARDS)
        .order_by(Offer.id.desc())
    )  # fmt: skip
    return current_session().execute(with_reading(statement)).all()


def _of(coordinator_id: UUID | None) -> list[sa.ColumnElement[bool]]:
    return [Offer.coordinator_id == coordinator_id] if coordinator_id else []
