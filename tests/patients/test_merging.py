"""Duplicates: found, joined without a row lost, and parted again exactly as they were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from portal.core import audit
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.database import Base, current_session
from portal.core.errors import RuleError
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.notes.models import Note
from portal.offers import services as offers
from portal.offers.models import Offer, PatientOffer
from portal.patients import duplicates, merging, references
from portal.patients.duplicates import Likeness
from portal.patients.models import Patient, PatientMerge, PatientTerm
from portal.privacy.models import SubjectRequest
from portal.records.document import MedicalRecord
from portal.records.models import PatientFile, PatientMedical
from portal.records.queries import get_medical
from portal.records.services import save_medical
from portal.reminders.models import Reminder
from tests.support.data import add_offer, add_patient
from tests.support.pages import flashes, form_values, last_part, row_names, told
from tests.support.people import Person

KEPT = {"first_name": "Ayşe", "last_name": "Demir", "city": "İzmir", "birth_date": date(1990, 5, 1)}
OTHER = {
    **KEPT, "city": "Bodrum", "email": "ayse@example.com", "phone_raw": "0532 111 22 33",
    "phone_e164": "+905321112233",
}  # fmt: skip
LOGS = {"activity_logs", "patient_merges", "analytics_events"}


def everything(papatya: ClinicInfo, *, but: set[str] = LOGS) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of the pinned clinic; of the two patients without what counts their changes."""
    found = {}
    connection = current_session().connection()
    for table in Base.metadata.sorted_tables:
        if "clinic_id" in table.c and table.name not in but:
            counting = {"version", "updated_at"} if table.name == "patients" else set()
            columns = [column for column in table.c if column.name not in counting]
            statement = sa.select(*columns).where(table.c.clinic_id == papatya.id)
            found[table.name] = sorted(map(tuple, connection.execute(statement)), key=repr)
    return found


def add(row: Any) -> Any:
    current_session().add(row)
    audit.record(SYSTEM, "tests.made", row)
    current_session().flush()
    return row


def pair(papatya: ClinicInfo, *, full: bool = True) -> tuple[Patient, Patient]:
    """Return a patient and her duplicate, on whom a row of every kind hangs."""
    kept, other = add_patient(**KEPT), add_patient(**OTHER)
    if full:
        shared = add_offer(papatya, kept, title="Beide")
        offers.assign_offer(SYSTEM, shared, patient=other)
        add_offer(papatya, other, title="Nur das Doppel")
        add(Note(patient_id=other.id, body="Mag Musik"))
        add(Reminder(patient_id=other.id, title="Anrufen", due_at=now()))
        add(PatientMedical(patient_id=other.id, sealed=b"x", key_id="k1"))
        add(PatientFile(patient_id=other.id, kind="photo", storage_key="s1", filename="f", mime="image/png", size=1,
                        sha256="0" * 64))  # fmt: skip
        add(SubjectRequest(patient_id=other.id, kind="access", received_on=date.today(), due_on=date.today()))
    return kept, other


def join(kept: Patient, other: Patient, *taken: str) -> PatientMerge:
    return merging.merge_patients(
        SYSTEM, kept_id=kept.id, merged_id=other.id, versions=(kept.version, other.version), taken=frozenset(taken)
    )


def of(model: Any, patient: Patient, column: str = "patient_id") -> int:
    count = sa.select(sa.func.count()).select_from(model).where(getattr(model, column) == patient.id)
    return current_session().execute(count).scalar_one()


