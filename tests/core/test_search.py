from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.search import MAX_TERM, MAX_WORDS, clean_query, phone_terms, query_words, replace_terms
from portal.core.work import clinic_work
from portal.patients.models import PatientTerm
from tests.support.data import add_patient


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", []),
        ("?!", []),
        ("Işıl ÖZ", [("isil",), ("oz",)]),
        ("O'Brien-Şen", [("o",), ("brien",), ("sen",)]),
        ("0532 123 45 67", [("05321234567", "0532 123 45 67", "5321234567")]),
        ("+90 532", [("90532", "+90 532")]),
        ("0090 532", [("0090532", "0090 532", "90532")]),
        ("00012", [("00012", "0012")]),
        ("2026-00012", [("202600012", "2026-00012")]),
        ("12", [("12",)]),
        ("ayşe 0532", [("ayse",), ("0532", "532")]),
        ("Ayşe@Example.com", [("ayse@example.com",)]),
        ("()-", []),
    ],
)
def test_a_search_is_read_as_words_in_every_spelling_they_may_be_stored_in(
    query: str, words: list[tuple[str, ...]]
) -> None:
    assert query_words(query) == words


def test_a_search_has_a_limit_of_words_and_of_their_length() -> None:
    assert len(query_words(" ".join(f"w{place}" for place in range(50)))) == MAX_WORDS
    assert max(len(spelling) for word in query_words("a" * 500) for spelling in word) == MAX_TERM
    assert query_words("0" * 500) is not None


@pytest.mark.parametrize(("typed", "kept"), [("  a \x00 b\u202e ", "a b"), ("x" * 500, "x" * 200), ("\u200b", "")])
def test_what_is_typed_into_the_search_box_is_made_fit_for_the_database(typed: str, kept: str) -> None:
    assert clean_query(typed) == kept


def test_a_phone_is_found_whole_without_its_country_and_by_its_last_digits() -> None:
    assert phone_terms("+905321234567", "0532 123 45 67") == {"905321234567", "5321234567", "1234567", "4567"}
    assert phone_terms(None, "dahili 42") == {"42"}
    assert phone_terms(None, None) == set()


def test_words_are_replaced_for_one_row_of_one_clinic(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        one, other = add_patient(first_name="Bir", last_name="Kişi"), add_patient(first_name="İki", last_name="Kişi")
        replace_terms(PatientTerm, "patient_id", one.id, ["yeni", "kisi", "", "u" * 500])
        statement = sa.select(PatientTerm.patient_id, PatientTerm.term)
        terms = {(row.patient_id, row.term) for row in current_session().execute(statement)}
    assert {term for owner, term in terms if owner == one.id} == {"yeni", "kisi", "u" * MAX_TERM}
    assert {term for owner, term in terms if owner == other.id} >= {"iki", "kisi"}
