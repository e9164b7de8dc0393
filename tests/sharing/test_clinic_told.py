"""What a clinic has told of itself reaches its patients: on locked links, in mails, at head and foot of papers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.outbox import OutboxMail
from portal.core.patient_texts import texts
from portal.core.work import clinic_work
from portal.offers.content import content_sha256, offer_content
from portal.offers.queries import get_offer
from portal.settings.letterhead import letterhead, signature
from tests.sharing.conftest import Case
from tests.support.people import Person, hidden_fields
from tests.support.settings import save

TOLD = {
    "clinic_address": "Bağdat Cd. 1\nİstanbul", "sharing_phone": "0216 555 01 01", "clinic_legal_name": "Papatya A.Ş.",
    "clinic_tax_office": "Kadıköy", "clinic_tax_number": "1234567890",
}  # fmt: skip
WEEK = ["09:00", "18:00"] * 5 + [""] * 4


@pytest.fixture
def owner(sign_in: Callable[..., Person]) -> Person:
    """The owner of papatya, signed in."""
    return sign_in("owner")


def test_papers_carry_address_and_numbers_unless_the_clinic_wrote_its_own(
    case: Case, owner: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        assert letterhead(texts("de")) == ("", "")
        agreed = content_sha256(get_offer(case.offer_id))
    save(owner, "/settings/clinic", **TOLD)
    with clinic_work(portal, papatya.id):
        offer = get_offer(case.offer_id)
        content = offer_content(offer, locale="en")
        assert content.clinic.header == "Bağdat Cd. 1\nİstanbul\n+90 216 555 01 01"
        assert content.footer == "Papatya A.Ş. · Tax no. Kadıköy 1234567890"
        assert content_sha256(offer) == agreed, "who prints it changes nothing that is agreed on"
    owner.post("/settings/documents", {"header": "Our own words", "accent": "#0f6b6f"})
    with clinic_work(portal, papatya.id):
        assert offer_content(get_offer(case.offer_id), locale="en").clinic.header == "Our own words"


def test_a_locked_link_tells_when_to_call_in_the_patients_language_once_the_clinic_has_said_so(
    case: Case, make_link: Callable[..., str], owner: Person, visit: Callable[..., Person]
) -> None:
    path, patient = make_link(case), visit()
    save(owner, "/settings/clinic", **TOLD)
    assert "18:00" not in patient.get(path).text
    save(owner, "/settings/hours", clinic_hours=WEEK)
    assert "Mo.–Fr. 09:00–18:00" in patient.get(f"{path}?lang=de", follow_redirects=True).text


def test_a_mail_with_a_link_ends_with_how_to_reach_the_clinic(
    case: Case, owner: Person, coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        assert signature() == ""
    save(owner, "/settings/clinic", **TOLD)
    page = coordinator.post(case.path, {"method": "code", "days": "30", "locale": "tr"}).text
    token = hidden_fields(page)["token"]
    message = f"Merhaba http://papatya.localhost/o/{token}"
    assert coordinator.post(f"{case.path}/mail", {"token": token, "message": message}).status_code == 302
    with clinic_work(portal, papatya.id) as session:
        body = session.scalars(sa.select(OutboxMail.body).where(OutboxMail.kind == "offer.link")).one()
    assert body.startswith(message) and "\n+90 216 555 01 01\n" in body
