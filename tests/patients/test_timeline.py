"""The timeline of a patient: everything, in order, page by page, and nothing its reader may not see."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from portal.auth.queries import find_account
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.timeline import SIZE, Place
from portal.core.work import clinic_work
from portal.notes.models import Note, NoteVisibility
from portal.patients import merging
from portal.patients.models import Patient
from portal.privacy.models import PatientConsent, PrivacyText
from portal.records.models import PatientFile
from portal.reminders.models import Reminder
from tests.support.data import add_offer, add_patient
from tests.support.pages import told
from tests.support.people import Person


def add(row: Any) -> None:
    current_session().add(row)
    audit.record(SYSTEM, "tests.made", row)
    current_session().flush()


def texts(page: str) -> list[str]:
    return re.findall(r"Notiz \d+", page)


@pytest.fixture
def patient(portal: Flask, papatya: ClinicInfo) -> Patient:
    with clinic_work(portal, papatya.id):
        return add_patient(first_name="Zeit", last_name="Strahl")


def test_it_gathers_what_every_module_knows(
    coordinator: Person, portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    with clinic_work(portal, papatya.id):
        offer = add_offer(papatya, patient)
        add(Note(patient_id=patient.id, body="Mag Musik"))
        add(Reminder(patient_id=patient.id, title="Rückruf", due_at=now(), status="done", completed_at=now()))
        add(Reminder(offer_id=offer.id, title="Nachfassen", due_at=now()))
        add(PatientFile(patient_id=patient.id, kind="xray", storage_key="k", filename="opg.png", mime="image/png",
                        size=1, sha256="0" * 64))  # fmt: skip
        add(text := PrivacyText(kind="marketing", locale="tr", version_no=1, body="x", sha256="0" * 64))
        add(PatientConsent(patient_id=patient.id, kind="marketing", text_id=text.id, text_sha256="0" * 64,
                           channel="verbal", given_at=now(), withdrawn_at=now()))  # fmt: skip
        number = offer.offer_no
    page = told(coordinator.get(f"/patients/{patient.id}"))
    for part in (
        "registered the patient", f"drafted the offer : {number}", "wrote a note", "Mag Musik",
        "made a reminder : Rückruf", "did what was due : Rückruf", "made a reminder : Nachfassen",
        "added a file : opg.png", "noted a consent : Marketing", "withdrew a consent : Marketing",
    ):  # fmt: skip
        assert part in page.replace(": ", " : ").replace("  ", " "), part


def test_pages_follow_each_other_without_a_gap_and_without_an_echo(
    coordinator: Person, portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    count, moment = SIZE * 2 + 7, now()
    with clinic_work(portal, papatya.id):
        for place in range(count):  # in threes of one moment each
            add(Note(patient_id=patient.id, body=f"Notiz {place}", created_at=moment + timedelta(seconds=place // 3)))
    path, found = f"/patients/{patient.id}/timeline", []
    for _page in range(4):
        page = coordinator.get(path).text
        found += texts(page)
        onward = re.search(r'href="([^"]*)" rel="next"', page)
        if onward is None:
            break
        path = onward.group(1)
    assert found == [f"Notiz {place}" for place in reversed(range(count))]


@pytest.mark.parametrize(
    "at", ["x", "~", "2026-01-01~1", "2026-01-01~01a213be-a344-707a-806b-03b9b11de1ba", "9" * 9000]
)
def test_a_place_that_is_none_is_the_beginning(coordinator: Person, patient: Patient, at: str) -> None:
    assert Place.read(at) is None
    assert "registered the patient" in coordinator.get(f"/patients/{patient.id}/timeline?at={at}").text


def test_a_note_is_told_to_those_only_who_may_read_it(
    coordinator: Person, sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    doctor = sign_in("doctor")
    with clinic_work(portal, papatya.id):
        author = _id_of("doctor@papatya.example.com")
        for visibility in NoteVisibility:
            add(Note(patient_id=patient.id, body=f"Nur {visibility}", visibility=visibility, author_id=author))
        add(Note(patient_id=patient.id, body="Nur gone", deleted_at=now()))
    path = f"/patients/{patient.id}"
    own, others, owners = doctor.get(path).text, coordinator.get(path).text, sign_in("owner").get(path).text
    assert [kind for kind in ("private", "clinic", "doctors", "gone") if f"Nur {kind}" in own] == [
        "private", "clinic", "doctors",
    ]  # fmt: skip
    assert [kind for kind in ("private", "clinic", "doctors", "gone") if f"Nur {kind}" in others] == ["clinic"]
    assert [kind for kind in ("private", "clinic", "doctors") if f"Nur {kind}" in owners] == ["clinic", "doctors"]


def test_what_was_done_to_a_duplicate_is_told_with_the_patient_who_was_kept(
    coordinator: Person, portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    with clinic_work(portal, papatya.id):
        kept = add_patient(first_name="Zeit", last_name="Lauf")
        merging.merge_patients(SYSTEM, kept_id=kept.id, merged_id=patient.id, versions=(1, 1), taken=frozenset())
    page = told(coordinator.get(f"/patients/{kept.id}"))
    assert page.count("registered the patient") == 2
    assert "joined a duplicate to the patient" in page


def _id_of(email: str) -> Any:
    account = find_account(email)
    assert account is not None
    return account.id
