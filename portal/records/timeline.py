"""Files of a patient, added and removed, for the timeline of her page."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.auth.models import User
from portal.core.access import Permission
from portal.core.activity import Entry
from portal.core.templating import moment
from portal.core.timeline import Asked, Happening, patient_timeline
from portal.records.models import PatientFile


def added_files(asked: Asked) -> list[Happening]:
    """Return the files that were added and are still there."""
    statement = (
        sa.select(PatientFile.id, PatientFile.created_at.label("at"), PatientFile.filename, User.name)
        .outerjoin(User, sa.and_(User.clinic_id == PatientFile.clinic_id, User.id == PatientFile.uploaded_by_id))
        .where(PatientFile.patient_id.in_(asked.patient_ids), PatientFile.deleted_at.is_(None))
    )
    return [
        Happening(
            row.at,
            row.id,
            Entry(
                moment(row.at), row.at.isoformat(), row.name or _("Clinikoop"), _("added a file"), about=row.filename
            ),
        )
        for row in asked.rows(statement, PatientFile.created_at, PatientFile.id)
    ]


patient_timeline.add(Permission.FILES_READ, added_files)
