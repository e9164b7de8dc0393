"""A bulletin is read exactly or refused with the reason: a wrong rate would end up in an offer."""

from datetime import date
from decimal import Decimal

import pytest

from portal.catalog.rates.parsing import MAX_BYTES, BulletinError, parse_bulletin
from tests.catalog.rates.bulletins import DOLLAR, EURO, YEN, bulletin_xml

BOMB = b"""<?xml version="1.0"?><!DOCTYPE Tarih_Date [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><Tarih_Date Tarih="25.11.2026">&c;</Tarih_Date>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE Tarih_Date [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<Tarih_Date Tarih="25.11.2026" Bulten_No="1">&x;</Tarih_Date>"""


def test_a_bulletin_is_read_to_the_last_digit() -> None:
    bulletin = parse_bulletin(bulletin_xml())
    assert (bulletin.day, bulletin.number) == (date(2026, 11, 25), "2026/224")
    rates = {rate.currency: rate for rate in bulletin.rates}
    assert rates["EUR"].forex_buying == Decimal("49.1332")
    assert rates["EUR"].banknote_selling == Decimal("49.2955")
    assert (rates["JPY"].unit, rates["JPY"].forex_buying) == (100, Decimal("27.1050"))


def test_empty_and_missing_elements_are_no_rate() -> None:
    dollar = next(rate for rate in parse_bulletin(bulletin_xml()).rates if rate.currency == "USD")
    assert dollar.banknote_buying is None  # empty
    assert dollar.banknote_selling is None  # missing
    assert dollar.forex_selling == Decimal("42.4219")


def test_a_currency_without_its_unit_is_left_out() -> None:
    without = YEN.replace("<Unit>100</Unit>", "")
    assert [rate.currency for rate in parse_bulletin(bulletin_xml(currencies=DOLLAR + without)).rates] == ["USD"]


def test_one_of_the_two_dates_is_enough() -> None:
    content = bulletin_xml().replace(b' Tarih="25.11.2026"', b"")
    assert parse_bulletin(content).day == date(2026, 11, 25)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (BOMB, "document type or entities"),
        (OUTSIDE, "document type or entities"),
        (bulletin_xml(buying="49,1332"), "EUR: ForexBuying is '49,1332', with a comma"),
        (bulletin_xml(buying="1.234.567"), "is no rate"),
        (bulletin_xml(buying="1e5"), "is no rate"),
        (bulletin_xml(buying="NaN"), "is no rate"),
        (bulletin_xml(buying="-49.1"), "is no rate"),
        (bulletin_xml(buying="49.123456789"), "is no rate"),
        (bulletin_xml(buying="٤٩"), "is no rate"),
        (bulletin_xml(buying="0.0000"), "is zero"),
        (b"<html><body>Bakim</body></html>", "root is 'html'"),
        (b"", "not XML"),
        (b"\x00\xff", "not XML"),
        (b'<?xml version="1.0" encoding="klingon"?><Tarih_Date/>', "not XML"),
        (bulletin_xml()[:-20], "not XML"),
        (bulletin_xml(currencies=""), "no rate of any currency"),
        (bulletin_xml(currencies=EURO.format(buying="1") * 2), "EUR more than once"),
        (bulletin_xml(currencies=DOLLAR.replace('Kod="USD"', 'Kod="EUR"')), "no clear code"),
        (bulletin_xml(currencies="<Currency><Unit>1</Unit></Currency>"), "no clear code"),
        (bulletin_xml(currencies=YEN.replace("100", "0")), "not a whole number"),
        (bulletin_xml().replace(b'Date="11/25/2026"', b'Date="11/24/2026"'), "different days"),
        (bulletin_xml().replace(b"25.11.2026", b"31.02.2026"), "no day"),
        (bulletin_xml().replace(b' Tarih="25.11.2026" Date="11/25/2026"', b""), "neither Tarih nor Date"),
        (b" " * (20 * 1024 * 1024), "larger than"),
        (b"<Tarih_Date>" + b"<a>" * 100_000, "not XML"),
    ],
)  # fmt: skip
def test_what_cannot_be_trusted_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(BulletinError, match=why):
        parse_bulletin(content)


def test_the_limit_is_far_above_a_real_bulletin() -> None:
    assert len(bulletin_xml()) * 100 < MAX_BYTES
