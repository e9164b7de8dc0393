"""What belongs to a patient's record besides her data: a medical record, a file, a note, and what somebody was told."""

from __future__ import annotations

from uuid import UUID

from portal.auth.queries import find_account
from portal.core import audit
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.notifications import list_notifications, notify
from portal.notes.models import Note
from portal.notes.services import MENTION
from portal.records.document import Allergy, Flag, MedicalRecord, Medication, Severity
from portal.records.services import save_medical
from tests.support.data import add_picture

RECORD = MedicalRecord(
    history="Heart valve replaced in 2019.",
    allergies=(Allergy("Penicillin", Severity.SEVERE, "anaphylaxis"), Allergy("Latex", Severity.MILD)),
    medications=(Medication("Coumadin", "5 mg"),),
    flags=frozenset({Flag.ANTICOAGULANT, Flag.ENDOCARDITIS, Flag.SMOKER}),
)


def record_ids(subdomain: str, patient_id: UUID) -> dict[str, UUID]:
    """Add one of each to a patient of the pinned clinic; return their ids by the names that addresses use."""
    owner = find_account(f"owner@{subdomain}.example.com")
    assert owner is not None
    save_medical(SYSTEM, patient_id, version=0, record=RECORD, reviewed=False)
    note = Note(patient_id=patient_id, author_id=owner.id, body="She is afraid of the drill.\nTake your time.")
    current_session().add(note)
    audit.record(SYSTEM, "test", note)
    current_session().flush()
    notify(owner.id, kind=MENTION, object_type="notes", object_id=note.id)
    return {
        "file_id": add_picture(patient_id).id, "note_id": note.id,
        "notification_id": list_notifications(owner.id, None).items[0].id,
    }  # fmt: skip
