from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from tests.support.data import add_patient
from tests.support.pages import row_names
from tests.support.people import Person

ISIL, OTHER = "Işıl Nur Çağlayan", "Mehmet Öğüt"


@pytest.fixture
def reader(portal: Flask, papatya: ClinicInfo, coordinator: Person) -> Person:
    """A coordinator of a clinic with two patients to find among the others."""
    with clinic_work(portal, papatya.id):
        add_patient(
            first_name="Işıl Nur", last_name="Çağlayan", phone_e164="+905321230067", phone_raw="0532 123 00 67",
            email="isil.nur@example.com",
        )  # fmt: skip
        add_patient(first_name="Mehmet", last_name="Öğüt", phone_e164="+4915123456789", phone_raw="+49 151 23456789")
    return coordinator


def found(person: Person, query: str) -> list[str]:
    page = person.get("/patients/", query_string={"q": query})
    assert page.status_code == 200
    return row_names(page)


@pytest.mark.parametrize(
    "query",
    [
        "Işıl Nur Çağlayan", "isil nur", "ISIL NUR", "IŞIL NUR", "ışıl nur", "İŞİL NUR", "çağlayan", "CAGLAYAN",
        "Çağlay", "caglay", "çağlayan ışıl", "nur cagla", "  nur,   çağlayan ", "nur-caglayan",
        "05321230067", "0532 123 00 67", "+90 532 123 00 67", "90532", "0090 532 123", "5321230067", "(0532) 123-00",
        "0067", "1230067", "isil.nur@example.com", "ISIL.NUR@", "isil.nur@exam", "nur 0532", "çağlayan 0067",
    ],
)  # fmt: skip
def test_a_patient_is_found_by_any_part_that_people_type(reader: Person, query: str) -> None:
    assert found(reader, query) == [ISIL]


def test_one_letter_is_enough_and_finds_everyone_who_has_it(reader: Person) -> None:
    assert set(found(reader, "ö")) == {OTHER, "İbrahim Öztürk"}


def test_a_patient_is_found_by_number_with_and_without_zeros(reader: Person) -> None:
    assert ISIL in found(reader, "4")
    assert found(reader, "00004") == [ISIL]
    assert found(reader, "00005") == [OTHER]


@pytest.mark.parametrize(
    "query",
    ["işıl mehmet", "nur@example.com", "ağlayan", "9999", "?!", "---", "()-", "%", "_", "'; DROP TABLE patients; --"],
)
def test_what_nobody_has_finds_nobody(reader: Person, query: str) -> None:
    assert found(reader, query) == []


@pytest.mark.parametrize("query", ["", "   ", "\x00", "\u200b"])
def test_a_search_for_nothing_shows_everybody(reader: Person, query: str) -> None:
    assert len(found(reader, query)) == 5


@pytest.mark.parametrize("query", ["a" * 5000, "a " * 3000, "0" * 400, "ş\x00" * 300, "😀", "\ufdfa" * 200])
def test_no_query_is_too_strange_for_an_answer(reader: Person, query: str) -> None:
    assert len(found(reader, query)) <= 5


def test_a_search_finds_nobody_of_another_clinic(reader: Person, sign_in: Callable[..., Person]) -> None:
    assert found(reader, "gizlioğlu") == []
    assert found(sign_in("owner", "lale"), "çağlayan") == []
    assert found(sign_in("owner", "lale"), "gizlioğlu") == ["Zeynep Gizlioğlu"]


def test_a_changed_name_and_phone_are_found_and_the_old_ones_no_more(reader: Person) -> None:
    page = reader.get("/patients/", query_string={"q": "çağlayan"})
    path = page.text.partition('<a class="row-link" href="')[2].partition('"')[0]
    typed = {"first_name": "Işıl", "last_name": "Demir", "phone_raw": "0555 444 33 22", "email": "d@example.com"}
    reader.post(f"{path}/edit", {**typed, "version": "1"})
    for query in ("çağlayan", "0532 123", "isil.nur@example.com"):
        assert found(reader, query) == [], query
    for query in ("demir", "0555 444 33 22", "d@example.com"):
        assert found(reader, query) == ["Işıl Demir"], query
