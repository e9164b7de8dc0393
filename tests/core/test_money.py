"""Amounts are read as people in Türkiye and abroad type them, and never guessed wrong silently."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.money import (
    MAX_AMOUNT,
    Currency,
    MoneyError,
    MoneyProblem,
    format_money,
    parse_decimal,
    quantize_money,
)

AMOUNTS = st.decimals(min_value=0, max_value=MAX_AMOUNT, places=2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1234,5", "1234.5"),
        ("1234.5", "1234.5"),
        ("1 234,56", "1234.56"),
        ("1\u00a0234,56", "1234.56"),
        ("1\u202f234\u202f567.89", "1234567.89"),
        ("12.345.678,90", "12345678.90"),
        ("12,345,678.90", "12345678.90"),
        ("1.234", "1234"),
        ("1,234", "1234"),
        ("12.345.678", "12345678"),
        ("1 234.567", "1234.567"),
        ("1234.567", "1234.567"),
        ("0.125", "0.125"),
        ("0,500", "0.5"),
        (",5", "0.5"),
        ("12,50", "12.50"),
        ("007", "7"),
        ("0", "0"),
        ("₺1.234,50", "1234.50"),
        ("1.234,50 ₺", "1234.50"),
        ("1250 TL", "1250"),
        ("1250tl", "1250"),
        ("€ 99.90", "99.90"),
        ("EUR 99,90", "99.90"),
        ("99.90 gbp", "99.90"),
        ("$5", "5"),
        ("\uff11\uff12,\uff15", "12.5"),  # full-width digits
        ("\u0661\u0662\u0663", "123"),  # Arabic-Indic digits
        ("9.999.999.999,99", "9999999999.99"),
    ],
)
def test_amount_is_read_in_turkish_and_english_notation(text: str, value: str) -> None:
    assert parse_decimal(text) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", MoneyProblem.EMPTY),
        ("  \u00a0", MoneyProblem.EMPTY),
        ("₺", MoneyProblem.EMPTY),
        ("NaN", MoneyProblem.SYNTAX),
        ("inf", MoneyProblem.SYNTAX),
        ("-Infinity", MoneyProblem.SYNTAX),
        ("1e400", MoneyProblem.SYNTAX),
        ("1E2", MoneyProblem.SYNTAX),
        ("1_000", MoneyProblem.SYNTAX),
        ("12\x00", MoneyProblem.SYNTAX),
        ("1²", MoneyProblem.SYNTAX),
        ("½", MoneyProblem.SYNTAX),
        ("12 34", MoneyProblem.SYNTAX),
        ("1.23.456", MoneyProblem.SYNTAX),
        ("1.234.56", MoneyProblem.SYNTAX),
        ("1,23,456.00", MoneyProblem.SYNTAX),
        ("1.234,567.8", MoneyProblem.SYNTAX),
        ("5.", MoneyProblem.SYNTAX),
        (",", MoneyProblem.SYNTAX),
        ("5 TL TL", MoneyProblem.SYNTAX),
        ("TL 5 €", MoneyProblem.SYNTAX),
        ("5 CHF", MoneyProblem.SYNTAX),
        ("five", MoneyProblem.SYNTAX),
        ("-5", MoneyProblem.NEGATIVE),
        ("\u22125,00 TL", MoneyProblem.NEGATIVE),
        ("0.123456789", MoneyProblem.TOO_PRECISE),
        ("10000000000", MoneyProblem.TOO_LARGE),
        ("9" * 30, MoneyProblem.TOO_LARGE),
        ("9" * 41, MoneyProblem.TOO_LONG),
    ],
)
def test_what_is_no_amount_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(MoneyError) as caught:
        parse_decimal(text)
    assert caught.value.reason == reason
    assert isinstance(caught.value, ValueError)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    try:
        value = parse_decimal(text)
    except MoneyError:
        return
    assert 0 <= value <= MAX_AMOUNT


@settings(deadline=None)
@given(AMOUNTS, st.sampled_from(["tr", "en"]), st.sampled_from(list(Currency)))
def test_a_shown_amount_can_be_typed_back(amount: Decimal, locale: str, currency: Currency) -> None:
    assert parse_decimal(format_money(amount, currency, locale)) == amount


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.005", "0.01"), ("0.0049", "0.00"), ("2.675", "2.68"), ("-2.675", "-2.68"), ("7", "7.00"), ("-0.001", "0.00")],
)
def test_halves_are_rounded_up_to_two_decimals(amount: str, rounded: str) -> None:
    assert str(quantize_money(Decimal(amount))) == rounded


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("NaN", MoneyProblem.SYNTAX),
        ("-Infinity", MoneyProblem.SYNTAX),
        ("9999999999.995", MoneyProblem.TOO_LARGE),
        ("-10000000000", MoneyProblem.TOO_LARGE),
        ("1e400", MoneyProblem.TOO_LARGE),
    ],
)
def test_amount_the_database_cannot_hold_is_not_rounded(amount: str, reason: str) -> None:
    with pytest.raises(MoneyError) as caught:
        quantize_money(Decimal(amount))
    assert caught.value.reason == reason


def test_amount_just_below_the_limit_is_kept() -> None:
    assert quantize_money(Decimal("9999999999.994")) == MAX_AMOUNT


@pytest.mark.parametrize(
    ("locale", "shown"), [("tr", "₺1.234.567,50"), ("en", "TRY1,234,567.50"), ("de", "1.234.567,50\u00a0TRY")]
)
def test_amount_is_shown_as_its_language_writes_it(locale: str, shown: str) -> None:
    assert format_money(Decimal("1234567.495"), Currency.TRY, locale).replace("TRY\u00a0", "TRY") == shown


def test_sums_beyond_the_limit_can_still_be_shown() -> None:
    assert format_money(MAX_AMOUNT * 10, Currency.EUR, "en") == "€99,999,999,999.90"
