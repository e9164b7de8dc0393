"""Bulletins come from a bank of our own on this machine: weekends, holidays, and answers that harm."""

from datetime import date

import pytest

from portal.catalog.rates.fetching import FetchError, Source
from portal.catalog.rates.parsing import BulletinError
from tests.catalog.rates.bulletins import bank, bulletin_xml


def test_the_newest_bulletin_is_todays() -> None:
    with bank({"/today.xml": bulletin_xml()}) as (source, _asked):
        assert source.newest().day == date(2026, 11, 25)


def test_a_sunday_has_the_bulletin_of_friday_and_weekends_are_not_asked_for() -> None:
    with bank({"/202611/20112026.xml": bulletin_xml("20.11.2026")}) as (source, asked):
        assert source.of_day(date(2026, 11, 22)).day == date(2026, 11, 20)
    assert asked == ["/202611/20112026.xml"]


def test_a_holiday_has_the_bulletin_before_it_over_the_turn_of_the_year() -> None:
    with bank({"/202512/31122025.xml": bulletin_xml("31.12.2025")}) as (source, asked):
        assert source.of_day(date(2026, 1, 2)).day == date(2025, 12, 31)
    assert asked == ["/202601/02012026.xml", "/202601/01012026.xml", "/202512/31122025.xml"]


def test_looking_back_ends_after_ten_days() -> None:
    with bank({}) as (source, asked), pytest.raises(FetchError, match="nor of the 10 days before"):
        source.of_day(date(2026, 11, 25))
    assert asked[-1] == "/202611/16112026.xml"
    assert len(asked) == 8


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (500, "answered 500"),
        (302, "answered 302"),
        (b"x" * (20 * 1024 * 1024), "more than 1024 kB"),
    ],
)
def test_an_answer_that_is_no_bulletin_says_why(answer: bytes | int, why: str) -> None:
    with (
        bank({"/today.xml": answer, "/elsewhere.xml": bulletin_xml()}) as (source, asked),
        pytest.raises(FetchError, match=why),
    ):
        source.newest()
    assert asked == ["/today.xml"]


def test_a_bulletin_of_another_day_is_refused() -> None:
    wrong = {"/202611/25112026.xml": bulletin_xml("24.11.2026")}
    with bank(wrong) as (source, _asked), pytest.raises(BulletinError, match="2026-11-24"):
        source.of_day(date(2026, 11, 25))


def test_a_bank_that_trickles_is_given_up() -> None:
    with bank({"/today.xml": bulletin_xml()}) as (source, _asked):
        hasty = Source(source.base, source.opener, timeout=5, deadline=-1)
        with pytest.raises(FetchError, match="within"):
            hasty.newest()


def test_a_bank_that_is_not_there_says_so() -> None:
    with bank({}) as (source, _asked):
        pass
    with pytest.raises(FetchError, match="cannot be reached"):
        source.newest()
