"""Shared by the tests of private links: an offer with a recipient, and what a colleague's page gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from html import unescape
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from portal.offers.models import Offer, PatientOffer
from tests.support.data import add_offer, add_patient
from tests.support.people import Person

PHONE = "+491715551234"
_ADDRESS = re.compile(r'id="address" value="http://([^/"]+)(/o/[^"]+)"')


@dataclass(frozen=True)
class Case:
    """An offer of papatya and the recipient of its link."""

    offer_id: UUID
    recipient_id: UUID
    patient_id: UUID

    @property
    def path(self) -> str:
        """The address of the page that makes the link."""
        return f"/offers/{self.offer_id}/recipients/{self.recipient_id}/link"


@pytest.fixture
def make_case(portal: Flask, papatya: ClinicInfo) -> Callable[..., Case]:
    """Draft an offer for a new patient."""

    def make(**values: Any) -> Case:
        with clinic_work(portal, papatya.id) as session:
            columns = {
                "first_name": "Nazlı", "last_name": "Ilgın", "phone_e164": PHONE, "birth_date": date(1990, 5, 17),
                "email": "nazli@example.com", "locale": "de", **values,
            }  # fmt: skip
            patient = add_patient(**columns)
            offer = add_offer(papatya, patient, title="Gizli tedavi")
            recipient = session.scalars(sa.select(PatientOffer).where(PatientOffer.offer_id == offer.id)).one()
            return Case(offer.id, recipient.id, patient.id)

    return make


@pytest.fixture
def case(make_case: Callable[..., Case]) -> Case:
    """An offer of papatya with one recipient."""
    return make_case()


@pytest.fixture
def make_link(coordinator: Person) -> Callable[..., str]:
    """Make a link as the coordinator does, and return its path at the clinic's host."""

    def make(case: Case, method: str = "phone_last4", **fields: Any) -> str:
        answer = coordinator.post(case.path, {"method": method, "days": "30", "locale": "de", **fields})
        assert answer.status_code == 200, answer.text
        found = _ADDRESS.search(unescape(answer.text))
        assert found, answer.text
        assert found.group(1).startswith("papatya.localhost"), found.group(1)
        return found.group(2)

    return make


@pytest.fixture
def recipient_of(portal: Flask, papatya: ClinicInfo) -> Callable[[Case], PatientOffer]:
    """Return a recipient's row as it is now."""

    def read(case: Case) -> PatientOffer:
        with clinic_work(portal, papatya.id) as session:
            return session.scalars(sa.select(PatientOffer).where(PatientOffer.id == case.recipient_id)).one()

    return read


@pytest.fixture
def offer_of(portal: Flask, papatya: ClinicInfo) -> Callable[[Case], Offer]:
    """Return an offer's row with its status as it is now."""

    def read(case: Case) -> Offer:
        with clinic_work(portal, papatya.id) as session:
            statement = sa.select(Offer).where(Offer.id == case.offer_id).options(sa.orm.joinedload(Offer.status))
            return session.scalars(statement).one()

    return read
