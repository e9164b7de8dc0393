from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from portal.core import audit
from portal.core.clinics import Clinic, ClinicInfo
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers.jobs import expire
from portal.offers.models import Offer, OfferKind, OfferStatus
from portal.offers.queries import default_status, get_offer
from portal.offers.rules import MOVES, REVISABLE_KINDS
from tests.support.data import add_offer, add_patient
from tests.support.pages import field_errors, flashes, form_values, last_part, summary, text_of
from tests.support.people import Person

Send = Callable[..., TestResponse]
Stored = Callable[..., Offer]
Catalogue = Mapping[str, str]
Make = Callable[..., str]


@pytest.fixture
def status_ids(portal: Flask, papatya: ClinicInfo) -> dict[str, UUID]:
    """Papatya's status of each kind."""
    with clinic_work(portal, papatya.id):
        return {kind: default_status(kind).id for kind in OfferKind}


@pytest.fixture
def make(portal: Flask, papatya: ClinicInfo) -> Make:
    """Make an offer of papatya that stands at a kind: ``make(OfferKind.SENT, valid_until=...)``."""

    def build(kind: OfferKind, **columns: Any) -> str:
        with clinic_work(portal, papatya.id) as session:
            offer = add_offer(papatya, add_patient(first_name="Nazlı", last_name="Ilgın"))
            values = {"status_id": default_status(kind).id, **columns}
            session.execute(sa.update(Offer).where(Offer.id == offer.id).values(**values))
            return str(offer.id)

    return build


def move(person: Person, offer_id: str, status_id: object) -> str:
    """Send a move and return the message it ends with."""
    answer = person.post(f"/offers/{offer_id}/status", {"status_id": str(status_id)})
    assert answer.status_code == 302 and answer.headers["Location"] == f"/offers/{offer_id}"
    return flashes(person.get(f"/offers/{offer_id}"))[-1]


def offered(page: TestResponse) -> set[str]:
    return set(re.findall(r'name="status_id" value="([^"]+)"', page.text))


@pytest.mark.parametrize("before", OfferKind)
def test_every_legal_move_is_offered_and_made(
    coordinator: Person, make: Make, stored: Stored, status_ids: dict[str, UUID], before: OfferKind
) -> None:
    for after in MOVES[before]:
        offer_id = make(before)
        legal = {str(status_ids[kind]) for kind in MOVES[before]}
        assert offered(coordinator.get(f"/offers/{offer_id}")) == legal
        message = move(coordinator, offer_id, status_ids[after])
        offer = stored(offer_id)
        assert offer.status.kind == after
        assert message == f"The status is now: {offer.status.label_en}."
        assert (offer.sent_at is not None) == (after is OfferKind.SENT)
        assert (offer.decided_at is not None) == (after in (OfferKind.ACCEPTED, OfferKind.DECLINED))


@pytest.mark.parametrize("before", OfferKind)
def test_every_illegal_move_is_refused_with_a_message_and_changes_nothing(
    coordinator: Person, make: Make, stored: Stored, status_ids: dict[str, UUID], before: OfferKind
) -> None:
    offer_id = make(before)
    was = stored(offer_id)
    for after in set(OfferKind) - MOVES[before] - {before}:
        assert move(coordinator, offer_id, status_ids[after]) == "An offer cannot go from here to this status.", after
        now = stored(offer_id)
        assert (now.status.kind, now.version, now.updated_at) == (before, was.version, was.updated_at), after


def test_the_table_of_moves_knows_every_kind_and_cancelled_is_final() -> None:
    assert set(MOVES) == set(OfferKind)
    assert not MOVES[OfferKind.CANCELLED]
    assert all(OfferKind.CANCELLED in after or kind in (OfferKind.CANCELLED, OfferKind.DECLINED)
               for kind, after in MOVES.items())  # fmt: skip


def test_moving_to_where_the_offer_stands_changes_nothing(
    coordinator: Person, make: Make, stored: Stored, status_ids: dict[str, UUID]
) -> None:
    offer_id = make(OfferKind.SENT)
    move(coordinator, offer_id, status_ids[OfferKind.SENT])
    assert stored(offer_id).sent_at is None


def test_an_empty_draft_cannot_be_sent(
    coordinator: Person, send: Send, stored: Stored, status_ids: dict[str, UUID]
) -> None:
    offer_id = last_part(send())
    assert "without treatments cannot be sent" in move(coordinator, offer_id, status_ids[OfferKind.SENT])
    assert (stored(offer_id).status.kind, stored(offer_id).sent_at) == ("draft", None)


