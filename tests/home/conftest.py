"""Offers at every stage, and what the rules make of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.work import clinic_work
from portal.offers.models import Offer, OfferKind, PatientOffer
from portal.offers.queries import default_status
from portal.patients.models import Patient
from portal.reminders.models import Reminder
from tests.support.data import add_offer, add_patient

Add = Callable[..., UUID]


@pytest.fixture
def add(portal: Flask, papatya: ClinicInfo) -> Add:
    """Make an offer of papatya for Nazlı Ilgın that stands at a kind; hours ago it was sent and opened."""

    def make(
        kind: OfferKind = OfferKind.SENT, *, sent: float | None = None, opened: float | None = None,
        patient: dict[str, Any] | None = None, **columns: Any,
    ) -> UUID:  # fmt: skip
        with clinic_work(portal, papatya.id) as session:
            owner = add_patient(first_name="Nazlı", last_name="Ilgın", phone_e164="+905321112233")
            session.execute(sa.update(Patient).where(Patient.id == owner.id).values(**(patient or {"is_active": True})))
            offer_id = add_offer(papatya, owner).id
            viewed = None if opened is None else now() - timedelta(hours=opened)
            values = {
                "status_id": default_status(kind).id, "sent_at": sent and now() - timedelta(hours=sent),
                "first_viewed_at": viewed, **columns,
            }  # fmt: skip
            session.execute(sa.update(Offer).where(Offer.id == offer_id).values(**values))
            link = {"token_hash": offer_id.bytes, "view_count": int(opened is not None), "last_viewed_at": viewed}
            session.execute(sa.update(PatientOffer).where(PatientOffer.offer_id == offer_id).values(**link))
            return offer_id

    return make


@pytest.fixture
def reminders_of(portal: Flask, papatya: ClinicInfo) -> Callable[[UUID], list[Reminder]]:
    """Return the reminders about an offer, oldest first."""

    def find(offer_id: UUID) -> list[Reminder]:
        with clinic_work(portal, papatya.id) as session:
            statement = sa.select(Reminder).where(Reminder.offer_id == offer_id).order_by(Reminder.id)
            return list(session.scalars(statement))

    return find
