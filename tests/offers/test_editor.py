from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.auth.models import User
from portal.catalog.models import CatalogTreatment
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.money import Currency, format_money
from portal.core.work import clinic_work
from portal.offers.content import offer_content
from portal.offers.models import Offer
from portal.offers.queries import get_offer
from portal.offers.totals import DiscountKind, LineInput, OfferTotals, offer_totals
from tests.support.data import add_patient
from tests.support.pages import field_errors, flashes, form_values, last_part, summary, text_of
from tests.support.people import Person

Send = Callable[..., TestResponse]
Stored = Callable[..., Offer]
Catalogue = Mapping[str, str]
Fields = Callable[..., dict[str, str]]
Count = Callable[[], int]

PAPATYA, LALE = ("papatya", True), ("lale", False)


def totals_shown(page: TestResponse) -> str:
    return text_of(page.text.partition('<dl class="totals">')[2].partition("</dl>")[0])


def totals_expected(totals: OfferTotals, currency: str = "TRY", locale: str = "en") -> str:
    def money(amount: Decimal) -> str:
        return format_money(amount, Currency(currency), locale)

    parts = [f"Subtotal {money(totals.subtotal)}"]
    parts += [f"Discount −{money(totals.discount)}"] if totals.discount else []
    parts += [f"Net {money(totals.net)}"]
    parts += [f"VAT {rate.normalize():f}% {money(vat)}" for rate, _net, vat in totals.by_rate]
    return " ".join([*parts, f"Total {money(totals.gross)}"])


@pytest.mark.parametrize(("clinic", "included"), [PAPATYA, LALE])
def test_the_totals_on_the_page_are_those_of_the_one_computation(
    request: pytest.FixtureRequest, sign_in: Callable[..., Person], send: Send, clinic: str, included: bool
) -> None:
    ours = clinic == "papatya"
    codes = request.getfixturevalue("catalogue" if ours else "their_catalogue")
    to = request.getfixturevalue("patient" if ours else "their_patient")
    person = sign_in("doctor", clinic)
    lines = [
        {"catalog_id": codes["zirkonyum-kron"], "teeth": "11-13", "unit_price": "8.333,33", "discount_value": "7,5"},
        {"catalog_id": codes["transfer"], "discount_value": "99.99", "discount_kind": "amount"},
        {"name": "Dişlik", "quantity": "3", "unit_price": "0.07", "vat_rate": "1"},
    ]
    page = person.get(f"/offers/{last_part(send(lines, by=person, to=to))}")
    amounts = [
        LineInput(Decimal(3), Decimal("8333.33"), DiscountKind.PERCENT, Decimal("7.5"), Decimal(10)),
        LineInput(Decimal(1), Decimal(2500), DiscountKind.AMOUNT, Decimal("99.99"), Decimal(20)),
        LineInput(Decimal(3), Decimal("0.07"), None, None, Decimal(1)),
    ]
    assert totals_shown(page) == totals_expected(offer_totals(amounts, prices_include_vat=included))
    assert ("The unit prices include VAT." in page.text) == included
    assert flashes(page)[0].endswith("is drafted.")


def test_name_quantity_price_and_vat_come_from_the_catalogue_where_left_empty(
    send: Send, stored: Stored, catalogue: Catalogue
) -> None:
    offer = stored(last_part(send([{"catalog_id": catalogue["kopru"], "teeth": "13-11"}])))
    (line,) = offer.lines
    assert (line.code, line.quantity, line.unit_price, line.vat_rate) == ("kopru", 3, 12500, 10)
    assert [tooth.tooth for tooth in line.teeth] == [13, 12, 11]
    assert line.name and (offer.grand_total, line.scope, line.arch) == (37500, "multi", None)


def test_what_is_typed_wins_over_the_catalogue(send: Send, stored: Stored, catalogue: Catalogue) -> None:
    typed = {"name": "Kaplama", "quantity": "2", "unit_price": "0", "vat_rate": "0", "teeth": "11-13"}
    (line,) = stored(last_part(send([{"catalog_id": catalogue["zirkonyum-kron"], **typed}]))).lines
    assert (line.name, line.quantity, line.unit_price, line.vat_rate, line.line_gross) == ("Kaplama", 2, 0, 0, 0)