def test_a_draft_whose_last_day_is_over_cannot_be_sent(
    coordinator: Person, make: Make, stored: Stored, status_ids: dict[str, UUID]
) -> None:
    offer_id = make(OfferKind.DRAFT, valid_until=date.today() - timedelta(days=2))
    assert "last day of this offer is over" in move(coordinator, offer_id, status_ids[OfferKind.SENT])
    assert stored(offer_id).status.kind == "draft"


def test_an_expired_offer_comes_back_as_a_revision_with_a_new_last_day(
    coordinator: Person, make: Make, stored: Stored, status_ids: dict[str, UUID]
) -> None:
    offer_id = make(OfferKind.EXPIRED, valid_until=date.today() - timedelta(days=2))
    revision_id = coordinator.post(f"/offers/{offer_id}/revise").headers["Location"].split("/")[2]
    assert stored(revision_id).valid_until == date.today() + timedelta(days=30)
    assert move(coordinator, revision_id, status_ids[OfferKind.SENT]).startswith("The status is now")
    expire(0)
    assert stored(revision_id).status.kind == "sent"


@pytest.mark.parametrize("kind", [kind for kind in OfferKind if kind is not OfferKind.DRAFT])
def test_only_a_draft_can_be_edited_and_any_other_offer_says_why_not(
    coordinator: Person, make: Make, stored: Stored, fields: Callable[..., dict[str, str]], kind: OfferKind
) -> None:
    offer_id = make(kind)
    assert f"/offers/{offer_id}/edit" not in coordinator.get(f"/offers/{offer_id}").text
    locked = "A sent offer is locked. Make a revision to change it."
    reason = locked if kind in REVISABLE_KINDS else "Only a draft can be changed."
    assert last_part(coordinator.get(f"/offers/{offer_id}/edit")) == offer_id
    assert flashes(coordinator.get(f"/offers/{offer_id}")) == [reason]
    form = fields([], version=stored(offer_id).version, title="Değişti")
    page = coordinator.post(f"/offers/{offer_id}/edit", form)
    assert page.status_code == 409 and reason in summary(page)
    assert (stored(offer_id).title, len(stored(offer_id).lines)) == ("Teklif", 1)


@pytest.mark.parametrize("status_id", ["", "no-uuid", str(UUID(int=7))])
def test_a_status_that_is_none_is_not_there(coordinator: Person, make: Make, stored: Stored, status_id: str) -> None:
    offer_id = make(OfferKind.DRAFT)
    assert coordinator.post(f"/offers/{offer_id}/status", {"status_id": status_id}).status_code == 404
    assert stored(offer_id).status.kind == "draft"


def test_another_clinics_status_is_not_there(
    coordinator: Person, make: Make, stored: Stored, portal: Flask, lale: ClinicInfo
) -> None:
    with clinic_work(portal, lale.id):
        foreign = default_status(OfferKind.SENT).id
    offer_id = make(OfferKind.DRAFT)
    assert coordinator.post(f"/offers/{offer_id}/status", {"status_id": str(foreign)}).status_code == 404
    assert stored(offer_id).status.kind == "draft"


def test_a_status_a_clinic_switched_off_is_neither_offered_nor_taken(
    *, coordinator: Person, make: Make, stored: Stored, portal: Flask, papatya: ClinicInfo, status_ids: dict[str, UUID]
) -> None:
    offer_id = make(OfferKind.DRAFT)
    with clinic_work(portal, papatya.id) as session:
        off = sa.update(OfferStatus).where(OfferStatus.kind == OfferKind.SENT).values(is_active=False)
        session.execute(off)
        audit.record(SYSTEM, "tests.changed", OfferStatus)
    assert str(status_ids[OfferKind.SENT]) not in offered(coordinator.get(f"/offers/{offer_id}"))
    assert move(coordinator, offer_id, status_ids[OfferKind.SENT]).startswith("An offer cannot go")
    assert stored(offer_id).status.kind == "draft"


def test_who_may_not_write_offers_moves_none(
    sign_in: Callable[..., Person], make: Make, stored: Stored, status_ids: dict[str, UUID]
) -> None:
    offer_id = make(OfferKind.DRAFT)
    reader = sign_in("assistant")
    assert not offered(reader.get(f"/offers/{offer_id}"))
    sent = {"status_id": str(status_ids[OfferKind.SENT])}
    assert reader.post(f"/offers/{offer_id}/status", sent).status_code == 403
    assert stored(offer_id).status.kind == "draft"


