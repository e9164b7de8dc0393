"""What numbers of patients look like, as the clinic sets it."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from portal.core.numbers import next_number, peek_number, write_number
from portal.settings.index import add_preview
from portal.settings.kinds import Prefix, Whole
from portal.settings.registry import Definition, Section, define, get_setting

NUMBER_KIND = "patient"
PREFIX = define(
    Definition(
        "patients.number_prefix", Prefix(), "", _l("Before a patient's number"),
        _l("For example P-. Numbers given out before stay as they are."), Section.NUMBERS,
    )
)  # fmt: skip
DIGITS = define(
    Definition(
        "patients.number_digits", Whole(3, 8), 5, _l("Digits of a patient's number"),
        _l("Shorter numbers get zeros in front."), Section.NUMBERS,
    )
)  # fmt: skip


def next_patient_no() -> str:
    """Return the next patient's number, holding its counter until the transaction ends."""
    return _written(next_number(NUMBER_KIND))


def possible_numbers(typed: str) -> set[str]:
    """Return the numbers that somebody may mean: as typed, with zeros, and as the clinic writes them now."""
    number = typed.strip().upper()
    bare = number.lstrip("0")
    found = {number, bare.zfill(5)}
    return found | {_written(int(bare))} if bare.isascii() and bare.isdigit() and len(bare) < 10 else found


def short_number(patient_no: str) -> str:
    """Return what people call a patient's number in talk: its digits, without zeros in front."""
    return patient_no[len(patient_no.rstrip("0123456789")) :].lstrip("0")


def _written(number: int) -> str:
    return write_number(number, prefix=get_setting(PREFIX), digits=get_setting(DIGITS))


add_preview(Section.NUMBERS, _l("Next patient"), lambda: _written(peek_number(NUMBER_KIND)))