@pytest.mark.parametrize(
    ("code", "typed", "scope", "quantity", "where"),
    [
        ("zirkonyum-kron", {"teeth": "11;13 21"}, "tooth", 3, "13, 11, 21"),
        ("kopru", {"teeth": "13-23"}, "multi", 6, "11–13, 21–23"),
        ("tam-protez", {"arch": "upper"}, "arch", 1, "Upper jaw"),
        ("tam-protez", {"arch": "both"}, "arch", 2, "Both jaws"),
        ("frenektomi", {"arch": "both"}, "arch", 1, "Both jaws"),
        ("ofis-beyazlatma", {}, "mouth", 1, "Whole mouth"),
        ("acik-sinus", {"teeth": "14-17"}, "quadrant", 1, "14–17"),
        ("sut-cekim", {"teeth": "51-53"}, "tooth", 3, "51–53"),
        ("kemik-grefti", {"teeth": "36, 37"}, "tooth", 1, "36, 37"),
    ],
)
def test_teeth_bridges_jaws_and_mouth_are_counted_as_priced(
    *, send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue,
    code: str, typed: dict[str, str], scope: str, quantity: int, where: str,
) -> None:  # fmt: skip
    offer_id = last_part(send([{"catalog_id": catalogue[code], **typed}]))
    (line,) = stored(offer_id).lines
    assert (line.scope, line.quantity) == (scope, quantity)
    assert f'data-label="Where">{where}' in coordinator.get(f"/offers/{offer_id}").text


ERRORS = [
    ({"catalog_id": "zirkonyum-kron", "teeth": "19"}, "teeth", "19 is not an FDI tooth number"),
    ({"catalog_id": "zirkonyum-kron", "teeth": "86"}, "teeth", "86 is not an FDI tooth number"),
    ({"catalog_id": "zirkonyum-kron", "teeth": "11-85"}, "teeth", "11-85 is not a range along one arch"),
    ({"catalog_id": "zirkonyum-kron", "teeth": "11, 12, 11"}, "teeth", "Tooth 11 is named twice"),
    ({"catalog_id": "zirkonyum-kron", "teeth": "18-28, 48-38, 55"}, "teeth", "more than 32 teeth"),
    ({"catalog_id": "zirkonyum-kron", "teeth": "üst"}, "teeth", "üst cannot be read"),
    ({"catalog_id": "zirkonyum-kron", "teeth": ""}, "teeth", "Which teeth?"),
    ({"catalog_id": "zirkonyum-kron", "teeth": "51"}, "teeth", "permanent teeth (11 to 48) only"),
    ({"catalog_id": "sut-cekim", "teeth": "11"}, "teeth", "primary teeth (51 to 85) only"),
    ({"catalog_id": "gomulu-yirmilik", "teeth": "17"}, "teeth", "the teeth 18, 28, 38, 48 only"),
    ({"catalog_id": "tam-protez"}, "arch", "Choose the upper jaw"),
    ({"catalog_id": "transfer", "arch": "left"}, "arch", "Not a valid choice"),
    ({"catalog_id": "transfer", "unit_price": "-1"}, "unit_price", "cannot be less than 0"),
    ({"catalog_id": "transfer", "unit_price": "1e400"}, "unit_price", "Write a number"),
    ({"catalog_id": "transfer", "unit_price": "NaN"}, "unit_price", "Write a number"),
    ({"catalog_id": "transfer", "unit_price": "ucuz"}, "unit_price", "Write a number"),
    ({"catalog_id": "transfer", "unit_price": "0,125"}, "unit_price", "at most two decimals"),
    ({"catalog_id": "transfer", "unit_price": "99999999999"}, "unit_price", "cannot be more than 9999999999.99"),
    ({"catalog_id": "transfer", "unit_price": "9999999999", "quantity": "9"}, "unit_price", "too large"),
    ({"catalog_id": "transfer", "quantity": "0"}, "quantity", "more than zero"),
    ({"catalog_id": "transfer", "quantity": "1000000"}, "quantity", "cannot be more than 999999.99"),
    ({"catalog_id": "transfer", "vat_rate": "101"}, "vat_rate", "cannot be more than 100"),
    ({"catalog_id": "transfer", "discount_value": "100,01"}, "discount_value", "too large"),
    ({"catalog_id": "transfer", "discount_value": "-5"}, "discount_value", "cannot be less than 0"),
    (
        {"catalog_id": "transfer", "discount_value": "2500,01", "discount_kind": "amount"},
        "discount_value",
        "larger than",
    ),
    ({"catalog_id": "transfer", "discount_kind": "gift"}, "discount_kind", "Not a valid choice"),
    ({"catalog_id": "", "quantity": "2"}, "catalog_id", "Choose a treatment, or write what it is"),
    ({"catalog_id": "", "unit_price": "100"}, "catalog_id", "Choose a treatment, or write what it is"),
    ({"catalog_id": "", "name": "Özel iş"}, "unit_price", "Write one"),
    ({"catalog_id": "no-uuid", "teeth": "11"}, "catalog_id", "not offered any more"),
    ({"catalog_id": "transfer", "name": "n" * 201}, "name", "at most 200 characters"),
]


