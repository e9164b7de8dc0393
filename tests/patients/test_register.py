from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from portal.patients.models import Patient
from portal.referrals.queries import list_sources
from tests.support.pages import field_errors, flashes, form_values, last_part, summary
from tests.support.people import Person

Register = Callable[..., TestResponse]
Stored = Callable[..., list[Patient]]


def test_a_patient_is_registered_with_everything_typed_and_shown(
    register: Register, coordinator: Person, stored: Stored
) -> None:
    answer = register(
        first_name="Işıl İpek", last_name="Çağlayanğüöş", phone_raw="0532 123 45 67", email="Isil@Example.COM",
        birth_date="1.1.1990", gender="female", nationality="DE", residence_country="DE", locale="de",
        city="Düsseldorf", address="Königsallee 1", instagram="@isil", notes="Zeile eins\r\nZeile zwei",
    )  # fmt: skip
    page = coordinator.get(f"/patients/{last_part(answer)}")
    assert flashes(page) == ["Işıl İpek Çağlayanğüöş is registered."]
    for text in ("+90 532 123 45 67", "isil@example.com", "Jan 1, 1990", "Germany", "German", "Zeile eins<br>Zeile"):
        assert text in page.text, text
    (patient,) = stored(last_name="Çağlayanğüöş")
    assert (patient.phone_e164, patient.phone_raw) == ("+905321234567", "0532 123 45 67")
    assert (patient.birth_date, patient.version, patient.is_active) == (date(1990, 1, 1), 1, True)


def test_a_name_alone_is_enough(register: Register, stored: Stored) -> None:
    last_part(register(first_name="Yalnız", last_name="Ad"))
    (patient,) = stored(first_name="Yalnız")
    assert patient.phone_raw is None and patient.phone_e164 is None and patient.email is None
    assert patient.is_active


def test_an_unticked_box_and_missing_fields_register_an_inactive_patient(coordinator: Person, stored: Stored) -> None:
    last_part(coordinator.post("/patients/new", {"first_name": "Eksik", "last_name": "Form"}))
    (patient,) = stored(first_name="Eksik")
    assert not patient.is_active


def test_the_same_form_sent_twenty_times_makes_one_patient_and_shows_the_first(
    register: Register, stored: Stored
) -> None:
    key = str(uuid4())
    first = last_part(register(first_name="Tek", form_key=key))
    again = {last_part(register(first_name="Tek", form_key=key)) for _ in range(18)}
    again.add(last_part(register(first_name="Başka", form_key=key)))
    assert again == {first}
    assert len(stored(form_key=key)) == 1
    assert not stored(first_name="Başka")
    last_part(register(first_name="Sonraki"))
    (one, other) = (*stored(first_name="Tek"), *stored(first_name="Sonraki"))
    assert int(other.patient_no) == int(one.patient_no) + 1, "the repeated forms left a gap"


def test_a_form_key_of_another_clinic_is_a_new_patient_here(
    register: Register, sign_in: Callable[..., Person], stored: Stored
) -> None:
    key = str(uuid4())
    there = last_part(register(by=sign_in("coordinator", "lale"), first_name="Uzak", form_key=key))
    here = last_part(register(first_name="Yakın", form_key=key))
    assert here != there
    assert [patient.first_name for patient in stored(form_key=key)] == ["Yakın"]


def test_numbers_are_gapless_in_each_clinic_whatever_is_refused_between(
    register: Register, sign_in: Callable[..., Person], stored: Stored
) -> None:
    neighbour = sign_in("coordinator", "lale")
    for place in range(3):
        last_part(register(first_name="Sıra", last_name=f"No {place}"))
        assert register(first_name="").status_code == 422
        last_part(register(by=neighbour, first_name="Komşu", last_name=f"No {place}"))
    assert [patient.patient_no for patient in stored()] == [f"{number:05d}" for number in range(1, 7)]


