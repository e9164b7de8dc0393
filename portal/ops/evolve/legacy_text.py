"""Frozen copies of how the portal read names and phones when the single-clinic patients were split.

History must not change with portal.core.text: a revision gives the same result whenever it runs.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers

_LETTERS = str.maketrans(
    {
        **{"ı": "i", "ß": "ss", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"},
        **{"ħ": "h", "ŋ": "n", "ŧ": "t", "ə": "e", "ς": "σ", "ё": "е"},  # noqa: RUF001
    }
)
_KEYS = {
    **{letter: letter for letter in "abcdefghjklmnopqrstuvwxyz0123456789"},
    **{"ç": "c~", "ğ": "g~", "ı": "i", "i": "i~", "ö": "o~", "ş": "s~", "ü": "u~"},
    **{"Ç": "c~", "Ğ": "g~", "I": "i", "İ": "i~", "Ö": "o~", "Ş": "s~", "Ü": "u~"},
}
_CYRILLIC = {"ё": "е", "ґ": "г", "є": "е", "і": "и", "ї": "и"}  # noqa: RUF001
_APOSTROPHES = frozenset("'’ʼ`")  # noqa: RUF001
_WORD = re.compile(r"[^\W_]+")
NAME_LENGTH = 100
RAW_PHONE_LENGTH = 40
TERM_LENGTH = 100


def fold(text: str) -> str:
    """Reduce a text to lower case without diacritics, all Turkish i's the same."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", "".join(map(_fold_char, unicodedata.normalize("NFC", text))))


def words(text: str) -> list[str]:
    """Return the folded words of a text, each once."""
    return list(dict.fromkeys(_WORD.findall(fold(text))))


def sort_key(text: str) -> str:
    """Return a key whose code point order is the Turkish alphabet's."""
    return " ".join("".join(map(_sort_char, unicodedata.normalize("NFC", text))).split())


def split_name(name: str) -> tuple[str, str]:
    """Split a full name before its last word; one word is a first name. Each part has at most 100 characters."""
    first, _, last = " ".join(name.split()).rpartition(" ")
    return (first or last)[:NAME_LENGTH], (last if first else "")[:NAME_LENGTH]


def e164(phone: str | None, country: str) -> str | None:
    """Return a typed phone number in E.164 form, read as in ``country``; None where it is none."""
    try:
        number = phonenumbers.parse(phone or "", country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def patient_terms(
    name: str, patient_no: str, phone_e164: str | None, phone_raw: str | None, email: str | None
) -> set[str]:
    """Return the folded words that find a patient: of her name, number, phone and e-mail address."""
    terms = {*words(name), patient_no, patient_no.lstrip("0")}
    digits = re.sub(r"\D", "", phone_e164 or "")
    national = re.sub(r"\D", "", phone_raw or "").removeprefix("00").removeprefix("0")
    for text in (digits, national):
        terms |= {text, text[-10:], text[-7:], text[-4:]}
    if email:
        terms |= {email, *words(email.partition("@")[0])}
    return {fold(term)[:TERM_LENGTH] for term in terms if term}


def offer_terms(offer_no: str, title: str) -> set[str]:
    """Return the folded words that find an offer: of its number and its title."""
    terms = {offer_no, offer_no.partition("-")[2].lstrip("0"), *words(offer_no), *words(title)}
    return {fold(term)[:TERM_LENGTH] for term in terms if term}


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    if char in "Iİ":
        return "i"
    if _is_cyrillic(char):
        return char.lower().translate(_LETTERS)
    parts = unicodedata.normalize("NFKD", char)
    return "".join(part for part in parts if not unicodedata.combining(part)).lower().translate(_LETTERS)


@lru_cache(maxsize=4096)
def _sort_char(char: str) -> str:
    if char in _KEYS:
        return _KEYS[char]
    if char in _APOSTROPHES:
        return ""
    lower = char.lower()
    if lower in _CYRILLIC:
        return "{" + _CYRILLIC[lower] + "~"
    return "".join(map(_sort_folded, _fold_char(char)))


def _sort_folded(char: str) -> str:
    if char in _KEYS:
        return _KEYS[char]
    return "{" + char if char.isalnum() else " "


def _is_cyrillic(char: str) -> bool:
    return "\u0400" <= char <= "\u052f"