@pytest.mark.parametrize(("typed", "field", "message"), ERRORS, ids=[f"{row[1]} {row[2][:18]}" for row in ERRORS])
def test_an_error_stands_beside_the_lines_field_and_everything_typed_is_kept(
    *, send: Send, catalogue: Catalogue, count: Count, typed: dict[str, str], field: str, message: str
) -> None:
    before = count()
    line = {**typed, "catalog_id": catalogue.get(typed["catalog_id"], typed["catalog_id"])}
    good = {"catalog_id": catalogue["muayene"], "discount_value": "5"}
    page = send([good, line], title="Başlık", internal_note="Sakla")
    assert page.status_code == 422
    errors = field_errors(page)
    assert list(errors) == [f"lines-1-{field}"]
    assert message in errors[f"lines-1-{field}"]
    assert message in summary(page)
    kept = form_values(page)
    assert (kept["title"], kept["internal_note"], kept["lines-0-discount_value"]) == ("Başlık", "Sakla", "5")
    for name, value in line.items():
        if value not in ("no-uuid", "left", "gift"):
            assert kept[f"lines-1-{name}"] == value
    assert count() == before


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"title": " "}, {"title": "Fill this in."}),
        ({"title": "t" * 201}, {"title": "at most 200"}),
        ({"currency": "JPY"}, {"currency": "Not a valid choice"}),
        ({"valid_until": ""}, {"valid_until": "Fill this in."}),
        ({"valid_until": "31.02.2030"}, {"valid_until": "does not exist"}),
        ({"valid_until": "2020-01-01"}, {"valid_until": "from today on"}),
        ({"valid_until": "2999-01-01"}, {"valid_until": "from today on"}),
        ({"patient_note": "n" * 5001, "title": ""}, {"patient_note": "at most 5000", "title": "Fill this in."}),
    ],
)
def test_an_error_of_the_offer_itself_keeps_the_lines(
    send: Send, catalogue: Catalogue, count: Count, typed: dict[str, str], message: dict[str, str]
) -> None:
    before = count()
    page = send([{"catalog_id": catalogue["zirkonyum-kron"], "teeth": "11", "unit_price": "1.000"}], **typed)
    assert page.status_code == 422
    errors = field_errors(page)
    assert set(errors) == set(message)
    assert all(text in errors[name] for name, text in message.items())
    assert (form_values(page)["lines-0-unit_price"], form_values(page)["lines-0-teeth"]) == ("1.000", "11")
    assert count() == before


@pytest.mark.parametrize("typed", ["1.234,56", "1,234.56", "1234.56", "1234,56", " 1 234,56 TL", "₺1.234,56"])
def test_a_price_is_read_in_turkish_and_in_english_notation(
    send: Send, stored: Stored, catalogue: Catalogue, typed: str
) -> None:
    (line,) = stored(last_part(send([{"catalog_id": catalogue["transfer"], "unit_price": typed}]))).lines
    assert line.unit_price == Decimal("1234.56")


