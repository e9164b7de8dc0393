"""Writing medical records: sealed, with a version, and never over one that cannot be opened."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm.exc import StaleDataError

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import StaleVersionError
from portal.core.sealing import SealedColumn, key_id_of, register, seal
from portal.patients.models import Patient
from portal.records.document import PURPOSE, MedicalRecord, write_document
from portal.records.models import PatientMedical
from portal.records.queries import KnownMedical, get_medical

register(SealedColumn(PatientMedical, "sealed", PURPOSE, "key_id"))


def save_medical(
    actor: Actor, patient_id: UUID, *, version: int, record: MedicalRecord, reviewed: bool
) -> KnownMedical:  # fmt: skip
    """Save a patient's record, and that it was gone through with her.

    Raises StaleVersionError where it is not the version now stored, and SealError, with nothing changed, where the
    stored one cannot be opened or no key is there to seal with.
    """
    _lock_patient(patient_id)
    known = get_medical(patient_id)
    if known.version != version:
        raise StaleVersionError
    row, action = (
        known.row or PatientMedical(patient_id=patient_id),
        "medical.changed" if known.row else "medical.created",
    )
    if known.row is None or record != known.record:
        row.sealed = seal(write_document(record), purpose=PURPOSE)
        row.key_id = key_id_of(row.sealed)
        current_session().add(row)
    elif reviewed:
        action = "medical.reviewed"
    if reviewed:
        row.reviewed_at, row.reviewed_by_id = now(), actor.id
    changes = audit.changes_of(row)
    if not changes:
        return known
    try:
        current_session().flush()
    except StaleDataError as error:
        current_session().rollback()
        raise StaleVersionError from error
    audit.record(actor, action, row, changes=changes)
    return KnownMedical(record, row)


def _lock_patient(patient_id: UUID) -> None:
    """Let only one at a time save a patient's record: the first one has no row to lock yet."""
    current_session().execute(sa.select(Patient.id).where(Patient.id == patient_id).with_for_update())
