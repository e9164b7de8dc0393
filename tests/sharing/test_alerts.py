"""Whoever looks after an offer hears at once what its patient does, once for each thing she does."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from portal.auth.models import User
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.notifications import Notification, tell
from portal.core.work import clinic_work
from portal.offers.queries import get_offer
from tests.sharing.conftest import Case
from tests.support.people import Person

Told = Callable[[], list[str]]


@pytest.fixture
def patient(visit: Callable[..., Person]) -> Person:
    """A visitor without a login."""
    person = visit()
    person.token = "none"
    return person


@pytest.fixture
def told(portal: Flask, papatya: ClinicInfo, case: Case) -> Told:
    """Let the coordinator look after the offer; return what she was told, the oldest first."""
    with clinic_work(portal, papatya.id) as session:
        offer = get_offer(case.offer_id)
        who: UUID = session.scalars(sa.select(User.id).where(User.role == "coordinator")).one()
        offer.coordinator_id = who
        audit.record(SYSTEM, "test", offer)

    def read() -> list[str]:
        with clinic_work(portal, papatya.id) as session, force_locale("en"):
            mine = sa.select(Notification).where(Notification.user_id == who).order_by(Notification.id)
            rows = session.scalars(mine).all()
            assert all(not row.props for row in rows), "names are looked up, not kept"
            words = tell(rows)
            assert {words[row.id].url for row in rows} <= {f"/offers/{case.offer_id}"}
            return [words[row.id].text for row in rows]

    return read


def test_opening_asking_and_accepting_are_each_told_once(
    told: Told, case: Case, make_link: Callable[..., str], patient: Person
) -> None:
    path = make_link(case)
    for _time in range(2):
        patient.post(path, {"answer": "1234"})
    question = {"body": "Wie lange?", "form_key": str(uuid4())}
    for _time in range(3):
        patient.post(f"{path}/question", question)
    page = patient.get(path).text
    sha256 = page.partition('name="read_sha256" value="')[2].partition('"')[0]
    line = page.partition('name="line" value="')[2].partition('"')[0]
    fields = {"name": "Nazlı", "agreed": "yes", "read_sha256": sha256, "line": [line]}
    for _time in range(3):
        assert patient.post(f"{path}/accept", fields).status_code == 303
    assert [text.rpartition(" offer ")[0] for text in told()] == [
        "Nazlı Ilgın opened", "Nazlı Ilgın asked about", "Nazlı Ilgın accepted",
    ]  # fmt: skip


def test_a_patient_who_is_locked_out_or_declines_is_told_too(
    told: Told, case: Case, make_link: Callable[..., str], patient: Person
) -> None:
    path = make_link(case)
    for _try in range(7):
        patient.post(path, {"answer": "0000"})
    assert ["is locked out of offer" in text for text in told()] == [True]
    path = make_link(case)
    patient.post(path, {"answer": "1234"})
    patient.post(f"{path}/decline", {"reason": "price"})
    assert [text.split(" ")[2] for text in told()] == ["is", "opened", "declined"]


def test_an_offer_that_nobody_looks_after_tells_nobody(
    case: Case, make_link: Callable[..., str], patient: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    patient.post(make_link(case), {"answer": "1234"})
    with clinic_work(portal, papatya.id) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Notification)) == 0
