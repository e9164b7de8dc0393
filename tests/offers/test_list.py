from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import audit
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers.models import Offer, OfferKind, PatientOffer
from portal.offers.queries import default_status
from tests.support.data import add_offer, add_patient
from tests.support.pages import link, row_links, row_names, text_of
from tests.support.people import Person

Add = Callable[..., Offer]


@pytest.fixture
def add(portal: Flask, papatya: ClinicInfo) -> Add:
    """Draft an offer of papatya for a patient of her own: ``add("Nazlı", title="Plan", kind=OfferKind.SENT)``."""

    def make(first_name: str = "Nazlı", *, kind: OfferKind = OfferKind.DRAFT, **values: Any) -> Offer:
        with clinic_work(portal, papatya.id) as session:
            offer = add_offer(papatya, add_patient(first_name=first_name, last_name="Ilgın"), **values)
            status = sa.update(Offer).where(Offer.id == offer.id).values(status_id=default_status(kind).id)
            session.execute(status)
            return offer

    return make


def shown(person: Person, **query: str) -> list[str]:
    page = person.get("/offers/", query_string=query)
    assert page.status_code == 200
    return [number[0] for number in re.findall(r"<small>(\d{4}-\d{5}) · ([^<]*)</small>", page.text)]


def sums(person: Person, **query: str) -> list[tuple[str, str]]:
    page = person.get("/offers/", query_string=query)
    return re.findall(r'<span class="money">([^<]*)</span> \((\d+) offers?\)', page.text)


def test_the_newest_offer_stands_first_and_pages_show_each_once(add: Add, coordinator: Person) -> None:
    made = [f"/offers/{add(title='Sayfa').id}" for _ in range(27)]
    first = coordinator.get("/offers/?q=sayfa")
    second = coordinator.get(link(first, "next") or "")
    assert row_links(first) + row_links(second) == made[::-1]
    assert link(second, "next") is None
    assert row_links(coordinator.get(link(second, "prev") or "")) == row_links(first)


def test_kind_and_currency_limit_the_list(add: Add, coordinator: Person) -> None:
    sent = add(kind=OfferKind.SENT, currency="EUR")
    draft = add(currency="EUR")
    assert shown(coordinator, kind="sent") == [sent.offer_no]
    assert shown(coordinator, currency="EUR") == [draft.offer_no, sent.offer_no]
    assert shown(coordinator, currency="EUR", kind="draft") == [draft.offer_no]
    assert shown(coordinator, currency="USD") == []
    assert len(shown(coordinator, currency="JPY", kind="dragon")) == 5


def test_totals_are_summed_in_each_currency_and_never_over_them(add: Add, coordinator: Person) -> None:
    line_gross = add().grand_total
    for currency in ("EUR", "EUR", "GBP"):
        add(currency=currency)
    assert line_gross == Decimal(21600)
    assert sums(coordinator) == [("TRY86,400.00", "4"), ("€43,200.00", "2"), ("£21,600.00", "1")]
    assert sums(coordinator, currency="EUR") == [("€43,200.00", "2")]
    assert sums(coordinator, kind="cancelled") == []


@pytest.mark.parametrize("form", ["{0}", "{1}", "{2}"], ids=["whole", "zeros", "plain"])
def test_an_offer_is_found_by_its_number(add: Add, coordinator: Person, form: str) -> None:
    offer = add()
    serial = offer.offer_no.partition("-")[2]
    assert offer.offer_no in shown(coordinator, q=form.format(offer.offer_no, serial, serial.lstrip("0")))
    assert shown(coordinator, q=offer.offer_no) == [offer.offer_no]


@pytest.mark.parametrize(
    "query", ["gülüş", "GULUS tasar", "tasarımı gülüş", "nazlı", "ILGIN", "nazli gülüş", "0532 111", "gülüş 0532"]
)
def test_an_offer_is_found_by_title_and_patient_in_any_order(
    add: Add, coordinator: Person, portal: Flask, papatya: ClinicInfo, query: str
) -> None:
    with clinic_work(portal, papatya.id):
        patient = add_patient(first_name="Nazlı", last_name="Ilgın", phone_e164="+905321112233")
        offer = add_offer(papatya, patient, title="Gülüş tasarımı")
    assert shown(coordinator, q=query) == [offer.offer_no]


