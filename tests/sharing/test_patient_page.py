"""The patient's page: what it says before and after the second factor, and who does not count as a reader."""

# ruff: noqa: PLR0917 - a test asks for its fixtures by name, as many as it needs

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from icalendar import Calendar

from portal.auth import limits
from portal.core import audit
from portal.core.analytics import AnalyticsEvent
from portal.core.clinics import ClinicDirectory, ClinicInfo, ClinicStatus
from portal.core.clock import now
from portal.core.jobs import SYSTEM
from portal.core.patient_texts import PATIENT_LANGUAGES
from portal.core.settings import settings
from portal.core.work import clinic_work
from portal.offers import services as offers
from portal.offers.events import list_events
from portal.offers.models import (
    Offer,
    OfferKind,
    OfferOption,
    OfferVisit,
    PatientOffer,
    Treatment,
    TreatmentTooth,
)
from portal.offers.pdf import offer_pdf
from portal.offers.queries import default_status, get_offer, get_recipient
from portal.settings.services import save_texts
from portal.settings.templates import Block
from portal.sharing import links, public
from tests.sharing.conftest import Case
from tests.support.people import Person

Link = Callable[..., str]
Visit = Callable[..., Person]
SECRETS = ("Nazlı", "Ilgın", "Gizli", "Zirkonyum", "zirconia", "1234", "17.05", "8000", "24.000", "21.600")


@pytest.fixture
def patient(visit: Visit) -> Person:
    """A visitor without a login."""
    person = visit()
    person.token = "none"
    return person


@pytest.fixture
def opened(case: Case, make_link: Link, patient: Person) -> str:
    """The path of a link that ``patient`` has just opened."""
    path = make_link(case)
    assert patient.post(path, {"answer": "1234"}).location == path
    return path


def change(portal: Flask, clinic: ClinicInfo, case: Case, **values: object) -> None:
    """Change a recipient's row."""
    with clinic_work(portal, clinic.id):
        row = get_recipient(case.offer_id, case.recipient_id)
        for name, value in values.items():
            setattr(row, name, value)
        audit.record(SYSTEM, "test", row)


def test_before_the_second_factor_nothing_but_the_clinic_shows(case: Case, make_link: Link, patient: Person) -> None:
    answer = patient.get(make_link(case))
    assert answer.status_code == 200
    assert "Papatya Diş Kliniği" in answer.text
    assert not [word for word in SECRETS if word in answer.text]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert 'content="noindex' in answer.text
    assert re.findall(r'property="og:title" content="([^"]*)"', answer.text) == ["Papatya Diş Kliniği"]
    assert "Set-Cookie" not in answer.headers


def test_after_it_every_tooth_and_price_shows(opened: str, patient: Person) -> None:
    text = patient.get(f"{opened}?lang=en").text
    for told in ("Zirconia crown", "upper right central incisor", "upper right canine", "Nazlı Ilgın"):
        assert told in text, told
    assert text.count('class="on"') == 3


@pytest.mark.parametrize("language", PATIENT_LANGUAGES)
def test_the_page_speaks_four_languages_and_remembers_the_choice(opened: str, patient: Person, language: str) -> None:
    first = patient.get(f"{opened}?lang={language}").text
    assert f'<html lang="{language}"' in first
    assert f'<html lang="{language}"' in patient.get(opened).text


def test_robots_and_head_requests_are_no_readers(
    case: Case, make_link: Link, patient: Person, recipient_of: Callable[[Case], PatientOffer]
) -> None:
    path = make_link(case)
    for agent in ("WhatsApp/2.23", "facebookexternalhit/1.1", "TelegramBot", "Mozilla/5.0"):
        assert patient.get(path, headers={"User-Agent": agent}).status_code == 200
        assert patient.client.head(path, base_url="http://papatya.localhost").status_code == 200
    row = recipient_of(case)
    assert (row.view_count, row.first_viewed_at) == (0, None)


def test_opening_counts_once_and_moves_the_offer(
    case: Case, opened: str, patient: Person, recipient_of: Callable[[Case], PatientOffer],
    offer_of: Callable[[Case], Offer],
) -> None:  # fmt: skip
    for _time in range(3):
        patient.get(opened)
    assert recipient_of(case).view_count == 1
    offer = offer_of(case)
    assert (offer.status.kind, offer.first_viewed_at is not None) == ("viewed", True)


