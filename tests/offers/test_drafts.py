from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from babel.dates import format_date
from flask import Flask
from werkzeug.test import TestResponse

from portal.catalog.models import CatalogTreatment, PriceListItem
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers import services
from portal.offers.models import Offer, OfferKind
from portal.offers.queries import default_status
from tests.support.pages import field_errors, form_values, last_part, placeholder, summary, text_of
from tests.support.people import Person

Send = Callable[..., TestResponse]
Stored = Callable[..., Offer]
Catalogue = Mapping[str, str]


def edit_form(person: Person, offer_id: str) -> dict[str, str]:
    page = person.get(f"/offers/{offer_id}/edit")
    assert page.status_code == 200
    return form_values(page)


def retire(portal: Flask, clinic: ClinicInfo, code: str) -> None:
    """Switch a treatment of the catalogue off."""
    with clinic_work(portal, clinic.id):
        off = sa.update(CatalogTreatment).where(CatalogTreatment.code == code).values(is_active=False)
        current_session().execute(off)
        audit.record(SYSTEM, "tests.changed", CatalogTreatment)


def differences(page: TestResponse) -> list[list[str]]:
    """Return the rows of the table that shows both versions: field, saved now, one's own entry."""
    body = page.text.partition('<table class="conflict-table">')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [[text_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def day_in_words(days: int) -> str:
    return format_date(date.today() + timedelta(days=days), locale="en")


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


def test_a_draft_keeps_a_treatment_that_is_offered_no_more(
    *, send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue, portal: Flask, papatya: ClinicInfo
) -> None:
    lines = [{"catalog_id": catalogue["zirkonyum-kron"], "teeth": "11-13"}, {"catalog_id": catalogue["transfer"]}]
    offer_id = last_part(send(lines))
    before = stored(offer_id)
    retire(portal, papatya, "zirkonyum-kron")
    page = coordinator.get(f"/offers/{offer_id}/edit")
    form = form_values(page)
    assert field_errors(page) == {} and form["lines-0-catalog_id"] == catalogue["zirkonyum-kron"]
    assert re.search(rf'<option selected value="{catalogue["zirkonyum-kron"]}">[^<]+ \(no longer offered\)', page.text)
    last_part(coordinator.post(f"/offers/{offer_id}/edit", form))
    assert [line.id for line in stored(offer_id).lines] == [line.id for line in before.lines]
    preview = form_values(coordinator.post("/offers/preview", {**form, "title": "Yeni başlık"}))
    last_part(coordinator.post(f"/offers/{offer_id}/edit", preview))
    after = stored(offer_id)
    assert (after.title, after.grand_total) == ("Yeni başlık", before.grand_total)
    columns = ("catalog_id", "code", "name", "scope", "arch", "quantity", "unit_price", "vat_rate", "line_gross")
    assert [[getattr(line, name) for name in columns] for line in after.lines] == [
        [getattr(line, name) for name in columns] for line in before.lines
    ]


def test_a_treatment_offered_no_more_is_on_no_other_offer(
    *, send: Send, coordinator: Person, patient: UUID, catalogue: Catalogue, portal: Flask, papatya: ClinicInfo
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["muayene"]}]))
    retire(portal, papatya, "transfer")
    for path in (f"/offers/new?patient={patient}", f"/offers/{offer_id}/edit"):
        assert catalogue["transfer"] not in coordinator.get(path).text
    page = send([{"catalog_id": catalogue["transfer"]}])
    assert "not offered any more" in field_errors(page)["lines-0-catalog_id"]


