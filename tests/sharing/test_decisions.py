"""A patient decides: once, over what she has read, and with her name under it."""

# ruff: noqa: PLR0917 - a test asks for its fixtures by name, as many as it needs

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import audit
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.jobs import SYSTEM
from portal.core.outbox import OutboxMail
from portal.core.work import clinic_work
from portal.offers.documents import OfferEvent
from portal.offers.models import Offer, OfferOption, PatientOffer, Treatment
from portal.offers.queries import get_offer
from portal.sharing.models import OfferQuestion, OfferSignature
from tests.sharing.conftest import Case
from tests.support.data import add_patient
from tests.support.pages import text_of
from tests.support.people import Person

Link = Callable[..., str]
Fields = Callable[..., dict[str, Any]]
DRAWN = json.dumps([[[0, 0], [500, 500], [1000, 900]]])


@pytest.fixture
def patient(visit: Callable[..., Person]) -> Person:
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


@pytest.fixture
def acceptance(opened: str, patient: Person) -> Fields:
    """Return what the page's form sends when she accepts, changed as asked."""

    def fields(**changed: Any) -> dict[str, Any]:
        page = patient.get(opened).text
        lines = re.findall(r'name="line" value="([^"]+)"[^>]*checked', page)
        sha256 = re.findall(r'name="read_sha256" value="([^"]+)"', page)[0]
        return {"name": "Nazlı Ilgın", "agreed": "yes", "read_sha256": sha256, "line": lines, **changed}

    return fields


@pytest.fixture
def rows(portal: Flask, papatya: ClinicInfo, case: Case) -> Callable[[Any], list[Any]]:
    """Return the rows of a table about the offer."""

    def read(model: Any) -> list[Any]:
        with clinic_work(portal, papatya.id) as session:
            return list(session.scalars(sa.select(model).where(model.offer_id == case.offer_id)))

    return read


def test_accepting_signs_what_was_read(
    case: Case, opened: str, patient: Person, acceptance: Fields, rows: Callable[[Any], list[Any]],
    offer_of: Callable[[Case], Offer], portal: Flask, papatya: ClinicInfo, coordinator: Person,
) -> None:  # fmt: skip
    fields = acceptance(drawing=DRAWN)
    assert patient.post(f"{opened}/accept", fields).location == f"{opened}#decision"
    (row,), offer = rows(OfferSignature), offer_of(case)
    assert (offer.status.kind, offer.decided_at is not None) == ("accepted", True)
    assert row.content_sha256 == fields["read_sha256"] == offer.content_sha256
    assert (row.signer_name, row.method, row.drawing) == ("Nazlı Ilgın", "drawn", json.loads(DRAWN))
    assert row.accepted_lines == fields["line"]
    page = unescape(patient.get(opened).text)
    assert row.content_sha256 in page and "Nazlı Ilgın" in page
    assert f'action="{opened}/accept"' not in page
    assert [event.kind for event in rows(OfferEvent)].count("accepted") == 1
    with clinic_work(portal, papatya.id) as session:
        log = session.scalars(sa.select(ActivityLog.changes).where(ActivityLog.action == "offer.signed")).all()
    assert log == [{"line_count": [None, 1]}]
    assert "offer.signed" not in coordinator.get(f"/offers/{case.offer_id}").text, "the log has words for it"


def test_the_form_sent_twenty_times_makes_one_signature_and_one_mail(
    opened: str, patient: Person, acceptance: Fields, rows: Callable[[Any], list[Any]], portal: Flask,
    papatya: ClinicInfo,
) -> None:  # fmt: skip
    fields = acceptance()
    assert {patient.post(f"{opened}/accept", fields).status_code for _time in range(20)} == {303}
    assert len(rows(OfferSignature)) == 1
    with clinic_work(portal, papatya.id) as session:
        (mail,) = session.scalars(sa.select(OutboxMail).where(OutboxMail.kind == "offer.accepted"))
    assert mail.to_address == "nazli@example.com"
    assert fields["read_sha256"] in mail.body and opened in mail.body
    for secret in ("Zirkon", "Nazlı", "Krone"):
        assert secret not in mail.subject + mail.body