def test_the_fifth_wrong_answer_locks_the_link_and_the_page_says_whom_to_call(
    case: Case, make_link: Link, patient: Person, recipient_of: Callable[[Case], PatientOffer]
) -> None:
    path = make_link(case)
    for _try in range(5):
        assert patient.post(path, {"answer": "0000"}).location == f"{path}?tried=1"
    assert patient.post(path, {"answer": "1234"}).location == f"{path}?tried=1", "even the right one"
    assert patient.get(path).text.count("Papatya Diş Kliniği") >= 3
    assert "<form" not in patient.get(path).text
    assert recipient_of(case).failed_count == 5


def test_a_right_answer_clears_earlier_mistakes(case: Case, make_link: Link, visit: Visit) -> None:
    path, patient = make_link(case), visit()
    for answer in ("1", "2", "3", "1234", "1", "2", "3"):
        patient.post(path, {"answer": answer}, token=False)
    assert patient.post(path, {"answer": "1234"}, token=False).location == path


def test_guesses_are_limited_per_address_over_all_links(
    make_case: Callable[..., Case], make_link: Link, patient: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public, "PER_ADDRESS", limits.Limit("link", 3, 3600.0))
    paths = [make_link(make_case(first_name=name)) for name in ("A", "B", "C", "D")]
    assert [patient.post(path, {"answer": "0000"}).status_code for path in paths] == [303, 303, 303, 429]
    assert patient.post(paths[3], {"answer": "1234"}).status_code == 429, "the right answer has to wait too"


def test_guesses_at_links_themselves_are_limited_too_and_tell_nothing(
    case: Case, make_link: Link, patient: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public, "PER_ADDRESS", limits.Limit("link", 3, 3600.0))
    path = make_link(case)
    near = [f"{path[:-1]}{letter}" for letter in "abc" if not path.endswith(letter)]
    guesses = [*near, f"{path}x", path.upper(), "/o/%00", "/o/" + "A" * 5000][:3]
    assert [patient.post(guess, {"answer": "1234"}).status_code for guess in guesses] == [404, 404, 404]
    unknown, known = patient.post(f"/o/{links.make_token()}"), patient.post(path, {"answer": "1234"})
    assert (unknown.status_code, known.status_code) == (429, 429), "whether a link exists is not told by the limit"


@pytest.mark.parametrize("token", ["x", "%00", "A" * 5000, "..%2F..%2Fetc", "%F0%9F%A6%B7", "' OR 1=1 --", "%ED%A0%80"])
def test_an_address_that_was_never_a_link_is_answered_like_any_unknown_one(patient: Person, token: str) -> None:
    for answer in (patient.get(f"/o/{token}"), patient.post(f"/o/{token}/accept", {"name": "x"})):
        assert answer.status_code == 404
        assert not [word for word in SECRETS if word in answer.text]


def test_a_link_without_a_second_factor_is_opened_by_a_person_only(
    case: Case, make_link: Link, patient: Person, portal: Flask, papatya: ClinicInfo,
    recipient_of: Callable[[Case], PatientOffer],
) -> None:  # fmt: skip
    path = make_link(case)
    change(portal, papatya, case, verify_method="none", verify_hash=None)
    preview = patient.get(path, headers={"User-Agent": "WhatsApp/2.23"})
    assert not [word for word in SECRETS if word in preview.text]
    assert recipient_of(case).view_count == 0
    assert patient.post(path).location == path
    assert "Nazlı Ilgın" in patient.get(path).text and recipient_of(case).view_count == 1


def test_an_unknown_link_and_another_clinics_are_told_apart_by_nothing(
    case: Case, make_link: Link, visit: Visit
) -> None:
    path = make_link(case)
    stranger = visit("lale")
    foreign, unknown = stranger.get(path), stranger.get(f"/o/{links.make_token()}")
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    token, other = path.rpartition("/")[2], re.findall(r'href="/o/([^"?]+)', unknown.text)[0]
    assert foreign.text.replace(token, "") == unknown.text.replace(other, "")
    assert stranger.post(path, {"answer": "1234"}, token=False).status_code == 404
    assert "Papatya" not in foreign.text


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"revoked_at": now()}, 410), ({"expires_at": now() - timedelta(seconds=1)}, 410), ({"visible": False}, 410),
        ({"token_hash": b"x" * 32}, 404),
    ],
)  # fmt: skip
def test_an_ended_link_says_so_and_nothing_else_even_to_who_had_opened_it(
    case: Case, opened: str, patient: Person, portal: Flask, papatya: ClinicInfo, values: dict[str, object], status: int
) -> None:
    change(portal, papatya, case, **values)
    for answer in (
        patient.get(opened),
        patient.post(f"{opened}/accept", {"name": "x"}),
        patient.get(f"{opened}/visits.ics"),
    ):
        assert answer.status_code == status
        assert not [word for word in SECRETS if word in answer.text]


