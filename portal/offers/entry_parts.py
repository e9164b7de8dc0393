"""A typed line taken apart: teeth with their surfaces, jaw, quantity, price and discount; what is left are words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from flask_babel import gettext as _

from portal.core.money import MoneyError, parse_decimal
from portal.core.text import fold
from portal.offers.lines import LineError, read_surfaces
from portal.offers.models import Jaw
from portal.offers.totals import DiscountKind

_NUMBER = r"(?P<value>\d[\d.,]*)"
_MONEY = r"(?:tl|try|eur|usd|gbp|[₺€$£])"
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_RANGE = re.compile(r"(?<![\w.,])(\d\d)\s*-\s*(\d\d)(?![\w.,]|\s*%)")
_PERCENT = re.compile(rf"(?<!\S)-?\s?(?:%\s?-?{_NUMBER}|(?P<after>\d[\d.,]*)\s?%)(?!\S)")
_AMOUNT = re.compile(rf"(?<!\S)-\s?(?:{_MONEY}\s?{_NUMBER}|(?P<after>\d[\d.,]*)\s?{_MONEY})(?!\S)", re.IGNORECASE)
_PRICE = re.compile(rf"(?<!\S)@\s?{_MONEY}?\s?{_NUMBER}\s?{_MONEY}?(?!\S)", re.IGNORECASE)
_QUANTITY = re.compile(
    r"(?<!\S)(?:[x×*]\s?(?P<value>\d{1,6})|(?P<after>\d{1,6})\s?(?:[x×]|adet|pcs))(?!\S)", re.IGNORECASE
)
_TEETH = re.compile(r"(\d\d(?:-\d\d)?(?:[,;+]\d\d(?:-\d\d)?)*[,;+]?)([a-z]{0,5})", re.ASCII)
_JAWS = {
    "ust": Jaw.UPPER, "upper": Jaw.UPPER, "maxilla": Jaw.UPPER, "alt": Jaw.LOWER, "lower": Jaw.LOWER,
    "mandibula": Jaw.LOWER, "both": Jaw.BOTH, "alt-ust": Jaw.BOTH, "ust-alt": Jaw.BOTH, "cift": Jaw.BOTH,
}  # fmt: skip
_JAW_NOUNS = frozenset({"cene", "jaw", "arch", "jaws"})


@dataclass
class Parts:
    """What one typed line says."""

    words: list[str] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)  # teeth with their surfaces
    arch: Jaw | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    discount_kind: DiscountKind = DiscountKind.PERCENT
    discount: Decimal | None = None


def take_apart(text: str) -> Parts:
    """Take a typed line apart; raises LineError where a number in it cannot be read."""
    parts = Parts()
    rest = _DASHES.sub("-", text)
    rest, parts.price = _number(_PRICE, rest)
    rest, parts.discount = _number(_PERCENT, rest)
    if parts.discount is None:
        rest, parts.discount = _number(_AMOUNT, rest)
        parts.discount_kind = DiscountKind.AMOUNT if parts.discount is not None else DiscountKind.PERCENT
    rest, parts.quantity = _number(_QUANTITY, rest)
    for word in _RANGE.sub(r"\1-\2", rest).split():
        _place(parts, word)
    return parts


def _number(pattern: re.Pattern[str], text: str) -> tuple[str, Decimal | None]:
    """Take one number out of a text; raises LineError where it cannot be read."""
    found = pattern.search(text)
    if found is None:
        return text, None
    written = found.groupdict().get("value") or found.groupdict().get("after") or ""
    try:
        value = parse_decimal(written)
    except MoneyError:
        raise LineError("entry", _("“%(text)s” is not a number.", text=written)) from None
    return f"{text[: found.start()]} {text[found.end() :]}", value


def _place(parts: Parts, word: str) -> None:
    folded = fold(word).strip(",;")
    teeth = _TEETH.fullmatch(folded)
    surfaces = read_surfaces(folded)
    own_surfaces = read_surfaces(teeth.group(2)) if teeth else None
    if teeth and (own_surfaces or not teeth.group(2)):
        parts.groups.append((teeth.group(1), own_surfaces or ""))
    elif parts.groups and surfaces:
        without = [place for place, (_on, own) in enumerate(parts.groups) if not own]
        for place in without:  # "36 37 MOD": both
            parts.groups[place] = (parts.groups[place][0], surfaces)
    elif folded in _JAWS:
        parts.arch = _JAWS[folded] if parts.arch in (None, _JAWS[folded]) else Jaw.BOTH
    elif folded and not (folded in _JAW_NOUNS and parts.arch):
        parts.words.append(word.strip(",;"))