def test_who_is_second_at_a_shared_offer_is_told_clearly(
    case: Case, opened: str, patient: Person, acceptance: Fields, make_link: Link, coordinator: Person, portal: Flask,
    papatya: ClinicInfo, visit: Callable[..., Person], rows: Callable[[Any], list[Any]],
) -> None:  # fmt: skip
    with clinic_work(portal, papatya.id) as session:
        other = add_patient(first_name="Eş", last_name="Ilgın", phone_e164="+905321119876")
        row = PatientOffer(patient_id=other.id, offer_id=case.offer_id)
        session.add(row)
        audit.record(SYSTEM, "test", Offer, subject_id=case.offer_id)
    path, spouse = make_link(Case(case.offer_id, row.id, other.id)), visit()
    spouse.post(path, {"answer": "9876"}, token=False)
    fields = acceptance()
    assert patient.post(f"{opened}/accept", fields).status_code == 303
    late = spouse.post(f"{path}/accept", {**fields, "name": "Eş"}, token=False)
    assert late.status_code == 409
    assert "beantwortet" in late.text, "the links are German"
    assert spouse.post(f"{path}/decline", {"reason": "price"}, token=False).status_code == 409
    assert [row.signer_name for row in rows(OfferSignature)] == ["Nazlı Ilgın"]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"read_sha256": "0" * 64}, 409), ({"read_sha256": ""}, 409), ({"name": "  "}, 422), ({"agreed": ""}, 422),
        ({"line": []}, 422), ({"line": [str(uuid4())]}, 422), ({"option_id": str(uuid4())}, 422),
    ],
)  # fmt: skip
def test_what_is_not_a_decision_over_this_offer_changes_nothing(
    case: Case, opened: str, patient: Person, acceptance: Fields, offer_of: Callable[[Case], Offer],
    rows: Callable[[Any], list[Any]], changed: dict[str, Any], status: int,
) -> None:  # fmt: skip
    fields = {name: value for name, value in acceptance(**changed).items() if value != ""}
    assert patient.post(f"{opened}/accept", fields).status_code == status
    assert rows(OfferSignature) == []
    assert offer_of(case).status.kind == "viewed"


def test_nothing_typed_is_lost_when_something_is_missing(opened: str, patient: Person, acceptance: Fields) -> None:
    fields = acceptance()
    del fields["agreed"]
    assert 'value="Nazlı Ilgın"' in patient.post(f"{opened}/accept", fields).text


def test_an_old_revision_cannot_be_accepted(
    case: Case, opened: str, patient: Person, acceptance: Fields, portal: Flask, papatya: ClinicInfo,
    rows: Callable[[Any], list[Any]],
) -> None:  # fmt: skip
    fields = acceptance()
    with clinic_work(portal, papatya.id):
        offer = get_offer(case.offer_id)
        offer.superseded_at = now()
        audit.record(SYSTEM, "test", offer)
    assert patient.post(f"{opened}/accept", fields).status_code == 410
    assert rows(OfferSignature) == []


def test_an_offer_whose_last_day_is_over_cannot_be_accepted(
    case: Case, opened: str, patient: Person, acceptance: Fields, portal: Flask, papatya: ClinicInfo,
    rows: Callable[[Any], list[Any]],
) -> None:  # fmt: skip
    fields = acceptance()
    with clinic_work(portal, papatya.id):
        offer = get_offer(case.offer_id)
        offer.valid_until = date.today() - timedelta(days=2)
        audit.record(SYSTEM, "test", offer)
    assert patient.post(f"{opened}/accept", fields).status_code == 410
    assert rows(OfferSignature) == []