def test_blank_lines_are_left_out_and_the_rest_keeps_its_order(
    send: Send, stored: Stored, catalogue: Catalogue
) -> None:
    named = [{"name": f"Kalem {place}", "unit_price": "10"} for place in range(45)]
    blanks = [{"discount_kind": "amount"}, {"name": "   "}, {}]
    offer = stored(last_part(send([*blanks, *named[:20], {}, *named[20:], *blanks])))
    assert [line.name for line in offer.lines] == [f"Kalem {place}" for place in range(45)]
    assert offer.grand_total == 450


def test_a_hundred_lines_are_saved_and_one_more_is_refused_with_all_of_them_kept(
    send: Send, stored: Stored, count: Count
) -> None:
    lines = [{"name": f"Kalem {place}", "unit_price": "1"} for place in range(101)]
    assert len(stored(last_part(send([*lines[:100], {}]))).lines) == 100
    before = count()
    page = send(lines)
    assert page.status_code == 422
    assert "An offer has at most 100 lines" in summary(page)
    assert form_values(page)["lines-100-name"] == "Kalem 100"
    assert count() == before


def test_a_sum_beyond_what_can_be_stored_is_refused_kindly(send: Send, count: Count) -> None:
    before = count()
    page = send([{"name": "Dev", "unit_price": "9999999999", "vat_rate": "0"}] * 2)
    assert page.status_code == 422
    assert summary(page).count("The sum of this offer is too large.") == 1
    assert count() == before


def test_another_currency_takes_its_own_price_list(send: Send, stored: Stored, catalogue: Catalogue) -> None:
    line = {"catalog_id": catalogue["zirkonyum-kron"], "teeth": "11, 12"}
    for currency, price in (("TRY", 12500), ("EUR", 200), ("GBP", 175), ("USD", 230)):
        offer = stored(last_part(send([line], currency=currency)))
        assert (offer.currency, offer.lines[0].unit_price, offer.grand_total) == (currency, price, 2 * price)


def test_the_same_form_sent_again_makes_one_offer_and_shows_the_first(
    send: Send, stored: Stored, catalogue: Catalogue, count: Count
) -> None:
    before, key = count(), uuid4()
    made = {last_part(send([{"catalog_id": catalogue["transfer"]}], form_key=key)) for _ in range(5)}
    made.add(last_part(send([], form_key=key, title="Başka")))
    assert len(made) == 1 and count() == before + 1
    following = stored(last_part(send()))
    assert following.offer_no.endswith("-00005"), "the repeated forms left a gap"


def test_the_preview_computes_adds_lines_and_saves_nothing(
    coordinator: Person, patient: UUID, fields: Fields, catalogue: Catalogue, count: Count
) -> None:
    before = count()
    typed = fields([{"catalog_id": catalogue["zirkonyum-kron"], "teeth": "11-13"}], patient_id=patient, title="Deneme")
    page = coordinator.post("/offers/preview", typed)
    assert page.status_code == 200
    assert totals_shown(page).endswith("Total TRY37,500.00")
    form = form_values(page)
    assert form["title"] == "Deneme" and "lines-5-teeth" in form and "lines-6-teeth" not in form
    assert f'action="/offers/new?patient={patient}"' in page.text
    assert count() == before
    wrong = coordinator.post("/offers/preview", {**typed, "lines-0-teeth": "19"})
    assert "lines-0-teeth" in field_errors(wrong)


def test_the_totals_for_the_script_are_those_of_the_page_and_save_nothing(
    coordinator: Person, patient: UUID, fields: Fields, catalogue: Catalogue, count: Count
) -> None:
    before = count()
    lines = [{}, {"catalog_id": catalogue["zirkonyum-kron"], "teeth": "11-13"}, {"name": "x", "unit_price": "abc"}]
    answer = coordinator.post("/offers/totals", fields(lines, patient_id=patient, currency="EUR"))
    body = json.loads(answer.data)
    told = {"quantity": "3", "unit_price": "200", "vat_rate": "10", "total": "€600.00"}
    assert body["lines"] == {"1": {**told, "healing_days": "", "warranty_months": ""}}
    assert "€600.00" in body["totals"]
    assert count() == before