def test_the_second_of_two_editors_sees_both_versions_and_may_save_again(
    send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue, sign_in: Callable[..., Person]
) -> None:
    lines = [{"catalog_id": catalogue["zirkonyum-kron"], "teeth": "11-13"}, {"catalog_id": catalogue["transfer"]}]
    offer_id = last_part(send(lines, patient_note="Merhaba"))
    doctor = sign_in("doctor")
    first, second = edit_form(coordinator, offer_id), edit_form(doctor, offer_id)
    other = {"title": "Birinci", "patient_note": "", "valid_until": f"{date.today() + timedelta(days=7)}"}
    last_part(coordinator.post(f"/offers/{offer_id}/edit", {**first, **other, "lines-1-quantity": "3"}))
    mine = {"title": "İkinci", "lines-1-unit_price": "1.999", "lines-1-discount_value": "10"}
    page = doctor.post(f"/offers/{offer_id}/edit", {**second, **mine})
    assert page.status_code == 409
    transfer = stored(offer_id).lines[1].name
    assert differences(page) == [
        ["Title", "Birinci", "İkinci"],
        ["Note for the patient", "—", "Merhaba"],
        ["Valid until", *(day_in_words(days) for days in (7, 30))],
        [
            "Line 2",
            f"{transfer} · Whole mouth · 3 × TRY2,500.00 · VAT 20% = TRY7,500.00",
            f"{transfer} · Whole mouth · 1 × TRY1,999.00 · −10% · VAT 20% = TRY1,799.10",
        ],
        ["Total", "TRY45,000.00", "TRY39,299.10"],
    ]
    kept = form_values(page)
    assert (kept["title"], kept["lines-1-unit_price"]) == ("İkinci", "1.999")
    assert stored(offer_id).title == "Birinci"
    last_part(doctor.post(f"/offers/{offer_id}/edit", kept))
    assert (stored(offer_id).title, stored(offer_id).grand_total) == ("İkinci", Decimal("39299.10"))


def test_lines_put_in_and_taken_out_by_two_editors_stand_beside_nothing(
    send: Send, coordinator: Person, sign_in: Callable[..., Person]
) -> None:
    named = [{"name": name, "unit_price": "100", "vat_rate": "0"} for name in ("Bir", "İki", "Üç")]
    offer_id = last_part(send(named))
    doctor = sign_in("doctor")
    first, second = edit_form(coordinator, offer_id), edit_form(doctor, offer_id)
    fewer = {name: value for name, value in first.items() if not name.startswith("lines-0-")}
    last_part(coordinator.post(f"/offers/{offer_id}/edit", fewer))
    more = {"lines-3-name": "Dört", "lines-3-unit_price": "5", "lines-3-vat_rate": "0"}
    page = doctor.post(f"/offers/{offer_id}/edit", {**second, **more})
    assert [[row[0], *(text.partition(" ·")[0] for text in row[1:])] for row in differences(page)] == [
        ["Line 1", "—", "Bir"], ["Line 4", "—", "Dört"], ["Total", "TRY200.00", "TRY305.00"],
    ]  # fmt: skip
    only = {name: value for name, value in second.items() if not name.startswith(("lines-0-", "lines-1-"))}
    page = doctor.post(f"/offers/{offer_id}/edit", only)
    line = "İki · Whole mouth · 1 × TRY100.00 · VAT 0% = TRY100.00"
    assert differences(page) == [["Line 1", line, "—"], ["Total", "TRY200.00", "TRY100.00"]]


def test_a_draft_sent_by_a_colleague_meanwhile_keeps_what_was_typed_and_says_why_it_is_not_saved(
    *, send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue, sign_in: Callable[..., Person],
    portal: Flask, papatya: ClinicInfo,
) -> None:  # fmt: skip
    offer_id = last_part(send([{"catalog_id": catalogue["transfer"]}]))
    doctor = sign_in("doctor")
    typed = {**edit_form(doctor, offer_id), "title": "Emek", "internal_note": "Uzun not", "lines-0-quantity": "4"}
    with clinic_work(portal, papatya.id):
        sent = {"status_id": str(default_status(OfferKind.SENT).id)}
    last_part(coordinator.post(f"/offers/{offer_id}/status", sent))
    page = doctor.post(f"/offers/{offer_id}/edit", typed)
    assert page.status_code == 409
    assert "A sent offer is locked" in summary(page) and f'href="/offers/{offer_id}"' in page.text
    kept = form_values(page)
    assert (kept["title"], kept["internal_note"], kept["lines-0-quantity"]) == ("Emek", "Uzun not", "4")
    assert stored(offer_id).title == "Tedavi planı"
    revision = coordinator.post(f"/offers/{offer_id}/revise").headers["Location"]
    fresh = form_values(doctor.get(revision))
    again = {**kept, "version": fresh["version"], "form_key": fresh["form_key"], "offer_id": fresh["offer_id"]}
    revision_id = last_part(doctor.post(revision, again))
    assert (stored(revision_id).title, stored(revision_id).grand_total) == ("Emek", 10000)


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
    apply = services.set_values

    def slower(offer: Offer, *rest: Any) -> None:
        statement = sa.update(Offer).where(Offer.id == offer.id).values(title="Araya giren", version=2)
        with current_session().no_autoflush:
            current_session().execute(statement, execution_options={"synchronize_session": False})
        apply(offer, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(services, "set_values", slower)
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
