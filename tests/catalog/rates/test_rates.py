"""Stored bulletins: once each, by the platform; counted with exactly; fetched by command and every working day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from portal.catalog import cli, jobs
from portal.catalog.models import ExchangeBulletin
from portal.catalog.rates.parsing import parse_bulletin
from portal.catalog.rates.queries import (
    Bulletin,
    NoRateError,
    convert,
    drift_margin,
    find_bulletin,
    get_bulletin,
    moved_beyond,
    rate,
)
from portal.catalog.rates.services import Stored, store_bulletin
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.core.money import quantize_money
from portal.core.work import clinic_work, platform_work
from tests.catalog.rates.bulletins import DOLLAR, bank, bulletin_xml

TODAY = date(2026, 11, 25)
RATES = {"EUR": Decimal("49.1332"), "USD": Decimal("42.3456"), "GBP": Decimal("55.9871"), "JPY": Decimal("0.27105")}
BULLETIN = Bulletin(uuid4(), "tcmb", TODAY, "2026/224", RATES)
AMOUNTS = st.decimals("0.01", "9999999.99", places=2)
Store = Callable[[bytes], Stored]


@pytest.fixture
def store(portal: Flask) -> Store:
    """Store a bulletin as the platform does; what a clinic reads is committed."""

    def do(content: bytes) -> Stored:
        with platform_work(portal, "a test"):
            return store_bulletin(parse_bulletin(content))

    return do


@given(AMOUNTS, st.sampled_from(["TRY", *RATES]), st.sampled_from(["TRY", *RATES]))
def test_there_and_back_is_the_same_to_the_cent(amount: Decimal, source: str, target: str) -> None:
    there = convert(amount, source, target, BULLETIN)
    assert quantize_money(convert(there, target, source, BULLETIN)) == amount


@given(AMOUNTS, st.sampled_from(list(RATES)))
def test_rounding_on_the_way_costs_at_most_half_a_cent_of_the_dearer_currency(amount: Decimal, target: str) -> None:
    there = quantize_money(convert(amount, "TRY", target, BULLETIN))
    back = convert(there, target, "TRY", BULLETIN)
    assert abs(back - amount) <= Decimal("0.005") * max(RATES[target], Decimal(1)) + Decimal("1e-20")


def test_lira_is_one_and_what_is_missing_is_an_error() -> None:
    assert rate(BULLETIN, "TRY") == 1
    assert convert(Decimal(100), "EUR", "TRY", BULLETIN) == Decimal("4913.3200")
    with pytest.raises(NoRateError):
        rate(BULLETIN, "CHF")


@pytest.mark.parametrize(
    ("new", "moved"),
    [("50.607196", False), ("50.607197", True), ("47.659204", False), ("47.659203", True), ("49.1332", False)],
)
def test_a_rate_has_drifted_only_beyond_the_margin(new: str, moved: bool) -> None:
    assert moved_beyond(RATES["EUR"], Decimal(new), Decimal(3)) is moved


def test_a_bulletin_is_stored_once_and_never_changed(portal: Flask, store: Store) -> None:
    first = store(bulletin_xml())
    again = store(bulletin_xml())
    other = store(bulletin_xml(buying="50.0000"))
    assert (first.is_new, again, other) == (True, Stored(first.id, is_new=False), Stored(first.id, False, True))
    with platform_work(portal, "a test"):
        assert rate(get_bulletin(first.id), "EUR") == Decimal("49.1332")


def test_a_day_has_its_bulletin_or_the_one_before(portal: Flask, store: Store) -> None:
    store(bulletin_xml("20.11.2026"))
    store(bulletin_xml("23.11.2026", buying="49.5"))
    with platform_work(portal, "a test"):
        found = find_bulletin(date(2026, 11, 22))
        assert found is not None and found.day == date(2026, 11, 20)
        newest = find_bulletin(TODAY)
        assert newest is not None and newest.rates == {
            "EUR": Decimal("49.5"), "USD": Decimal("42.3456"), "JPY": Decimal("0.27105"),
        }  # fmt: skip
        assert find_bulletin(date(2026, 11, 19)) is None


def test_a_bulletin_without_the_currency_is_passed_over(portal: Flask, store: Store) -> None:
    store(bulletin_xml("20.11.2026"))
    store(bulletin_xml("23.11.2026", currencies=DOLLAR))
    with platform_work(portal, "a test"):
        found = find_bulletin(TODAY, having={"EUR", "TRY"})
        assert found is not None and found.day == date(2026, 11, 20)
        assert find_bulletin(TODAY, having={"CHF"}) is None


def test_a_clinic_may_read_bulletins_and_not_write_them(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        assert find_bulletin(date(1990, 1, 1)) is None
        assert drift_margin() == 3
        with pytest.raises(NotFoundError):
            get_bulletin(uuid4())
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), clinic_work(portal, papatya.id):
        store_bulletin(parse_bulletin(bulletin_xml()))


def test_the_command_stores_a_file_and_says_so(portal: Flask, tmp_path: Path) -> None:
    path = tmp_path / "today.xml"
    path.write_bytes(bulletin_xml())
    run = portal.test_cli_runner()
    first = run.invoke(args=["rates", "fetch", "--file", str(path)])
    assert (first.exit_code, first.output) == (0, "Bulletin 2026/224 of 2026-11-25, 3 currencies: stored.\n")
    assert "was there already" in run.invoke(args=["rates", "fetch", "--file", str(path)]).output


@pytest.mark.parametrize(
    ("content", "arguments", "why"),
    [
        (bulletin_xml(), ["--date", "2026-11-24"], "of 2026-11-25, not of 2026-11-24"),
        (bulletin_xml(buying="49,1"), [], "with a comma"),
        (b" " * (20 * 1024 * 1024), [], "larger than"),
        (bulletin_xml(), ["--date", "2999-01-01"], "has not come yet"),
    ],
)
def test_the_command_refuses_with_the_reason_and_stores_nothing(
    portal: Flask, tmp_path: Path, content: bytes, arguments: list[str], why: str
) -> None:
    path = tmp_path / "wrong.xml"
    path.write_bytes(content)
    answer = portal.test_cli_runner().invoke(args=["rates", "fetch", "--file", str(path), *arguments])
    assert answer.exit_code == 1 and why in answer.output
    with platform_work(portal, "a test"):
        assert current_session().scalars(sa.select(ExchangeBulletin.id)).all() == []


def test_the_command_falls_back_over_a_weekend(portal: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with bank({"/202611/20112026.xml": bulletin_xml("20.11.2026")}) as (source, _asked):
        monkeypatch.setattr(cli, "Source", lambda: source)
        answer = portal.test_cli_runner().invoke(args=["rates", "fetch", "--date", "2026-11-22"])
    assert "of 2026-11-20, 3 currencies: stored" in answer.output


def test_the_daily_job_stores_the_newest_and_only_warns_where_the_bank_fails(
    portal: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank({"/today.xml": bulletin_xml()}) as (source, _asked):
        monkeypatch.setattr(jobs, "Source", lambda: source)
        with capture_logs() as logs:
            jobs.fetch_rates(timestamp=0)
    assert {"event": "rates.fetched", "day": "2026-11-25", "is_new": True, "log_level": "info"} in logs
    with capture_logs() as logs:
        jobs.fetch_rates(timestamp=0)
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("rates.not_fetched", "warning")]
