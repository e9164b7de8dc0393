"""Counting for reports."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from portal.core.database import current_session
from portal.core.periods import Days
from portal.offers.models import Offer, OfferKind, OfferStatus
from portal.patients.models import Patient
from portal.referrals.models import ReferralSource


def count_accepted(decided: Days) -> dict[UUID | None, int]:
    """Return source -> number of offers that its patients accepted in some days, replaced versions aside."""
    column = Patient.referral_source_id
    statement = (
        sa.select(column, sa.func.count(Offer.id))
        .join(Offer, sa.and_(Offer.clinic_id == Patient.clinic_id, Offer.primary_patient_id == Patient.id))
        .join(OfferStatus, sa.and_(OfferStatus.clinic_id == Offer.clinic_id, OfferStatus.id == Offer.status_id))
        .where(OfferStatus.kind == OfferKind.ACCEPTED, Offer.superseded_at.is_(None), decided.during(Offer.decided_at))
        .group_by(column)
    )
    return {row[0]: row[1] for row in current_session().execute(statement)}


def list_all_sources() -> Sequence[ReferralSource]:
    """Return every source, archived ones too, in the clinic's order."""
    statement = sa.select(ReferralSource).order_by(ReferralSource.position, ReferralSource.name)
    return current_session().scalars(statement).all()
