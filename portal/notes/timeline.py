"""Notes about a patient, for the timeline of her page; whoever may not read a note does not learn of it."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.auth.models import User
from portal.core.access import Permission
from portal.core.activity import Entry
from portal.core.templating import moment
from portal.core.timeline import Asked, Happening, patient_timeline
from portal.notes.models import Note, NoteVisibility
from portal.notes.queries import readable_by


def written_notes(asked: Asked) -> list[Happening]:
    """Return the notes about the patients that the reader may read."""
    statement = (
        sa.select(Note.id, Note.created_at.label("at"), Note.body, Note.visibility, User.name.label("actor_name"))
        .outerjoin(User, sa.and_(User.clinic_id == Note.clinic_id, User.id == Note.author_id))
        .where(Note.patient_id.in_(asked.patient_ids), Note.deleted_at.is_(None), readable_by(asked.reader))
    )  # fmt: skip
    words = {
        NoteVisibility.PRIVATE: _("wrote a private note"), NoteVisibility.CLINIC: _("wrote a note"),
        NoteVisibility.DOCTORS: _("wrote a note for dentists"),
    }  # fmt: skip
    return [
        Happening(
            row.at, row.id,
            Entry(moment(row.at), row.at.isoformat(), row.actor_name or _("Clinikoop"),
                  words[NoteVisibility(row.visibility)], detail=row.body),
        )
        for row in asked.rows(statement, Note.created_at, Note.id)
    ]  # fmt: skip


patient_timeline.add(Permission.PATIENTS_READ, written_notes)
