"""Phone numbers: any country, stored as E.164 beside what was typed."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

import phonenumbers

E164_LENGTH = 16  # the plus, and fifteen digits


class PhoneError(ValueError):
    """What was typed cannot be a phone number in any country tried."""


def parse_phone(raw: str, *countries: str | None) -> str:
    """Return the E.164 form of a typed number, read as dialled in the first of ``countries`` that fits.

    A leading 00 counts as +. A number that is possible but not in the library's plan is accepted:
    plans change, and the typed text is kept. Raises PhoneError.
    """
    text = "+" + raw.strip()[2:] if raw.strip().startswith("00") else raw
    possible = []
    for country in [*filter(None, countries), None]:
        try:
            number = phonenumbers.parse(text, country)
        except phonenumbers.NumberParseException:
            continue
        formatted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if len(formatted) > E164_LENGTH:
            continue  # the library calls longer ones possible; E.164 (ITU-T) ends at fifteen digits
        if phonenumbers.is_valid_number(number):
            return formatted
        if phonenumbers.is_possible_number(number):
            possible.append(formatted)
    if not possible:
        raise PhoneError(raw)
    return possible[0]


@lru_cache(maxsize=8192)
def show_phone(e164: str | None) -> str:
    """Write a stored number the international way, spaced for reading."""
    if not e164:
        return ""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def whatsapp_url(phone: str | None, message: str) -> str:
    """Return the wa.me address; it takes the number as digits only, and without one WhatsApp asks to whom."""
    digits = "".join(char for char in phone or "" if char.isascii() and char.isdigit())
    return f"https://wa.me/{digits}?text={quote(message)}"