@pytest.mark.parametrize("change_to", ["superseded", "cancelled", "over"])
def test_an_offer_that_no_longer_holds_is_not_shown(
    case: Case, opened: str, patient: Person, portal: Flask, papatya: ClinicInfo, change_to: str
) -> None:
    with clinic_work(portal, papatya.id):
        offer = get_offer(case.offer_id)
        if change_to == "cancelled":
            offers.move_offer(SYSTEM, offer, status=default_status(OfferKind.CANCELLED))
        elif change_to == "superseded":
            offer.superseded_at = now()
        else:
            offer.valid_until = date.today() - timedelta(days=2)
        audit.record(SYSTEM, "test", offer)
    answer = patient.get(opened)
    assert answer.status_code == 410
    assert not [word for word in SECRETS if word in answer.text]


@pytest.mark.parametrize("status", [ClinicStatus.SUSPENDED, ClinicStatus.CLOSED])
def test_a_clinic_suspended_meanwhile_says_so_and_nothing_of_the_offer(
    case: Case, opened: str, patient: Person, papatya: ClinicInfo, monkeypatch: pytest.MonkeyPatch,
    offer_of: Callable[[Case], Offer], status: ClinicStatus,
) -> None:  # fmt: skip
    monkeypatch.setattr(ClinicDirectory, "find", lambda *_arguments: replace(papatya, status=status))
    pages = {part: patient.get(f"{opened}{part}?lang=en") for part in ("", "/visits.ics", "/logo")}
    pages |= {part: patient.post(f"{opened}{part}?lang=en", {"name": "x"}) for part in ("/accept", "/decline", "/pdf")}
    for part, answer in pages.items():
        assert answer.status_code == 403, part
        assert "The pages of Papatya Diş Kliniği are closed at the moment." in answer.text
        assert not [word for word in SECRETS if word in answer.text]
    unknown = patient.get(f"/o/{links.make_token()}?lang=en")
    assert "closed at the moment" in unknown.text, "whether a link exists is not told"
    assert offer_of(case).status.kind == "viewed"


def test_one_links_pass_opens_no_other(
    make_case: Callable[..., Case], opened: str, make_link: Link, patient: Person
) -> None:
    other = make_link(make_case(first_name="Başka"))
    cookie = patient.client.get_cookie("offer_pass", domain="papatya.localhost", path=opened)
    assert cookie is not None and cookie.http_only and cookie.path == opened
    patient.client.set_cookie("offer_pass", cookie.value, domain="papatya.localhost", path=other)
    assert "Başka" not in patient.get(other).text
    patient.client.set_cookie("offer_pass", cookie.value[:-2] + "xx", domain="papatya.localhost", path=opened)
    assert "Nazlı" not in patient.get(opened).text