def test_no_other_clinics_row_comes_in_by_address_or_hidden_field(
    *, send: Send, stored: Stored, coordinator: Person, sign_in: Callable[..., Person], patient: UUID,
    their_patient: UUID, catalogue: Catalogue, their_catalogue: Catalogue, fields: Fields, lale: ClinicInfo,
) -> None:  # fmt: skip
    neighbour = sign_in("owner", "lale")
    theirs = last_part(send([{"catalog_id": their_catalogue["transfer"]}], by=neighbour, to=their_patient))
    assert coordinator.get(f"/offers/new?patient={their_patient}").status_code == 404
    assert send(to=their_patient).status_code == 404
    for path in (f"/offers/{theirs}", f"/offers/{theirs}/edit"):
        assert coordinator.get(path).status_code == 404
    assert coordinator.post(f"/offers/{theirs}/edit", fields([], version=1, title="Ele geçti")).status_code == 404
    for endpoint in ("preview", "totals"):
        for ids in (
            {"patient_id": their_patient},
            {"patient_id": patient, "offer_id": theirs},
            {},
            {"patient_id": "x"},
        ):
            answer = coordinator.post(f"/offers/{endpoint}", fields([], **ids))
            assert answer.status_code == 404, (endpoint, ids)
            assert "Uzak" not in answer.text
    page = send([{"catalog_id": their_catalogue["transfer"]}])
    assert page.status_code == 422 and "not offered any more" in field_errors(page)["lines-0-catalog_id"]
    assert stored(theirs, lale).title == "Tedavi planı"


def test_a_hidden_patient_does_not_change_for_whom_the_offer_is(
    send: Send, stored: Stored, patient: UUID, their_patient: UUID
) -> None:
    assert stored(last_part(send(patient_id=their_patient))).primary_patient_id == patient


def test_an_archived_patient_gets_no_new_offer_but_keeps_what_was_typed(
    send: Send, coordinator: Person, patient: UUID, count: Count
) -> None:
    form = form_values(coordinator.get(f"/offers/new?patient={patient}"))
    coordinator.post(f"/patients/{patient}/archive")
    before = count()
    assert f"/offers/new?patient={patient}" not in coordinator.get(f"/patients/{patient}").text
    assert coordinator.get(f"/offers/new?patient={patient}").headers["Location"] == f"/patients/{patient}"
    assert "Restore the patient first" in flashes(coordinator.get(f"/patients/{patient}"))[-1]
    page = coordinator.post(f"/offers/new?patient={patient}", {**form, "title": "Emek"})
    assert page.status_code == 422 and "Restore the patient first" in summary(page)
    assert form_values(page)["title"] == "Emek"
    assert count() == before
    coordinator.post(f"/patients/{patient}/restore")
    last_part(coordinator.post(f"/offers/new?patient={patient}", form_values(page)))


def test_a_new_offer_starts_with_the_clinics_defaults(coordinator: Person, patient: UUID) -> None:
    form = form_values(coordinator.get(f"/offers/new?patient={patient}"))
    assert form["currency"] == "TRY" and form["title"] == "Tedavi teklifi"
    assert date.fromisoformat(form["valid_until"]) in {date.today() + timedelta(days=days) for days in (29, 30, 31)}
    assert coordinator.get("/offers/new").headers["Location"] == "/offers/new/patient"
    assert coordinator.get("/offers/new?patient=no-id").headers["Location"] == "/offers/new/patient"


@pytest.mark.parametrize(
    ("language", "title"), [("tr", "Tedavi teklifi"), ("en", "Treatment offer"), ("de", "Treatment offer")]
)
@pytest.mark.parametrize("reader", ["tr", "en"])
def test_the_title_starts_in_the_language_of_the_patient_like_the_lines(
    *, sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo, language: str, title: str, reader: str
) -> None:
    with clinic_work(portal, papatya.id) as session:
        patient = add_patient(first_name="Dil", last_name="Bilir", locale=language)
        session.execute(sa.update(User).where(User.role == "doctor").values(locale=reader))
        audit.record(SYSTEM, "tests.changed", User)
    page = sign_in("doctor").get(f"/offers/new?patient={patient.id}")
    assert form_values(page)["title"] == title
    assert ("Save draft" if reader == "en" else "Taslağı kaydet") in page.text


