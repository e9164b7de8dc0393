from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.work import clinic_work
from portal.offers.models import Offer, OfferKind, PatientOffer
from portal.offers.queries import default_status
from tests.support.data import add_offer, add_patient
from tests.support.pages import flashes, text_of
from tests.support.people import Person

Add = Callable[..., UUID]


@pytest.fixture
def add(portal: Flask, papatya: ClinicInfo) -> Add:
    """Make an offer of papatya for Nazlı Ilgın that stands at a kind: ``add(OfferKind.SENT, opened=2)``."""

    def make(kind: OfferKind, *, currency: str = "EUR", opened: int | None = None, **columns: Any) -> UUID:
        with clinic_work(portal, papatya.id) as session:
            patient = add_patient(first_name="Nazlı", last_name="Ilgın")
            offer_id = add_offer(papatya, patient, currency=currency).id
            values = {"status_id": default_status(kind).id, **columns}
            session.execute(sa.update(Offer).where(Offer.id == offer_id).values(**values))
            if opened is not None:
                link = {"token_hash": offer_id.bytes, "view_count": opened, "last_viewed_at": now() if opened else None}
                session.execute(sa.update(PatientOffer).where(PatientOffer.offer_id == offer_id).values(**link))
            return offer_id

    return make


def column(person: Person, kind: str, query: str = "") -> str:
    page = person.get(f"/offers/board/{query}")
    assert page.status_code == 200
    return page.text.partition(f'data-kind="{kind}" aria-label')[2].partition("</section>")[0]


def test_a_column_counts_and_sums_each_currency_by_itself(add: Add, coordinator: Person) -> None:
    for currency in ("EUR", "EUR", "USD"):
        add(OfferKind.NEGOTIATING, currency=currency)
    text = text_of(column(coordinator, "negotiating"))
    assert "Negotiating 3" in text
    assert "€43,200.00" in text and "$21,600.00" in text


def test_a_card_tells_the_patient_the_total_the_age_and_how_often_it_was_opened(add: Add, coordinator: Person) -> None:
    add(OfferKind.VIEWED, opened=2, sent_at=now())
    text = text_of(column(coordinator, "viewed"))
    assert "Nazlı Ilgın" in text and "€21,600.00" in text and "today · opened twice, less than a minute" in text
    add(OfferKind.SENT, opened=0)
    assert "not opened yet" in text_of(column(coordinator, "sent"))


def test_a_card_is_moved_by_its_form_and_only_where_it_may_go(add: Add, coordinator: Person) -> None:
    offer_id = add(OfferKind.SENT)
    card = column(coordinator, "sent")
    ways = dict(re.findall(r'<option value="([^"]+)" data-kind="(\w+)"', card))
    assert set(ways.values()) == {"viewed", "negotiating", "accepted", "declined", "expired", "cancelled"}
    negotiating = next(status for status, kind in ways.items() if kind == "negotiating")
    answer = coordinator.post(f"/offers/board/{offer_id}", {"status_id": negotiating, "of": "mine"})
    assert answer.headers["Location"] == "/offers/board/?of=mine"
    assert flashes(coordinator.get("/offers/board/"))[-1].endswith("is now: Negotiating.")
    assert str(offer_id) in column(coordinator, "negotiating")


def test_an_illegal_move_from_the_board_is_told_and_changes_nothing(
    portal: Flask, papatya: ClinicInfo, add: Add, coordinator: Person
) -> None:
    offer_id = add(OfferKind.ACCEPTED)
    with clinic_work(portal, papatya.id):
        draft = default_status(OfferKind.DRAFT).id
    coordinator.post(f"/offers/board/{offer_id}", {"status_id": str(draft)})
    assert "cannot go from here" in flashes(coordinator.get("/offers/board/"))[-1]
    assert str(offer_id) in column(coordinator, "accepted")


def test_replaced_versions_and_those_of_others_stand_where_they_belong(add: Add, coordinator: Person) -> None:
    replaced, ours = add(OfferKind.SENT, superseded_at=now()), add(OfferKind.SENT)
    text = column(coordinator, "sent")
    assert str(replaced) not in text and str(ours) in text
    assert str(ours) not in column(coordinator, "sent", "?of=mine")


def test_the_board_takes_few_statements_and_shows_no_more_than_a_dozen_cards_a_column(
    add: Add, coordinator: Person, statements: list[str]
) -> None:
    for _place in range(13):
        add(OfferKind.EXPIRED)
    statements.clear()
    text = column(coordinator, "expired")
    assert len([statement for statement in statements if "set_config" not in statement]) <= 6
    assert text.count("data-card") == 12 and "Show all 13" in text


def test_a_reader_sees_the_board_and_no_button_on_it(add: Add, sign_in: Callable[..., Person]) -> None:
    offer_id = add(OfferKind.SENT)
    reader = sign_in("readonly")
    assert "status_id" not in reader.get("/offers/board/").text
    assert reader.post(f"/offers/board/{offer_id}", {"status_id": str(UUID(int=1))}).status_code == 403
