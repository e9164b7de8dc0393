"""Two people editing one treatment: an older form never silently puts back what the other one changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from portal.catalog import queries
from portal.catalog.enums import Audience
from portal.catalog.models import CatalogTreatment, PriceList, PriceListItem
from portal.core import audit
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.database import bulk_insert, current_session
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from tests.support.pages import field_errors, form_values, last_part, text_of
from tests.support.people import Person

CODE = "kanal-2"
Logged = Callable[[], list[dict[str, list[object] | None]]]
Stored = Callable[[], tuple[CatalogTreatment, dict[str, Decimal]]]


@pytest.fixture
def owner(sign_in: Callable[..., Person]) -> Person:
    return sign_in("owner")


@pytest.fixture
def manager(sign_in: Callable[..., Person]) -> Person:
    return sign_in("admin")


@pytest.fixture
def stored(portal: Flask, papatya: ClinicInfo) -> Stored:
    """Read the treatment, and its prices by the name of their field."""

    def read() -> tuple[CatalogTreatment, dict[str, Decimal]]:
        with clinic_work(portal, papatya.id):
            treatment = queries.find_by_code(CODE)
            assert treatment is not None
            prices = queries.treatment_prices(treatment.id)
            return treatment, {f"price_{list_id.hex}": price for list_id, price in prices.items()}

    return read


@pytest.fixture
def path(stored: Stored) -> str:
    return f"/catalog/{stored()[0].id}/edit"


@pytest.fixture
def lira(owner: Person, path: str) -> str:
    """The name of the field that holds the price in TRY."""
    found = re.search(r'for="(price_[0-9a-f]{32})">Unit price in TRY', owner.get(path).text)
    assert found
    return found.group(1)


@pytest.fixture
def logged(portal: Flask, papatya: ClinicInfo) -> Logged:
    """Read what the log says of each change, the first one first."""

    def read() -> list[dict[str, list[object] | None]]:
        statement = sa.select(ActivityLog.changes).where(ActivityLog.action == "treatment.changed")
        with clinic_work(portal, papatya.id) as session:
            return list(session.scalars(statement.order_by(ActivityLog.id)))

    return read


@pytest.fixture
def add_agency(portal: Flask, papatya: ClinicInfo, stored: Stored) -> Callable[[], str]:
    """Add a second price list in EUR with a price of 150; returns the name of its field."""

    def add() -> str:
        list_id, audience = uuid7(), Audience.PARTNER
        columns = {"name": "Acente", "currency": "EUR", "audience": audience, "valid_from": date(2020, 1, 1)}
        item = {"price_list_id": list_id, "catalog_id": stored()[0].id, "unit_price": Decimal(150)}
        with clinic_work(portal, papatya.id):
            bulk_insert(PriceList, [{"id": list_id, **columns}])
            bulk_insert(PriceListItem, [item])
            audit.record(SYSTEM, "tests.changed", PriceList)
        return f"price_{list_id.hex}"

    return add


def opened(person: Person, path: str) -> dict[str, str]:
    page = person.get(path)
    assert page.status_code == 200
    return form_values(page)


def differences(page: TestResponse) -> list[tuple[str, str, str]]:
    """Return (field, saved now, your entry) of the page's rows."""
    table = page.text.partition('<table class="conflict-table">')[2].partition("</table>")[0]
    rows = re.findall(r'<tr>\s*<th scope="row">(.*?)</th>\s*<td>(.*?)</td>\s*<td>(.*?)</td>', table, re.DOTALL)
    return [(text_of(label), text_of(theirs), text_of(yours)) for label, theirs, yours in rows]


def test_an_older_form_does_not_put_an_old_price_back(
    owner: Person, manager: Person, path: str, lira: str, stored: Stored
) -> None:
    first, second = opened(owner, path), opened(manager, path)
    assert second[lira] == "8500"
    last_part(owner.post(path, {**first, lira: "4321"}))
    page = manager.post(path, {**second, "duration_min": "80"})
    assert page.status_code == 409
    assert differences(page) == [
        ("Minutes", "75", "80"), ("Unit price in TRY", "TRY4,321.00", "TRY8,500.00"),
    ]  # fmt: skip
    treatment, prices = stored()
    assert (prices[lira], treatment.duration_min, treatment.version) == (Decimal(4321), 75, 2)


def test_what_was_typed_is_kept_and_saving_again_wins(
    owner: Person, manager: Person, path: str, lira: str, stored: Stored
) -> None:
    first, second = opened(owner, path), opened(manager, path)
    last_part(owner.post(path, {**first, lira: "4321"}))
    kept = form_values(manager.post(path, {**second, lira: "9.000,50", "name_en": "Two canals"}))
    assert (kept[lira], kept["name_en"], kept["version"]) == ("9.000,50", "Two canals", "2")
    last_part(manager.post(path, kept))
    treatment, prices = stored()
    assert (prices[lira], treatment.name_en, treatment.version) == (Decimal("9000.50"), "Two canals", 3)


def test_each_price_in_the_log_begins_where_the_one_before_ended(
    owner: Person, manager: Person, path: str, lira: str, logged: Logged
) -> None:
    first, second = opened(owner, path), opened(manager, path)
    last_part(owner.post(path, {**first, lira: "4321"}))
    last_part(manager.post(path, form_values(manager.post(path, {**second, lira: "9000"}))))
    chain = [["8500.00", "4321.00"], ["4321.00", "9000.00"]]
    assert logged() == [{"price TRY": pair} for pair in chain], "the refused form leaves no row"