def test_a_form_whose_address_lost_its_patient_is_still_saved_for_her(
    coordinator: Person, stored: Stored, patient: UUID, fields: Fields, catalogue: Catalogue
) -> None:
    typed = fields([{"catalog_id": catalogue["transfer"]}], patient_id=patient, title="Adressiz")
    wrong = coordinator.post("/offers/new", {**typed, "lines-0-quantity": "0"})
    assert wrong.status_code == 422 and form_values(wrong)["title"] == "Adressiz"
    offer = stored(last_part(coordinator.post("/offers/new", typed)))
    assert (offer.title, offer.primary_patient_id) == ("Adressiz", patient)


def test_more_lines_than_a_page_shows_are_refused_as_a_whole(
    send: Send, coordinator: Person, patient: UUID, fields: Fields, count: Count
) -> None:
    before, blanks = count(), [{}] * 199
    named = [{"name": "İlk", "unit_price": "1"}, *blanks, {"name": "Son", "unit_price": "1"}]
    for page in (send(named), coordinator.post("/offers/preview", fields(named, patient_id=patient))):
        assert page.status_code == 413 and "That is more lines than an offer has" in page.text
    assert count() == before
    offer_id = last_part(send(named[1:]))
    refused = coordinator.post(f"/offers/{offer_id}/edit", fields(named, version=1))
    assert refused.status_code == 413
    assert "Son" in coordinator.get(f"/offers/{offer_id}").text


@pytest.mark.parametrize("role", ["assistant", "readonly"])
def test_who_may_not_write_offers_opens_no_editor(
    sign_in: Callable[..., Person], send: Send, patient: UUID, role: str
) -> None:
    person = sign_in(role)
    assert person.get(f"/offers/new?patient={patient}").status_code == 403
    assert send(by=person).status_code == 403


def test_an_offer_of_sixty_lines_is_typed_saved_opened_and_saved_again(
    send: Send, stored: Stored, coordinator: Person
) -> None:
    text = "\n".join(["zir 11-21", "impl straumann 36 46", "detertraj both"] * 20)
    offer_id = last_part(send(entry=text))
    offer = stored(offer_id)
    assert len(offer.lines) == 60 and offer.grand_total == sum(line.line_gross for line in offer.lines)
    form = form_values(coordinator.get(f"/offers/{offer_id}/edit"))
    assert form["lines-59-catalog_id"] and "lines-61-teeth" in form
    last_part(coordinator.post(f"/offers/{offer_id}/edit", form))
    assert stored(offer_id).version == 1


def test_an_offer_without_a_line_is_a_draft_that_says_why_it_cannot_be_sent(send: Send, coordinator: Person) -> None:
    page = coordinator.get(f"/offers/{last_part(send([]))}")
    assert "An offer without treatments cannot be sent. Add one first." in page.text
    assert "No treatment yet. Edit the draft to add some." in page.text


def test_a_treatment_without_a_name_in_the_patients_language_is_offered_in_english(
    *, send: Send, stored: Stored, catalogue: Catalogue, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id) as session:
        german = add_patient(first_name="Greta", last_name="Muster", locale="de")
        nameless = sa.update(CatalogTreatment).where(CatalogTreatment.code == "transfer").values(name_de=None)
        session.execute(nameless)
        audit.record(SYSTEM, "tests.changed", CatalogTreatment)
    offer_id = last_part(send([{"catalog_id": catalogue["transfer"]}], to=german.id))
    with clinic_work(portal, papatya.id):
        content = offer_content(get_offer(UUID(offer_id)), locale="de")
    english = stored(offer_id).lines[0].name
    assert content.lines[0].name == english and content.missing == (english,)
