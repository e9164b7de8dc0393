"""The page about VAT: what everybody sees, and the permit that managers declare."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.catalog.enums import Residency, VatClass
from portal.catalog.models import VatExemption
from portal.catalog.pricing import vat_of
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.clock import today
from portal.core.work import clinic_work
from tests.catalog.rates.test_rates import BULLETIN
from tests.support.pages import told
from tests.support.people import Person

SignIn = Callable[..., Person]
PAGE, PERMIT = "/catalog/taxes", "/catalog/taxes/permit"
ABROAD = (VatClass.TREATMENT, Residency.NON_RESIDENT, date(2026, 11, 25))


def test_rates_and_exemptions_are_shown_to_everybody_who_reads_prices(sign_in: SignIn) -> None:
    page = told(sign_in("readonly").get(PAGE))
    assert "Treatment Lives abroad 13/1-l June 1, 2018" in page.replace("Jun 1", "June 1")
    assert "Not medical 20% Jul 10, 2023" in page
    assert "no exemption applies" in page and "No exchange rates have been fetched yet." in page
    assert "We hold the permit" not in page


def test_a_declared_permit_makes_exemptions_apply_until_it_is_taken_back(
    sign_in: SignIn, portal: Flask, papatya: ClinicInfo
) -> None:
    owner = sign_in("owner")
    for _ in range(2):
        assert owner.post(PERMIT, {"held": "yes"}).location == PAGE
    assert "exemptions apply" in told(owner.get(PAGE))
    with clinic_work(portal, papatya.id) as session:
        assert vat_of(*ABROAD) == (0, "13/1-l")
        logged = session.scalars(sa.select(ActivityLog.changes).where(ActivityLog.action == "setting.changed"))
        assert list(logged) == [{"vat.health_tourism_permit": [None, "yes"]}]
    assert owner.post(PERMIT, {"held": "no"}).status_code == 302
    with clinic_work(portal, papatya.id):
        assert vat_of(*ABROAD) == (10, None)


def test_one_clinics_permit_is_not_anothers(sign_in: SignIn, portal: Flask, lale: ClinicInfo) -> None:
    sign_in("owner").post(PERMIT, {"held": "yes"})
    with clinic_work(portal, lale.id):
        assert vat_of(*ABROAD) == (10, None)


@pytest.mark.parametrize("role", ["coordinator", "doctor", "assistant", "readonly"])
def test_only_managers_declare_a_permit(sign_in: SignIn, role: str) -> None:
    assert sign_in(role).post(PERMIT, {"held": "yes"}).status_code == 403


def test_the_newest_exchange_rates_are_shown(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.catalog.tax_views.find_bulletin", lambda _on: BULLETIN)
    page = told(sign_in("coordinator").get(PAGE))
    assert "EUR 49.1332 USD 42.3456 GBP 55.9871" in page and "Nov 25, 2026" in page


def day_from_now(days: int) -> str:
    return (today("Europe/Istanbul") + timedelta(days=days)).isoformat()


def test_a_new_rate_holds_from_its_day_and_ends_the_one_before(
    sign_in: SignIn, portal: Flask, papatya: ClinicInfo, lale: ClinicInfo
) -> None:
    fields = {"vat_class": "treatment", "rate": "12,5", "valid_from": day_from_now(10)}
    assert sign_in("owner").post("/catalog/taxes/rates/new", fields).location == PAGE
    with clinic_work(portal, papatya.id):
        days = [today("Europe/Istanbul") + timedelta(days=count) for count in (9, 10)]
        assert [vat_of("treatment", None, day)[0] for day in days] == [10, Decimal("12.5")]
    with clinic_work(portal, lale.id):
        assert vat_of("treatment", None, days[1])[0] == 10
    assert "12.5%" in told(sign_in("readonly").get(PAGE))


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"valid_from": day_from_now(-1)}, "This day is over"),
        ({"rate": "100,01"}, "cannot be more than 100"),
        ({"rate": "-1"}, "cannot be less than 0"),
        ({"vat_class": "gold"}, "Not a valid choice"),
        ({"valid_from": "31.02.2030"}, "This day does not exist"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(sign_in: SignIn, typed: dict[str, str], why: str) -> None:
    fields = {"vat_class": "treatment", "rate": "12", "valid_from": day_from_now(0), **typed}
    answer = sign_in("owner").post("/catalog/taxes/rates/new", fields)
    assert answer.status_code == 422 and why in answer.text


def test_the_same_rate_sent_twice_is_there_once(sign_in: SignIn) -> None:
    owner, fields = sign_in("owner"), {"vat_class": "treatment", "rate": "12", "valid_from": day_from_now(3)}
    assert owner.post("/catalog/taxes/rates/new", fields).status_code == 302
    answer = owner.post("/catalog/taxes/rates/new", fields)
    assert answer.status_code == 422 and "already" in answer.text


def test_an_exemption_is_added_and_ended_and_only_by_its_own_clinic(
    sign_in: SignIn, portal: Flask, papatya: ClinicInfo
) -> None:
    owner, new = sign_in("owner"), "/catalog/taxes/exemptions/new"
    owner.post(PERMIT, {"held": "yes"})
    fields = {"vat_class": "aesthetic_review", "residency": "non_resident", "code": "11/1-a"}
    assert owner.post(new, {**fields, "valid_from": day_from_now(0)}).location == PAGE
    asked = (VatClass.AESTHETIC_REVIEW, Residency.NON_RESIDENT)
    here = today("Europe/Istanbul")
    with clinic_work(portal, papatya.id) as session:
        assert vat_of(*asked, here) == (0, "11/1-a")
        wanted = {
            "exemption_id": str(session.scalars(sa.select(VatExemption.id).where(VatExemption.code == "11/1-a")).one())
        }
    twice = owner.post(new, {**fields, "valid_from": day_from_now(5)})
    assert twice.status_code == 422 and "End that one first" in twice.text
    assert sign_in("owner", "lale").post("/catalog/taxes/exemptions/end", wanted).status_code == 404
    assert owner.post("/catalog/taxes/exemptions/end", {"exemption_id": "x"}).status_code == 404
    assert owner.post("/catalog/taxes/exemptions/end", wanted).location == PAGE
    with clinic_work(portal, papatya.id):
        assert vat_of(*asked, here) == (0, "11/1-a")
        assert vat_of(*asked, here + timedelta(days=1))[1] is None


@pytest.mark.parametrize("role", ["coordinator", "readonly"])
def test_only_managers_change_vat(sign_in: SignIn, role: str) -> None:
    person = sign_in(role)
    assert {person.get(f"/catalog/taxes/{part}/new").status_code for part in ("rates", "exemptions")} == {403}
    assert person.post("/catalog/taxes/exemptions/end", {"exemption_id": "x"}).status_code == 403
