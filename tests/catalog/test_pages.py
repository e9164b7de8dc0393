"""The catalogue's pages: what staff find, what only managers change, and what offers read from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from uuid_utils.compat import uuid7

from portal.catalog import queries
from portal.catalog.enums import Audience, VatClass
from portal.catalog.models import CatalogTreatment, PriceList, PriceListItem, VatRule
from portal.core import audit
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.clock import today
from portal.core.database import bulk_insert
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from tests.support.people import Person

ZIRCONIA = "zirkonyum-kron"
SignIn = Callable[..., Person]


@pytest.fixture
def owner(sign_in: SignIn) -> Person:
    return sign_in("owner")


def names_on(page: str) -> list[str]:
    return re.findall(r'class="row-link"[^>]*>([^<]+)<', page)


def errors_on(page: str) -> dict[str, str]:
    return dict(re.findall(r'id="(\w+)-error">.*?<span>([^<]+)</span>', page, re.DOTALL))


def price_fields(page: str) -> dict[str, str]:
    """Return currency -> name of its price field."""
    found = re.findall(r'<label[^>]*for="(price_[0-9a-f]{32})">Unit price in ([A-Z]{3})', page)
    return {currency: name for name, currency in found}


def option(page: str, label: str) -> str:
    return re.search(rf'<option[^>]*value="([^"]*)"[^>]*>{label}<', page).group(1)  # type: ignore[union-attr]


def crown(page: str, **changed: str) -> dict[str, str]:
    """Return a form of a treatment that may be saved as it is; ``page`` is the form's page."""
    fields = {
        "name_tr": "Deneme Kron", "name_en": "Trial crown", "code": "deneme-kron", "scope": "tooth",
        "pricing": "per_tooth", "dentition": "permanent", "vat_class": "treatment", "duration_min": "45",
        "is_active": "y", "category_id": option(page, "Prosthodontics"), price_fields(page)["EUR"]: "250",
    }  # fmt: skip
    return {**fields, **changed}


def treatment(portal: Flask, clinic: ClinicInfo, code: str = ZIRCONIA) -> CatalogTreatment:
    with clinic_work(portal, clinic.id):
        found = queries.find_by_code(code)
        assert found is not None
        return found


def edit_path(portal: Flask, clinic: ClinicInfo, code: str = ZIRCONIA) -> str:
    return f"/catalog/{treatment(portal, clinic, code).id}/edit"


def as_stored(row: CatalogTreatment, page: str, **changed: str) -> dict[str, str]:
    """Return the form of an active treatment as its edit page would send it back."""
    names = (
        "name_tr", "name_en", "code", "scope", "pricing", "dentition", "vat_class", "duration_min", "category_id",
        "version",
    )  # fmt: skip
    prices = dict(re.findall(r'name="(price_[0-9a-f]{32})"[^>]*value="([^"]*)"', page))
    return {**{name: str(getattr(row, name)) for name in names}, **prices, "is_active": "y", **changed}


def log_of(portal: Flask, clinic: ClinicInfo) -> list[tuple[str, UUID | None, dict[str, Any]]]:
    statement = sa.select(ActivityLog.action, ActivityLog.object_id, ActivityLog.changes).where(
        ActivityLog.object_type == "treatment_catalog"
    )
    with clinic_work(portal, clinic.id) as session:
        rows = session.execute(statement.order_by(ActivityLog.id))
        return [(row.action, row.object_id, dict(row.changes)) for row in rows]


def test_list_groups_treatments_under_the_headings_in_their_order(owner: Person) -> None:
    page = owner.get("/catalog/").text
    headings = re.findall(r'<th scope="rowgroup"[^>]*>([^<]+)<', page)
    assert headings[:2] == ["Diagnosis", "Restorative &amp; endodontics"]
    assert headings[-1] == "Non-medical extras"
    assert "73 treatments" in page
    assert '<span lang="tr">Zirkonyum Kron</span>' in page


def test_list_shows_every_price_of_today_and_the_tax(owner: Person) -> None:
    page = owner.get("/catalog/?q=zirkonyum").text
    row = page.split("Zirconia crown</a>")[1].split("</tr>")[0]
    assert re.findall(r'class="money">([^<]+)<', row) == ["TRY12,500.00", "€200.00", "$230.00", "£175.00"]
    assert "Treatment, 10%" in row


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ZİRKON", ["Zirconia crown"]),
        ("crown zirc", ["Zirconia crown"]),
        ("kanal-2", ["Root canal (2 canals, filling excluded)"]),
        ("dis tas", ["Scaling &amp; polishing"]),
        ("irconia", []),
        ("\x00", None),
    ],
)
def test_search_finds_the_beginning_of_words_in_both_names_and_the_code(
    owner: Person, query: str, found: list[str] | None
) -> None:
    page = owner.get("/catalog/", query_string={"q": query})
    assert page.status_code == 200
    assert names_on(page.text) == found if found is not None else len(names_on(page.text)) == 73


