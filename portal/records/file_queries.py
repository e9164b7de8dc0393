"""Reading which files are kept of a patient."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.auth.models import User
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.patients.models import Patient
from portal.records.models import PatientFile

SHOWN = 8


def list_files(patient_id: UUID, *, limit: int | None = None) -> Sequence[Any]:
    """Return (file, name of who uploaded it), the newest first."""
    statement = (
        sa.select(PatientFile, User.name)
        .outerjoin(User, User.id == PatientFile.uploaded_by_id)
        .where(PatientFile.patient_id == patient_id, PatientFile.deleted_at.is_(None))
        .order_by(PatientFile.id.desc())
    )
    return current_session().execute(statement if limit is None else statement.limit(limit)).all()


def get_file(patient_id: UUID, file_id: UUID, *, deleted: bool = False) -> PatientFile:
    """Return a file of a patient; raises NotFoundError, also for one deleted unless ``deleted`` ones are wanted."""
    statement = sa.select(PatientFile).where(PatientFile.id == file_id, PatientFile.patient_id == patient_id)
    if not deleted:
        statement = statement.where(PatientFile.deleted_at.is_(None))
    found = current_session().scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def find_by_form_key(form_key: UUID) -> PatientFile | None:
    """Return the file that the same form has made before."""
    return current_session().scalars(sa.select(PatientFile).where(PatientFile.form_key == form_key)).one_or_none()


def list_deleted_before(moment: datetime) -> Sequence[PatientFile]:
    """Return the files deleted before ``moment``, but none of a patient under a legal hold."""
    statement = (
        sa.select(PatientFile)
        .join(Patient, Patient.id == PatientFile.patient_id)
        .where(
            PatientFile.deleted_at < moment,
            sa.or_(Patient.hold_until.is_(None), Patient.hold_until < now().date()),
        )
    )
    return current_session().scalars(statement).all()


def known_keys() -> set[str]:
    """Return every key of the file store that a row names."""
    rows = current_session().execute(sa.select(PatientFile.storage_key, PatientFile.thumbnail_key))
    return {key for row in rows for key in row if key}
