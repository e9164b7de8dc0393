"""The second factor of a link: what the patient types, made comparable. Only its hash is stored."""

from __future__ import annotations

import secrets
from datetime import datetime

from portal.core.text import clean_line
from portal.offers.models import Verify
from portal.patients.models import Patient

_DAY_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d %m %Y", "%d%m%Y")
_LAST = 4
_CODE_DIGITS = 6


def make_code() -> str:
    """Return a code of six random digits."""
    return f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}d}"


def known_answer(method: Verify, patient: Patient) -> str | None:
    """Return what a patient must type, as far as her record tells it; None where it cannot."""
    if method is Verify.PHONE:
        digits = _digits(patient.phone_e164 or "")
        return digits[-_LAST:] if len(digits) >= _LAST else None
    if method is Verify.BIRTH_DATE:
        return patient.birth_date.isoformat() if patient.birth_date else None
    return None


def normal_answer(method: Verify, typed: str) -> str:
    """Return a typed answer as it is compared: digits in any script, a day in any usual order, or the whole phone."""
    text = "".join(str(int(char)) if char.isdecimal() else char for char in clean_line(typed))
    if method is Verify.BIRTH_DATE:
        for form in _DAY_FORMATS:
            try:
                return datetime.strptime(text, form).date().isoformat()
            except ValueError:
                continue
        return ""
    digits = _digits(text)
    return digits[-_LAST:] if method is Verify.PHONE else digits


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isascii() and char.isdigit())
