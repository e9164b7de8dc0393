"""What patients read, in their four languages: the gettext domain "patient", and values as each language writes them.

Staff read Turkish or English from the domain "messages" through ``_()``. Patients' texts go through ``phrase``::

    words = texts("ru")
    words.phrase("Valid until %(day)s", day=words.day(offer.valid_until))
    words.phrase_n("%(num)d day", "%(num)d days", 3)

Templates get them as ``phrase`` and ``phrase_n``; a text kept in a table for later is marked by ``mark_phrase``.
The names are what ``make texts-update`` looks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from babel.support import Translations

from portal.core.money import Currency, format_money

PATIENT_LANGUAGES = ("tr", "en", "de", "ru")
FALLBACK = "en"  # what a patient of any other language reads
DOMAIN = "patient"
_FOLDER = Path(__file__).parent.parent / "translations"
_FORMATS = {"en": "en_GB"}  # patients come from Europe: 25 November 2026


@dataclass(frozen=True)
class Texts:
    """One language of patients: its texts, and how it writes amounts, numbers and days."""

    locale: str
    catalogue: NullTranslations

    def phrase(self, text: str, **values: Any) -> str:
        """Return ``text`` in this language, ``%(name)s`` filled in where values are given."""
        found = self.catalogue.gettext(text)
        return found % values if values else found

    def phrase_n(self, one: str, many: str, count: int, **values: Any) -> str:
        """Return the form of a text that ``count`` asks for; it is ``%(num)d`` in it."""
        return self.catalogue.ngettext(one, many, count) % {"num": count, **values}

    def money(self, amount: Decimal, currency: str) -> str:
        """Write an amount with its currency."""
        return format_money(amount, Currency(currency), self.format_locale)

    def number(self, value: Decimal | int) -> str:
        """Write a number, without zeros behind the last decimal that counts."""
        return str(format_decimal(value, locale=self.format_locale))

    def percent(self, value: Decimal) -> str:
        """Write a rate given as 10 for 10 %."""
        return str(format_percent(value / 100, locale=self.format_locale, decimal_quantization=False))

    def day(self, value: date) -> str:
        """Write a day with its month in words."""
        return str(format_date(value, "long", locale=self.format_locale))

    def listed(self, parts: Iterable[str]) -> str:
        """Join parts with commas, as every one of the languages does."""
        return ", ".join(parts)

    @property
    def format_locale(self) -> str:
        """The locale by whose rules values are written."""
        return _FORMATS.get(self.locale, self.locale)


def mark_phrase(text: str) -> str:
    """Mark a text of a table for translation; ``phrase`` gives it when it is shown."""
    return text


def patient_language(locale: str | None) -> str:
    """Return the language a patient reads: of "de_AT" German, of one that there is no text in English."""
    language = (locale or "").replace("-", "_").split("_")[0].lower()
    return language if language in PATIENT_LANGUAGES else FALLBACK


def texts(locale: str | None) -> Texts:
    """Return the texts of a patient's language."""
    return _load(patient_language(locale))


def language_name(locale: str) -> str:
    """Return a language's own name: "Deutsch"."""
    return (Locale.parse(locale).get_language_name(locale) or locale).capitalize()


@lru_cache(maxsize=len(PATIENT_LANGUAGES))
def _load(language: str) -> Texts:
    return Texts(language, Translations.load(_FOLDER, [language], DOMAIN))
