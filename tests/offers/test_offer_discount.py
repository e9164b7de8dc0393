"""The discount on a whole offer: shared by its lines to the cent, for any lines whatever."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from portal.core.money import CENT
from portal.offers.models import Offer
from portal.offers.totals import (
    DiscountKind,
    LineInput,
    TotalsError,
    TotalsProblem,
    line_totals,
    offer_totals,
    spread_discount,
)
from tests.support.pages import field_errors, form_values, last_part
from tests.support.people import Person

PRICES = st.decimals(0, 99_999, places=2)
LINES = st.lists(
    st.builds(
        LineInput,
        st.integers(1, 40).map(Decimal),
        PRICES,
        st.just(DiscountKind.PERCENT),
        st.decimals(0, 100, places=2),
        st.sampled_from([Decimal(0), Decimal(1), Decimal(10), Decimal(20)]),
    ),
    min_size=1,
    max_size=12,
)


def price(line: LineInput) -> Decimal:
    totals = line_totals(line, prices_include_vat=True)
    return totals.base - totals.discount


@given(LINES, st.decimals(0, 100, places=2).filter(bool), st.booleans())
def test_lines_bear_a_percentage_by_what_they_cost_and_add_up(
    lines: list[LineInput], percent: Decimal, vat: bool
) -> None:
    spread = spread_discount(lines, DiscountKind.PERCENT, percent)
    whole = sum(map(price, lines), Decimal(0))
    wanted = (whole * percent / 100).quantize(CENT, "ROUND_HALF_UP")
    assert sum(line.offer_discount for line in spread) == wanted
    for before, after in zip(lines, spread, strict=True):
        exact = wanted * price(before) / whole if whole else Decimal(0)
        assert 0 <= after.offer_discount <= price(before)
        assert abs(after.offer_discount - exact) < CENT
    totals = offer_totals(spread, prices_include_vat=vat)
    each = [line_totals(line, prices_include_vat=vat) for line in spread]
    assert totals.gross == sum(line.gross for line in each) == totals.net + totals.vat
    assert totals.subtotal - totals.discount == (totals.gross if vat else totals.net)


@given(LINES, st.data())
def test_an_amount_is_shared_to_the_last_cent(lines: list[LineInput], data: st.DataObject) -> None:
    whole = sum(map(price, lines), Decimal(0))
    amount = data.draw(st.decimals(0, whole, places=2))
    spread = spread_discount(lines, DiscountKind.AMOUNT, amount)
    assert sum(line.offer_discount for line in spread) == amount


def test_more_than_the_offer_costs_is_refused() -> None:
    line = LineInput(Decimal(1), Decimal(100), None, None, Decimal(10))
    with pytest.raises(TotalsError) as refused:
        spread_discount([line], DiscountKind.AMOUNT, Decimal("100.01"))
    assert refused.value.reason is TotalsProblem.DISCOUNT_ABOVE_BASE


def test_the_discount_of_an_offer_is_stored_with_each_lines_share(
    send: Callable[..., TestResponse], stored: Callable[..., Offer], coordinator: Person, catalogue: Mapping[str, str]
) -> None:
    lines = [{"catalog_id": catalogue["zirkonyum-kron"], "teeth": "11"}, {"name": "Diş ipi", "unit_price": "0.05"}]
    offer_id = last_part(send(lines, discount_value="1000", discount_kind="amount"))
    offer = stored(offer_id)
    assert (offer.discount_kind, offer.discount_total) == ("amount", Decimal(1000))
    assert offer.grand_total == Decimal("11500.05") == sum(line.line_gross for line in offer.lines)
    assert sum(line.offer_discount for line in offer.lines) == 1000
    page = coordinator.get(f"/offers/{offer_id}/edit")
    assert form_values(page)["discount_value"] == "1000"
    coordinator.post(f"/offers/{offer_id}/edit", form_values(page))
    assert stored(offer_id).version == offer.version


def test_a_discount_that_cannot_be_is_told_beside_its_field(
    send: Callable[..., TestResponse], catalogue: Mapping[str, str]
) -> None:
    lines = [{"catalog_id": catalogue["transfer"]}]
    for value, kind, message in (("2500.01", "amount", "larger than the price"), ("101", "percent", "too large")):
        page = send(lines, discount_value=value, discount_kind=kind)
        assert page.status_code == 422
        assert message in field_errors(page)["discount_value"]
