"""Numbers and revisions over two connections of their own, which both roll back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.database import PortalSession
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers.models import Offer, PatientOffer
from portal.offers.queries import get_offer, lock_offer
from portal.offers.revising import revise_offer
from portal.patients.models import Patient
from tests.support.data import add_offer


def impatient(session: PortalSession) -> None:
    """Let a session wait for a lock for a moment only."""
    session.execute(sa.text("SET LOCAL lock_timeout = '100ms'"), execution_options={"scope_checked": True})


def draft(session: PortalSession, clinic: ClinicInfo) -> str:
    patient = session.scalars(sa.select(Patient).order_by(Patient.id)).first()
    assert patient is not None
    return add_offer(clinic, patient).offer_no


def test_two_drafts_at_once_get_no_number_twice_and_leave_none_out(app: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(app, papatya.id) as first:
        taken = draft(first, papatya)
        with clinic_work(app, papatya.id) as second:
            impatient(second)
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                draft(second, papatya)  # it waits for the first to end
            second.rollback()
        first.rollback()
    with clinic_work(app, papatya.id) as third:
        assert draft(third, papatya) == taken  # what was rolled back gave its number back
        third.rollback()


def test_two_revisions_of_one_offer_at_once_wait_for_each_other(app: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(app, papatya.id) as first:
        offer_id = first.scalars(sa.select(PatientOffer.offer_id).order_by(PatientOffer.id)).first()
        assert offer_id is not None
        lock_offer(offer_id)
        with clinic_work(app, papatya.id) as second:
            impatient(second)
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                revise_offer(SYSTEM, get_offer(offer_id))
            second.rollback()
            assert second.scalar(sa.select(sa.func.count()).select_from(Offer).where(Offer.revision_no > 1)) == 0
            second.rollback()
        first.rollback()
