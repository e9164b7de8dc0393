"""Medical records: sealed where they lie, shown to those who may see them, told nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.errors import StaleVersionError
from portal.core.jobs import SYSTEM
from portal.core.keyring import new_key
from portal.core.sealing import key_id_of, seal
from portal.core.work import clinic_work
from portal.ops.keys import KeyReport, check_keys, rotate_keys
from portal.patients.queries import get_patient
from portal.records.document import PURPOSE, DocumentError, MedicalRecord, read_document, write_document
from portal.records.models import PatientMedical
from portal.records.queries import get_medical
from portal.records.services import save_medical
from tests.records.conftest import RECORD, SECRETS
from tests.support.data import add_offer
from tests.support.people import Person

SignIn = Callable[..., Person]
FORM = {
    "version": "0", "allergies-0-substance": "Penisilin", "allergies-0-severity": "severe",
    "allergies-0-reaction": "anafilaksi", "medications-0-name": "Coumadin", "medications-0-dose": "5 mg",
    "flags": "anticoagulant", "history": "Kalp kapağı ameliyatı 2019",
}  # fmt: skip


def stored(portal: Flask, clinic: ClinicInfo, patient_id: UUID) -> dict[str, Any]:
    with clinic_work(portal, clinic.id) as session:
        row = session.execute(
            sa.select(PatientMedical.sealed, PatientMedical.key_id, PatientMedical.version, PatientMedical.updated_at)
            .where(PatientMedical.patient_id == patient_id)
        ).one_or_none()  # fmt: skip
        return dict(row._mapping) if row else {}


def test_a_record_written_at_the_page_is_sealed_and_shown_again(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn
) -> None:
    doctor, url = sign_in("doctor"), f"/patients/{patient_id}/medical"
    assert doctor.get(url).status_code == 200
    answer = doctor.post(f"{url}/edit", {**FORM, "reviewed": "y"})
    assert answer.status_code == 302
    shown = doctor.get(url).text
    assert all(secret in shown for secret in ("Penisilin", "anafilaksi", "Coumadin", "Kalp kapağı"))
    assert "Papatya doctor" in shown.partition('class="timeline"')[2], "who wrote it is told on the page"
    sealed = stored(portal, papatya, patient_id)["sealed"]
    assert not any(secret.encode() in sealed for secret in SECRETS)


def test_alerts_stand_on_every_page_of_the_patient(
    portal: Flask, papatya: ClinicInfo, recorded_id: UUID, sign_in: SignIn
) -> None:
    with clinic_work(portal, papatya.id):
        offer_id = add_offer(papatya, get_patient(recorded_id)).id
    coordinator = sign_in("coordinator")
    own = [f"/patients/{recorded_id}", f"/patients/{recorded_id}/edit", f"/patients/{recorded_id}/medical"]
    for path in (*own, f"/offers/new?patient={recorded_id}", f"/offers/{offer_id}", f"/offers/{offer_id}/edit"):
        page = coordinator.get(path).text
        assert 'class="medical-alerts"' in page and "Penisilin" in page and "Lateks" not in page.split("</aside>")[0], (
            path
        )


def test_who_may_not_read_it_sees_no_trace_of_it(recorded_id: UUID, sign_in: SignIn) -> None:
    viewer = sign_in("readonly")
    assert viewer.get(f"/patients/{recorded_id}/medical").status_code == 403
    page = viewer.get(f"/patients/{recorded_id}").text
    assert "medical" not in page and "Penisilin" not in page


def test_a_coordinator_reads_and_does_not_write(recorded_id: UUID, sign_in: SignIn) -> None:
    coordinator = sign_in("coordinator")
    assert coordinator.get(f"/patients/{recorded_id}/medical").status_code == 200
    assert coordinator.get(f"/patients/{recorded_id}/medical/edit").status_code == 403
    assert coordinator.post(f"/patients/{recorded_id}/medical/edit", FORM).status_code == 403


def test_nothing_of_it_is_in_the_list_the_search_or_the_csv(recorded_id: UUID, sign_in: SignIn) -> None:
    owner = sign_in("owner")
    assert f"/patients/{recorded_id}" not in owner.get("/patients/?q=penisilin").text
    export = owner.post("/patients/export", {"q": "Mediha"}).text
    assert "Kayıtlı" in export
    assert not any(secret in export for secret in SECRETS)


def test_the_log_tells_that_it_changed_and_not_what(portal: Flask, papatya: ClinicInfo, recorded_id: UUID) -> None:
    with clinic_work(portal, papatya.id) as session:
        entry = session.execute(
            sa.select(ActivityLog.action, ActivityLog.changes).where(ActivityLog.object_type == "patient_medical")
        ).one()
    assert entry.action == "medical.created"
    assert entry.changes["sealed"] is None
    assert not any(secret in str(entry.changes) for secret in SECRETS)
    assert not any(secret in repr(RECORD) + repr(RECORD.allergies) for secret in SECRETS)


def test_who_saves_second_sees_both_versions(recorded_id: UUID, sign_in: SignIn) -> None:
    doctor, url = sign_in("doctor"), f"/patients/{recorded_id}/medical/edit"
    assert doctor.post(url, {**FORM, "version": "1", "history": "Yeni bilgi"}).status_code == 302
    answer = doctor.post(url, {**FORM, "version": "1", "history": "Başka bilgi"})
    assert answer.status_code == 409
    assert "Yeni bilgi" in answer.text and "Başka bilgi" in answer.text
    assert doctor.post(url, {**FORM, "version": "2", "history": "Başka bilgi"}).status_code == 302


def test_two_who_write_the_first_record_do_not_overwrite_each_other(
    portal: Flask, papatya: ClinicInfo, recorded_id: UUID
) -> None:
    with clinic_work(portal, papatya.id), pytest.raises(StaleVersionError):
        save_medical(SYSTEM, recorded_id, version=0, record=MedicalRecord(history="?"), reviewed=False)


def test_half_a_row_is_asked_about_and_nothing_typed_is_lost(patient_id: UUID, sign_in: SignIn) -> None:
    doctor, url = sign_in("doctor"), f"/patients/{patient_id}/medical/edit"
    answer = doctor.post(url, {"version": "0", "allergies-0-substance": "Lateks", "history": "Astım"})
    assert answer.status_code == 422
    assert "Lateks" in answer.text and "Astım" in answer.text
    both = {"version": "0", "allergies-0-substance": "Lateks", "allergies-0-severity": "mild", "no_allergies": "y"}
    assert doctor.post(url, both).status_code == 422
    assert doctor.post(url, {"version": "0", "flags": "flying"}).status_code == 422


def test_a_lost_key_is_told_and_no_data_is_overwritten(
    portal: Flask, papatya: ClinicInfo, recorded_id: UUID, sign_in: SignIn, keys: Callable[..., None]
) -> None:
    doctor, before = sign_in("doctor"), stored(portal, papatya, recorded_id)
    for lost in ((), (new_key("other"),), (new_key("tests"),)):
        keys(*lost)
        patient_page = doctor.get(f"/patients/{recorded_id}")
        assert patient_page.status_code == 200
        assert "medical-alerts" in patient_page.text
        assert doctor.get(f"/patients/{recorded_id}/medical").status_code == 503
        answer = doctor.post(f"/patients/{recorded_id}/medical/edit", {**FORM, "version": "1", "history": "Yeni bilgi"})
        assert answer.status_code == 422
        assert "Yeni bilgi" in answer.text
        assert stored(portal, papatya, recorded_id) == before


def test_without_any_key_a_first_record_is_refused(
    portal: Flask, papatya: ClinicInfo, patient_id: UUID, sign_in: SignIn, keys: Callable[..., None]
) -> None:
    keys()
    answer = sign_in("doctor").post(f"/patients/{patient_id}/medical/edit", FORM)
    assert answer.status_code == 422 and "Coumadin" in answer.text
    assert stored(portal, papatya, patient_id) == {}


def test_a_document_of_another_release_is_never_written_over(
    portal: Flask, papatya: ClinicInfo, recorded_id: UUID
) -> None:
    assert read_document(write_document(RECORD)) == RECORD
    newer = write_document(RECORD).replace(b'{"format": 1', b'{"format": 2')
    with clinic_work(portal, papatya.id) as session:
        known = get_medical(recorded_id)
        assert known.row is not None
        spoilt = sa.update(PatientMedical).values(sealed=seal(newer, purpose=PURPOSE))
        session.execute(spoilt, execution_options={"synchronize_session": "fetch"})
        with pytest.raises(DocumentError):
            save_medical(SYSTEM, recorded_id, version=1, record=MedicalRecord(), reviewed=False)
        session.rollback()


def test_rotation_seals_anew_and_leaves_open_forms_and_times_alone(
    portal: Flask, papatya: ClinicInfo, recorded_id: UUID, keys: Callable[..., None]
) -> None:
    before, old = stored(portal, papatya, recorded_id), portal.extensions["portal_settings"].data_keys[0]
    keys(new_key("next"), old)
    report = KeyReport()
    assert sum(rotate_keys(portal, report)) == 1
    after = stored(portal, papatya, recorded_id)
    assert (report.resealed, report.broken) == (1, {})
    assert (after["key_id"], key_id_of(after["sealed"])) == ("next", "next")
    assert (after["version"], after["updated_at"]) == (before["version"], before["updated_at"])
    assert list(rotate_keys(portal, KeyReport())) == []
    assert check_keys(portal).held == {"next": 1}
    with clinic_work(portal, papatya.id):
        assert get_medical(recorded_id).record == RECORD


def test_rotation_leaves_what_does_not_open_as_it_is(
    portal: Flask, papatya: ClinicInfo, recorded_id: UUID, keys: Callable[..., None]
) -> None:
    before = stored(portal, papatya, recorded_id)
    keys(new_key("next"))
    report = KeyReport()
    list(rotate_keys(portal, report))
    assert report.resealed == 0
    assert "'tests' is not in CLINIKOOP_DATA_KEYS" in next(iter(report.broken))
    assert stored(portal, papatya, recorded_id) == before