def test_an_offer_is_found_by_the_new_name_of_its_patient_and_by_an_assigned_one(
    add: Add, coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    offer = add()
    renamed = {"first_name": "Yeni", "last_name": "Soyad", "version": "1", "is_active": "y"}
    coordinator.post(f"/patients/{offer.primary_patient_id}/edit", renamed)
    assert shown(coordinator, q="soyad") == [offer.offer_no]
    assert shown(coordinator, q="ılgın") == []
    with clinic_work(portal, papatya.id):
        relative = add_patient(first_name="Refakatçi", last_name="Kişi")
    coordinator.post(f"/offers/{offer.id}/patients", {"patient_no": relative.patient_no})
    assert shown(coordinator, q="refakatçi") == [offer.offer_no]


def test_a_changed_title_is_found_and_the_old_one_no_more(add: Add, coordinator: Person) -> None:
    offer = add(title="Eskibaşlık")
    form = {"title": "Yenibaşlık", "currency": "TRY", "version": "1", "valid_until": offer.valid_until.isoformat()}
    assert coordinator.post(f"/offers/{offer.id}/edit", form).status_code == 302
    assert shown(coordinator, q="eskibaşlık") == []
    assert shown(coordinator, q="yenibaşlık") == [offer.offer_no]


@pytest.mark.parametrize("query", ["kimsedeyok", "?!", "%", "9999-99999"])
def test_what_no_offer_has_finds_none(coordinator: Person, query: str) -> None:
    page = coordinator.get("/offers/", query_string={"q": query})
    assert row_names(page) == [] and "No offer found" in page.text


@pytest.mark.parametrize("cursor", ["x", "bm90aGluZw", "W10", "WyJmIiw1XQ", "WyJmIixudWxsXQ"])
def test_a_mangled_cursor_shows_the_first_page(coordinator: Person, cursor: str) -> None:
    assert len(shown(coordinator, at=cursor)) == 3


def test_no_offer_of_another_clinic_is_listed_or_found(coordinator: Person, sign_in: Callable[..., Person]) -> None:
    assert set(row_names(coordinator.get("/offers/"))) == {"Ayşe Yılmaz", "Işıl Çağlar", "İbrahim Öztürk"}
    assert shown(coordinator, q="gizlioğlu") == []
    assert row_names(sign_in("owner", "lale").get("/offers/?q=gizlioğlu")) == ["Zeynep Gizlioğlu"]


def test_the_export_holds_the_filtered_list_and_is_logged(
    add: Add, coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    offer = add("=1+1", currency="EUR", title="@Plan; iki", kind=OfferKind.SENT)
    add()
    answer = coordinator.post("/offers/export", {"currency": "EUR"})
    heading, row = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert heading[:3] == ["Number", "Title", "Patient"]
    assert row[:7] == [offer.offer_no, "'@Plan; iki", "'=1+1 Ilgın", "Sent", "21600", "EUR",
                       offer.valid_until.isoformat()]  # fmt: skip
    with clinic_work(portal, papatya.id):
        statement = sa.select(ActivityLog.changes).where(ActivityLog.action == "offers.exported")
        assert current_session().scalars(statement).all() == [{"rows": [None, 1]}]


def test_the_export_tells_when_an_offer_was_made_in_the_clinics_zone(
    add: Add, coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    offer = add(title="Gece")
    with clinic_work(portal, papatya.id) as session:
        midnight = datetime(2026, 11, 23, 22, 5, 59, tzinfo=UTC)
        session.execute(sa.update(Offer).where(Offer.id == offer.id).values(created_at=midnight))
        audit.record(SYSTEM, "tests.changed", Offer)
    answer = coordinator.post("/offers/export", {"q": "gece"})
    heading, row = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert dict(zip(heading, row, strict=True))["Created"] == "2026-11-24 01:05"


@pytest.mark.parametrize("role", ["doctor", "readonly"])
def test_a_role_without_the_permission_exports_nothing(sign_in: Callable[..., Person], role: str) -> None:
    person = sign_in(role)
    assert person.post("/offers/export").status_code == 403
    assert "/offers/export" not in person.get("/offers/").text


def test_reading_the_list_takes_the_same_few_statements_whatever_its_length(
    add: Add, coordinator: Person, statements: list[str]
) -> None:
    coordinator.get("/offers/")
    short = len(statements)
    for _ in range(10):
        add()
    statements.clear()
    coordinator.get("/offers/")
    assert len(statements) == short


def test_the_list_tells_how_the_patients_of_a_shared_offer_read_it(
    add: Add, coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    waiting, decided, unshared = add("Bekleyen", kind=OfferKind.VIEWED), add(kind=OfferKind.ACCEPTED), add("Taslak")
    with clinic_work(portal, papatya.id) as session:
        spouse = PatientOffer(patient_id=add_patient().id, offer_id=waiting.id)
        session.add(spouse)
        session.flush()
        read = {"view_count": 1, "read_seconds": 120, "last_viewed_at": now() - timedelta(days=30)}
        for place, offer in enumerate((waiting, decided)):
            for row in session.scalars(sa.select(PatientOffer).where(PatientOffer.offer_id == offer.id)):
                for name, value in {**read, "token_hash": row.id.bytes}.items():
                    setattr(row, name, value)
                audit.record(SYSTEM, f"tests.read-{place}", row)
    page = text_of(coordinator.get("/offers/").text)
    assert "opened twice, 4 minutes, unread since" in page, "both of the family's links together"
    assert page.count("unread since") == 1 and "opened once, 2 minutes " in page, "who has decided need not read"
    assert page.count("opened") == 2, unshared.offer_no


def test_choosing_for_whom_an_offer_is_finds_patients_and_leaves_out_the_archived(
    coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        kept = add_patient(first_name="Nazlı", last_name="Ilgın")
        gone = add_patient(first_name="Nazlı", last_name="Ilgın")
    coordinator.post(f"/patients/{gone.id}/archive")
    page = coordinator.get("/offers/new/patient?q=nazlı")
    assert row_links(page) == [f"/offers/new?patient={kept.id}"]
