from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from portal.catalog.teeth import ALL_TEETH
from portal.catalog.tooth_names import TOOTH_WORDS, name_teeth
from portal.core.patient_texts import PATIENT_LANGUAGES, patient_language, texts


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("tr", "sağ üst birinci büyük azı dişi"),
        ("en", "upper right first molar"),
        ("de", "erster großer Backenzahn oben rechts"),
        ("ru", "верхний правый первый большой коренной зуб (моляр)"),
    ],
)
def test_every_language_of_patients_has_words_for_a_tooth(locale: str, words: str) -> None:
    assert name_teeth([16], texts(locale)) == words


def test_no_two_teeth_of_a_language_share_their_words() -> None:
    for locale in PATIENT_LANGUAGES:
        assert len({texts(locale).phrase(words) for words in TOOTH_WORDS.values()}) == len(ALL_TEETH)


@pytest.mark.parametrize(
    ("wish", "got"), [("de_AT", "de"), ("de-CH", "de"), ("RU", "ru"), ("fr", "en"), (None, "en"), ("", "en")]
)
def test_a_patient_of_another_language_reads_english(wish: str | None, got: str) -> None:
    assert patient_language(wish) == got
    assert texts(wish).locale == got


def test_amounts_rates_and_days_are_written_as_each_language_does() -> None:
    written = {
        locale: (
            texts(locale).money(Decimal("12345.5"), "EUR").replace("\xa0", " "),
            texts(locale).percent(Decimal("8.5")).replace("\xa0", " "),
            texts(locale).day(date(2026, 11, 25)).replace("\u202f", " "),
        )
        for locale in PATIENT_LANGUAGES
    }
    assert written == {
        "tr": ("€12.345,50", "%8,5", "25 Kasım 2026"),
        "en": ("€12,345.50", "8.5%", "25 November 2026"),
        "de": ("12.345,50 €", "8,5 %", "25. November 2026"),
        "ru": ("12 345,50 €", "8,5 %", "25 ноября 2026 г."),  # noqa: RUF001
    }
