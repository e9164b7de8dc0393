"""Reading medical records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from portal.auth.models import User
from portal.core.database import current_session
from portal.core.sealing import SealError, unseal
from portal.patients import references
from portal.records.document import PURPOSE, MedicalRecord, read_document
from portal.records.models import PatientMedical


@dataclass(frozen=True)
class KnownMedical:
    """A patient's record, opened, with who went through it last; ``row`` None: nobody has written one."""

    record: MedicalRecord
    row: PatientMedical | None = None
    reviewed_by: str | None = None

    @property
    def version(self) -> int:
        """What a form must have been opened with; 0 before there is a record."""
        return self.row.version if self.row else 0

    @property
    def reviewed_at(self) -> datetime | None:
        """When somebody last went through it with the patient."""
        return self.row.reviewed_at if self.row else None


def get_medical(patient_id: UUID) -> KnownMedical:
    """Return a patient's record, an empty one where there is none; raises SealError where it cannot be opened."""
    statement = (
        sa.select(PatientMedical, User.name)
        .outerjoin(User, User.id == PatientMedical.reviewed_by_id)
        .where(PatientMedical.patient_id == patient_id)
    )
    found = current_session().execute(statement).one_or_none()
    if found is None:
        return KnownMedical(MedicalRecord())
    row, reviewer = found
    return KnownMedical(read_document(unseal(row.sealed, purpose=PURPOSE)), row, reviewer)


def _is_empty(patient_id: UUID) -> bool:
    """Tell whether nothing stands in a patient's record; what cannot be opened may hold anything."""
    try:
        return get_medical(patient_id).record == MedicalRecord()
    except SealError:
        return False


references.EMPTY["patient_medical"] = _is_empty
