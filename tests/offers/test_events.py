from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.analytics import AnalyticsEvent
from portal.core.audit import Actor, ActorKind
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers import services
from portal.offers.documents import EventKind, OfferEvent
from portal.offers.events import list_events, note_event
from portal.offers.models import Offer, OfferKind
from portal.offers.queries import default_status, get_offer, list_recipients
from tests.support.data import add_offer, add_patient
from tests.support.pages import text_of
from tests.support.people import Person


@pytest.fixture
def clinic(portal: Flask, papatya: ClinicInfo) -> Iterator[ClinicInfo]:
    """Papatya, with its work open."""
    with clinic_work(portal, papatya.id):
        yield papatya


@pytest.fixture
def offer(clinic: ClinicInfo) -> Offer:
    """A draft for Nazlı Ilgın."""
    return get_offer(add_offer(clinic, add_patient(first_name="Nazlı", last_name="Ilgın")).id)


def kinds(offer: Offer) -> list[str]:
    current_session().flush()
    return [row.kind for row in reversed(list_events(offer.id))]


def test_drafting_sending_and_deciding_become_events_and_other_moves_do_not(offer: Offer) -> None:
    for kind in (OfferKind.SENT, OfferKind.NEGOTIATING, OfferKind.DECLINED):
        services.move_offer(SYSTEM, offer, status=default_status(kind))
    assert kinds(offer) == ["created", "sent", "declined"]


def test_an_offer_that_ran_out_has_it_in_its_history_once(offer: Offer) -> None:
    services.move_offer(SYSTEM, offer, status=default_status(OfferKind.SENT))
    offer.valid_until = date.today() - timedelta(days=2)
    current_session().flush()
    services.expire_offers(SYSTEM)
    current_session().flush()
    current_session().expire_all()
    services.expire_offers(SYSTEM)
    assert kinds(offer) == ["created", "sent", "expired"]


def test_usage_names_the_event_and_nobody(clinic: ClinicInfo, offer: Offer) -> None:
    recipient = list_recipients(offer.id)[0]
    actor = Actor(ActorKind.USER, "Nazlı Ilgın", id=offer.id, ip="203.0.113.9")
    told = {"channel": "whatsapp", "seconds": 40, "typed": "Nazlı"}
    note_event(offer.id, EventKind.OPENED, actor=actor, recipient_id=recipient.id, meta=told)
    current_session().flush()
    newest = sa.select(AnalyticsEvent).order_by(AnalyticsEvent.id.desc()).limit(1)
    used = current_session().scalars(newest).one()
    assert used.name == "offer.opened"
    assert used.props == {"by": "user", "channel": "whatsapp", "seconds": 40}
    assert str(offer.id) not in f"{used.actor_hash} {used.props} {used.page}" and len(used.actor_hash or "") == 64
    event = list_events(offer.id)[0]
    assert (event.kind, event.patient_offer_id, event.first_name) == ("opened", recipient.id, "Nazlı")


@pytest.mark.parametrize("statement", [sa.update(OfferEvent).values(meta={}), sa.delete(OfferEvent)])
def test_the_history_can_be_neither_changed_nor_deleted(offer: Offer, statement: sa.Update | sa.Delete) -> None:
    current_session().flush()
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), current_session().begin_nested():
        current_session().execute(statement)


def test_the_page_tells_the_history_with_the_names_of_those_who_acted(
    portal: Flask, papatya: ClinicInfo, coordinator: Person
) -> None:
    with clinic_work(portal, papatya.id):
        offer_id = add_offer(papatya, add_patient(first_name="Nazlı", last_name="Ilgın")).id
        status = default_status(OfferKind.SENT).id
        recipient = list_recipients(offer_id)[0]
        note_event(offer_id, EventKind.OPENED, actor=SYSTEM, recipient_id=recipient.id)
    coordinator.post(f"/offers/{offer_id}/status", {"status_id": str(status)})
    history = text_of(_section(coordinator.get(f"/offers/{offer_id}").text))
    assert "Papatya coordinator sent the offer" in history
    assert "Nazlı Ilgın opened the link" in history
    assert "Clinikoop drafted the offer" in history


def test_the_history_of_another_clinics_offer_is_empty(
    portal: Flask, papatya: ClinicInfo, lale: ClinicInfo, sign_in: Callable[..., Person]
) -> None:
    with clinic_work(portal, lale.id):
        offer_id = add_offer(lale, add_patient()).id
    with clinic_work(portal, papatya.id):
        assert list_events(offer_id) == []


def _section(page: str) -> str:
    return page.partition("<h2>History</h2>")[2].partition("</section>")[0]
