"""Shared by the tests of offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.catalog.queries import list_choices
from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from portal.offers.models import Offer
from portal.offers.queries import OfferFilter, get_offer, list_offers, list_statuses
from tests.support.data import add_patient
from tests.support.people import Person

Line = Mapping[str, Any]
Catalogue = Mapping[str, str]


@pytest.fixture
def patient(portal: Flask, papatya: ClinicInfo) -> UUID:
    """A patient of papatya without offers."""
    with clinic_work(portal, papatya.id):
        return add_patient(first_name="Nazlı", last_name="Ilgın").id


@pytest.fixture
def their_patient(portal: Flask, lale: ClinicInfo) -> UUID:
    """A patient of the other clinic without offers."""
    with clinic_work(portal, lale.id):
        return add_patient(first_name="Uzak", last_name="Hasta").id


@pytest.fixture
def catalogue(portal: Flask, papatya: ClinicInfo) -> Catalogue:
    """The ids of papatya's treatments by their codes."""
    return _codes(portal, papatya)


@pytest.fixture
def their_catalogue(portal: Flask, lale: ClinicInfo) -> Catalogue:
    """The ids of the other clinic's treatments by their codes."""
    return _codes(portal, lale)


@pytest.fixture
def fields() -> Callable[..., dict[str, str]]:
    """Make what a browser sends of the editor: ``fields([{"catalog_id": crown, "teeth": "11"}], title="Plan")``."""

    def make(lines: Sequence[Line] = (), **values: Any) -> dict[str, str]:
        typed: dict[str, Any] = {
            "form_key": uuid4(), "version": 0, "title": "Tedavi planı", "currency": "TRY",
            "valid_until": date.today() + timedelta(days=30), **values,
        }  # fmt: skip
        for place, line in enumerate(lines):
            typed |= {f"lines-{place}-{name}": value for name, value in {**_BLANK, **line}.items()}
        return {name: str(value) for name, value in typed.items()}

    return make


@pytest.fixture
def send(coordinator: Person, patient: UUID, fields: Callable[..., dict[str, str]]) -> Callable[..., TestResponse]:
    """Send the editor of a new offer: ``send([line, ...], title="Plan")``."""

    def post(
        lines: Sequence[Line] = (), *, by: Person = coordinator, to: UUID = patient, **values: Any
    ) -> TestResponse:
        return by.post(f"/offers/new?patient={to}", fields(lines, **values))

    return post


@pytest.fixture
def stored(portal: Flask, papatya: ClinicInfo) -> Callable[..., Offer]:
    """Read an offer as stored: ``stored(offer_id)``, ``stored(offer_id, lale)``."""

    def read(offer_id: UUID | str, clinic: ClinicInfo = papatya) -> Offer:
        with clinic_work(portal, clinic.id):
            return get_offer(UUID(str(offer_id)))

    return read


@pytest.fixture
def count(portal: Flask, papatya: ClinicInfo) -> Callable[[], int]:
    """Count papatya's offers, up to a page of them."""

    def read() -> int:
        with clinic_work(portal, papatya.id):
            return len(list_offers(OfferFilter(), None, list_statuses()).items)

    return read


def _codes(portal: Flask, clinic: ClinicInfo) -> Catalogue:
    with clinic_work(portal, clinic.id):
        return {row.code: str(row.id) for row in list_choices()}


_BLANK = {
    "catalog_id": "", "name": "", "teeth": "", "arch": "", "quantity": "", "unit_price": "", "discount_value": "",
    "discount_kind": "percent", "vat_rate": "",
}  # fmt: skip
