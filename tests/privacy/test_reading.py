"""Every read of a patient's record is logged, and no log keeps anybody from a record."""

# ruff: noqa: PLR0917 - a test asks for its fixtures by name, as many as it needs

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.gate import declared_access
from portal.core.reads import known_arguments
from portal.core.work import clinic_work
from portal.patients.models import Patient
from portal.privacy import reading
from portal.privacy.models import AccessAction
from tests.support.data import add_offer
from tests.support.pages import row_names
from tests.support.people import Person

Reads = Callable[[], list[Any]]
SHOWS = re.compile(r"render_template|send_file|_page\(|_download|Response\(")


def test_every_page_about_a_patient_declares_whose_record_it_shows(app: Flask) -> None:
    """A page whose address names a patient or an offer, or an answer to a form that shows something of them."""
    undeclared = []
    for rule in app.url_map.iter_rules():
        names = {"patient_id", "offer_id"} & rule.arguments
        declared = declared_access(app, rule.endpoint)
        assert declared.reads is None or declared.reads in rule.arguments & set(known_arguments()), rule.endpoint
        assert declared.reading in set(AccessAction), rule.endpoint
        if not names:
            continue
        view = inspect.getsource(inspect.unwrap(app.view_functions[rule.endpoint]))
        if "GET" not in (rule.methods or ()) and not SHOWS.search(view):
            continue  # a form that changes something and leads elsewhere
        if declared.reads not in names:
            undeclared.append(rule.endpoint)
    assert undeclared == []


def test_a_look_is_logged_with_who_what_and_where(coordinator: Person, patient: Patient, reads: Reads) -> None:
    assert coordinator.get(f"/patients/{patient.id}").status_code == 200
    assert coordinator.get(f"/patients/{patient.id}/edit").status_code == 200
    assert reads() == [
        (patient.id, "Papatya coordinator", "view", "patients.show"),
        (patient.id, "Papatya coordinator", "edit", "patients.edit"),
    ]


def test_looking_again_a_moment_later_is_one_look_and_later_another(
    coordinator: Person, sign_in: Callable[..., Person], patient: Patient, reads: Reads
) -> None:
    for path in ("", "/timeline", "/privacy", ""):
        coordinator.get(f"/patients/{patient.id}{path}")
    sign_in("doctor").get(f"/patients/{patient.id}")
    assert [row[1] for row in reads()] == ["Papatya coordinator", "Papatya doctor"]
    with time_machine.travel(now() + reading.FOLD + timedelta(seconds=1), tick=True):
        coordinator.get(f"/patients/{patient.id}")
    assert len(reads()) == 3


def test_an_offer_shows_its_patients_a_list_that_leaves_shows_everybody_on_it(
    coordinator: Person, sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo, patient: Patient,
    reads: Reads,
) -> None:  # fmt: skip
    with clinic_work(portal, papatya.id):
        offer = add_offer(papatya, patient)
    coordinator.get(f"/offers/{offer.id}")
    coordinator.get(f"/offers/{offer.id}/pdf")
    sign_in("doctor").get(f"/offers/new?patient={patient.id}")
    assert [row[2:] for row in reads() if row[0] == patient.id] == [
        ("view", "offers.show"), ("print", "offer_documents.pdf"), ("view", "offers.new"),
    ]  # fmt: skip
    coordinator.post("/patients/export", {"q": "gizem"})
    coordinator.post("/offers/export", {})
    assert [row[3] for row in reads() if row[2:3] == ("export",) and row[0] == patient.id] == [
        "patients.export", "offers.export",
    ]  # fmt: skip
    assert {row[3] for row in reads() if row[2] == "export" and row[0] != patient.id} == {"offers.export"}


def test_what_was_not_shown_was_not_read(
    coordinator: Person, visit: Callable[..., Person], sign_in: Callable[..., Person], patient: Patient, reads: Reads
) -> None:
    visit().get(f"/patients/{patient.id}")
    sign_in("owner", "lale").get(f"/patients/{patient.id}")
    sign_in("readonly").get(f"/patients/{patient.id}/edit")
    coordinator.client.head(f"/patients/{patient.id}", base_url="http://papatya.localhost")
    coordinator.post(f"/patients/{patient.id}/archive")
    coordinator.get("/patients/")
    assert reads() == []


def test_a_log_that_cannot_be_written_keeps_nobody_from_the_record_and_is_told(
    coordinator: Person, patient: Patient, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[str] = []

    def broken(*_args: object, **_values: object) -> None:
        raise sa.exc.OperationalError("INSERT", {}, Exception("disk full"))

    with monkeypatch.context() as patched:
        patched.setattr(reading, "write_reads", broken)
        patched.setattr(reading.log, "error", lambda *told, **values: errors.append(f"{told} {values}"))
        answer = coordinator.get(f"/patients/{patient.id}")
    assert answer.status_code == 200 and "Gizem" in answer.text
    assert reads() == []
    (told,) = errors
    assert "reads.not_logged" in told and str(patient.id) in told and "Gizem" not in told


def test_the_manager_sees_the_log_by_patient_and_by_person_and_takes_it_away(
    coordinator: Person, sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    owner, doctor = sign_in("owner"), sign_in("doctor")
    coordinator.get(f"/patients/{patient.id}")
    doctor.get(f"/patients/{patient.id}")
    page = owner.get("/privacy/reads")
    assert row_names(page)[:2] == ["Gizem Saklıoğlu", "Gizem Saklıoğlu"]
    person = re.search(r'href="(/privacy/reads\?person=[^"]*)">\s*Papatya doctor', page.text)
    assert person
    assert len(row_names(owner.get(person.group(1)))) == 1
    assert len(row_names(owner.get(f"/privacy/reads?patient={patient.id}"))) == 2
    download = owner.post("/privacy/reads/export", {"patient": str(patient.id)})
    assert download.text.count("Gizem Saklıoğlu") == 2 and "Papatya doctor" in download.text
    assert coordinator.get("/privacy/reads").status_code == 403


@pytest.mark.parametrize("query", ["patient=x", "person=%00", "at=9", "patient=&person="])
def test_a_filter_that_makes_no_sense_is_no_filter(sign_in: Callable[..., Person], query: str) -> None:
    assert sign_in("owner").get(f"/privacy/reads?{query}").status_code == 200