LAST_DAY = date(2027, 3, 10)


@pytest.mark.parametrize(
    ("zone", "moment", "expired"),
    [
        ("Europe/Istanbul", datetime(2027, 3, 10, 20, 59, tzinfo=UTC), False),
        ("Europe/Istanbul", datetime(2027, 3, 10, 21, 1, tzinfo=UTC), True),
        ("UTC", datetime(2027, 3, 10, 23, 59, tzinfo=UTC), False),
        ("UTC", datetime(2027, 3, 11, 0, 1, tzinfo=UTC), True),
        ("America/New_York", datetime(2027, 3, 11, 4, 59, tzinfo=UTC), False),
        ("America/New_York", datetime(2027, 3, 11, 5, 1, tzinfo=UTC), True),
    ],
)
def test_offers_expire_at_the_end_of_their_last_day_in_the_clinics_zone(
    *, portal: Flask, papatya: ClinicInfo, make: Make, stored: Stored, zone: str, moment: datetime, expired: bool
) -> None:
    offer_id = make(OfferKind.SENT, valid_until=LAST_DAY)
    _set_zone(portal, papatya, zone)
    with time_machine.travel(moment, tick=False):
        expire(0)
    assert (stored(offer_id).status.kind == "expired") == expired


def test_only_open_offers_expire_and_each_once(coordinator: Person, make: Make, stored: Stored) -> None:
    past = date.today() - timedelta(days=3)
    offers = {kind: make(kind, valid_until=past) for kind in OfferKind}
    endless = make(OfferKind.SENT, valid_until=None)
    expire(0)
    expire(0)
    changed = {kind for kind, offer_id in offers.items() if stored(offer_id).status.kind != kind}
    assert changed == {OfferKind.SENT, OfferKind.VIEWED, OfferKind.NEGOTIATING}
    assert stored(endless).status.kind == "sent"
    assert coordinator.get(f"/offers/{offers[OfferKind.SENT]}").text.count("marked the offer as expired") == 1


def test_a_clinic_where_expiring_fails_does_not_stop_the_others(
    portal: Flask, papatya: ClinicInfo, lale: ClinicInfo, make: Make, stored: Stored
) -> None:
    past = date.today() - timedelta(days=3)
    with clinic_work(portal, lale.id) as session:
        theirs = add_offer(lale, add_patient(first_name="Uzak", last_name="Hasta")).id
        sent = default_status(OfferKind.SENT).id
        session.execute(sa.update(Offer).where(Offer.id == theirs).values(status_id=sent, valid_until=past))
    ours = make(OfferKind.SENT, valid_until=past)
    _set_zone(portal, papatya, "Mars/Olympus")
    expire(0)
    assert stored(ours).status.kind == "sent"
    with clinic_work(portal, lale.id):
        assert get_offer(theirs).status.kind == "expired"


def test_the_log_of_an_offer_tells_moves_in_words_and_hides_notes(
    coordinator: Person, send: Send, catalogue: Catalogue, status_ids: dict[str, UUID]
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["transfer"]}], patient_note="Mahrem", internal_note="Gizli"))
    form = form_values(coordinator.get(f"/offers/{offer_id}/edit"))
    changed = {"internal_note": "Sır", "patient_note": "", "lines-0-quantity": "2"}
    last_part(coordinator.post(f"/offers/{offer_id}/edit", {**form, **changed}))
    move(coordinator, offer_id, status_ids[OfferKind.SENT])
    page = coordinator.get(f"/offers/{offer_id}")
    log = text_of(page.text.partition("<h2>What happened</h2>")[2].partition("</ol>")[0])
    assert "Papatya coordinator changed the status" in log and "Status Draft Sent" in log
    assert "Note for colleagues hidden" in log and "Note for the patient hidden" in log
    assert "Total 2500 5000" in log and "Lines hidden" in log
    assert not any(secret in log for secret in ("Mahrem", "Gizli", "Sır"))


