from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.auth.models import User
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.work import clinic_work
from portal.offers.models import Offer, OfferKind
from portal.offers.queries import default_status, get_offer
from tests.support.data import add_offer, add_patient
from tests.support.pages import flashes, row_links
from tests.support.people import Person

Add = Callable[..., Offer]


@pytest.fixture
def add(portal: Flask, papatya: ClinicInfo) -> Add:
    """Make an offer of papatya: ``add("Nazlı", kind=OfferKind.SENT, valid_until=..., coordinator_id=...)``."""

    def make(first_name: str = "Nazlı", *, kind: OfferKind = OfferKind.DRAFT, **columns: Any) -> Offer:
        with clinic_work(portal, papatya.id) as session:
            offer = add_offer(papatya, add_patient(first_name=first_name, last_name="Ilgın"), currency="EUR")
            values = {"status_id": default_status(kind).id, **columns}
            session.execute(sa.update(Offer).where(Offer.id == offer.id).values(**values))
            return offer

    return make


@pytest.fixture
def staff(portal: Flask, papatya: ClinicInfo) -> dict[str, UUID]:
    """Papatya's people by their roles."""
    with clinic_work(portal, papatya.id) as session:
        return {row.role: row.id for row in session.execute(sa.select(User.role, User.id))}


def shown(person: Person, query: str) -> list[str]:
    page = person.get(f"/offers/?currency=EUR&{query}")
    assert page.status_code == 200
    return row_links(page)


def url(offer: Offer) -> str:
    return f"/offers/{offer.id}"


def test_open_offers_that_end_soon_and_those_past_their_day_are_found_apart(add: Add, coordinator: Person) -> None:
    day = date.today()
    soon = add(kind=OfferKind.SENT, valid_until=day + timedelta(days=7))
    over = add(kind=OfferKind.VIEWED, valid_until=day - timedelta(days=2))
    add(kind=OfferKind.SENT, valid_until=day + timedelta(days=9))
    add(kind=OfferKind.DRAFT, valid_until=day + timedelta(days=1))
    assert shown(coordinator, "ends=soon") == [url(soon)]
    assert shown(coordinator, "ends=over") == [url(over)]
    assert len(shown(coordinator, "ends=never")) == 4


def test_replaced_versions_are_shown_where_asked_for_and_add_to_no_sum(add: Add, coordinator: Person) -> None:
    current, replaced = add(kind=OfferKind.SENT), add(kind=OfferKind.SENT, superseded_at=now())
    assert shown(coordinator, "") == shown(coordinator, "versions=nonsense") == [url(current)]
    assert shown(coordinator, "versions=all") == [url(replaced), url(current)]
    page = coordinator.get("/offers/?currency=EUR&versions=all").text
    assert page.count("replaced on ") == 1
    assert "€21,600.00</span> (2 offers)" in page, "both are listed, the money is counted once"


def test_the_list_is_limited_to_a_coordinator_or_a_dentist(
    add: Add, coordinator: Person, staff: dict[str, UUID]
) -> None:
    hers, both = add(coordinator_id=staff["owner"]), add(coordinator_id=staff["owner"], doctor_id=staff["doctor"])
    add()
    assert shown(coordinator, f"coordinator={staff['owner']}") == [url(both), url(hers)]
    assert shown(coordinator, f"doctor={staff['doctor']}") == [url(both)]
    assert len(shown(coordinator, "doctor=x&coordinator=")) == 3


