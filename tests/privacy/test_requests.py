"""The register of requests: none forgotten, none answered twice, each with its day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.errors import StaleVersionError
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.patients.models import Patient
from portal.privacy import requests
from portal.privacy.erasing import erase_patient
from portal.privacy.models import RequestKind, RequestStatus
from portal.privacy.requests import due_day
from tests.support.data import add_patient
from tests.support.pages import field_errors, form_values, last_part, row_names, told
from tests.support.people import Person


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 1, 10), date(2026, 2, 9)),  # thirty days come before the month
        (date(2026, 1, 31), date(2026, 2, 28)),  # a month after the 31st ends with the month
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 12, 15), date(2027, 1, 14)),
        (date(2026, 2, 10), date(2026, 3, 10)),
    ],
)
def test_the_day_an_answer_is_due_holds_under_both_laws(received: date, due: date) -> None:
    assert due_day(received) == due


def test_a_request_is_noted_answered_and_kept(
    sign_in: Callable[..., Person], coordinator: Person, patient: Patient
) -> None:
    owner = sign_in("owner")
    assert coordinator.get("/privacy/requests").status_code == 403
    path = f"/privacy/requests/new?patient={patient.id}"
    form = {**form_values(owner.get(path)), "kind": "erase", "detail": "Per Brief"}
    assert form["number"] == patient.patient_no
    ids = {last_part(owner.post(path, form)) for _ in range(2)}
    assert len(ids) == 1, "the same one sent twice is one"
    (request_id,) = ids
    page = told(owner.get(f"/privacy/requests/{request_id}"))
    assert "Per Brief" in page and "Anonymise" in page and "Copy of all data" in page
    assert "received on" in owner.get(f"/patients/{patient.id}/privacy/erase").text
    answer = {**form_values(owner.get(f"/privacy/requests/{request_id}")), "status": "done", "outcome": "Gelöscht"}
    assert field_errors(owner.post(f"/privacy/requests/{request_id}", {**answer, "outcome": ""}))
    last_part(owner.post(f"/privacy/requests/{request_id}", answer))
    assert owner.post(f"/privacy/requests/{request_id}", {**answer, "status": "refused"}).status_code == 409
    assert row_names(owner.get("/privacy/requests")) == []
    assert row_names(owner.get("/privacy/requests?show=answered")) == ["Erasure"]
    assert "made a request about personal data" in told(owner.get(f"/patients/{patient.id}"))
    assert "made a request" not in told(coordinator.get(f"/patients/{patient.id}"))


@pytest.mark.parametrize(("field", "typed"), [("received_on", "2999-01-01"), ("received_on", "2001-01-01"),
                                              ("number", "99999"), ("kind", "x"), ("received_on", "")])  # fmt: skip
def test_what_makes_no_sense_is_told_beside_its_field(
    sign_in: Callable[..., Person], patient: Patient, field: str, typed: str
) -> None:
    owner = sign_in("owner")
    form = form_values(owner.get(f"/privacy/requests/new?patient={patient.id}"))
    assert set(field_errors(owner.post("/privacy/requests/new", {**form, field: typed}))) == {field}


def test_the_overdue_come_first_and_are_marked(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    with clinic_work(portal, papatya.id):
        today = date.today()
        for days, kind in ((2, RequestKind.ACCESS), (40, RequestKind.ERASE), (30, RequestKind.EXPORT)):
            requests.register_request(
                SYSTEM, kind=kind, received_on=today - timedelta(days=days), patient_id=patient.id, detail=None
            )
    page = sign_in("owner").get("/privacy/requests")
    assert row_names(page) == ["Erasure", "A copy of the data", "What is stored"]
    assert 1 <= told(page).count("overdue") <= 2  # thirty days ago may be a month and a day


def test_two_who_answer_at_once_are_told(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        asked = requests.register_request(
            SYSTEM, kind=RequestKind.OBJECT, received_on=date.today(), patient_id=None, detail=None
        )  # fmt: skip
        requests.answer_request(SYSTEM, asked, version=1, status=RequestStatus.REFUSED, outcome="x")
        current_session().flush()
        with pytest.raises(StaleVersionError):
            requests.answer_request(SYSTEM, asked, version=1, status=RequestStatus.DONE, outcome="y")


def test_the_proof_of_an_erasure_names_the_request_it_was_done_on(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        patient = add_patient(first_name="Geht", last_name="Fort")
        asked = requests.register_request(
            SYSTEM, kind=RequestKind.ERASE, received_on=date.today(), patient_id=patient.id, detail="Geht Fort bittet"
        )  # fmt: skip
        proof = erase_patient(SYSTEM, patient, reason="Antrag", request_id=asked.id)
        current_session().flush()
        assert proof.request_id == asked.id
        assert requests.get_request(asked.id).detail is None
