"""The copy of one person's data: whole, hers alone, and without secrets."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.auth.models import UserPermission
from portal.auth.queries import find_account
from portal.core import audit
from portal.core.access import Permission
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.storage import StorageError
from portal.core.work import clinic_work
from portal.notes.models import Note, NoteVisibility
from portal.offers import services as offers
from portal.offers.documents import PdfDocument
from portal.patients import merging
from portal.patients.models import Patient
from portal.privacy import exporting
from portal.records.document import MedicalRecord
from portal.records.services import save_medical
from tests.support.data import add_offer, add_patient, add_picture
from tests.support.pages import flashes
from tests.support.people import Person
from tests.support.privacy import consent_to, publish


def add(row: Any) -> Any:
    current_session().add(row)
    audit.record(SYSTEM, "tests.made", row)
    current_session().flush()
    return row


@pytest.fixture
def full(portal: Flask, papatya: ClinicInfo, patient: Patient) -> Patient:
    """A patient with something of everything, and a relative who shares an offer with her."""
    with clinic_work(portal, papatya.id):
        relative = add_patient(first_name="Fremder", last_name="Verwandter", email="fremd@example.com")
        hers, his = add_offer(papatya, patient, title="Hers"), add_offer(papatya, relative, title="His-Secret")
        offers.assign_offer(SYSTEM, hers, patient=relative)
        offers.assign_offer(SYSTEM, his, patient=patient)
        current_session().add(PdfDocument(offer_id=hers.id, locale="tr", content_sha256="a" * 64, sha256="b" * 64,
                                          content=b"%PDF-1.7 hers"))  # fmt: skip
        for visibility in NoteVisibility:
            add(Note(patient_id=patient.id, body=f"note {visibility}", visibility=visibility))
        add(Note(patient_id=relative.id, body="note about him"))
        consent_to(patient, publish())
        save_medical(SYSTEM, patient.id, version=0, record=MedicalRecord(history="Latex"), reviewed=False)
        add_picture(patient.id)
        twin = add_patient(first_name="Gizem", last_name="Doppelt", city="Zwilling")
        merging.merge_patients(SYSTEM, kept_id=patient.id, merged_id=twin.id, versions=(1, 1), taken=frozenset())
    return patient


def opened(answer: TestResponse) -> zipfile.ZipFile:
    assert answer.status_code == 200 and answer.mimetype == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.get_data()))
    assert archive.testzip() is None
    return archive


def test_the_copy_holds_all_of_hers_in_both_forms(sign_in: Callable[..., Person], full: Patient) -> None:
    archive = opened(sign_in("owner").post(f"/patients/{full.id}/privacy/export"))
    data = json.loads(archive.read("data.json"))
    assert (data["schema"], data["patient_no"]) == (exporting.SCHEMA, full.patient_no)
    tables = data["tables"]
    assert {row["city"] for row in tables["patients"]} == {"Bodrum", "Zwilling"}
    assert [row["body"] for row in tables["notes"]] == ["note private", "note clinic", "note doctors"]
    assert [row["title"] for row in tables["offers"]] == ["Hers"]
    assert len(tables["patient_offers"]) == 2 and len(tables["treatments"]) == 1
    assert data["medical"][0]["history"] == "Latex"
    assert {"patient_consents", "patient_files", "patient_merges"} <= set(tables)
    for name, rows in tables.items():
        lines = list(csv.DictReader(io.StringIO(archive.read(f"csv/{name}.csv").decode("utf-8-sig"))))
        assert len(lines) == len(rows) and set(lines[0]) == set(rows[0]), name
    names = archive.namelist()
    assert [archive.read(name)[:4] for name in names if name.startswith("offers/")] == [b"%PDF"]
    assert [archive.read(name)[:4] for name in names if name.startswith("files/")] == [b"\x89PNG"]


def test_nobody_elses_data_and_no_secret_is_in_it(sign_in: Callable[..., Person], full: Patient) -> None:
    archive = opened(sign_in("owner").post(f"/patients/{full.id}/privacy/export"))
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode(errors="replace")
    for foreign in ("Fremder", "Verwandter", "fremd@example.com", "His-Secret", "note about him", "Papatya owner"):
        assert foreign not in everything, foreign
    for secret in ("token_hash", "verify_hash", "sealed", "storage_key", "form_key", "recorded_by_id", "actor_name"):
        assert secret not in everything, secret


def test_it_is_logged_and_only_for_whom_it_may_be_made(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo, full: Patient, reads: Callable[[], list[Any]]
) -> None:
    path = f"/patients/{full.id}/privacy/export"
    assert sign_in("coordinator").post(path).status_code == 403
    sign_in("owner").post(path)
    with clinic_work(portal, papatya.id):
        log = sa.select(ActivityLog.changes).where(ActivityLog.action == "patient.data_exported")
        (changes,) = current_session().scalars(log)
    assert changes["rows"][1] > 10
    assert [row[2] for row in reads()] == ["export"]


def test_who_may_not_see_medical_data_gets_no_copy_with_it(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo, full: Patient
) -> None:
    manager, path = sign_in("admin"), f"/patients/{full.id}"
    assert f"{path}/privacy/export" in manager.get(path).text
    with clinic_work(portal, papatya.id):
        account = find_account("admin@papatya.example.com")
        add(UserPermission(user_id=account.id, permission=Permission.MEDICAL_READ, is_granted=False))  # type: ignore[union-attr]
    assert f"{path}/privacy/export" not in manager.get(path).text
    assert manager.post(f"{path}/privacy/export").status_code == 403


def test_what_cannot_be_opened_leaves_no_copy_with_a_hole(
    sign_in: Callable[..., Person], full: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_key: str) -> Any:
        raise StorageError("gone")

    monkeypatch.setattr(exporting, "read_file", broken)
    owner = sign_in("owner")
    assert owner.post(f"/patients/{full.id}/privacy/export").status_code == 302
    assert flashes(owner.get(f"/patients/{full.id}")) == [
        "Part of the data cannot be opened right now, so no copy was made."
    ]


def test_more_than_fits_is_refused_before_a_byte_is_read(
    sign_in: Callable[..., Person], full: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST_BYTES", 10)
    monkeypatch.setattr(exporting, "read_file", lambda _key: pytest.fail("read"))
    assert sign_in("owner").post(f"/patients/{full.id}/privacy/export").status_code == 302
