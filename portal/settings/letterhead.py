"""What stands at the head and foot of a clinic's papers and mails where it wrote no texts of its own."""

from __future__ import annotations

from portal.core.patient_texts import Texts
from portal.core.phones import show_phone
from portal.settings.house import (
    ADDRESS,
    CLINIC_EMAIL,
    CLINIC_PHONE,
    HOURS,
    LEGAL_NAME,
    LICENCE,
    TAX_NUMBER,
    TAX_OFFICE,
    TOURISM_CERTIFICATE,
)
from portal.settings.registry import find_stored, own_clinic, read_stored
from portal.settings.words import hours_lines

_TOLD = (ADDRESS, CLINIC_PHONE, CLINIC_EMAIL, LEGAL_NAME, TAX_OFFICE, TAX_NUMBER, LICENCE, TOURISM_CERTIFICATE)


def letterhead(words: Texts) -> tuple[str, str]:
    """Return the head and the foot of a document, of what the clinic has told about itself; "" for nothing."""
    told = find_stored(_TOLD)
    phone, email = show_phone(told.get(CLINIC_PHONE.key, "")), told.get(CLINIC_EMAIL.key, "")
    head = _joined("\n", told.get(ADDRESS.key, ""), _joined(" · ", phone, email))
    office, number = told.get(TAX_OFFICE.key, ""), told.get(TAX_NUMBER.key, "")
    licence, certificate = told.get(LICENCE.key, ""), told.get(TOURISM_CERTIFICATE.key, "")
    foot = [
        told.get(LEGAL_NAME.key, ""),
        words.phrase("Tax no. %(number)s", number=_joined(" ", office, number)) if number else "",
        words.phrase("Licence no. %(number)s", number=licence) if licence else "",
        words.phrase("Health tourism certificate no. %(number)s", number=certificate) if certificate else "",
    ]
    return head, _joined(" · ", *foot)


def signature() -> str:
    """Return what ends a mail to a patient: the clinic, and how to reach it as far as it has told."""
    told = find_stored([CLINIC_PHONE, CLINIC_EMAIL, ADDRESS])
    phone, email = show_phone(told.get(CLINIC_PHONE.key, "")), told.get(CLINIC_EMAIL.key, "")
    reach = _joined("\n", phone, email, told.get(ADDRESS.key, ""))
    return f"\n\n{own_clinic().name}\n{reach}\n" if reach else ""


def opening_hours(words: Texts) -> str:
    """Return when patients may call, "" where the clinic has not said so."""
    stored = find_stored([HOURS]).get(HOURS.key)
    return "" if stored is None else ", ".join(hours_lines(read_stored(HOURS, stored), words.format_locale))


def _joined(by: str, *parts: str) -> str:
    return by.join(part for part in parts if part)