def test_a_merge_moves_every_row_that_names_the_patient(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        kept, other = pair(papatya)
        merge = join(kept, other, "city", "phone_raw")
        for reference in references.moving_references():
            left = references.ids_of(reference, other.id)
            assert len(left) == (1 if reference.table == "patient_offers" else 0), reference.key
        assert (of(Note, kept), of(Reminder, kept), of(PatientFile, kept), of(PatientMedical, kept)) == (1, 1, 1, 1)
        assert of(Offer, kept, "primary_patient_id") == 2
        assert (kept.city, kept.phone_e164, kept.email) == ("Bodrum", "+905321112233", None)
        assert merge.before["kept"] == {"city": "İzmir", "phone_raw": None, "phone_e164": None}
        assert other.merged_into_id == kept.id


def test_every_table_that_names_a_patient_is_decided(app: Flask) -> None:
    """A table to come moves by itself; one that may not be changed, or means the duplicate, is named with a reason."""
    tables = {reference.table for reference in references.patient_references()}
    assert set(references.STAYS) <= tables
    assert set(references.NEVER_JOINED) <= tables
    assert {"offers", "patient_offers", "notes", "reminders", "patient_files", "patient_consents"} <= tables
    for reference in references.moving_references():
        assert hasattr(reference.model, "id"), reference.key


def test_parting_again_leaves_every_row_of_every_table_as_it_was(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        kept, other = pair(papatya)
        current_session().flush()
        before = everything(papatya)
        merge = join(kept, other, *merging.CHOSEN)
        current_session().flush()
        assert everything(papatya) != before
        merging.undo_merge(SYSTEM, merge.id)
        current_session().flush()
        assert everything(papatya) == before
        merging.undo_merge(SYSTEM, merge.id)  # once more changes nothing
        assert everything(papatya) == before


def test_an_offer_shown_to_both_stays_with_each(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        kept, other = pair(papatya)
        join(kept, other)
        rows = current_session().execute(sa.select(PatientOffer.patient_id, sa.func.count()).group_by(
            PatientOffer.patient_id).where(PatientOffer.patient_id.in_((kept.id, other.id)))).all()  # fmt: skip
        assert dict(map(tuple, rows)) == {kept.id: 2, other.id: 1}


def test_two_medical_records_are_never_joined(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        kept, other = pair(papatya)
        add(PatientMedical(patient_id=kept.id, sealed=b"y", key_id="k1"))
        before = everything(papatya)
        with force_locale("en"), pytest.raises(RuleError, match="medical record"):
            join(kept, other)
        assert everything(papatya) == before


def test_a_record_that_was_emptied_stays_behind_and_lets_them_be_one(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id) as session:
        kept, other = pair(papatya)
        session.execute(sa.delete(PatientMedical))
        save_medical(SYSTEM, kept.id, version=0, record=MedicalRecord(history="Both"), reviewed=False)
        save_medical(SYSTEM, other.id, version=0, record=MedicalRecord(history="Other"), reviewed=False)
        with force_locale("en"), pytest.raises(RuleError, match="empty the other"):
            join(kept, other)
        save_medical(SYSTEM, other.id, version=1, record=MedicalRecord(), reviewed=False)
        join(kept, other)
        assert get_medical(kept.id).record.history == "Both"


@pytest.mark.parametrize("what", ["note", "gone", "value", "kept is merged"])
def test_what_changed_since_keeps_them_one_with_the_reason(portal: Flask, papatya: ClinicInfo, what: str) -> None:
    with clinic_work(portal, papatya.id) as session:
        kept, other = pair(papatya)
        merge = join(kept, other, "city")
        note = session.scalars(sa.select(Note).where(Note.patient_id == kept.id)).one()
        if what == "note":
            note.body = "Mag keine Musik"
        elif what == "gone":
            session.delete(note)
        elif what == "value":
            kept.city = "Muğla"
        else:
            third = add_patient(**KEPT)
            join(third, kept)
        audit.record(SYSTEM, "tests.changed", note)
        session.flush()
        reason = {"value": "own data was changed", "kept is merged": "joined to another one"}.get(what, "1 entry")
        with force_locale("en"), pytest.raises(RuleError, match=reason):
            merging.undo_merge(SYSTEM, merge.id)
        assert other.merged_into_id == kept.id


def test_do_not_contact_and_the_longer_hold_survive_whatever_is_chosen(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        kept, other = pair(papatya, full=False)
        other.do_not_contact, other.hold_until, other.hold_reason = True, date(2040, 1, 1), "Dava"
        audit.record(SYSTEM, "tests.changed", other)
        current_session().flush()
        join(kept, other)
        assert (kept.do_not_contact, kept.hold_until, kept.hold_reason) == (True, date(2040, 1, 1), "Dava")


def test_the_duplicate_is_in_no_list_and_no_search_and_her_page_leads_on(
    coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        kept, other = pair(papatya)
        join(kept, other, "email")
    assert row_names(coordinator.get("/patients/?q=demir")) == ["Ayşe Demir"]
    assert row_names(coordinator.get("/patients/?q=ayse@example.com")) == ["Ayşe Demir"]
    answer = coordinator.get(f"/patients/{other.id}")
    assert (answer.status_code, answer.location) == (302, f"/patients/{kept.id}")
    assert coordinator.get(f"/patients/{other.id}/edit").status_code == 404
    assert coordinator.get(f"/offers/new?patient={other.id}").status_code == 404
    with clinic_work(portal, papatya.id):
        assert of(PatientTerm, other) == 0
        log = sa.select(ActivityLog.action).where(ActivityLog.object_id == other.id, ActivityLog.action.like("%merg%"))
        assert current_session().scalars(log).all() == ["patient.merged_away"]


def test_duplicates_are_found_by_name_and_birth_date_by_mail_and_by_phone(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        one, two = add_patient(**KEPT), add_patient(**{**OTHER, "last_name": "DEMİR"})
        three = add_patient(first_name="Ali", last_name="Demir", email="AYSE@example.com", phone_e164="+905321112233")
        empty = [add_patient(first_name="X", last_name=f"Y{place}", email="", phone_e164=None) for place in range(2)]
        found = {
            kind: [[row.id for row in group.patients] for group in duplicates.list_duplicates(kind)]
            for kind in Likeness
        }  # fmt: skip
        assert found[Likeness.NAME] == [[one.id, two.id]]
        assert found[Likeness.EMAIL] == [[two.id, three.id]]
        assert found[Likeness.PHONE] == [[two.id, three.id]]
        assert not any(str(row.id) in str(found) for row in empty)
        join(one, two)
        assert duplicates.list_duplicates(Likeness.NAME) == []


def test_the_page_compares_joins_and_undoes(
    coordinator: Person, portal: Flask, papatya: ClinicInfo, sign_in: Callable[..., Person]
) -> None:
    with clinic_work(portal, papatya.id):
        kept, other = pair(papatya)
    assert "Same name and birth date" in told(coordinator.get("/patients/duplicates"))
    answer = coordinator.get(f"/patients/duplicates?keep={kept.patient_no}&join={int(other.patient_no)}")
    path = f"/patients/{kept.id}/merge/{other.id}"
    assert answer.location == path
    page = coordinator.get(path)
    assert "Bodrum" in told(page) and "stays where it is" in told(page)
    chosen = {**form_values(page), "city": "other", "phone_raw": "other", "email": "kept"}
    assert sign_in("doctor").post(path, chosen).status_code == 403
    last_part(coordinator.post(path, chosen))
    page = coordinator.get(f"/patients/{kept.id}")
    assert flashes(page) == ["The two patients are one now."]
    assert "Bodrum" in told(page) and "ayse@example.com" not in told(page)
    assert coordinator.post(path, chosen).status_code == 404  # sent twice
    undo = page.text.partition(f'action="/patients/{kept.id}/merges/')[2].partition('"')[0]
    last_part(coordinator.post(f"/patients/{kept.id}/merges/{undo}"))
    assert flashes(coordinator.get(f"/patients/{other.id}"))[0].startswith("They are two patients again")


def test_a_value_changed_while_comparing_is_shown_before_anything_is_joined(
    coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        kept, other = pair(papatya, full=False)
    page = coordinator.get(f"/patients/{kept.id}/merge/{other.id}")
    edit = coordinator.get(f"/patients/{other.id}/edit")
    last_part(coordinator.post(f"/patients/{other.id}/edit", {**form_values(edit), "city": "Muğla"}))
    answer = coordinator.post(f"/patients/{kept.id}/merge/{other.id}", form_values(page))
    assert answer.status_code == 409
    assert "Muğla" in answer.text


def test_two_people_who_join_the_same_two_at_once_join_them_once(app: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(app, papatya.id) as first:
        one, two = first.scalars(sa.select(Patient).order_by(Patient.id).limit(2)).all()
        join(one, two)
        with clinic_work(app, papatya.id) as second:
            wait = sa.text("SET LOCAL lock_timeout = '100ms'")
            second.execute(wait, execution_options={"scope_checked": True})
            again = {"versions": (1, 1), "taken": frozenset[str]()}
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):  # it waits for the first to end
                merging.merge_patients(SYSTEM, kept_id=two.id, merged_id=one.id, **again)  # type: ignore[arg-type]
            second.rollback()
        with (
            force_locale("en"),
            pytest.raises(RuleError, match="joined to somebody already"),
        ):  # and then learns how it ended
            join(two, one)
        first.rollback()
