"""Reading notes: whoever may not read one does not learn of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.auth.models import User
from portal.core.access import ClinicRole, Permission
from portal.core.audit import ActivityLog
from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.core.identity import Identity
from portal.notes.models import Note, NoteRevision, NoteVisibility
from portal.patients.models import Patient

DOCTORS = frozenset({ClinicRole.DOCTOR, ClinicRole.OWNER})
SHOWN = 50


@dataclass(frozen=True)
class Subject:
    """What a note is about: a patient, or an offer."""

    patient_id: UUID | None = None
    offer_id: UUID | None = None

    @classmethod
    def of(cls, note: Note) -> Subject:
        """Return what a stored note is about."""
        return cls(note.patient_id, note.offer_id)


@dataclass(frozen=True)
class Colleague:
    """Somebody who can be mentioned."""

    id: UUID
    name: str
    role: str

    def may_read(self, visibility: str) -> bool:
        """Tell whether a note of a colleague with this visibility is for this person."""
        is_doctor = self.role in DOCTORS
        return visibility == NoteVisibility.CLINIC or (visibility == NoteVisibility.DOCTORS and is_doctor)


def readable_by(reader: Identity) -> sa.ColumnElement[bool]:
    """Return the condition that one of the staff may read a note: her own, the clinic's, the doctors' as a doctor.

    One about an offer only by whoever may see offers.
    """
    open_to = [NoteVisibility.CLINIC, *([NoteVisibility.DOCTORS] if reader.role in DOCTORS else [])]
    shown = sa.or_(Note.author_id == reader.id, Note.visibility.in_(open_to))
    return shown if reader.can(Permission.OFFERS_READ) else sa.and_(shown, Note.offer_id.is_(None))


def list_notes(subject: Subject, reader: Identity) -> Sequence[Any]:
    """Return (note, author's name) about a patient or an offer, pinned ones first, then the newest."""
    about = Note.patient_id == subject.patient_id if subject.patient_id else Note.offer_id == subject.offer_id
    statement = (
        sa.select(Note, User.name)
        .outerjoin(User, User.id == Note.author_id)
        .where(about, Note.deleted_at.is_(None), readable_by(reader))
        .order_by(Note.is_pinned.desc(), Note.id.desc())
        .limit(sa.literal_column(str(SHOWN)))
    )
    return current_session().execute(statement).all()


def get_note(note_id: UUID, reader: Identity) -> Note:
    """Return a note that ``reader`` may read; raises NotFoundError, also for one that is deleted."""
    statement = sa.select(Note).where(Note.id == note_id, Note.deleted_at.is_(None), readable_by(reader))
    return _one(statement)


def get_own_note(note_id: UUID, author_id: UUID, *, deleted: bool = False) -> Note:
    """Return a note to its author, who alone may change it; raises NotFoundError, also for an anonymous patient's."""
    statement = (
        sa.select(Note)
        .outerjoin(Patient, Patient.id == Note.patient_id)
        .where(Note.id == note_id, Note.author_id == author_id, Patient.anonymised_at.is_(None))
    )
    return _one(statement if deleted else statement.where(Note.deleted_at.is_(None)))


def find_by_form_key(form_key: UUID | None) -> Note | None:
    """Return the note that the same form has made before."""
    if form_key is None:
        return None
    return current_session().scalars(sa.select(Note).where(Note.form_key == form_key)).one_or_none()


def list_revisions(note: Note, reader_id: UUID) -> Sequence[Any]:
    """Return (what a note said before, who changed it), the newest first.

    What it said while others were to read it is its author's alone: a private note that is opened to all stays so.
    """
    opened = sa.select(sa.func.max(ActivityLog.at)).where(
        ActivityLog.object_type == Note.__tablename__, ActivityLog.object_id == note.id,
        ActivityLog.action == "note.changed", ActivityLog.changes.has_key("visibility"),
    )  # fmt: skip
    since = sa.func.coalesce(opened.scalar_subquery(), sa.literal("-infinity", sa.DateTime(timezone=True)))
    statement = (
        sa.select(NoteRevision, User.name)
        .outerjoin(User, User.id == NoteRevision.edited_by_id)
        .where(NoteRevision.note_id == note.id)
        .order_by(NoteRevision.id.desc())
    )
    if note.author_id != reader_id:
        statement = statement.where(NoteRevision.edited_at > since)
    return current_session().execute(statement).all()


def list_mentions(note_ids: Collection[UUID], reader: Identity) -> Sequence[Any]:
    """Return (note, author's name, patient) of those notes that ``reader`` may still read."""
    statement = (
        sa.select(Note, User.name, Patient)
        .outerjoin(User, User.id == Note.author_id)
        .outerjoin(Patient, Patient.id == Note.patient_id)
        .where(Note.id.in_(note_ids), Note.deleted_at.is_(None), readable_by(reader))
    )
    return current_session().execute(statement).all()


def list_colleagues(but: UUID) -> list[Colleague]:
    """Return everybody who works here, but one."""
    statement = sa.select(User.id, User.name, User.role).where(User.is_active, User.id != but).order_by(User.name)
    return [Colleague(row.id, row.name, row.role) for row in current_session().execute(statement)]


def select_patient(note_id: UUID) -> sa.Select[tuple[UUID]]:
    """Select the patient whose record a note is part of, for the log of reads."""
    return sa.select(Note.patient_id).where(Note.id == note_id, Note.patient_id.is_not(None))  # type: ignore[return-value]


def _one(statement: sa.Select[Note]) -> Note:
    found = current_session().scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError
    return found