def test_every_field_that_differs_is_named_in_words(owner: Person, manager: Person, path: str, lira: str) -> None:
    first, second = opened(owner, path), opened(manager, path)
    changed = {
        "name_tr": "Kanal", "name_en": "Canal", "code": "kanal-iki", "category_id": category(owner, path, "Aesthetic"),
        "scope": "mouth", "pricing": "flat", "dentition": "both", "duration_min": "", "vat_class": "non_medical",
        "is_active": "", lira: "",
    }  # fmt: skip
    last_part(owner.post(path, {**first, **changed}))
    page = manager.post(path, {**second, "duration_min": "90"})
    assert page.status_code == 409
    assert differences(page) == [
        ("Name in Turkish", "Kanal", "Kanal Tedavisi (iki kanal, dolgu hariç)"),
        ("Name in English", "Canal", "Root canal (2 canals, filling excluded)"),
        ("Code", "kanal-iki", "kanal-2"),
        ("Category", "Aesthetic", "Restorative & endodontics"),
        ("Applies to", "Whole mouth", "One tooth"),
        ("Priced", "Fixed price", "Per tooth"),
        ("Teeth it is done on", "All teeth", "Permanent teeth"),
        ("Minutes", "—", "90"),
        ("VAT class", "Not medical", "Treatment"),
        ("Offered to patients", "no", "yes"),
        ("Unit price in TRY", "—", "TRY8,500.00"),
    ]


def test_a_change_that_slips_in_between_reading_and_writing_is_a_conflict_too(
    owner: Person, path: str, stored: Stored, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    form, get_treatment = opened(owner, path), queries.get_treatment

    def slower(treatment_id: UUID) -> CatalogTreatment:
        treatment = get_treatment(treatment_id)
        other = sa.update(CatalogTreatment).where(CatalogTreatment.id == treatment_id)
        current_session().execute(
            other.values(duration_min=50, version=2), execution_options={"synchronize_session": False}
        )
        audit.record(SYSTEM, "tests.changed", CatalogTreatment)
        return treatment

    with monkeypatch.context() as patched:
        patched.setattr(queries, "get_treatment", slower)
        page = owner.post(path, {**form, "duration_min": "80"})
    assert (page.status_code, differences(page)) == (409, [("Minutes", "50", "80")])
    assert any("FROM treatment_catalog" in sql and "FOR UPDATE" in sql for sql in statements), "nobody can come after"
    assert stored()[0].duration_min != 80


def test_the_same_change_sent_twice_is_no_conflict(
    owner: Person, path: str, lira: str, stored: Stored, logged: Logged
) -> None:
    form = {**opened(owner, path), lira: "4321", "duration_min": "80"}
    for _ in range(3):
        last_part(owner.post(path, form))
    assert stored()[0].version == 2
    assert len(logged()) == 1


def test_an_unchanged_form_leaves_the_version_alone(owner: Person, path: str, stored: Stored) -> None:
    last_part(owner.post(path, opened(owner, path)))
    assert stored()[0].version == 1


@pytest.mark.parametrize("version", ["", "0", "99", "x", "-1"])
def test_a_mangled_version_never_overwrites(owner: Person, path: str, lira: str, stored: Stored, version: str) -> None:
    page = owner.post(path, {**opened(owner, path), lira: "4321", "version": version})
    assert page.status_code == 409
    assert stored()[1][lira] == Decimal(8500)


def test_a_form_with_an_error_keeps_its_version_so_a_change_beside_it_is_still_noticed(
    owner: Person, manager: Person, path: str, lira: str, stored: Stored
) -> None:
    second = opened(manager, path)
    last_part(owner.post(path, {**opened(owner, path), lira: "4321"}))
    page = manager.post(path, {**second, "duration_min": "x"})
    assert (page.status_code, set(field_errors(page))) == (422, {"duration_min"})
    assert manager.post(path, {**form_values(page), "duration_min": "80"}).status_code == 409
    assert stored()[1][lira] == Decimal(4321)


def test_a_price_list_made_after_the_form_was_opened_keeps_its_price(
    owner: Person, path: str, stored: Stored, add_agency: Callable[[], str]
) -> None:
    form = opened(owner, path)
    added = add_agency()
    last_part(owner.post(path, {**form, "duration_min": "80"}))
    treatment, prices = stored()
    assert (prices[added], treatment.duration_min) == (Decimal(150), 80)


def test_prices_of_two_lists_in_one_currency_are_told_apart(
    owner: Person, manager: Person, path: str, add_agency: Callable[[], str]
) -> None:
    added = add_agency()
    first, second = opened(owner, path), opened(manager, path)
    last_part(owner.post(path, {**first, added: "140"}))
    page = manager.post(path, {**second, added: "130"})
    assert differences(page) == [("Unit price in EUR, Acente", "€140.00", "€130.00")]


def category(person: Person, path: str, name: str) -> str:
    found = re.search(rf'<option[^>]*value="([^"]*)"[^>]*>{name}<', person.get(path).text)
    assert found
    return found.group(1)