def test_an_offer_is_shown_to_one_more_patient_once(
    coordinator: Person, make: Make, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        relative = add_patient(first_name="Eşi", last_name="Ilgın")
    offer_id = make(OfferKind.DRAFT)
    typed = {"patient_no": relative.patient_no.lstrip("0")}
    assert last_part(coordinator.post(f"/offers/{offer_id}/patients", typed)) == offer_id
    page = coordinator.get(f"/offers/{offer_id}")
    assert flashes(page) == ["The offer is assigned to Eşi Ilgın as well."]
    assert f"/patients/{relative.id}" in page.text
    assert f"/offers/{offer_id}" in coordinator.get(f"/patients/{relative.id}").text
    again = coordinator.post(f"/offers/{offer_id}/patients", {"patient_no": relative.patient_no})
    assert again.status_code == 422
    assert "assigned to this patient already" in field_errors(again)["patient_no"]


@pytest.mark.parametrize(
    ("typed", "message"),
    [("99999", "No patient has this number"), ("", "Fill this in"), ("Ayşe", "No patient has"), ("0", "No patient has"),
     ("1" * 21, "at most 20"), ("\x00", "Fill this in")],
)  # fmt: skip
def test_a_number_nobody_has_is_an_error_beside_the_field(
    coordinator: Person, make: Make, typed: str, message: str
) -> None:
    offer_id = make(OfferKind.DRAFT)
    page = coordinator.post(f"/offers/{offer_id}/patients", {"patient_no": typed})
    assert page.status_code == 422
    assert message in field_errors(page)["patient_no"]
    assert page.text.count("may see the offer") == 1


def test_an_archived_patient_is_not_assigned(
    coordinator: Person, make: Make, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        gone = add_patient(first_name="Eski", last_name="Hasta")
    coordinator.post(f"/patients/{gone.id}/archive")
    page = coordinator.post(f"/offers/{make(OfferKind.DRAFT)}/patients", {"patient_no": gone.patient_no})
    assert page.status_code == 422 and "Restore the patient first" in field_errors(page)["patient_no"]


def test_a_patient_of_another_clinic_is_not_found_by_number(
    coordinator: Person, make: Make, portal: Flask, lale: ClinicInfo
) -> None:
    with clinic_work(portal, lale.id):
        numbers = {add_patient(first_name="Uzak", last_name=f"Hasta {place}").patient_no for place in range(20)}
    page = coordinator.post(f"/offers/{make(OfferKind.DRAFT)}/patients", {"patient_no": max(numbers)})
    assert page.status_code == 422 and "Uzak" not in page.text


def test_an_offer_is_hidden_from_a_patient_and_shown_again(
    coordinator: Person, make: Make, sign_in: Callable[..., Person]
) -> None:
    offer_id = make(OfferKind.SENT)
    url = _visibility(coordinator.get(f"/offers/{offer_id}"))
    for wish, text in (("no", "does not see the offer"), ("no", "does not see"), ("yes", "may see the offer")):
        assert last_part(coordinator.post(url, {"visible": wish})) == offer_id
        assert text in coordinator.get(f"/offers/{offer_id}").text
    page = coordinator.get(f"/offers/{offer_id}").text
    assert page.count("hid the offer from a patient") == page.count("made the offer visible to a patient") == 1
    coordinator.post(url, {"visible": "perhaps"})
    assert "may see the offer" in coordinator.get(f"/offers/{offer_id}").text
    assert sign_in("assistant").post(url, {"visible": "no"}).status_code == 403


def test_the_buttons_of_visibility_say_whose_they_are(coordinator: Person, make: Make) -> None:
    offer_id = make(OfferKind.SENT)
    for button in ("Hide : Nazlı Ilgın", "Show : Nazlı Ilgın"):
        page = coordinator.get(f"/offers/{offer_id}")
        form = page.text.partition('/visibility">')[2].partition("</form>")[0]
        assert text_of(form) == button
        coordinator.post(_visibility(page), {"visible": "no"})


def test_visibility_is_set_on_that_offers_own_patients_only(
    coordinator: Person, make: Make, sign_in: Callable[..., Person]
) -> None:
    one, other = make(OfferKind.SENT), make(OfferKind.SENT)
    url = _visibility(coordinator.get(f"/offers/{one}"))
    assert coordinator.post(url.replace(one, other), {"visible": "no"}).status_code == 404
    assert sign_in("owner", "lale").post(url, {"visible": "no"}).status_code == 404
    assert "may see the offer" in coordinator.get(f"/offers/{one}").text


def _visibility(page: TestResponse) -> str:
    found = re.search(r'action="([^"]+/visibility)"', page.text)
    assert found
    return found.group(1)


def _set_zone(portal: Flask, clinic: ClinicInfo, zone: str) -> None:
    with clinic_work(portal, clinic.id):
        current_session().execute(sa.update(Clinic).where(Clinic.id == clinic.id).values(timezone=zone))
