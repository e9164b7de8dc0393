from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from portal.auth.models import User
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.errors import RuleError
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers import people, services
from portal.offers.models import Offer
from portal.offers.queries import get_offer
from tests.support.data import add_offer, add_patient
from tests.support.pages import flashes, row_links
from tests.support.people import Person

SignIn = Callable[..., Person]


@pytest.fixture
def clinic(portal: Flask, papatya: ClinicInfo) -> Iterator[ClinicInfo]:
    """Papatya, with its work open and its messages in English."""
    with clinic_work(portal, papatya.id), force_locale("en"):
        yield papatya


@pytest.fixture
def offer(clinic: ClinicInfo) -> Offer:
    """A draft of one line."""
    return get_offer(add_offer(clinic, add_patient()).id)


@pytest.fixture
def draft_id(portal: Flask, papatya: ClinicInfo) -> UUID:
    """A stored draft of one line."""
    with clinic_work(portal, papatya.id):
        return add_offer(papatya, add_patient()).id


def staff(role: str) -> UUID:
    return current_session().scalars(sa.select(User.id).where(User.role == role)).one()


def test_where_the_clinic_requires_it_only_what_is_signed_off_is_sent(offer: Offer) -> None:
    people.require_signoff(SYSTEM, required=True)
    with pytest.raises(RuleError, match="must sign this offer off"):
        services.send_offer(SYSTEM, offer)
    people.sign_off(SYSTEM, offer, note=None)
    services.send_offer(SYSTEM, offer)
    assert offer.status.kind == "sent"


def test_a_clinic_that_requires_nothing_sends_without_a_sign_off(offer: Offer) -> None:
    people.require_signoff(SYSTEM, required=True)
    people.require_signoff(SYSTEM, required=False)
    services.send_offer(SYSTEM, offer)
    assert offer.status.kind == "sent"


def test_changing_what_was_signed_off_takes_the_signature_away_and_the_draft_back_to_the_queue(offer: Offer) -> None:
    people.sign_off(SYSTEM, offer, note=None)
    day = date.today() + timedelta(days=9)
    services.update_offer(SYSTEM, offer, version=offer.version, values={"valid_until": day}, lines=[])
    assert offer.signed_off_at is None
    assert offer.id in [row.id for row in people.list_waiting(None)]


def test_what_is_sent_is_not_signed_off_any_more(offer: Offer) -> None:
    services.send_offer(SYSTEM, offer)
    with pytest.raises(RuleError, match="Only a draft is signed off"):
        people.sign_off(SYSTEM, offer, note=None)


def test_the_queue_of_a_dentist_holds_hers_and_nobodys(offer: Offer) -> None:
    people.ask_signoff(SYSTEM, offer)
    current_session().flush()
    doctor, owner = staff("doctor"), staff("owner")
    assert offer.id in [row.id for row in people.list_waiting(doctor)]
    people.set_people(SYSTEM, offer, doctor_id=owner, coordinator_id=None)
    current_session().flush()
    assert offer.id not in [row.id for row in people.list_waiting(doctor)]
    assert offer.id in [row.id for row in people.list_waiting(owner)]


@pytest.mark.parametrize(("field", "message"), [("doctor_id", "a dentist"), ("coordinator_id", "a colleague")])
def test_nobody_from_outside_looks_after_an_offer(offer: Offer, field: str, message: str) -> None:
    chosen: dict[str, UUID | None] = {"doctor_id": None, "coordinator_id": None, field: uuid4()}
    with pytest.raises(RuleError, match=message):
        people.set_people(SYSTEM, offer, doctor_id=chosen["doctor_id"], coordinator_id=chosen["coordinator_id"])
    assistant = {**chosen, field: staff("assistant")}
    with pytest.raises(RuleError, match=message):
        people.set_people(SYSTEM, offer, doctor_id=assistant["doctor_id"], coordinator_id=assistant["coordinator_id"])


def test_a_coordinator_asks_the_dentist_sends_back_and_then_signs(
    coordinator: Person, sign_in: SignIn, draft_id: UUID
) -> None:
    url = f"/offers/{draft_id}"
    coordinator.post(f"{url}/signoff/ask")
    doctor = sign_in("doctor")
    assert url in row_links(doctor.get("/offers/signoff")) or f"{url}#signoff" in row_links(
        doctor.get("/offers/signoff")
    )
    doctor.post(f"{url}/signoff", {"answer": "back", "note": ""})
    assert "Write what is to be changed" in flashes(doctor.get(url))[-1]
    doctor.post(f"{url}/signoff", {"answer": "back", "note": "11 yerine 12"})
    page = coordinator.get(url).text
    assert "Papatya doctor: 11 yerine 12" in page and "sent the offer back" in page
    assert "Sent back by Papatya doctor on " in page
    coordinator.post(f"{url}/signoff/ask")
    assert "Sent back by" not in coordinator.get(url).text, "it waits again"
    doctor.post(f"{url}/signoff", {"answer": "sign", "note": ""})
    assert "Signed off by Papatya doctor" in coordinator.get(url).text
    assert "Nothing waits" in doctor.get("/offers/signoff").text


def test_only_dentists_sign_and_only_managers_decide_whether_it_is_needed(
    coordinator: Person, sign_in: SignIn, draft_id: UUID
) -> None:
    assert coordinator.post(f"/offers/{draft_id}/signoff", {"answer": "sign"}).status_code == 403
    assert sign_in("admin").post(f"/offers/{draft_id}/signoff", {"answer": "sign"}).status_code == 403
    assert coordinator.post("/offers/signoff/required", {"required": "yes"}).status_code == 403
    sign_in("owner").post("/offers/signoff/required", {"required": "yes"})
    assert "only once a dentist has signed it off" in coordinator.get("/offers/signoff").text
    assert "A dentist must sign this offer off" in coordinator.get(f"/offers/{draft_id}").text


def test_the_coordinator_and_the_dentist_are_chosen_on_the_offers_page(
    portal: Flask, papatya: ClinicInfo, coordinator: Person, draft_id: UUID
) -> None:
    with clinic_work(portal, papatya.id):
        chosen = {"coordinator_id": str(staff("owner")), "doctor_id": str(staff("doctor"))}
    coordinator.post(f"/offers/{draft_id}/people", chosen)
    page = coordinator.get(f"/offers/{draft_id}").text
    assert all(f'<option value="{user_id}" selected>' in page for user_id in chosen.values())
    coordinator.post(f"/offers/{draft_id}/people", {**chosen, "doctor_id": "x"})
    assert "Choose a dentist" in flashes(coordinator.get(f"/offers/{draft_id}"))[-1]
