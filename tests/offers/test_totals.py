"""An offer adds up to the cent, with VAT counted once, whatever is typed."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.offers.totals import (
    DiscountKind,
    LineInput,
    LineTotals,
    OfferTotals,
    TotalsError,
    line_totals,
    offer_totals,
)

D = Decimal
PLAIN = LineInput(D(1), D("100.00"), None, None, D(10))
CENT = D("0.01")

quantities = st.decimals(min_value=CENT, max_value=D(1000), places=2)
prices = st.decimals(min_value=0, max_value=D(100000), places=2)
percents = st.decimals(min_value=0, max_value=D(100), places=2)
rates = st.sampled_from([D(0), D(1), D(8), D("10.00"), D(10), D(18), D(20), D("12.5"), D(100)])


@st.composite
def lines(draw: st.DrawFn) -> LineInput:
    plain = LineInput(draw(quantities), draw(prices), None, None, draw(rates))
    kind = draw(st.sampled_from([None, *DiscountKind]))
    if kind is None:
        return plain
    base = line_totals(plain, prices_include_vat=True).base
    value = draw(percents if kind is DiscountKind.PERCENT else st.decimals(min_value=0, max_value=base, places=2))
    return replace(plain, discount_kind=kind, discount_value=value)


def test_vat_inside_the_price_is_taken_out_of_it() -> None:
    assert line_totals(PLAIN, prices_include_vat=True) == LineTotals(
        base=D("100.00"), discount=D(0), net=D("90.91"), vat=D("9.09"), gross=D("100.00")
    )


def test_vat_outside_the_price_is_added_once() -> None:
    assert line_totals(PLAIN, prices_include_vat=False) == LineTotals(
        base=D("100.00"), discount=D(0), net=D("100.00"), vat=D("10.00"), gross=D("110.00")
    )


@pytest.mark.parametrize(
    ("kind", "value", "discount", "gross"),
    [
        (DiscountKind.PERCENT, D(15), D("37.52"), D("212.62")),  # 15 % of 250.14 is 37.521
        (DiscountKind.PERCENT, D(100), D("250.14"), D(0)),
        (DiscountKind.AMOUNT, D("50.14"), D("50.14"), D("200.00")),
        (DiscountKind.AMOUNT, D("250.14"), D("250.14"), D(0)),
        (None, D(0), D(0), D("250.14")),
        (None, None, D(0), D("250.14")),
    ],
)
def test_discount_comes_off_the_whole_line(
    kind: DiscountKind | None, value: Decimal | None, discount: Decimal, gross: Decimal
) -> None:
    line = LineInput(D(3), D("83.38"), kind, value, D(10))
    totals = line_totals(line, prices_include_vat=True)
    assert (totals.base, totals.discount, totals.gross) == (D("250.14"), discount, gross)


def test_halves_of_a_cent_are_rounded_up() -> None:
    line = LineInput(D("0.5"), D("0.01"), None, None, D(0))
    assert line_totals(line, prices_include_vat=True).base == CENT
    vat = line_totals(LineInput(D(1), D("0.05"), None, None, D(10)), prices_include_vat=False).vat
    assert vat == CENT  # 0.005


def test_offer_adds_its_rounded_lines_and_lists_each_rate() -> None:
    extra = LineInput(D(2), D("33.33"), DiscountKind.PERCENT, D(10), D(20))
    totals = offer_totals([PLAIN, extra, replace(PLAIN, vat_rate=D("10.00"))], prices_include_vat=True)
    assert totals == OfferTotals(
        subtotal=D("266.66"),
        discount=D("6.67"),
        net=D("231.81"),
        vat=D("28.18"),
        gross=D("259.99"),
        by_rate=((D(10), D("181.82"), D("18.18")), (D(20), D("49.99"), D("10.00"))),
    )


def test_offer_without_lines_is_zero() -> None:
    zero = D("0.00")
    assert offer_totals([], prices_include_vat=True) == OfferTotals(zero, zero, zero, zero, zero, ())


@settings(deadline=None)
@given(lines(), st.booleans())
def test_net_and_vat_are_the_gross_and_every_amount_is_whole_cents(line: LineInput, included: bool) -> None:
    totals = line_totals(line, prices_include_vat=included)
    assert totals.net + totals.vat == totals.gross
    assert 0 <= totals.discount <= totals.base
    assert totals.base - totals.discount == (totals.gross if included else totals.net)
    for amount in (totals.base, totals.discount, totals.net, totals.vat, totals.gross):
        assert amount >= 0
        assert amount.as_tuple().exponent == -2


@settings(deadline=None)
@given(lines())
def test_vat_is_the_rate_of_the_net_to_the_cent_either_way(line: LineInput) -> None:
    for included in (True, False):
        totals = line_totals(line, prices_include_vat=included)
        assert abs(totals.vat - totals.net * line.vat_rate / 100) <= CENT


@settings(deadline=None)
@given(lines())
def test_prices_with_vat_never_cost_more_than_the_same_prices_without(line: LineInput) -> None:
    with_vat = line_totals(line, prices_include_vat=True)
    without = line_totals(line, prices_include_vat=False)
    assert with_vat.gross == without.net
    assert with_vat.gross <= without.gross


@settings(deadline=None)
@given(st.lists(lines(), max_size=8), st.booleans())
def test_offer_is_the_sum_of_its_lines_and_of_its_rates(entries: list[LineInput], included: bool) -> None:
    totals = offer_totals(entries, prices_include_vat=included)
    each = [line_totals(line, prices_include_vat=included) for line in entries]
    assert totals.subtotal == sum(line.base for line in each)
    assert totals.discount == sum(line.discount for line in each)
    assert totals.gross == sum(line.gross for line in each) == totals.net + totals.vat
    assert totals.net == sum(net for _, net, _ in totals.by_rate)
    assert totals.vat == sum(vat for _, _, vat in totals.by_rate)
    assert [rate for rate, _, _ in totals.by_rate] == sorted({line.vat_rate for line in entries})


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"quantity": D(-1)}, "negative", "quantity"),
        ({"quantity": D(0)}, "zero_quantity", "quantity"),
        ({"quantity": D(1000000)}, "too_large", "quantity"),
        ({"quantity": D("1.005")}, "too_precise", "quantity"),
        ({"quantity": D("NaN")}, "not_a_number", "quantity"),
        ({"unit_price": D("-0.01")}, "negative", "unit_price"),
        ({"unit_price": D("Infinity")}, "not_a_number", "unit_price"),
        ({"unit_price": D("1e400")}, "too_large", "unit_price"),
        ({"unit_price": D("9.999")}, "too_precise", "unit_price"),
        ({"vat_rate": D(-1)}, "negative", "vat_rate"),
        ({"vat_rate": D("100.01")}, "too_large", "vat_rate"),
        ({"discount_kind": DiscountKind.PERCENT, "discount_value": D(101)}, "too_large", "discount_value"),
        ({"discount_kind": DiscountKind.PERCENT, "discount_value": D(-5)}, "negative", "discount_value"),
        ({"discount_kind": DiscountKind.AMOUNT, "discount_value": D(-5)}, "negative", "discount_value"),
        (
            {"discount_kind": DiscountKind.AMOUNT, "discount_value": D("100.01")},
            "discount_above_base",
            "discount_value",
        ),
        ({"discount_kind": DiscountKind.AMOUNT}, "discount_incomplete", "discount_value"),
        ({"discount_value": D(5)}, "discount_incomplete", "discount_kind"),
        ({"quantity": D(999999), "unit_price": D(999999)}, "too_large", ""),
        ({"unit_price": D("9999999999.99")}, "too_large", ""),  # with VAT on top it is
    ],
)
def test_input_out_of_range_is_refused_and_named(change: dict[str, object], reason: str, field: str) -> None:
    with pytest.raises(TotalsError) as caught:
        line_totals(replace(PLAIN, **change), prices_include_vat=False)  # type: ignore[arg-type]
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_offer_whose_sum_cannot_be_stored_is_refused() -> None:
    big = LineInput(D(1), D("9999999999.99"), None, None, D(0))
    assert offer_totals([big], prices_include_vat=True).gross == D("9999999999.99")
    with pytest.raises(TotalsError, match="too_large"):
        offer_totals([big, PLAIN], prices_include_vat=True)
