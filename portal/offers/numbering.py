"""What numbers of offers look like, as the clinic sets it: they start anew each year."""

from __future__ import annotations

import re

from flask_babel import lazy_gettext as _l

from portal.core.clock import today
from portal.core.numbers import next_number, peek_number, write_number
from portal.settings.index import add_preview
from portal.settings.kinds import Prefix, Whole
from portal.settings.registry import Definition, Section, define, get_setting, own_clinic

NUMBER_KIND = "offer"
PREFIX = define(
    Definition(
        "offers.number_prefix", Prefix(), "", _l("Before an offer's number"),
        _l("For example T-; the year follows."), Section.NUMBERS,
    )
)  # fmt: skip
DIGITS = define(
    Definition(
        "offers.number_digits", Whole(3, 6), 5, _l("Digits of an offer's number"),
        _l("Behind the year. Shorter numbers get zeros in front."), Section.NUMBERS,
    )
)  # fmt: skip
_BEHIND_YEAR = re.compile(r"[0-9]{4}-0*(.+)")


def next_offer_no(year: int) -> str:
    """Return the year's next offer number, holding its counter until the transaction ends."""
    return _written(next_number(NUMBER_KIND, year), year)


def short_number(offer_no: str) -> str:
    """Return what people call an offer in talk: its number behind the year, without zeros."""
    found = _BEHIND_YEAR.search(offer_no)
    return found[1] if found else offer_no


def _written(number: int, year: int) -> str:
    return write_number(number, prefix=f"{get_setting(PREFIX)}{year}-", digits=get_setting(DIGITS))


def _preview() -> str:
    year = today(own_clinic().timezone).year
    return _written(peek_number(NUMBER_KIND, year), year)


add_preview(Section.NUMBERS, _l("Next offer"), _preview)
