"""The page about VAT: what everybody sees, and the permit that managers declare."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.catalog.enums import Residency, VatClass
from portal.catalog.pricing import vat_of
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
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
