"""Making, handing over and ending links, as colleagues do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.jobs import SYSTEM
from portal.core.outbox import OutboxMail
from portal.core.settings import settings
from portal.core.work import clinic_work
from portal.offers.documents import PdfDocument
from portal.offers.models import Offer, PatientOffer, Verify
from portal.offers.pdf import offer_pdf
from portal.offers.queries import get_offer
from portal.offers.reading import reading_line
from portal.settings.registry import set_setting
from portal.sharing import factors, links
from portal.sharing.link_settings import OPEN_LINKS
from tests.sharing.conftest import Case
from tests.support.people import Person

Link = Callable[..., str]


def test_a_token_has_256_bits_and_only_its_hash_is_stored(
    case: Case, make_link: Link, recipient_of: Callable[[Case], PatientOffer]
) -> None:
    token = make_link(case).rpartition("/")[2]
    stored = recipient_of(case)
    assert len(token) == 43
    assert stored.token_hash == links.hash_token(token)
    assert token not in repr({column.key: getattr(stored, column.key) for column in PatientOffer.__table__.c})


def test_what_the_patient_must_type_is_stored_hashed(
    case: Case, make_link: Link, recipient_of: Callable[[Case], PatientOffer]
) -> None:
    make_link(case)
    assert (recipient_of(case).verify_hash or "").startswith("$argon2id$")


def test_making_a_link_sends_the_draft(case: Case, make_link: Link, offer_of: Callable[[Case], Offer]) -> None:
    make_link(case)
    offer = offer_of(case)
    assert (offer.status.kind, offer.sent_at is not None) == ("sent", True)


def test_another_link_ends_the_one_before_at_once(case: Case, make_link: Link, visit: Callable[..., Person]) -> None:
    first, second = make_link(case), make_link(case)
    assert first != second
    assert (visit().get(first).status_code, visit().get(second).status_code) == (404, 200)


def test_the_address_is_the_clinics_own_whatever_the_request_says(case: Case, coordinator: Person) -> None:
    fields = {"method": "phone_last4", "days": "30", "locale": "de"}
    answer = coordinator.post(case.path, fields, headers={"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in answer.text
    assert "http://papatya.localhost" in answer.text


def test_whatsapp_gets_digits_and_a_message_without_any_detail(case: Case, coordinator: Person) -> None:
    page = coordinator.post(case.path, {"method": "phone_last4", "days": "30", "locale": "de"}).text
    found = re.search(r'href="(https://wa\.me/[^"]+)"', page)
    assert found
    url = urlsplit(unescape(found.group(1)))
    text = parse_qs(url.query)["text"][0]
    assert url.path == "/491715551234"
    assert "/o/" in text
    for secret in ("Gizli", "Zirkonyum", "Nazlı", "EUR", "TRY"):
        assert secret not in text


def test_a_message_can_be_changed_but_not_lose_the_link(case: Case, make_link: Link, coordinator: Person) -> None:
    path = make_link(case)
    token = path.rpartition("/")[2]
    own = f"Merhaba, bağlantınız: http://papatya.localhost{path}"
    page = coordinator.post(f"{case.path}/message", {"token": token, "message": own})
    assert page.status_code == 200
    assert "Merhaba%2C%20ba%C4%9Flant%C4%B1n%C4%B1z" in page.text
    assert coordinator.post(f"{case.path}/message", {"token": token, "message": "Merhaba"}).status_code == 422


def test_the_link_goes_by_mail_once(
    case: Case, make_link: Link, coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    path = make_link(case)
    fields = {"token": path.rpartition("/")[2], "message": f"Hallo http://papatya.localhost{path}"}
    for _time in range(3):
        assert coordinator.post(f"{case.path}/mail", fields).status_code == 302
    with clinic_work(portal, papatya.id) as session:
        mails = session.scalars(sa.select(OutboxMail)).all()
        assert [(mail.to_address, path in mail.body) for mail in mails] == [("nazli@example.com", True)]
        assert "Nazlı" not in mails[0].subject


def test_the_printed_offer_leads_to_the_link_and_what_was_kept_stays(
    case: Case, make_link: Link, coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    path = make_link(case)
    printed = coordinator.post(f"{case.path}/pdf", {"token": path.rpartition("/")[2]})
    assert (printed.status_code, printed.mimetype) == (200, "application/pdf")
    with clinic_work(portal, papatya.id) as session:
        offer = get_offer(case.offer_id)
        assert printed.data == offer_pdf(offer, locale="de", link_url=settings().url_for_host("papatya") + path)
        (kept,) = session.scalars(sa.select(PdfDocument).where(PdfDocument.offer_id == case.offer_id))
        assert kept.sha256 == hashlib.sha256(kept.content).hexdigest()
        assert kept.content == offer_pdf(offer, locale="de")


def test_how_a_link_was_handed_over_is_noted_and_shown(
    case: Case, make_link: Link, coordinator: Person, recipient_of: Callable[[Case], PatientOffer]
) -> None:
    assert coordinator.post(f"{case.path}/channel", {"channel": "whatsapp"}).status_code == 302
    assert recipient_of(case).channel is None, "there is no link yet"
    token = make_link(case).rpartition("/")[2]
    for way, shown in (("whatsapp", "WhatsApp"), ("copy", "copied address"), ("qr", "QR code"), ("pigeon", "QR code")):
        told = coordinator.post(f"{case.path}/channel", {"channel": way}, headers={"Accept": "application/json"})
        assert told.status_code == 204
        assert shown in coordinator.get(f"/offers/{case.offer_id}").text
    coordinator.post(f"{case.path}/channel", {"channel": "copy"})
    coordinator.post(f"{case.path}/pdf", {"token": token})
    assert recipient_of(case).channel == "qr", "it is on the paper"
    make_link(case)
    assert recipient_of(case).channel is None, "another link has gone nowhere yet"


def test_a_token_that_is_not_the_current_one_shows_nothing(case: Case, make_link: Link, coordinator: Person) -> None:
    make_link(case)
    fields = {"token": links.make_token(), "message": "x"}
    assert coordinator.post(f"{case.path}/message", fields).status_code == 404
    assert coordinator.post(f"{case.path}/mail", fields).status_code == 404
    assert coordinator.post(f"{case.path}/pdf", fields).status_code == 404


def test_no_second_factor_only_where_the_clinic_allows_it(
    case: Case, coordinator: Person, make_link: Link, portal: Flask, papatya: ClinicInfo
) -> None:
    fields = {"method": "none", "days": "30", "locale": "tr"}
    assert coordinator.post(case.path, fields).status_code == 422
    with clinic_work(portal, papatya.id):
        set_setting(SYSTEM, OPEN_LINKS, True)
    assert coordinator.post(case.path, fields).status_code == 200


def test_a_patient_without_phone_is_asked_for_what_is_known(
    make_case: Callable[..., Case], coordinator: Person
) -> None:
    page = coordinator.get(make_case(phone_e164=None).path).text
    assert 'value="phone_last4"' not in page
    assert 'value="birth_date"' in page


def test_the_panel_offers_to_unlock_what_is_locked(
    case: Case, make_link: Link, coordinator: Person, visit: Callable[..., Person]
) -> None:
    path, patient = make_link(case), visit()
    for _try in range(5):
        patient.post(path, {"answer": "0000"})
    assert "unlock" in coordinator.get(f"/offers/{case.offer_id}").text
    assert coordinator.post(f"{case.path}/unlock").status_code == 302
    assert patient.post(path, {"answer": "1234"}).location == path


@pytest.mark.parametrize(
    ("views", "seconds", "days", "told"),
    [
        (0, 0, 0, "not opened yet"), (1, 20, 0, "opened once, less than a minute"),
        (2, 240, 0, "opened twice, 4 minutes"), (7, 60, 30, "opened 7 times, 1 minute, unread since"),
    ],
)  # fmt: skip
def test_the_panel_tells_how_an_offer_was_read(portal: Flask, views: int, seconds: int, days: int, told: str) -> None:
    seen = now() - timedelta(days=days)
    recipient = PatientOffer(view_count=views, read_seconds=seconds, last_viewed_at=seen if views else None)
    with portal.test_request_context(headers={"Cookie": "language=en"}):
        line = reading_line(recipient)
    assert line.startswith(told) if days else line == told


@pytest.mark.parametrize("typed", ["1234", " 12 34 ", "+49 171 555 1234", "١٢٣٤"])
def test_phone_digits_are_read_as_people_write_them(typed: str) -> None:
    assert factors.normal_answer(Verify.PHONE, typed) == "1234"


@pytest.mark.parametrize("typed", ["1990-05-17", "17.05.1990", "17/05/1990", "17051990", " 17.5.1990 "])
def test_a_birth_date_is_read_as_people_write_it(typed: str) -> None:
    assert factors.normal_answer(Verify.BIRTH_DATE, typed) == "1990-05-17"


def test_an_empty_answer_is_never_the_right_one() -> None:
    assert {factors.normal_answer(method, "²\x00") for method in (Verify.PHONE, Verify.CODE, Verify.BIRTH_DATE)} == {""}