def test_marked_offers_are_handed_over_and_taken_back(
    portal: Flask, papatya: ClinicInfo, add: Add, coordinator: Person, staff: dict[str, UUID]
) -> None:
    offers = [add(coordinator_id=staff["owner"]), add(), add()]
    ids = [str(offer.id) for offer in offers]

    def holders() -> list[UUID | None]:
        with clinic_work(portal, papatya.id):
            return [get_offer(offer.id).coordinator_id for offer in offers]

    chosen = {"offer_id": ids[:2], "coordinator_id": str(staff["coordinator"]), "currency": "EUR"}
    answer = coordinator.post("/offers/reassign", chosen)
    assert answer.headers["Location"] == "/offers/?currency=EUR"
    assert holders() == [staff["coordinator"], staff["coordinator"], None]
    page = coordinator.get("/offers/?currency=EUR")
    assert flashes(page)[-1].startswith("2 offers are handed over.") and 'action="/offers/reassign/undo"' in page.text
    coordinator.post("/offers/reassign/undo")
    assert holders() == [staff["owner"], None, None]


def test_offers_are_handed_to_colleagues_only_and_by_those_who_write_them(
    add: Add, coordinator: Person, sign_in: Callable[..., Person], staff: dict[str, UUID]
) -> None:
    offer_id = str(add().id)
    for chosen, message in ((staff["assistant"], "Choose a colleague"), ("x", "Choose a colleague")):
        coordinator.post("/offers/reassign", {"offer_id": offer_id, "coordinator_id": str(chosen)})
        assert message in flashes(coordinator.get("/offers/"))[-1]
    coordinator.post("/offers/reassign", {"coordinator_id": str(staff["owner"])})
    assert "Mark at least one offer" in flashes(coordinator.get("/offers/"))[-1]
    reader = sign_in("assistant")
    assert 'name="offer_id"' not in reader.get("/offers/").text
    chosen_by_reader = {"offer_id": offer_id, "coordinator_id": str(staff["owner"])}
    assert reader.post("/offers/reassign", chosen_by_reader).status_code == 403


def test_offers_of_another_clinic_cannot_be_handed_over(
    portal: Flask, lale: ClinicInfo, coordinator: Person, staff: dict[str, UUID]
) -> None:
    with clinic_work(portal, lale.id):
        theirs = add_offer(lale, add_patient()).id
    coordinator.post("/offers/reassign", {"offer_id": str(theirs), "coordinator_id": str(staff["owner"])})
    with clinic_work(portal, lale.id):
        assert get_offer(theirs).coordinator_id is None


def test_a_filter_is_saved_for_oneself_used_and_deleted(coordinator: Person, sign_in: Callable[..., Person]) -> None:
    coordinator.post("/offers/filters", {"name": "Avro", "currency": "EUR", "kind": "sent", "at": "x"})
    page = coordinator.get("/offers/").text
    assert re.search(r'href="/offers/\?kind=sent&amp;currency=EUR"[^>]*>\s*<i[^>]*></i> Avro', page)
    assert "Avro" not in sign_in("owner").get("/offers/").text
    coordinator.post("/offers/filters/delete", {"name": "Avro"})
    assert "Avro" not in coordinator.get("/offers/").text


@pytest.mark.parametrize("name", ["", "   ", "x" * 41])
def test_a_filter_needs_a_short_name(coordinator: Person, name: str) -> None:
    coordinator.post("/offers/filters", {"name": name, "kind": "sent"})
    assert "at most 40 letters" in flashes(coordinator.get("/offers/"))[-1]


def test_at_most_twenty_filters_are_kept(coordinator: Person) -> None:
    for place in range(21):
        coordinator.post("/offers/filters", {"name": f"F{place}", "kind": "sent"})
    page = coordinator.get("/offers/").text
    assert "F19" in page and "F20" not in page


def test_the_workbook_holds_the_list_as_text_that_no_spreadsheet_runs(add: Add, coordinator: Person) -> None:
    offer = add("=1+1")
    answer = coordinator.post("/offers/export", {"currency": "EUR", "format": "xlsx"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="offers.xlsx"'
    with zipfile.ZipFile(io.BytesIO(answer.data)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "=1+1 Ilgın" in sheet and offer.offer_no in sheet
    assert "<f>" not in sheet and "hyperlink" not in sheet