PHONES = [
    ("TR mobile", "", "0532 123 45 67", "+905321234567"),
    ("TR without zero", "", "532 123 45 67", "+905321234567"),
    ("TR landline", "", "(0212) 555 12 34", "+902125551234"),
    ("Germany", "", "+49 30 901820", "+4930901820"),
    ("Germany with 00", "", "0049 151 23456789", "+4915123456789"),
    ("United Kingdom as dialled there", "GB", "07911 123456", "+447911123456"),
    ("Netherlands", "NL", "06 12345678", "+31612345678"),
    ("Russia", "", "+7 912 345-67-89", "+79123456789"),
    ("Azerbaijan", "", "+994 50 123 45 67", "+994501234567"),
    ("United States", "", "+1 (212) 555-0123", "+12125550123"),
    ("Italy keeps its zero", "", "+39 06 698 12345", "+390669812345"),
    ("Saudi Arabia in Arabic digits", "", "+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧", "+966501234567"),  # noqa: RUF001
]


@pytest.mark.parametrize(("country", "typed", "stored_as"), [row[1:] for row in PHONES], ids=[row[0] for row in PHONES])
def test_phones_of_many_countries_are_understood_and_kept_as_typed(
    register: Register, stored: Stored, country: str, typed: str, stored_as: str
) -> None:
    last_part(register(first_name="Telefon", phone_raw=typed, residence_country=country))
    (patient,) = stored(first_name="Telefon")
    assert (patient.phone_e164, patient.phone_raw) == (stored_as, typed)


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("first_name", "", "Fill this in."),
        ("first_name", "   ", "Fill this in."),
        ("last_name", "\x00\x07", "Fill this in."),
        ("last_name", "\u202e\u200b", "Fill this in."),
        ("first_name", "ş" * 300, "at most 100 characters"),
        ("phone_raw", "12", "not a phone number"),
        ("phone_raw", "+49 123456789012345", "not a phone number"),  # possible to the library, too long for E.164
        ("phone_raw", "call me", "not a phone number"),
        ("phone_raw", "0532 123 45 67 / 0533 765 43 21 / annesi 0212", "at most 40 characters"),
        ("email", "ayse@", "not an e-mail address"),
        ("email", "ayse example.com", "not an e-mail address"),
        ("email", "ayse@example..com", "not an e-mail address"),
        ("birth_date", "31.02.1990", "does not exist"),
        ("birth_date", "29.02.2001", "does not exist"),
        ("birth_date", "soon", "does not exist"),
        ("birth_date", "2999-01-01", "between 1900 and today"),
        ("birth_date", "31.12.1899", "between 1900 and today"),
        ("gender", "dragon", "Not a valid choice"),
        ("nationality", "XX", "Not a valid choice"),
        ("residence_country", "ZZ", "Not a valid choice"),
        ("locale", "tlh", "Not a valid choice"),
        ("referral_source_id", "no-uuid", "Not a valid choice"),
        ("notes", "n" * 5001, "at most 5000 characters"),
    ],
)
def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(
    register: Register, stored: Stored, field: str, typed: str, message: str
) -> None:
    before = len(stored())
    page = register(**{"first_name": "Nur", "city": "İzmir", "notes": "Kırmızı\nçanta", field: typed})
    assert page.status_code == 422
    errors = field_errors(page)
    assert list(errors) == [field]
    assert message in errors[field]
    assert message in summary(page)
    kept = form_values(page)
    assert kept["city"] == "İzmir"
    if field != "notes":
        assert kept["notes"] == "Kırmızı\nçanta"
    if typed.isprintable() and typed.strip() and "Not a valid choice" not in message:
        assert kept[field] == typed
    assert len(stored()) == before


def test_every_error_is_told_at_once(register: Register) -> None:
    page = register(first_name="", phone_raw="12", email="x", birth_date="31.02.1990")
    assert set(field_errors(page)) == {"first_name", "phone_raw", "email", "birth_date"}


