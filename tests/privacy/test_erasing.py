"""Making a patient anonymous: nothing is left of her, the figures stay, and nothing is done too early."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from portal.auth.queries import find_account
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.database import Base, current_session
from portal.core.errors import RuleError
from portal.core.jobs import SYSTEM
from portal.core.outbox import queue_mail
from portal.core.work import clinic_work
from portal.notes.models import Note, NoteRevision
from portal.offers import services as offers
from portal.offers.documents import PdfDocument
from portal.offers.models import Offer, OfferKind, PatientOffer
from portal.offers.queries import default_status, get_offer
from portal.patients import merging
from portal.patients.models import Patient, PatientTerm
from portal.patients.queries import get_patient
from portal.privacy import erasing
from portal.privacy.models import Erasure, SubjectRequest
from portal.records.document import MedicalRecord
from portal.records.models import PatientFile, PatientMedical
from portal.records.services import save_medical
from portal.reminders.models import Reminder
from portal.settings.registry import set_setting
from portal.sharing.models import OfferSignature, SignatureMethod
from tests.support.data import add_offer, add_patient, add_picture
from tests.support.pages import flashes, form_values, last_part, row_names, told
from tests.support.people import Person
from tests.support.privacy import consent_to, publish

# What her rows hold that tells who she is; none of it may stand anywhere in the clinic's rows afterwards.
MARKS = ("Gizem", "Saklıoğlu", "gizem", "saklioglu", "05320001122", "5320001122", "0532 000", "Bodrum", "Kahve",
         "Zwilling", "GEHEIM")  # fmt: skip


def add(row: Any) -> Any:
    current_session().add(row)
    audit.record(SYSTEM, "tests.made", row)
    current_session().flush()
    return row


def fill(papatya: ClinicInfo, patient_id: UUID, *, treated: bool = True) -> Offer:
    """Let something of everything hang on a patient, each with a mark."""
    patient = get_patient(patient_id)
    offer = add_offer(papatya, patient, title="GEHEIM title", patient_note="GEHEIM", internal_note="GEHEIM")
    note = add(Note(patient_id=patient.id, body="GEHEIM note"))
    add(NoteRevision(note_id=note.id, body="GEHEIM before"))
    add(Reminder(patient_id=patient.id, title="GEHEIM call", description="GEHEIM", due_at=now()))
    add(SubjectRequest(patient_id=patient.id, kind="erase", received_on=date.today(), due_on=date.today(),
                       detail="GEHEIM"))  # fmt: skip
    consent_to(patient, publish())
    sign(offer.id, patient.id)
    queue_mail(kind="x", to_address="Gizem@example.com", subject="GEHEIM", body="GEHEIM")
    twin = add_patient(first_name="Gizem", last_name="Zwilling", city="Zwilling")
    merging.merge_patients(SYSTEM, kept_id=patient.id, merged_id=twin.id, versions=(1, 1), taken=frozenset({"city"}))
    if treated:
        save_medical(SYSTEM, patient.id, version=0, record=MedicalRecord(history="GEHEIM"), reviewed=False)
        add_picture(patient.id)
    return offer


def sign(offer_id: UUID, patient_id: UUID) -> None:
    """Let her have signed an offer, and its document be kept."""
    link = sa.select(PatientOffer.id).where(PatientOffer.offer_id == offer_id, PatientOffer.patient_id == patient_id)
    hashed = "a" * 64
    add(OfferSignature(offer_id=offer_id, patient_offer_id=current_session().scalars(link).one(), accepted_lines=[],
                       signer_name="Gizem Saklıoğlu", method=SignatureMethod.TYPED, content_sha256=hashed, locale="tr",
                       ip="192.0.2.7"))  # fmt: skip
    current_session().add(PdfDocument(offer_id=offer_id, locale="tr", content_sha256=hashed, sha256=hashed,
                                      content=b"GEHEIM"))  # fmt: skip
    current_session().flush()


def cancel(offer_id: UUID) -> None:
    offers.move_offer(SYSTEM, get_offer(offer_id), status=default_status(OfferKind.CANCELLED))
    current_session().flush()


def erase(patient_id: UUID, **values: Any) -> Erasure:
    return erasing.erase_patient(SYSTEM, get_patient(patient_id), reason="Talep", **values)


def rows_as_text(papatya: ClinicInfo, *, but: frozenset[str] = frozenset()) -> str:
    found = []
    for table in Base.metadata.sorted_tables:
        if "clinic_id" in table.c and table.name not in but:
            statement = sa.text(f"SELECT t::text FROM {table.name} AS t WHERE clinic_id = :clinic")
            found += current_session().connection().scalars(statement, {"clinic": papatya.id}).all()
    return "\n".join(found)


def test_nothing_that_tells_who_she_was_stands_in_any_row_and_the_figures_stay(
    portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    with clinic_work(portal, papatya.id):
        offer = fill(papatya, patient.id)
        cancel(offer.id)
        set_setting(SYSTEM, erasing.RETENTION_YEARS, 0)
        before = rows_as_text(papatya)
        assert all(mark in before for mark in MARKS if mark != "0532 000")
        total = current_session().execute(sa.select(Offer.grand_total).where(Offer.id == offer.id)).scalar_one()
        proof = erase(patient.id)
        current_session().flush()
        after = rows_as_text(papatya)
        assert [mark for mark in MARKS if mark in after] == []
        kept = get_patient(patient.id)
        assert (kept.full_name, kept.phone_e164, kept.birth_date) == ("—", None, None)
        assert kept.anonymised_at and kept.archived_at and kept.do_not_contact
        stored = get_offer(offer.id)
        assert (stored.grand_total, stored.title, stored.offer_no) == (total, "—", offer.offer_no)
        for model in (PatientMedical, PatientFile, PatientTerm, NoteRevision, OfferSignature, PdfDocument):
            count = sa.select(sa.func.count()).select_from(model)
            assert model is PatientTerm or current_session().execute(count).scalar_one() == 0, model
        assert proof.emptied["patient_files"] == 1 and proof.emptied["patients"] == 2


def test_the_proof_carries_a_hash_that_tells_whether_it_was_changed(
    portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    with clinic_work(portal, papatya.id) as session:
        proof_id = erase(patient.id).id
        session.expire_all()
        proof = session.get_one(Erasure, (papatya.id, proof_id))
        assert erasing.proof_hash(proof) == proof.sha256
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(sa.update(Erasure).values(reason="x"))
        session.expunge(proof)
        proof.emptied = {**proof.emptied, "patients": 7}
        assert erasing.proof_hash(proof) != proof.sha256


def test_others_of_the_same_offer_and_the_same_house_keep_everything(
    portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    with clinic_work(portal, papatya.id):
        relative = add_patient(first_name="Onkel", last_name="Bleibt", phone_e164="+905320001122", city="Muğla")
        his = add_offer(papatya, relative, title="Seins", patient_note="Seine Notiz")
        offers.assign_offer(SYSTEM, his, patient=get_patient(patient.id))
        add(Note(patient_id=relative.id, body="Über ihn"))
        erase(patient.id)
        kept = get_patient(relative.id)
        assert (kept.full_name, kept.phone_e164, kept.city) == ("Onkel Bleibt", "+905320001122", "Muğla")
        assert (get_offer(his.id).title, get_offer(his.id).patient_note) == ("Seins", "Seine Notiz")
        assert "Über ihn" in rows_as_text(papatya)


@pytest.mark.parametrize("why", ["offer", "hold", "retention", "again"])
def test_it_is_refused_with_the_reason_and_nothing_is_touched(
    portal: Flask, papatya: ClinicInfo, patient: Patient, why: str
) -> None:
    reasons = {"offer": "1 offer is still open", "hold": "A legal hold lasts", "retention": "has to be kept until",
               "again": "anonymous already"}  # fmt: skip
    with clinic_work(portal, papatya.id):
        offer = fill(papatya, patient.id, treated=why == "retention")
        if why != "offer":
            cancel(offer.id)
        if why == "hold":
            erasing.hold_patient(SYSTEM, get_patient(patient.id), until=date.today() + timedelta(days=9), reason="Dava")
        if why == "again":
            erase(patient.id)
        current_session().flush()
        before = rows_as_text(papatya)
        with force_locale("en"), pytest.raises(RuleError, match=reasons[why]):
            erase(patient.id)
        assert rows_as_text(papatya) == before


def test_the_page_previews_holds_and_asks_for_the_number(
    sign_in: Callable[..., Person], coordinator: Person, portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    owner, path = sign_in("owner"), f"/patients/{patient.id}/privacy/erase"
    assert coordinator.get(path).status_code == 403
    assert "What would be done" in told(owner.get(path))
    tomorrow = (date.today() + timedelta(days=2)).isoformat()
    assert owner.post(f"/patients/{patient.id}/privacy/hold", {"until": tomorrow}).status_code == 422
    last_part(owner.post(f"/patients/{patient.id}/privacy/hold", {"until": tomorrow, "why": "Dava"}))
    page = told(owner.get(path))
    assert "A legal hold lasts until" in page and "Make anonymous" not in page
    last_part(owner.post(f"/patients/{patient.id}/privacy/hold", {"until": ""}))
    form = {**form_values(owner.get(path)), "reason": "Talep"}
    assert owner.post(path, {**form, "number": "99999"}).status_code == 422
    last_part(owner.post(path, {**form, "number": patient.patient_no.lstrip("0")}))
    page = owner.get(path)
    assert "genuine" in told(page) and flashes(page) == ["The patient is anonymous now. The proof stands on this page."]
    assert "Gizem" not in coordinator.get(f"/patients/{patient.id}").text
    assert coordinator.get(f"/patients/{patient.id}/edit").status_code == 404
    assert row_names(coordinator.get("/patients/?q=gizem&state=archived")) == []


def test_nothing_new_is_written_of_somebody_who_is_anonymous(
    portal: Flask, papatya: ClinicInfo, patient: Patient, sign_in: Callable[..., Person]
) -> None:
    owner, path = sign_in("owner"), f"/patients/{patient.id}"
    with clinic_work(portal, papatya.id):
        author = find_account("owner@papatya.example.com")
        note_id = add(Note(patient_id=patient.id, author_id=author.id, body="Kahve")).id  # type: ignore[union-attr]
        erase(patient.id)
    doors = (
        f"{path}/edit", f"{path}/files", f"{path}/medical/edit", f"{path}/privacy/consents",
        f"/notes/new?patient={patient.id}", f"/notes/{note_id}/edit", f"/reminders/new?patient={patient.id}",
    )  # fmt: skip
    for door in doors:
        assert owner.post(door, {"patient_id": str(patient.id)}).status_code == 404, door
    for page in (path, f"{path}/files", f"{path}/privacy", f"{path}/medical"):
        shown = owner.get(page)
        assert shown.status_code == 200 and "/medical/edit" not in shown.text, page
