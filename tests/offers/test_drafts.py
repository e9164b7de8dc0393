from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.catalog.models import CatalogTreatment, PriceListItem
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers import services
from portal.offers.models import Offer
from tests.support.pages import field_errors, form_values, last_part, placeholder
from tests.support.people import Person

Send = Callable[..., TestResponse]
Stored = Callable[..., Offer]
Catalogue = Mapping[str, str]


def edit_form(person: Person, offer_id: str) -> dict[str, str]:
    page = person.get(f"/offers/{offer_id}/edit")
    assert page.status_code == 200
    return form_values(page)


def test_a_draft_opens_with_what_was_typed_and_follows_the_catalogue_in_the_rest(
    send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue
) -> None:
    lines = [
        {"catalog_id": catalogue["zirkonyum-kron"], "teeth": "11-13"},
        {"catalog_id": catalogue["implant"], "teeth": "36", "unit_price": "25000", "name": "İmplant, özel"},
    ]
    offer_id = last_part(send(lines))
    form = edit_form(coordinator, offer_id)
    assert form["lines-0-unit_price"] == form["lines-0-quantity"] == form["lines-0-name"] == ""
    page = coordinator.get(f"/offers/{offer_id}/edit")
    assert (placeholder(page, "lines-0-unit_price"), placeholder(page, "lines-0-quantity")) == ("12500", "3")
    assert (form["lines-1-unit_price"], form["lines-1-name"]) == ("25000", "İmplant, özel")
    changed = {"lines-0-teeth": "11", "lines-0-catalog_id": catalogue["emax-kron"], "currency": "EUR"}
    last_part(coordinator.post(f"/offers/{offer_id}/edit", {**form, **changed}))
    crown, implant = stored(offer_id).lines
    assert (crown.code, crown.quantity, crown.unit_price) == ("emax-kron", 1, 250)
    assert crown.name != "" and implant.unit_price == 25000


def test_a_price_agreed_before_the_list_changed_stays(
    *, send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue, portal: Flask, papatya: ClinicInfo
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["transfer"]}]))
    with clinic_work(portal, papatya.id):
        current_session().execute(sa.update(PriceListItem).values(unit_price=9999))
        audit.record(SYSTEM, "tests.changed", PriceListItem)
    form = edit_form(coordinator, offer_id)
    assert form["lines-0-unit_price"] == "2500"
    last_part(coordinator.post(f"/offers/{offer_id}/edit", {**form, "title": "Aynı fiyat"}))
    assert stored(offer_id).grand_total == 2500


def test_saving_a_draft_as_it_is_changes_nothing(
    send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue
) -> None:
    lines = [
        {"catalog_id": catalogue["kopru"], "teeth": "13-23", "discount_value": "10"},
        {"catalog_id": catalogue["tam-protez"], "arch": "both", "discount_value": "500", "discount_kind": "amount"},
        {"name": "Elle yazılan", "unit_price": "12,34", "vat_rate": "18"},
    ]
    offer_id = last_part(send(lines, patient_note="Hoş geldiniz", internal_note="Acele"))
    before = stored(offer_id)
    last_part(coordinator.post(f"/offers/{offer_id}/edit", edit_form(coordinator, offer_id)))
    after = stored(offer_id)
    assert after.version == before.version
    assert [line.id for line in after.lines] == [line.id for line in before.lines]
    assert coordinator.get(f"/offers/{offer_id}").text.count("changed the offer") == 0


def test_a_retired_treatment_in_a_draft_is_pointed_out_and_can_be_kept_by_its_name(
    *, send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue, portal: Flask, papatya: ClinicInfo
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["transfer"]}]))
    name = stored(offer_id).lines[0].name
    with clinic_work(portal, papatya.id):
        retire = sa.update(CatalogTreatment).where(CatalogTreatment.code == "transfer").values(is_active=False)
        current_session().execute(retire)
        audit.record(SYSTEM, "tests.changed", CatalogTreatment)
    page = coordinator.get(f"/offers/{offer_id}/edit")
    assert "not offered any more" in field_errors(page)["lines-0-catalog_id"]
    form = form_values(page)
    assert (form["lines-0-catalog_id"], form["lines-0-name"], form["lines-0-unit_price"]) == ("", name, "2500")
    last_part(coordinator.post(f"/offers/{offer_id}/edit", form))
    assert stored(offer_id).lines[0].catalog_id is None


def test_the_second_of_two_editors_is_told_keeps_the_typed_lines_and_may_save_again(
    send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue, sign_in: Callable[..., Person]
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["transfer"]}]))
    doctor = sign_in("doctor")
    first, second = edit_form(coordinator, offer_id), edit_form(doctor, offer_id)
    last_part(coordinator.post(f"/offers/{offer_id}/edit", {**first, "title": "Birinci"}))
    page = doctor.post(f"/offers/{offer_id}/edit", {**second, "title": "İkinci", "lines-0-unit_price": "1.999"})
    assert page.status_code == 409
    assert "Somebody else saved this offer" in page.text and f'href="/offers/{offer_id}"' in page.text
    kept = form_values(page)
    assert (kept["title"], kept["lines-0-unit_price"]) == ("İkinci", "1.999")
    assert stored(offer_id).title == "Birinci"
    last_part(doctor.post(f"/offers/{offer_id}/edit", kept))
    assert (stored(offer_id).title, stored(offer_id).grand_total) == ("İkinci", 1999)


def test_the_same_change_sent_twice_is_no_conflict(
    send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["transfer"]}]))
    form = {**edit_form(coordinator, offer_id), "title": "Yeni", "lines-0-quantity": "2"}
    for _ in range(3):
        last_part(coordinator.post(f"/offers/{offer_id}/edit", form))
    assert (stored(offer_id).version, stored(offer_id).grand_total) == (2, 5000)


def test_a_change_that_slips_in_between_reading_and_writing_is_a_conflict_too(
    send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["transfer"]}]))
    form = edit_form(coordinator, offer_id)
    apply = services._apply

    def slower(offer: Offer, *rest: Any) -> None:
        statement = sa.update(Offer).where(Offer.id == offer.id).values(title="Araya giren", version=2)
        with current_session().no_autoflush:
            current_session().execute(statement, execution_options={"synchronize_session": False})
        apply(offer, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(services, "_apply", slower)
        page = coordinator.post(f"/offers/{offer_id}/edit", {**form, "title": "Benim"})
    assert page.status_code == 409
    assert form_values(page)["title"] == "Benim"
    assert stored(offer_id).title == "Tedavi planı", "nothing of the refused request may stay"


def test_the_preview_of_a_draft_goes_on_to_save_that_draft(
    send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["transfer"]}]))
    form = {**edit_form(coordinator, offer_id), "lines-0-quantity": "4"}
    page = coordinator.post("/offers/preview", form)
    assert f'action="/offers/{offer_id}/edit"' in page.text
    assert stored(offer_id).grand_total == 2500
    last_part(coordinator.post(f"/offers/{offer_id}/edit", form_values(page)))
    assert stored(offer_id).grand_total == 10000
