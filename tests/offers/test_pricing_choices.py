"""What an offer is priced and taxed by: price list, residence, surfaces, roles, quadrants and packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.catalog.enums import Audience, PriceVariant
from portal.catalog.models import PriceListVariant
from portal.catalog.pricing import PERMIT, choose_price_list
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers.models import Offer
from portal.settings.models import Setting
from tests.support.data import add_patient
from tests.support.pages import form_values, last_part
from tests.support.people import Person

Send = Callable[..., TestResponse]
Stored = Callable[..., Offer]
Catalogue = Mapping[str, str]


@pytest.fixture
def list_id(portal: Flask, papatya: ClinicInfo) -> UUID:
    """Papatya's list in lira."""
    with clinic_work(portal, papatya.id):
        found = choose_price_list(Audience.DOMESTIC, "TRY", date.today())
    assert found
    return found


@pytest.fixture
def variant(portal: Flask, papatya: ClinicInfo, list_id: UUID, catalogue: Catalogue) -> Callable[[str, str, int], None]:
    """Give a treatment another price in the list: ``variant("kopru", "pontic", 9000)``."""

    def add(code: str, kind: str, price: int) -> None:
        with clinic_work(portal, papatya.id) as session:
            where = {"price_list_id": list_id, "catalog_id": UUID(catalogue[code]), "variant": kind}
            known = session.scalars(sa.select(PriceListVariant).filter_by(**where)).one_or_none()
            row = known or PriceListVariant(**where)
            row.unit_price = Decimal(price)
            session.add(row)
            session.flush()
            audit.record(SYSTEM, "treatment.changed", row, changes={})

    return add


@pytest.fixture
def permit(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        row = Setting(key=PERMIT.key, value="yes")
        current_session().add(row)
        current_session().flush()
        audit.record(SYSTEM, "settings.changed", row, changes={})


def test_a_bridge_costs_its_pillars_and_its_pontics(
    send: Send, stored: Stored, catalogue: Catalogue, variant: Callable[[str, str, int], None]
) -> None:
    variant("kopru", PriceVariant.PONTIC, 9000)
    (line,) = stored(last_part(send([{"catalog_id": catalogue["kopru"], "teeth": "13-16"}]))).lines
    assert (line.quantity, line.unit_price) == (1, 2 * 12500 + 2 * 9000)
    (typed,) = stored(last_part(send([{"catalog_id": catalogue["kopru"], "teeth": "13-16", "pontics": "14"}]))).lines
    assert typed.unit_price == 3 * 12500 + 9000


def test_a_filling_costs_by_its_surfaces(
    send: Send, stored: Stored, catalogue: Catalogue, variant: Callable[[str, str, int], None]
) -> None:
    variant("kompozit-dolgu", PriceVariant.SURFACES_2, 4400)
    variant("kompozit-dolgu", PriceVariant.SURFACES_3, 5200)
    filling = {"catalog_id": catalogue["kompozit-dolgu"], "teeth": "36, 37"}
    lines = [{**filling, "surfaces": letters} for letters in ("O", "MO", "MOD", "MODVL")]
    found = stored(last_part(send(lines))).lines
    assert [(line.quantity, line.unit_price) for line in found] == [(2, 3500), (2, 4400), (2, 5200), (2, 5200)]


def test_a_treatment_of_a_quadrant_counts_the_quadrants_of_its_teeth(
    send: Send, stored: Stored, catalogue: Catalogue
) -> None:
    (line,) = stored(last_part(send([{"catalog_id": catalogue["kok-yuzeyi"], "teeth": "14-17, 24-27, 36"}]))).lines
    assert line.quantity == 3


def test_the_price_list_and_what_the_plan_rests_on_are_kept_with_the_offer(
    send: Send, stored: Stored, coordinator: Person, list_id: UUID
) -> None:
    offer_id = last_part(send([], audience="domestic", basis="opg", is_provisional="y"))
    offer = stored(offer_id)
    assert (offer.price_list_id, offer.basis, offer.is_provisional) == (list_id, "opg", True)
    values = form_values(coordinator.get(f"/offers/{offer_id}/edit"))
    assert (values["audience"], values["basis"], values["is_provisional"]) == ("domestic", "opg", "y")
    assert stored(last_part(send([]))).is_provisional is False


def test_a_partners_prices_hold_only_where_there_are_some(send: Send, catalogue: Catalogue) -> None:
    page = send([{"catalog_id": catalogue["transfer"]}], audience="partner")
    assert page.status_code == 422 and "The price list has no price" in page.text


@pytest.mark.usefixtures("permit")
def test_treatments_of_a_patient_from_abroad_are_exempt_where_the_clinic_has_the_permit(
    *,
    portal: Flask,
    papatya: ClinicInfo,
    send: Send,
    stored: Stored,
    catalogue: Catalogue,
    coordinator: Person,
) -> None:
    with clinic_work(portal, papatya.id):
        abroad = add_patient(first_name="Ada", last_name="Byron", residence_country="GB").id
    form = form_values(coordinator.get(f"/offers/new?patient={abroad}"))
    assert (form["residency"], form["audience"]) == ("non_resident", "international")
    lines = [{"catalog_id": catalogue["zirkonyum-kron"], "teeth": "11"}, {"catalog_id": catalogue["transfer"]}]
    offer_id = last_part(send(lines, to=abroad, residency="non_resident"))
    crown, transfer = stored(offer_id).lines
    assert (crown.vat_rate, crown.vat_class) == (0, "treatment") and crown.vat_exemption_code
    assert (transfer.vat_rate, transfer.vat_exemption_code) == (20, None)
    edit = coordinator.get(f"/offers/{offer_id}/edit").text
    assert f"Exempt from VAT by {crown.vat_exemption_code}" in edit
    (at_home,) = stored(last_part(send(lines[:1]))).lines
    assert (at_home.vat_rate, at_home.vat_exemption_code) == (10, None)


def test_a_package_typed_as_text_shows_its_parts_at_no_price_of_their_own(
    send: Send, stored: Stored, coordinator: Person
) -> None:
    offer_id = last_part(send(entry="all-on-4 üst"))
    package, *parts = stored(offer_id).lines
    assert package.code == "all-on-4" and not package.is_included and package.line_gross > 0
    assert parts and all(part.is_included and part.line_gross == 0 for part in parts)
    implants = next(part for part in parts if part.code == "implant")
    assert len(implants.teeth) == 4 and all(tooth.tooth < 30 for tooth in implants.teeth)
    assert "Included in the package" in coordinator.get(f"/offers/{offer_id}").text
    values = form_values(coordinator.get(f"/offers/{offer_id}/edit"))
    assert values["lines-1-included"] == "y" and values["lines-1-unit_price"] == ""


def test_prices_of_a_draft_stay_where_the_reader_left_them(
    send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["transfer"], "unit_price": "99"}]))
    form = form_values(coordinator.get(f"/offers/{offer_id}/edit"))
    before = stored(offer_id)
    coordinator.post(f"/offers/{offer_id}/edit", form)
    after = stored(offer_id)
    assert (after.version, after.grand_total) == (before.version, before.grand_total)
