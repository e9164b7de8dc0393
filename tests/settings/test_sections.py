"""Pages of the settings: typed, with defaults and a history, safe for two editors, closed to those who may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers.numbering import next_offer_no, short_number
from portal.patients.numbering import next_patient_no, possible_numbers
from portal.settings.house import HOURS, TIME_ZONE, VALIDITY, patient_languages
from portal.settings.registry import Section, get_setting, list_definitions, own_clinic
from portal.settings.values import set_value
from tests.support.data import add_patient
from tests.support.pages import text_of, told
from tests.support.people import Person
from tests.support.settings import fields_of, save

CLINIC, MONEY, HOURS_PAGE, NUMBERS, OFFERS = (
    f"/settings/{name}" for name in ("clinic", "money", "hours", "numbers", "offers")
)
SHOWN = [section for section in Section if list_definitions(section)]
WEEK = ["09:00", "18:00"] * 5 + ["10:00", "13:00", "", ""]


@pytest.fixture
def owner(sign_in: Callable[..., Person]) -> Person:
    """The owner of papatya, signed in."""
    return sign_in("owner")


@pytest.mark.parametrize("role", ["coordinator", "doctor", "assistant", "readonly"])
def test_only_managers_open_or_change_settings(sign_in: Callable[..., Person], role: str) -> None:
    person = sign_in(role)
    assert 'href="/settings/"' not in person.get("/patients/").text
    paths = ["/settings/", "/settings/history", *(f"/settings/{section}" for section in SHOWN)]
    assert {person.get(path).status_code for path in paths} == {403}
    assert person.post(MONEY, {"clinic_currency": "EUR"}).status_code == 403
    assert person.post("/settings/reset", {"key": HOURS.key}).status_code == 403


@pytest.mark.parametrize("section", SHOWN)
def test_a_section_saved_as_it_is_changes_nothing(owner: Person, section: Section) -> None:
    assert f'href="/settings/{section}"' in owner.get("/settings/").text
    before = fields_of(owner, f"/settings/{section}")
    assert save(owner, f"/settings/{section}").status_code == 302
    assert fields_of(owner, f"/settings/{section}") == before
    assert "Nothing was changed yet" in owner.get("/settings/history").text


def test_what_is_set_takes_effect_at_once_is_told_and_goes_back_to_the_default(
    owner: Person, portal: Flask, papatya: ClinicInfo, lale: ClinicInfo
) -> None:
    assert "Default: 30" in owner.get(OFFERS).text
    assert save(owner, CLINIC, clinic_name="Papatya Nişantaşı", clinic_address="Teşvikiye Cd. 1\nİstanbul")
    assert save(owner, OFFERS, offers_validity_days="45").location == OFFERS
    with clinic_work(portal, papatya.id):
        assert (own_clinic().name, own_clinic().offer_validity_days) == ("Papatya Nişantaşı", 45)
    assert "Papatya Nişantaşı" in owner.get("/patients/").text, "the directory has forgotten the old name"
    assert "Offers are valid for 30 45" in told(owner.get("/settings/history?of=offers"))
    assert "Papatya owner" in told(owner.get("/settings/history"))
    assert owner.post("/settings/reset", {"key": VALIDITY.key}).location == OFFERS
    assert fields_of(owner, OFFERS)["offers_validity_days"] == ["30"]
    with clinic_work(portal, lale.id):
        assert own_clinic().offer_validity_days == lale.offer_validity_days


@pytest.mark.parametrize(
    ("path", "typed", "why"),
    [
        (HOURS_PAGE, {"clinic_timezone": "Mars/Olympus"}, "Not a valid choice"),
        (HOURS_PAGE, {"clinic_hours": ["18:00", "09:00"] + [""] * 12}, "a later one to close"),
        (HOURS_PAGE, {"clinic_hours": ["09:00", ""] + [""] * 12}, "a later one to close"),
        (HOURS_PAGE, {"clinic_hours": ["09:00", "18:00"]}, "a later one to close"),
        (OFFERS, {"offers_validity_days": "0"}, "whole number from 1 to 365"),
        (OFFERS, {"offers_validity_days": "²"}, "whole number from 1 to 365"),
        (OFFERS, {"offers_validity_days": "9" * 5000}, "whole number from 1 to 365"),
        (MONEY, {"clinic_currency": "XXX"}, "Not a valid choice"),
        (MONEY, {"offers_currencies": None}, "Choose at least one"),
        (MONEY, {"offers_currencies": ["EUR", "BTC"]}, "valid choice"),
        (CLINIC, {"clinic_name": "  "}, "Fill this in"),
        (CLINIC, {"clinic_name": "x" * 201}, "at most 200"),
        (NUMBERS, {"offers_number_prefix": "2026"}, "capitals, digits and hyphens"),
        (NUMBERS, {"patients_number_prefix": "LONGER"}, "capitals, digits and hyphens"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_beside_its_field_and_nothing_is_saved(
    owner: Person, path: str, typed: dict[str, Any], why: str
) -> None:
    before = fields_of(owner, path)
    answer = save(owner, path, **typed)
    assert answer.status_code == 422
    assert why in text_of(answer.text)
    assert fields_of(owner, path) == before


def test_two_editors_get_the_conflict_page_and_the_second_may_save_over(owner: Person) -> None:
    mine = fields_of(owner, MONEY)
    save(owner, MONEY, clinic_currency="EUR")
    answer = owner.post(MONEY, {**mine, "clinic_currency": "USD"})
    assert answer.status_code == 409
    assert "Usual currency EUR USD" in text_of(answer.text)
    assert fields_of(owner, MONEY)["clinic_currency"] == ["EUR"]
    save(owner, MONEY, clinic_currency="USD")
    assert fields_of(owner, MONEY)["clinic_currency"] == ["USD"]


def test_a_form_without_its_mark_of_what_it_showed_is_a_conflict(owner: Person) -> None:
    assert (
        owner.post(
            MONEY, {"clinic_currency": "USD", "offers_currencies": "USD", "rates_margin_percent": "3"}
        ).status_code
        == 409
    )


def test_a_page_opens_where_an_older_release_left_what_this_one_cannot_read(
    owner: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        set_value(SYSTEM, HOURS.key, "always")
        own_clinic().timezone = "UTC"
    assert fields_of(owner, HOURS_PAGE)["clinic_hours"][:2] == ["09:00", "18:00"]
    assert "Working hours Mon–Sat 09:00–18:00 (default) always" in told(owner.get("/settings/history"))
    assert save(owner, HOURS_PAGE, clinic_hours=WEEK).status_code == 302
    with clinic_work(portal, papatya.id):
        assert HOURS.kind.write(get_setting(HOURS)).endswith("10:00-13:00;")
        assert get_setting(TIME_ZONE) == "UTC"


@pytest.mark.parametrize("key", ["clinic.name", "vat.health_tourism_permit", "no.such", ""])
def test_what_has_no_default_to_go_back_to_is_not_found(owner: Person, key: str) -> None:
    assert owner.post("/settings/reset", {"key": key}).status_code == 404


def test_numbers_follow_the_clinics_format_and_those_given_before_are_still_found(
    owner: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        old = add_patient(first_name="Eski", last_name="Numara").patient_no
    assert save(owner, NUMBERS, patients_number_prefix="p-", offers_number_prefix="T", offers_number_digits="4")
    shown = told(owner.get(NUMBERS))
    with clinic_work(portal, papatya.id):
        new = add_patient(first_name="Yeni", last_name="Numara").patient_no
        assert (old, new) == (f"{int(old):05d}", f"P-{int(old) + 1:05d}")
        assert f"Next patient {new}" in shown
        assert {old, new} <= possible_numbers(old.lstrip("0")) | possible_numbers(f"{int(old) + 1}")
        assert new in possible_numbers(new.lower())
        assert next_offer_no(2031) == "T2031-0001"
        assert next_patient_no() == f"P-{int(old) + 2:05d}"
    assert (short_number("T2031-0012"), short_number("2026-00012-2")) == ("12", "12-2")
    for query in (new, new.lower(), str(int(old) + 1)):
        assert "Yeni" in owner.get("/patients/", query_string={"q": query}).text
    assert "Eski" in owner.get("/patients/", query_string={"q": old}).text


def test_only_offered_languages_and_currencies_can_be_chosen(owner: Person, portal: Flask, papatya: ClinicInfo) -> None:
    save(owner, "/settings/languages", patients_languages=["de", "tr"])
    save(owner, MONEY, offers_currencies=["EUR"])
    with clinic_work(portal, papatya.id):
        assert patient_languages() == ("tr", "de")
        patient = add_patient(first_name="Para", last_name="Birimi")
    page = owner.get(f"/offers/new?patient={patient.id}").text
    assert 'value="EUR"' in page and 'value="TRY"' in page and 'value="GBP"' not in page