def test_an_option_is_chosen_and_the_other_ones_lines_are_declined(
    make_case: Callable[..., Case], make_link: Link, patient: Person, portal: Flask, papatya: ClinicInfo,
    offer_of: Callable[[Case], Offer],
) -> None:  # fmt: skip
    case = make_case()
    with clinic_work(portal, papatya.id) as session:
        a, b = OfferOption(offer_id=case.offer_id, label="A"), OfferOption(offer_id=case.offer_id, label="B")
        session.add_all([a, b])
        session.flush()
        offer = get_offer(case.offer_id)
        offer.lines[0].option_id = a.id
        offer.lines.append(
            Treatment(name="Köprü", position=1, unit_price=100, line_gross=100, option_id=b.id, teeth=[])
        )
        audit.record(SYSTEM, "test", offer, changes={})
    path = make_link(case)
    patient.post(path, {"answer": "1234"})
    page = patient.get(path).text
    sha256 = re.findall(r'name="read_sha256" value="([^"]+)"', page)[0]
    lines = re.findall(r'name="line" value="([^"]+)"', page)
    fields = {"name": "N", "agreed": "yes", "read_sha256": sha256, "line": lines}
    assert patient.post(f"{path}/accept", fields).status_code == 422, "no option was chosen"
    assert patient.post(f"{path}/accept", {**fields, "option_id": str(b.id)}).status_code == 303
    assert offer_of(case).chosen_option_id == b.id
    with clinic_work(portal, papatya.id):
        assert [line.decision for line in get_offer(case.offer_id).lines] == ["declined", "accepted"]
    page = text_of(patient.get(f"{path}?lang=en").text)
    assert "Option B your choice" in page and page.count("not chosen") == 1


@pytest.mark.parametrize(
    "drawing", ["", "x", "[]", "[[[1,2]]]", '[[["a",2],[3,4],[5,6]]]', "[[[1,2],[3,4],[5,99999]]]", "[" * 50_000, "{}"]
)
def test_a_drawing_that_is_none_leaves_the_typed_name(
    opened: str, patient: Person, acceptance: Fields, rows: Callable[[Any], list[Any]], drawing: str
) -> None:
    assert patient.post(f"{opened}/accept", acceptance(drawing=drawing)).status_code == 303
    assert [(row.method, row.drawing) for row in rows(OfferSignature)] == [("typed", None)]


def test_declining_tells_the_clinic_why(
    case: Case, opened: str, patient: Person, offer_of: Callable[[Case], Offer], rows: Callable[[Any], list[Any]]
) -> None:
    assert patient.post(f"{opened}/decline", {"reason": "nonsense"}).status_code == 422
    for _time in range(3):
        assert patient.post(f"{opened}/decline", {"reason": "travel", "note": "Zu weit"}).status_code == 303
    offer = offer_of(case)
    assert (offer.status.kind, offer.decline_reason, offer.decline_note) == ("declined", "travel", "Zu weit")
    assert [event.kind for event in rows(OfferEvent)].count("declined") == 1
    assert "abgelehnt" in patient.get(opened).text


def test_a_question_is_asked_once_and_its_answer_read(
    case: Case, opened: str, patient: Person, coordinator: Person, rows: Callable[[Any], list[Any]]
) -> None:
    fields = {"body": "Wie lange <b>dauert</b> es?", "form_key": str(uuid4())}
    for _time in range(20):
        assert patient.post(f"{opened}/question", fields).status_code == 303
    (row,) = rows(OfferQuestion)
    assert "Wie lange &lt;b&gt;dauert" in coordinator.get(f"/offers/{case.offer_id}").text
    path = f"/offers/{case.offer_id}/recipients/{case.recipient_id}/link/questions/{row.id}"
    assert coordinator.post(path, {"answer": "Fünf Tage."}).status_code == 302
    assert "Fünf Tage." in patient.get(opened).text
    assert [event.kind for event in rows(OfferEvent)].count("question") == 1