def test_filters_pick_a_category_and_what_is_switched_off(owner: Person, portal: Flask, papatya: ClinicInfo) -> None:
    path = edit_path(portal, papatya)
    form = as_stored(treatment(portal, papatya), owner.get(path).text, is_active="")
    assert owner.post(path, form).status_code == 302
    assert names_on(owner.get("/catalog/?state=inactive").text) == ["Zirconia crown"]
    assert "Zirconia crown" not in names_on(owner.get("/catalog/?state=active").text)
    assert len(names_on(owner.get("/catalog/?category=estetik").text)) == 5
    assert names_on(owner.get("/catalog/?category=estetik&state=inactive").text) == []


def test_a_search_without_result_says_so_and_leads_back(owner: Person) -> None:
    page = owner.get("/catalog/?q=xyzzy").text
    assert "No treatment matches." in page
    assert "0 treatments" in page


def test_list_costs_the_same_few_statements_however_long_it_is(owner: Person, statements: list[str]) -> None:
    owner.get("/catalog/")
    assert len([sql for sql in statements if "set_config" not in sql]) <= 6


@pytest.mark.parametrize("role", ["coordinator", "doctor", "assistant", "readonly"])
def test_only_managers_may_change_or_export_the_catalogue(
    sign_in: SignIn, portal: Flask, papatya: ClinicInfo, role: str
) -> None:
    person, path = sign_in(role), edit_path(portal, papatya)
    page = person.get("/catalog/")
    assert page.status_code == 200
    assert "Zirconia crown" in page.text
    assert path not in page.text
    assert "New treatment" not in page.text
    answers = [person.get("/catalog/new"), person.get(path), person.post("/catalog/new"), person.post(path)]
    assert {answer.status_code for answer in [*answers, person.post("/catalog/export")]} == {403}


def test_a_treatment_of_another_clinic_is_not_there(
    sign_in: SignIn, portal: Flask, papatya: ClinicInfo, lale: ClinicInfo
) -> None:
    stranger, path = sign_in("owner", "lale"), edit_path(portal, papatya)
    form = crown(stranger.get("/catalog/new").text)
    assert stranger.get(path).status_code == 404
    assert stranger.post(path, form).status_code == 404
    assert treatment(portal, papatya).name_en == "Zirconia crown"
    assert log_of(portal, lale) == []


def test_a_category_of_another_clinic_cannot_be_chosen(
    owner: Person, sign_in: SignIn, portal: Flask, papatya: ClinicInfo
) -> None:
    theirs = option(sign_in("owner", "lale").get("/catalog/new").text, "Prosthodontics")
    answer = owner.post("/catalog/new", crown(owner.get("/catalog/new").text, category_id=theirs))
    assert answer.status_code == 422
    assert "category_id" in errors_on(answer.text)
    assert log_of(portal, papatya) == []


def test_a_new_treatment_is_offered_at_once_with_its_prices(owner: Person, portal: Flask, papatya: ClinicInfo) -> None:
    page = owner.get("/catalog/new").text
    answer = owner.post("/catalog/new", crown(page, **{price_fields(page)["TRY"]: "9.500,50"}))
    assert answer.status_code == 302
    assert "Trial crown is in the catalogue." in owner.get("/catalog/").text
    made = treatment(portal, papatya, "deneme-kron")
    day = today(papatya.timezone)
    with clinic_work(portal, papatya.id):
        protez = [row.id for row in queries.list_choices() if row.category_key == "protez"]
        assert protez[-1] == made.id
        assert queries.prices("TRY", day)[made.id] == Decimal("9500.50")
        assert queries.prices("EUR", day)[made.id] == Decimal("250.00")
        assert made.id not in queries.prices("USD", day)
    changes = {"price EUR": [None, "250.00"], "price TRY": [None, "9500.50"]}
    assert log_of(portal, papatya) == [("treatment.created", made.id, changes)]


def test_the_same_new_treatment_sent_twice_is_made_once(owner: Person, portal: Flask, papatya: ClinicInfo) -> None:
    form = crown(owner.get("/catalog/new").text)
    answers = [owner.post("/catalog/new", form) for _ in range(3)]
    assert [answer.location for answer in answers] == ["/catalog/"] * 3
    assert [action for action, _id, _changes in log_of(portal, papatya)] == ["treatment.created"]


