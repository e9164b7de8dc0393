"""What referral sources bring: every figure is what the list behind it shows, and costs go by days."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.periods import Days, read_days
from portal.core.work import clinic_work
from portal.offers import services as offers
from portal.offers.models import OfferKind
from portal.offers.queries import default_status, get_offer
from portal.patients.models import Patient
from portal.patients.services import archive_patient
from portal.referrals.services import create_source
from portal.reports.sources import cost_during
from tests.support.data import add_offer, add_patient
from tests.support.pages import row_names, told
from tests.support.people import Person

PATH = "/reports/sources"
ZONE = "Europe/Istanbul"


@pytest.fixture
def owner(sign_in: Callable[..., Person]) -> Person:
    return sign_in("owner")


@pytest.mark.parametrize(
    ("first", "last", "cost"),
    [
        ((2026, 1, 1), (2026, 12, 31), "1200.00"),
        ((2026, 2, 1), (2026, 2, 14), "50.00"),
        ((2026, 1, 17), (2026, 2, 14), "98.39"),
        ((2028, 2, 29), (2028, 2, 29), "3.45"),
    ],
)
def test_a_monthly_cost_counts_by_days_and_by_whole_months(
    first: tuple[int, int, int], last: tuple[int, int, int], cost: str
) -> None:
    assert cost_during(Decimal(100), Days(date(*first), date(*last), ZONE)) == Decimal(cost)


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"from": "2026-01-01"},
        {"from": "2026-02-01", "to": "2026-01-01"},
        {"from": "0001-01-01", "to": "2026-01-01"},
        {"from": "2026-01-01", "to": "9999-12-31"},
        {"from": "31.02.2026", "to": "31.03.2026"},
        {"from": "\x00", "to": "x"},
    ],
)
def test_days_that_make_no_sense_are_no_days(args: dict[str, str]) -> None:
    assert read_days(args, ZONE) is None


def test_days_begin_and_end_at_midnight_of_the_clinic(portal: Flask, papatya: ClinicInfo, owner: Person) -> None:
    with clinic_work(portal, papatya.id) as session:
        for name, moment in (("Evvel", "2026-03-31 20:59"), ("İlk", "2026-03-31 21:00"), ("Son", "2026-04-30 20:59")):
            row = add_patient(first_name=name, last_name="Saat")
            at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
            session.execute(sa.update(Patient).where(Patient.id == row.id).values(created_at=at))
    assert sorted(row_names(owner.get("/patients/?from=2026-04-01&to=2026-04-30"))) == ["Son Saat", "İlk Saat"]


def test_every_figure_opens_the_patients_it_counts(portal: Flask, papatya: ClinicInfo, owner: Person) -> None:
    with clinic_work(portal, papatya.id):
        source = create_source(SYSTEM, values={"name": "Harita & Co", "kind": "online", "colour": "#aa3355"})
        for name in ("Bir", "İki", "Gitti"):
            patient = add_patient(first_name=name, last_name="Harita", referral_source_id=source.id)
        archive_patient(SYSTEM, patient)
    page = owner.get(PATH)
    links = re.findall(r'<a href="(/patients/\?[^"]*)">(\d+)<', page.text)
    assert [int(number) for _url, number in links] == [2, 3, 5], "the source, those without one, all"
    for url, number in links:
        assert len(row_names(owner.get(unescape(url)))) == int(number)
    chart = re.search(r"<svg[^>]*chart-wide.*?</svg>", page.text, re.DOTALL)
    assert chart and 'fill="#aa3355"' in chart.group() and "style=" not in page.text
    assert "Harita &amp; Co: 2" in chart.group()


def test_an_accepted_offer_costs_what_its_source_cost_in_those_days(
    portal: Flask, papatya: ClinicInfo, owner: Person
) -> None:
    with clinic_work(portal, papatya.id):
        values = {"name": "Reklam", "kind": "online", "monthly_cost": Decimal(3000), "cost_currency": "TRY"}
        source = create_source(SYSTEM, values=values)
        patient = add_patient(first_name="Evet", last_name="Der", referral_source_id=source.id)
        for kind in (OfferKind.ACCEPTED, OfferKind.ACCEPTED, OfferKind.DECLINED):
            offer = get_offer(add_offer(papatya, patient).id)
            offers.send_offer(SYSTEM, offer)
            offers.move_offer(SYSTEM, offer, status=default_status(kind))
        decided = offer.decided_at
    assert decided is not None
    month = decided.date().replace(day=1)
    days = Days(month, decided.date(), ZONE)
    text = told(owner.get(PATH, query_string=days.args()))
    share = cost_during(Decimal(3000), days)
    assert f"Reklam 1 patients of Reklam 2 TRY{share:,.2f} TRY{share / 2:,.2f}" in text
    assert "Reklam 0 0 TRY" in told(owner.get(PATH, query_string={"from": "2001-01-01", "to": "2001-01-31"}))


def test_days_in_the_wrong_order_are_said_and_the_usual_ones_shown(owner: Person) -> None:
    page = owner.get(PATH, query_string={"from": "2026-02-01", "to": "2026-01-01"})
    assert "These days make no period" in told(page)


def test_costs_are_for_those_who_manage_sources(sign_in: Callable[..., Person]) -> None:
    assert sign_in("coordinator").get(PATH).status_code == 403