def test_the_first_view_is_under_60_kilobytes_with_all_it_loads(
    case: Case, opened: str, patient: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    page = patient.get(opened)
    assets = re.findall(r'(?:href|src)="/static/([^"]+)"', page.text)
    assert {Path(name).suffix for name in assets} == {".css", ".js", ".svg"}
    total = len(page.data) + sum((Path("static") / name).stat().st_size for name in assets)
    assert total < 60_000, total
    assert len(gzip.compress(page.data)) < 12_000


@pytest.mark.parametrize("language", PATIENT_LANGUAGES)
def test_an_offer_of_sixty_lines_is_no_heavier_than_a_phone_bears(
    make_case: Callable[..., Case], make_link: Link, patient: Person, portal: Flask, papatya: ClinicInfo, language: str
) -> None:
    case = make_case()
    with clinic_work(portal, papatya.id) as session:
        offer = get_offer(case.offer_id)
        option = OfferOption(offer_id=offer.id, label="A", title="Uzun plan")
        session.add(option)
        session.flush()
        crown = offer.lines[0]
        for place in range(1, 60):
            teeth = [TreatmentTooth(tooth=tooth, position=number) for number, tooth in enumerate((16, 14, 24, 26, 36))]
            offer.lines.append(
                Treatment(
                    catalog_id=crown.catalog_id, name=crown.name, position=place, unit_price=100, line_gross=100,
                    teeth=teeth, option_id=option.id if place > 30 else None, brand="Straumann", warranty_months=120,
                )
            )  # fmt: skip
        audit.record(SYSTEM, "test", offer, changes={})
    path = make_link(case)
    patient.post(path, {"answer": "1234"})
    page = patient.get(f"{path}?lang={language}")
    assert page.text.count('name="line"') == 60
    assets = re.findall(r'(?:href|src)="/static/([^"]+)"', page.text)
    sent = [page.data, *((Path("static") / name).read_bytes() for name in assets)]
    assert sum(len(gzip.compress(part)) for part in sent) < 60_000, "as it travels"


def test_proposed_dates_come_as_a_calendar_without_a_word_of_treatment(
    case: Case, opened: str, patient: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    first = date.today() + timedelta(days=20)
    with clinic_work(portal, papatya.id) as session:
        visit = OfferVisit(offer_id=case.offer_id, visit_no=1, days=3, starts_on=first, note="Kemik")
        session.add(visit)
        audit.record(SYSTEM, "test", Offer, subject_id=case.offer_id)
    assert "visits.ics" in patient.get(opened).text
    file = patient.get(f"{opened}/visits.ics")
    event = Calendar.from_ical(file.data).walk("VEVENT")[0]
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (first, first + timedelta(days=3))
    assert not [word for word in (*SECRETS, "Kemik") if word in file.text]


def test_the_document_is_fetched_and_noted(
    case: Case, opened: str, patient: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    answer = patient.post(f"{opened}/pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    with clinic_work(portal, papatya.id):
        offer = get_offer(case.offer_id)
        assert answer.data == offer_pdf(offer, locale="de", link_url=settings().url_for_host("papatya") + opened)
        assert [event.kind for event in list_events(case.offer_id)].count("pdf") == 1


def test_a_document_is_given_as_it_was_kept_once_the_clinic_writes_its_texts_anew(
    case: Case, opened: str, patient: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        kept = offer_pdf(get_offer(case.offer_id), locale="de")
        save_texts(SYSTEM, locale=None, blocks={Block.TERMS: "Neue Bedingungen"}, accent="#0f6b6f")
    assert patient.post(f"{opened}/pdf").data == kept


def test_reading_time_is_what_passed_and_never_more(
    case: Case, opened: str, patient: Person, portal: Flask, papatya: ClinicInfo,
    recipient_of: Callable[[Case], PatientOffer],
) -> None:  # fmt: skip
    for _time in range(20):
        assert patient.post(f"{opened}/reading", {"seconds": "100000"}).status_code == 204
    assert recipient_of(case).read_seconds <= 2, "twenty beats within a second are one second"
    change(portal, papatya, case, last_viewed_at=now() - timedelta(minutes=2))
    patient.post(f"{opened}/reading", {"seconds": "100000"})
    assert 15 <= recipient_of(case).read_seconds <= 17
    change(portal, papatya, case, last_viewed_at=now() - timedelta(hours=2))
    patient.post(f"{opened}/reading", {"seconds": "15"})
    assert recipient_of(case).view_count == 2, "after a while she has come again"


def test_each_part_that_is_read_is_told_once_a_visit_and_names_nobody(
    case: Case, opened: str, patient: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    change(portal, papatya, case, channel="whatsapp")
    for told in ("treatments,totals", "treatments,Nazlı,<b>", "", "," * 5000, "visits"):
        assert patient.post(f"{opened}/reading", {"seconds": "0", "sections": told}).status_code == 204
    with clinic_work(portal, papatya.id) as session:
        read = [event for event in list_events(case.offer_id) if event.kind == "section_read"]
        used = session.scalars(sa.select(AnalyticsEvent).where(AnalyticsEvent.name == "offer.section_read")).all()
    assert [event.meta for event in reversed(read)] == [
        {"channel": "whatsapp", "section": section} for section in ("treatments", "totals", "visits")
    ]
    assert [row.props["section"] for row in used] == ["treatments", "totals", "visits"]
    assert {(row.actor_hash, row.page, frozenset(row.props)) for row in used} == {
        (None, None, frozenset({"by", "channel", "section"}))
    }
    change(portal, papatya, case, last_viewed_at=now() - timedelta(hours=2))
    patient.post(f"{opened}/reading", {"seconds": "15", "sections": "totals"})
    with clinic_work(portal, papatya.id):
        assert [event.kind for event in list_events(case.offer_id)].count("section_read") == 4, "she has come again"


def test_the_history_tells_parts_read_in_a_row_as_one(
    case: Case, opened: str, patient: Person, coordinator: Person
) -> None:
    patient.post(f"{opened}/reading", {"seconds": "15", "sections": "treatments,totals"})
    patient.post(f"{opened}/reading", {"seconds": "15", "sections": "decision"})
    page = coordinator.get(f"/offers/{case.offer_id}").text
    assert page.count("read: treatments, prices, decision") == 1


def test_who_has_not_opened_the_link_is_sent_to_the_question(case: Case, make_link: Link, patient: Person) -> None:
    path = make_link(case)
    for part in ("accept", "decline", "question", "reading"):
        answer = patient.post(f"{path}/{part}", {"name": "x"})
        assert (answer.status_code, answer.location) == (303, path)