def test_a_taken_code_is_told_beside_the_field_and_nothing_typed_is_lost(
    owner: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    page = owner.get("/catalog/new").text
    answer = owner.post("/catalog/new", crown(page, code=ZIRCONIA, name_tr="Yazdığım <ad>"))
    assert answer.status_code == 422
    assert errors_on(answer.text) == {"code": "Another treatment has this code."}
    assert 'value="Yazdığım &lt;ad&gt;"' in answer.text
    path = edit_path(portal, papatya, "emax-kron")
    answer = owner.post(path, crown(owner.get(path).text, code=ZIRCONIA, version="1"))
    assert answer.status_code == 422
    assert errors_on(answer.text) == {"code": "Another treatment has this code."}
    assert treatment(portal, papatya, "emax-kron").name_tr == "E-max Kron"
    assert log_of(portal, papatya) == []


def test_two_clinics_may_use_the_same_code(
    owner: Person, sign_in: SignIn, portal: Flask, papatya: ClinicInfo, lale: ClinicInfo
) -> None:
    for person in (owner, sign_in("owner", "lale")):
        assert person.post("/catalog/new", crown(person.get("/catalog/new").text)).status_code == 302
    assert treatment(portal, papatya, "deneme-kron").id != treatment(portal, lale, "deneme-kron").id


def test_changed_and_removed_prices_are_stored_logged_and_shown(
    owner: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    row, path = treatment(portal, papatya), edit_path(portal, papatya)
    page = owner.get(path).text
    fields = price_fields(page)
    form = as_stored(row, page, pricing="flat", **{fields["EUR"]: "210.5", fields["GBP"]: ""})
    assert owner.post(path, form).status_code == 302
    day = today(papatya.timezone)
    with clinic_work(portal, papatya.id):
        assert queries.prices("EUR", day)[row.id] == Decimal("210.50")
        assert row.id not in queries.prices("GBP", day)
    changes = {
        "pricing": ["per_tooth", "flat"], "price EUR": ["200.00", "210.50"], "price GBP": ["175.00", None],
    }  # fmt: skip
    assert log_of(portal, papatya) == [("treatment.changed", row.id, changes)]
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", owner.get(path).text.split('class="timeline"')[1]))
    assert "Papatya owner changed the treatment" in shown
    assert "Priced Per tooth Fixed price" in shown
    assert "Unit price in EUR €200.00 €210.50" in shown
    assert "Unit price in GBP £175.00 empty" in shown


def test_saving_what_is_stored_changes_and_logs_nothing(owner: Person, portal: Flask, papatya: ClinicInfo) -> None:
    row, path = treatment(portal, papatya), edit_path(portal, papatya)
    form = as_stored(row, owner.get(path).text)
    assert [owner.post(path, form).status_code for _ in range(2)] == [302, 302]
    assert log_of(portal, papatya) == []
    assert treatment(portal, papatya).updated_at == row.updated_at


def test_a_switched_off_treatment_is_hidden_from_new_offers_only(
    owner: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    row, path = treatment(portal, papatya), edit_path(portal, papatya)
    form = as_stored(row, owner.get(path).text, is_active="")
    assert owner.post(path, form).status_code == 302
    assert "Zirconia crown" in names_on(owner.get("/catalog/").text)
    with clinic_work(portal, papatya.id):
        assert row.id not in {choice.id for choice in queries.list_choices()}
        assert not queries.get_treatment(row.id).is_active


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name_tr", "  "), ("name_en", "x" * 201), ("code", ""), ("code", "Zirkonyum Kron"), ("code", "çürük"),
        ("code", "-kron"), ("category_id", ""), ("scope", "galaxy"), ("pricing", "per_role"), ("vat_class", ""),
        ("dentition", "wisdom"), ("duration_min", "0"), ("duration_min", "1_0"), ("duration_min", "3.5"),
        ("EUR", "-1"), ("EUR", "12.345678"), ("EUR", "1e9"), ("EUR", "99999999999"), ("EUR", "NaN"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_beside_its_field(
    owner: Person, portal: Flask, papatya: ClinicInfo, field: str, value: str
) -> None:
    page = owner.get("/catalog/new").text
    name = price_fields(page).get(field, field)
    answer = owner.post("/catalog/new", crown(page, **{name: value}))
    assert answer.status_code == 422
    assert list(errors_on(answer.text)) == [name]
    assert log_of(portal, papatya) == []


def test_export_holds_what_the_list_shows_and_is_logged(owner: Person, portal: Flask, papatya: ClinicInfo) -> None:
    path = edit_path(portal, papatya, "gomulu-yirmilik")
    row = treatment(portal, papatya, "gomulu-yirmilik")
    assert owner.post(path, as_stored(row, owner.get(path).text, name_en="=1+1")).status_code == 302
    answer = owner.post("/catalog/export", {"q": "gömülü"})
    assert answer.mimetype == "text/csv"
    heading, line, *rest = answer.text.splitlines()
    assert heading.endswith("TRY,EUR,USD,GBP")
    assert line.startswith('Oral surgery,gomulu-yirmilik,Gömülü 20 Yaş Dişi Çekimi,\'=1+1,"One tooth: 18, 28, 38, 48"')
    assert re.search(r"yes(,\d+){4}$", line)
    assert rest == []
    assert log_of(portal, papatya)[-1] == ("catalog.exported", None, {"q": [None, "gömülü"], "rows": [None, 1]})


def test_of_several_price_lists_the_right_one_holds(portal: Flask, papatya: ClinicInfo) -> None:
    day, crown_id = today(papatya.timezone), treatment(portal, papatya).id
    with clinic_work(portal, papatya.id):
        add_list(crown_id, "EUR", Audience.DOMESTIC, day, price="1")
        add_list(crown_id, "EUR", Audience.PARTNER, day, price="2")
        add_list(crown_id, "TRY", Audience.INTERNATIONAL, day, price="3")
        assert queries.prices("EUR", day)[crown_id] == Decimal(200)
        assert queries.prices("TRY", day)[crown_id] == Decimal(12500)
        tomorrow, later = day + timedelta(days=1), day + timedelta(days=2)
        add_list(crown_id, "EUR", Audience.INTERNATIONAL, later, price="4")
        add_list(crown_id, "EUR", Audience.INTERNATIONAL, tomorrow, price="5")
        assert queries.prices("EUR", day)[crown_id] == Decimal(200)
        assert queries.prices("EUR", tomorrow) == {crown_id: Decimal(5)}
        assert queries.prices("EUR", later) == {crown_id: Decimal(4)}


def test_a_price_agreed_with_a_partner_reaches_no_offer(portal: Flask, papatya: ClinicInfo) -> None:
    crown_id = treatment(portal, papatya).id
    with clinic_work(portal, papatya.id):
        add_list(crown_id, "EUR", Audience.PARTNER, date(1999, 1, 1), price="2")
        assert queries.prices("EUR", date(1999, 1, 1)) == {}


def test_two_price_lists_of_a_currency_are_told_apart(owner: Person, portal: Flask, papatya: ClinicInfo) -> None:
    row, path = treatment(portal, papatya), edit_path(portal, papatya)
    with clinic_work(portal, papatya.id):
        added = add_list(row.id, "EUR", Audience.PARTNER, today(papatya.timezone), price="150", name="Acente")
    assert "EUR (Acente)" in owner.get("/catalog/").text
    form = as_stored(row, owner.get(path).text, **{f"price_{added.hex}": "140"})
    assert owner.post(path, form).status_code == 302
    assert log_of(portal, papatya)[-1][2] == {"price EUR Acente": ["150.00", "140.00"]}
    assert "Unit price in EUR, Acente" in owner.get(path).text


def test_vat_rates_follow_the_day(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        assert queries.vat_rates(date(2023, 7, 9))["treatment"] == Decimal(8)
        assert queries.vat_rates(date(2023, 7, 10))["treatment"] == Decimal(10)
        assert queries.vat_rates(date(1999, 1, 1)) == {}
        newer = {"vat_class": VatClass.TREATMENT, "rate": Decimal(12), "valid_from": date(2024, 1, 1)}
        bulk_insert(VatRule, [newer])
        audit.record(SYSTEM, "tests.changed", VatRule)
        assert queries.vat_rates(date(2023, 12, 31))["treatment"] == Decimal(10)
        assert queries.vat_rates(date(2024, 1, 1))["treatment"] == Decimal(12)


@pytest.mark.parametrize(
    "read",
    [
        lambda _day: queries.list_choices(),
        lambda day: queries.prices("EUR", day),
        queries.list_prices,
        queries.list_price_lists,
        queries.vat_rates,
    ],
)
def test_what_offers_read_takes_one_statement(
    portal: Flask, papatya: ClinicInfo, statements: list[str], read: Callable[[date], object]
) -> None:
    with clinic_work(portal, papatya.id):
        assert read(today(papatya.timezone))
    assert len([sql for sql in statements if "set_config" not in sql]) == 1


def add_list(
    treatment_id: UUID, currency: str, audience: Audience, start: date, *, price: str, name: str | None = None
) -> UUID:
    """Add a price list to the pinned clinic with the price of one treatment."""
    list_id, label = uuid7(), name or f"{currency} {audience} {start}"
    columns = {"name": label, "currency": currency, "audience": audience, "valid_from": start}
    bulk_insert(PriceList, [{"id": list_id, **columns}])
    item = {"price_list_id": list_id, "catalog_id": treatment_id, "unit_price": Decimal(price)}
    bulk_insert(PriceListItem, [item])
    audit.record(SYSTEM, "tests.changed", PriceList)
    return list_id
