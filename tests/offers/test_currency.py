from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask import Flask

from portal.catalog.rates.parsing import parse_bulletin
from portal.catalog.rates.services import store_bulletin
from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work, platform_work
from portal.offers import editor as editor_module
from portal.offers import presenting
from portal.offers.currency import Drift, find_drift
from portal.offers.models import Offer
from portal.offers.queries import get_offer
from portal.offers.revising import revise_offer
from portal.offers.services import send_offer
from tests.catalog.rates.bulletins import bulletin_xml
from tests.support.data import add_offer, add_patient
from tests.support.pages import text_of
from tests.support.people import Person


def publish(app: Flask, rate: str, *, days_ago: int) -> None:
    day = (date.today() - timedelta(days=days_ago)).strftime("%d.%m.%Y")
    with platform_work(app, "a test"):
        store_bulletin(parse_bulletin(bulletin_xml(day, buying=rate)))


def sent(clinic: ClinicInfo, code: str) -> Offer:
    """Send an offer of the pinned clinic in a currency."""
    offer = get_offer(add_offer(clinic, add_patient(first_name="Kur", last_name=code), currency=code).id)
    send_offer(SYSTEM, offer)
    return offer


def test_offers_abroad_go_by_the_newest_bulletin_and_a_rate_that_moves_too_far_is_told(
    own: Flask, papatya: ClinicInfo
) -> None:
    publish(own, "48.0000", days_ago=9)
    publish(own, "49.0000", days_ago=8)
    with clinic_work(own, papatya.id):
        euro = sent(papatya, "EUR")
        assert euro.bulletin_id is not None and find_drift(euro) is None
        assert sent(papatya, "TRY").bulletin_id is None
        pounds = sent(papatya, "GBP")
        assert pounds.content_sha256 and pounds.bulletin_id is None, "sent, though no bulletin has its currency"
        euro_id = euro.id
    publish(own, "50.4000", days_ago=7)
    with clinic_work(own, papatya.id):
        assert find_drift(get_offer(euro_id)) is None, "within the margin"
    publish(own, "46.0000", days_ago=6)
    with clinic_work(own, papatya.id):
        drift = find_drift(get_offer(euro_id))
        assert drift is not None
        assert (drift.before, drift.after, drift.margin) == (Decimal("49.0000"), Decimal("46.0000"), 3)
        revision = get_offer(revise_offer(SYSTEM, get_offer(euro_id)).id)
        assert find_drift(revision) == drift, "a revision is told before it is sent"
        send_offer(SYSTEM, revision)
        assert find_drift(revision) is None and revision.bulletin_id != euro.bulletin_id


def test_the_warning_stands_on_the_offer_and_in_its_editor(
    monkeypatch: pytest.MonkeyPatch, coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        offer_id = add_offer(papatya, add_patient(), currency="EUR").id
    moved = Drift("EUR", "TRY", date(2026, 11, 20), Decimal("49.1332"), Decimal("52.0001"), Decimal(3))
    for module in (presenting, editor_module):
        monkeypatch.setattr(module, "find_drift", lambda _offer: moved)
    for path in (f"/offers/{offer_id}", f"/offers/{offer_id}/edit"):
        page = text_of(coordinator.get(path).text)
        assert "moved by more than 3%: one EUR was TRY49.13 on Nov 20, 2026 and is TRY52.00 now" in page
