"""The one place where an offer's amounts are computed: lines, discounts, VAT and their sums.

Every line is rounded to the cent and the offer is the sum of its rounded lines, so the printed lines
always add up to the printed total. All amounts of one offer are in one currency.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from portal.core.money import CENT, MAX_AMOUNT, MoneyError, quantize_money

ZERO = Decimal("0.00")
HUNDRED = Decimal(100)
MAX_QUANTITY = Decimal("999999.99")  # numeric(8,2)


class DiscountKind(StrEnum):
    """How a line's discount is given."""

    PERCENT = "percent"
    AMOUNT = "amount"


class TotalsProblem(StrEnum):
    """Why a line cannot be computed."""

    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    ZERO_QUANTITY = "zero_quantity"
    TOO_LARGE = "too_large"
    TOO_PRECISE = "too_precise"
    DISCOUNT_ABOVE_BASE = "discount_above_base"
    DISCOUNT_INCOMPLETE = "discount_incomplete"


class TotalsError(ValueError):
    """A line was refused: ``reason`` says why, ``field`` is the input at fault, "" for a sum."""

    def __init__(self, reason: TotalsProblem, field: str = "") -> None:
        super().__init__(f"{field or 'total'}: {reason.value}")
        self.reason = reason
        self.field = field


@dataclass(frozen=True, slots=True)
class LineInput:
    """What is typed for a line, nothing finer than 0.01: ``vat_rate`` and percents as 10 for 10 %.

    ``discount_value`` is a percent, or an amount off the whole line, by ``discount_kind``; without a kind
    it is None or 0.
    """

    quantity: Decimal
    unit_price: Decimal
    discount_kind: DiscountKind | None
    discount_value: Decimal | None
    vat_rate: Decimal
    offer_discount: Decimal = ZERO  # this line's share of the offer's discount, from spread_discount()


@dataclass(frozen=True, slots=True)
class LineTotals:
    """A line's amounts: net + vat = gross; base and discount include VAT where the prices do."""

    base: Decimal
    discount: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal


@dataclass(frozen=True, slots=True)
class OfferTotals:
    """The sums of an offer's lines; ``by_rate`` has (rate, net, vat) for each VAT rate, lowest first.

    ``discount`` is the lines' own with their shares of the offer's.
    """

    subtotal: Decimal
    discount: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal
    by_rate: tuple[tuple[Decimal, Decimal, Decimal], ...]


def line_totals(line: LineInput, *, prices_include_vat: bool) -> LineTotals:
    """Compute one line. Raises TotalsError for input that is negative or out of range.

    With VAT in the prices, the net is derived from the gross, otherwise the gross from the net; VAT is
    always their difference and never added twice.
    """
    _check_line(line)
    base = _rounded(line.quantity * line.unit_price)
    discount = _discount(line, base)
    _check("offer_discount", line.offer_discount, base - discount)
    price = base - discount - line.offer_discount
    if prices_include_vat:
        gross, net = price, _rounded(price * HUNDRED / (HUNDRED + line.vat_rate))
    else:
        gross, net = price + _rounded(price * line.vat_rate / HUNDRED), price
    return LineTotals(base, discount, net, gross - net, _in_range(gross, MAX_AMOUNT))


def offer_totals(lines: Iterable[LineInput], *, prices_include_vat: bool) -> OfferTotals:
    """Compute an offer from its lines; without lines all is zero. Raises TotalsError as the lines do.

    A sum beyond ``MAX_AMOUNT`` is refused as well.
    """
    subtotal = discount = net = vat = gross = ZERO
    nets: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    vats: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        totals = line_totals(line, prices_include_vat=prices_include_vat)
        subtotal += totals.base
        discount += totals.discount + line.offer_discount
        net += totals.net
        vat += totals.vat
        gross += totals.gross
        rate = line.vat_rate.quantize(CENT)
        nets[rate] += totals.net
        vats[rate] += totals.vat
    _in_range(max(subtotal, gross), MAX_AMOUNT)
    by_rate = tuple((rate, nets[rate], vats[rate]) for rate in sorted(nets))
    return OfferTotals(subtotal, discount, net, vat, gross, by_rate)


def spread_discount(lines: Sequence[LineInput], kind: DiscountKind | None, value: Decimal | None) -> list[LineInput]:
    """Return the lines with their shares of an offer's discount, so that they still add up to the cent.

    Each line bears its part by what it costs; the cents left over go to the largest remainders, the first of
    equals. Raises TotalsError, its field "discount_value" of the offer, where the discount cannot be.
    """
    prices = [_price(line) for line in lines]
    whole = sum(prices, ZERO)
    wanted = _discount(LineInput(Decimal(1), whole, kind, value, ZERO), whole) if kind and value else ZERO
    if not wanted:
        return [replace(line, offer_discount=ZERO) for line in lines]
    exact = [wanted * price / whole for price in prices]
    shares = [part.quantize(CENT, ROUND_DOWN) for part in exact]
    left = int((wanted - sum(shares, ZERO)) / CENT)
    by_remainder = sorted(range(len(lines)), key=lambda place: shares[place] - exact[place])
    for place in by_remainder[:left]:
        shares[place] += CENT
    return [replace(line, offer_discount=share) for line, share in zip(lines, shares, strict=True)]


def _price(line: LineInput) -> Decimal:
    _check_line(line)
    base = _rounded(line.quantity * line.unit_price)
    return base - _discount(line, base)


def _check_line(line: LineInput) -> None:
    _check("quantity", line.quantity, MAX_QUANTITY)
    _check("unit_price", line.unit_price, MAX_AMOUNT)
    _check("vat_rate", line.vat_rate, HUNDRED)
    if not line.quantity:
        raise TotalsError(TotalsProblem.ZERO_QUANTITY, "quantity")


def _check(field: str, value: Decimal, highest: Decimal) -> None:
    if not value.is_finite():
        raise TotalsError(TotalsProblem.NOT_A_NUMBER, field)
    if value < 0:
        raise TotalsError(TotalsProblem.NEGATIVE, field)
    _in_range(value, highest, field)
    if value != value.quantize(CENT):  # the database would round it and the stored line no longer add up
        raise TotalsError(TotalsProblem.TOO_PRECISE, field)


def _in_range(value: Decimal, highest: Decimal, field: str = "") -> Decimal:
    if value > highest:
        raise TotalsError(TotalsProblem.TOO_LARGE, field)
    return value


def _rounded(amount: Decimal) -> Decimal:
    try:
        return quantize_money(amount)
    except MoneyError:
        raise TotalsError(TotalsProblem.TOO_LARGE) from None


def _discount(line: LineInput, base: Decimal) -> Decimal:
    kind, value = line.discount_kind, line.discount_value
    if kind is None and not value:
        return ZERO
    if kind is None or value is None:
        raise TotalsError(TotalsProblem.DISCOUNT_INCOMPLETE, "discount_value" if kind else "discount_kind")
    percent = kind == DiscountKind.PERCENT
    _check("discount_value", value, HUNDRED if percent else MAX_AMOUNT)
    if percent:
        return _rounded(base * value / HUNDRED)
    if value > base:  # refused, not capped: a mistyped amount must not make a line free
        raise TotalsError(TotalsProblem.DISCOUNT_ABOVE_BASE, "discount_value")
    return _rounded(value)