def test_another_clinics_referral_source_is_no_choice(
    register: Register, portal: Flask, lale: ClinicInfo, stored: Stored
) -> None:
    with clinic_work(portal, lale.id):
        foreign = list_sources()[0].id
    page = register(first_name="Kaynak", referral_source_id=str(foreign))
    assert page.status_code == 422
    assert set(field_errors(page)) == {"referral_source_id"}
    assert not stored(first_name="Kaynak")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ayşe \t Nur  ", "Ayşe Nur"),
        ("Ay\x00şe", "Ayşe"),
        ("\u202eesyA\u202c", "esyA"),
        ("😀🦷", "😀🦷"),
        ("A" * 100, "A" * 100),
        ("<b>Ayşe</b>", "<b>Ayşe</b>"),
        ("O’Brien-Müller", "O’Brien-Müller"),
        ("محمد", "محمد"),
        ("Екатерина", "Екатерина"),
        ("I\u0307brahim", "İbrahim"),
    ],
)
def test_any_name_people_have_is_stored_clean_and_shown_as_text(
    register: Register, coordinator: Person, stored: Stored, typed: str, kept: str
) -> None:
    page = coordinator.get(f"/patients/{last_part(register(first_name=typed, last_name='Adlı'))}")
    assert page.status_code == 200
    (patient,) = stored(last_name="Adlı")
    assert patient.first_name == kept
    assert "<b>Ayşe" not in page.text


def test_two_patients_named_by_emoji_are_not_taken_for_one(register: Register) -> None:
    last_part(register(first_name="😀", last_name="🦷"))
    last_part(register(first_name="🙃", last_name="🎈"))


def test_a_form_of_ten_megabytes_gets_the_page_that_says_so(coordinator: Person, stored: Stored) -> None:
    before = len(stored())
    coordinator.get("/patients/new")
    page = coordinator.post("/patients/new", {"first_name": "Dev", "last_name": "Form", "notes": "n" * 10_000_000})
    assert page.status_code == 413
    assert "That is too large" in page.text
    assert len(stored()) == before


@pytest.mark.parametrize(
    ("known", "typed"),
    [
        ({"phone_raw": "0532 123 45 67"}, {"first_name": "Anne", "phone_raw": "+90 532 123 45 67"}),
        ({"first_name": "IŞIL", "last_name": "ÖZ"}, {"first_name": "Işıl", "last_name": "Öz"}),
    ],
)
def test_a_known_phone_or_name_is_pointed_out_and_may_be_registered_anyway(
    register: Register, coordinator: Person, stored: Stored, known: dict[str, str], typed: dict[str, str]
) -> None:
    first = last_part(register(**known))
    count = len(stored())
    page = register(**typed, city="Bursa")
    assert page.status_code == 422
    assert f"/patients/{first}" in page.text and "Is it one of these?" in page.text
    assert len(stored()) == count
    form = form_values(page)
    assert form["city"] == "Bursa"
    answer = coordinator.post("/patients/new", {**form, "confirmed": "y"})
    assert last_part(answer) != first
    assert len(stored()) == count + 1


def test_the_hint_while_typing_shows_the_known_patient_only(register: Register, coordinator: Person) -> None:
    known = last_part(register(first_name="Şule", last_name="Ün", phone_raw="0533 111 22 33"))
    by_name = coordinator.post("/patients/similar", {"first_name": "şule", "last_name": "ün"})
    by_phone = coordinator.post("/patients/similar", {"phone_raw": "+905331112233"})
    assert f"/patients/{known}" in by_name.text and f"/patients/{known}" in by_phone.text
    nobody = coordinator.post("/patients/similar", {"first_name": "\x00", "phone_raw": "05"})
    assert nobody.status_code == 200 and not nobody.text.strip()


def test_the_hint_knows_nobody_of_another_clinic(register: Register, sign_in: Callable[..., Person]) -> None:
    last_part(register(first_name="Gizli", last_name="Kişi", phone_raw="0533 111 22 33"))
    neighbour = sign_in("coordinator", "lale")
    last_part(register(by=neighbour, first_name="Gizli", last_name="Kişi", phone_raw="0533 111 22 33"))


@pytest.mark.parametrize("role", ["readonly"])
def test_who_may_only_read_registers_nobody(
    register: Register, sign_in: Callable[..., Person], stored: Stored, role: str
) -> None:
    before = len(stored())
    assert register(by=sign_in(role)).status_code == 403
    assert len(stored()) == before
