"""Amounts of money: reading what people type, rounding, and showing it again.

Amounts are Decimal from the form to the database; a float never appears.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum

from babel import Locale
from babel.numbers import format_currency

CENT = Decimal("0.01")
MAX_AMOUNT = Decimal("9999999999.99")
MAX_FRACTION_DIGITS = 8  # exchange rates are numeric(18,8), nothing else has more
MAX_INPUT_LENGTH = 40

_SIGNS = re.compile(r"[₺€$£]|(?:TL|TRY|EUR|USD|GBP)", re.IGNORECASE | re.ASCII)
_SHAPE = re.compile(r"[0-9., ]+", re.ASCII)
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?P<by>[., ])[0-9]{3}(?:(?P=by)[0-9]{3})*", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


class Currency(StrEnum):
    """The currencies an offer can be written in, as ISO 4217 codes."""

    TRY = "TRY"
    EUR = "EUR"
    USD = "USD"
    GBP = "GBP"


class MoneyProblem(StrEnum):
    """Why a text or a number is not an amount the portal takes."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    SYNTAX = "syntax"
    NEGATIVE = "negative"
    TOO_PRECISE = "too_precise"
    TOO_LARGE = "too_large"


class MoneyError(ValueError):
    """An amount was refused; ``reason`` says why."""

    def __init__(self, reason: MoneyProblem) -> None:
        super().__init__(reason.value)
        self.reason = reason


def parse_decimal(text: str) -> Decimal:
    """Read a number typed in Turkish or English notation: ``1.234,56``, ``1,234.56``, ``1 234,5``.

    One currency sign or code before or after it is ignored. Where both separators occur, the last is
    the decimal one. A lone separator is a decimal one, except in plain thousands grouping: ``1.234``
    and ``1,234`` are both 1234, while ``0.125``, ``1234.567`` and ``12,5`` have decimals.
    The result is not rounded, never negative and at most ``MAX_AMOUNT``.
    Raises MoneyError, also for NaN, infinity and exponents.
    """
    if len(text) > MAX_INPUT_LENGTH:
        raise MoneyError(MoneyProblem.TOO_LONG)
    number = _without_sign("".join(_plain(char) for char in text).strip())
    if not number:
        raise MoneyError(MoneyProblem.EMPTY)
    if number.startswith("-") and _SHAPE.fullmatch(number[1:]):
        raise MoneyError(MoneyProblem.NEGATIVE)
    if not _SHAPE.fullmatch(number):
        raise MoneyError(MoneyProblem.SYNTAX)
    whole, fraction = _split(number)
    if len(fraction) > MAX_FRACTION_DIGITS:
        raise MoneyError(MoneyProblem.TOO_PRECISE)
    return _limited(Decimal(f"{_ungrouped(whole)}.{fraction or '0'}"))


def quantize_money(amount: Decimal) -> Decimal:
    """Round to the cent, halves away from zero; the result always has two decimals.

    Raises MoneyError where ``amount`` is not finite or is beyond ``MAX_AMOUNT`` either way.
    """
    if not amount.is_finite():
        raise MoneyError(MoneyProblem.SYNTAX)
    try:
        rounded = _to_cents(amount)
    except InvalidOperation:  # it has more digits than a Decimal keeps
        raise MoneyError(MoneyProblem.TOO_LARGE) from None
    _limited(abs(rounded))
    return rounded


def format_money(amount: Decimal, currency: Currency, locale: Locale | str) -> str:
    """Show an amount the way ``locale`` writes it: ``₺1.234,50`` in Turkish, ``€1,234.50`` in English.

    Takes any finite amount: sums in reports may pass ``MAX_AMOUNT``.
    """
    return format_currency(_to_cents(amount), currency.value, locale=locale)


def _plain(char: str) -> str:
    """Turn every white space, decimal digit and minus of Unicode into its ASCII form."""
    if char.isspace():
        return " "
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return "-" if char == "\N{MINUS SIGN}" else char


def _without_sign(number: str) -> str:
    """Take off one currency sign or code, in front or behind."""
    if found := _SIGNS.match(number):
        return number[found.end() :].strip()
    for found in _SIGNS.finditer(number):
        if found.end() == len(number):
            return number[: found.start()].strip()
    return number


def _split(number: str) -> tuple[str, str]:
    """Split into the whole part, as typed, and the decimals, "" where there are none."""
    if _GROUPED.fullmatch(number) or _DIGITS.fullmatch(number):
        return number, ""
    at = max(number.rfind("."), number.rfind(","))
    whole, fraction = number[:at], number[at + 1 :]
    if at < 0 or number[at] in whole or not _DIGITS.fullmatch(fraction):
        raise MoneyError(MoneyProblem.SYNTAX)
    return whole, fraction


def _ungrouped(whole: str) -> str:
    if not whole:
        return "0"
    if _DIGITS.fullmatch(whole):
        return whole
    if _GROUPED.fullmatch(whole):
        return "".join(_DIGITS.findall(whole))
    raise MoneyError(MoneyProblem.SYNTAX)


def _to_cents(amount: Decimal) -> Decimal:
    rounded = amount.quantize(CENT, rounding=ROUND_HALF_UP)
    return abs(rounded) if rounded.is_zero() else rounded  # there is no minus zero lira


def _limited(amount: Decimal) -> Decimal:
    if amount > MAX_AMOUNT:
        raise MoneyError(MoneyProblem.TOO_LARGE)
    return amount
