"""A morning's work by keyboard alone: down the list, a call noted, a row put off, another dealt with and taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from portal.auth.models import User
from portal.core.clock import now
from portal.core.database import db
from portal.core.hosts import Host, HostKind
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers.models import Offer, OfferKind, PatientOffer
from portal.offers.queries import default_status
from portal.reminders.models import Reminder
from portal.reminders.services import create_reminder
from tests.browser.conftest import Served
from tests.support.data import add_offer, add_patient

pytestmark = pytest.mark.browser
Browse = Callable[..., Page]


@pytest.fixture
def morning(served: Served) -> None:
    """An assistant of lale has an overdue call, an offer that was just read, and one that nobody opened."""
    with served.app.app_context():
        lale = served.app.extensions["clinic_directory"].find(db.engine, Host(HostKind.SUBDOMAIN, "lale"))
    with clinic_work(served.app, lale.id) as session:
        email = "assistant@lale.example.com"
        person = session.scalars(sa.select(User.id).where(User.email == email)).one()
        session.execute(sa.delete(Reminder))
        session.execute(sa.update(Offer).values(status_id=default_status(OfferKind.DRAFT).id, signoff_asked_at=None))
        for first, opened in (("Işıl", 1), ("Şule", None)):
            patient = add_patient(first_name=first, last_name="Öğüt", phone_e164="+905321112233")
            offer_id = add_offer(lale, patient).id
            viewed = None if opened is None else now() - timedelta(hours=opened)
            values: dict[str, Any] = {
                "status_id": default_status(OfferKind.SENT).id, "sent_at": now() - timedelta(hours=30),
                "first_viewed_at": viewed, "coordinator_id": person,
            }  # fmt: skip
            session.execute(sa.update(Offer).where(Offer.id == offer_id).values(**values))
            link = {"token_hash": offer_id.bytes, "view_count": int(opened is not None), "last_viewed_at": viewed}
            session.execute(sa.update(PatientOffer).where(PatientOffer.offer_id == offer_id).values(**link))
        values = {
            "title": "Ask for the X-ray", "due_at": now() - timedelta(hours=1), "assigned_to_id": person,
            "patient_id": patient.id, "kind": "call",
        }  # fmt: skip
        create_reminder(SYSTEM, form_key=None, values=values)


@pytest.mark.usefixtures("morning")
def test_a_morning_is_worked_down_without_a_mouse(browse: Browse) -> None:
    page = browse("assistant", "lale")
    page.goto("/")
    rows = page.locator(".task")
    expect(rows).to_have_count(3)

    page.keyboard.press("j")  # the overdue call
    expect(rows.nth(0).locator("a.row-link")).to_be_focused()
    page.keyboard.press("d")
    expect(page.get_by_role("button", name="Reached")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    expect(page.get_by_text("Done.", exact=True)).to_be_visible()

    page.keyboard.press("j")
    page.keyboard.press("j")  # the one nobody opened
    expect(rows.nth(1)).to_contain_text("Şule Öğüt")
    page.keyboard.press("s")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # on the next working day at nine
    expect(rows).to_have_count(1)

    page.keyboard.press("j")  # the one that was just read
    page.keyboard.press("d")
    expect(rows).to_have_count(0)
    undo = page.get_by_role("button", name="Undo")
    undo.focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/offers/"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.usefixtures("morning")
def test_w_writes_to_the_patient_by_whatsapp(browse: Browse) -> None:
    page = browse("assistant", "lale")
    page.goto("/")
    page.context.route("https://wa.me/**", lambda route: route.fulfill(body="WhatsApp"))
    for _row in range(2):
        page.keyboard.press("j")
    with page.context.expect_page() as opened:
        page.keyboard.press("w")
    assert opened.value.url.startswith("https://wa.me/905321112233")
