"""A treatment's details: what patients read and coordinators type, and prices of more surfaces and pontics."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.catalog import queries
from portal.catalog.details import list_variants
from portal.catalog.models import CatalogTreatment
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from tests.support.pages import field_errors, form_values, text_of
from tests.support.people import Person

SignIn = Callable[..., Person]


@pytest.fixture
def owner(sign_in: SignIn) -> Person:
    return sign_in("owner")


@pytest.fixture
def read(portal: Flask, papatya: ClinicInfo) -> Callable[[str], CatalogTreatment]:
    def find(code: str) -> CatalogTreatment:
        with clinic_work(portal, papatya.id):
            treatment = queries.find_by_code(code)
            assert treatment is not None
            return treatment

    return find


Read = Callable[[str], CatalogTreatment]


def changes(portal: Flask, clinic: ClinicInfo) -> list[dict[str, object]]:
    statement = sa.select(ActivityLog.changes).where(ActivityLog.action == "treatment.changed")
    with clinic_work(portal, clinic.id) as session:
        return list(session.scalars(statement.order_by(ActivityLog.id)))


def test_what_is_saved_is_shown_and_found_by_its_new_alias(
    owner: Person, portal: Flask, papatya: ClinicInfo, read: Read
) -> None:
    path = f"/catalog/{read('implant').id}/details"
    form = form_values(owner.get(path))
    assert form["aliases"] == "imp, impl, implnt" and form["name_de"] == "Zahnimplantat"
    changed = {
        "aliases": " vida ,vida,, impl", "brands": "Straumann, Nobel", "warranty_months": "120",
        "about_tr": "Kemiğe konan vida.\n<b>", "about_en": "", "healing_days": "",
    }  # fmt: skip
    assert owner.post(path, {**form, **changed}).location == path.removesuffix("details") + "edit"
    row = read("implant")
    assert (row.aliases, row.brands, row.warranty_months) == (["vida", "impl"], ["Straumann", "Nobel"], 120)
    assert row.healing_days is None and "en" not in row.about and row.about["tr"] == "Kemiğe konan vida.\n<b>"
    shown = owner.get(f"/catalog/{row.id}/edit").text
    assert "Kemiğe konan vida. &lt;b&gt;" in " ".join(
        shown.replace("<br>", " ").split()
    ) and "Straumann, Nobel" in text_of(shown)
    assert changes(portal, papatya) == [
        {
            "about": None, "aliases": ["imp, impl, implnt", "vida, impl"], "brands": ["", "Straumann, Nobel"],
            "healing_days": [90, None], "warranty_months": [None, 120],
        }
    ]  # fmt: skip
    with clinic_work(portal, papatya.id):
        assert queries.match_treatments(queries.list_choices(), "VİDA")[0].code == "vida", "the exact code comes first"
        assert [found.code for found in queries.match_treatments(queries.list_choices(), "vida")][1] == "implant"


def test_saving_what_is_stored_changes_nothing(owner: Person, portal: Flask, papatya: ClinicInfo, read: Read) -> None:
    path = f"/catalog/{read('kompozit-dolgu').id}/details"
    assert owner.post(path, form_values(owner.get(path))).status_code == 302
    assert (changes(portal, papatya), read("kompozit-dolgu").version) == ([], 1)


def test_prices_of_more_surfaces_are_set_removed_and_logged(
    owner: Person, portal: Flask, papatya: ClinicInfo, read: Read
) -> None:
    treatment = read("kompozit-dolgu")
    path = f"/catalog/{treatment.id}/details"
    page = owner.get(path)
    fields = dict(re.findall(r'for="(variant_\w+)">((?:Two|Three) surfaces, EUR)', page.text))
    two, three = sorted(fields, key=lambda name: fields[name], reverse=True)
    assert owner.post(path, {**form_values(page), two: "95,50", three: ""}).status_code == 302
    with clinic_work(portal, papatya.id):
        stored = {key: row.unit_price for key, row in list_variants(treatment.id).items()}
    assert Decimal("95.50") in stored.values() and len(stored) == 7
    assert changes(portal, papatya) == [
        {"price EUR surfaces_2": ["100.00", "95.50"], "price EUR surfaces_3": ["120.00", None]}
    ]
    assert "Two surfaces, EUR" in text_of(owner.get(f"/catalog/{treatment.id}/edit").text)


def test_only_treatments_priced_so_ask_for_further_prices(owner: Person, read: Read) -> None:
    assert "Pontic, EUR" in owner.get(f"/catalog/{read('kopru').id}/details").text
    assert "Further prices" not in owner.get(f"/catalog/{read('implant').id}/details").text


def test_who_saves_second_sees_both_versions(owner: Person, sign_in: SignIn, read: Read) -> None:
    path = f"/catalog/{read('kopru').id}/details"
    first, second = form_values(owner.get(path)), form_values(owner.get(path))
    pontic = next(name for name in first if name.startswith("variant_pontic"))
    assert owner.post(path, {**first, "visits": "3", pontic: "150"}).status_code == 302
    page = sign_in("admin").post(path, {**second, "visits": "4"})
    assert page.status_code == 409
    told = text_of(page.text.partition('class="conflict-table"')[2].partition("</table>")[0])
    assert "Visits 3 4" in told and "Pontic" in told
    assert owner.post(path, form_values(page)).status_code == 302
    assert read("kopru").visits == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("visits", "0"), ("visits", "²"), ("visits", "100"), ("healing_days", "-1"), ("warranty_months", "1.5"),
        ("name_de", "x" * 201), ("aliases", ",".join(f"a{n}" for n in range(21))), ("brands", "x" * 41),
        ("about_ru", "x" * 1001),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_beside_its_field(owner: Person, read: Read, field: str, value: str) -> None:
    path = f"/catalog/{read('implant').id}/details"
    page = owner.post(path, {**form_values(owner.get(path)), field: value})
    assert (page.status_code, set(field_errors(page))) == (422, {field})


def test_a_further_price_below_zero_is_refused(owner: Person, read: Read) -> None:
    path = f"/catalog/{read('kopru').id}/details"
    form = form_values(owner.get(path))
    pontic = next(name for name in form if name.startswith("variant_pontic"))
    assert owner.post(path, {**form, pontic: "-1"}).status_code == 422


@pytest.mark.parametrize("role", ["coordinator", "doctor", "readonly"])
def test_only_managers_change_details(sign_in: SignIn, read: Read, role: str) -> None:
    path = f"/catalog/{read('implant').id}/details"
    assert {sign_in(role).get(path).status_code, sign_in(role).post(path).status_code} == {403}


def test_details_of_another_clinic_are_not_there(sign_in: SignIn, read: Read) -> None:
    assert sign_in("owner", "lale").get(f"/catalog/{read('implant').id}/details").status_code == 404
