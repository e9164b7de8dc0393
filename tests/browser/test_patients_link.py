"""From the desk to the phone: a link is made, handed over, opened, read and signed; the patient's page passes axe."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from portal.core.database import db
from portal.core.hosts import Host, HostKind
from portal.core.work import clinic_work
from portal.offers.models import PatientOffer
from tests.browser.conftest import Served
from tests.browser.test_every_page import DESK, PHONE, faults, violations
from tests.support.data import add_offer, add_patient

pytestmark = pytest.mark.browser
Browse = Callable[..., Page]


@pytest.fixture
def case(served: Served) -> tuple[UUID, UUID]:
    """An offer of papatya and the recipient of its link, a patient with a phone."""
    with served.app.app_context():
        papatya = served.app.extensions["clinic_directory"].find(db.engine, Host(HostKind.SUBDOMAIN, "papatya"))
    with clinic_work(served.app, papatya.id) as session:
        patient = add_patient(first_name="Maximiliane", last_name="Oberstleutnant", phone_e164="+491715551234")
        offer = add_offer(papatya, patient, currency="EUR")
        recipient = sa.select(PatientOffer.id).where(PatientOffer.offer_id == offer.id)
        return offer.id, session.scalars(recipient).one()


def make_link(desk: Page, case: tuple[UUID, UUID]) -> str:
    """Make the link at the desk and hand it over by WhatsApp; return its address."""
    desk.goto(f"/offers/{case[0]}/recipients/{case[1]}/link")
    desk.get_by_role("button", name="Make the link").click()
    address = desk.get_by_label("Address").input_value()
    way = desk.get_by_role("link", name="WhatsApp")
    way.evaluate("link => link.addEventListener('click', event => event.preventDefault())")
    with desk.expect_response("**/link/channel") as noted:
        way.click()
    assert noted.value.status == 204
    return address


def open_link(phone: Page, address: str) -> None:
    """Answer the question and see the offer."""
    phone.goto(f"{address}?lang=en")
    phone.get_by_label("The last four digits of your phone number").fill("1234")
    phone.get_by_role("button", name="Open").click()
    expect(phone.get_by_role("heading", name="Your offer")).to_be_visible()


def read_and_leave(phone: Page) -> None:
    """Look at the treatments for more than a glance, then at something else."""
    phone.locator("#treatments").scroll_into_view_if_needed()
    phone.wait_for_timeout(2300)
    with phone.expect_response("**/reading") as told:
        phone.evaluate(
            "Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
    assert told.value.status == 204


def sign(phone: Page) -> None:
    """Accept with a typed name and a stroke of the finger."""
    phone.get_by_label("Your full name, as your signature").fill("Maximiliane Oberstleutnant")
    field = phone.locator("canvas")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    assert box is not None
    phone.mouse.move(box["x"] + 20, box["y"] + 40)
    phone.mouse.down()
    for step in range(6):
        phone.mouse.move(box["x"] + 20 + 20 * step, box["y"] + 40 + 5 * (step % 2))
    phone.mouse.up()
    phone.get_by_label("I have read the offer and accept what I have chosen.").check()
    phone.get_by_role("button", name="Accept and sign").click()
    expect(phone.get_by_role("heading", name="You have accepted this offer")).to_be_visible()


def test_from_the_desk_to_a_signature_on_a_phone(browse: Browse, case: tuple[UUID, UUID]) -> None:
    desk, phone, axe = browse("coordinator"), browse(None, viewport=PHONE), Axe()
    address = make_link(desk, case)
    found = faults(phone, address, axe)
    open_link(phone, address)
    found += faults(phone, address, axe)
    phone.emulate_media(color_scheme="dark")
    found += violations(phone, "dark")
    assert found == []
    read_and_leave(phone)
    sign(phone)
    desk.set_viewport_size(DESK)  # type: ignore[arg-type]
    desk.goto(f"/offers/{case[0]}")
    for told in ("WhatsApp", "read: treatments", "accepted the offer"):
        expect(desk.locator("main")).to_contain_text(told)


def test_the_patients_page_without_script(browse: Browse, case: tuple[UUID, UUID]) -> None:
    address = make_link(browse("coordinator"), case)
    phone = browse(None, viewport=PHONE, java_script_enabled=False)
    open_link(phone, address)
    phone.get_by_label("Ask the clinic").fill("How long does it take?")
    phone.get_by_role("button", name="Send the question").click()
    expect(phone.locator("#questions")).to_contain_text("How long does it take?")
    phone.get_by_text("Decline the offer").click()
    phone.get_by_label("Why?").select_option(label="The journey")
    phone.get_by_role("button", name="Decline", exact=True).click()
    expect(phone.get_by_role("heading", name="You have declined this offer")).to_be_visible()
