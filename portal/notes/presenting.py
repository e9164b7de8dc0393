"""How notes are shown: the panel on a patient's and an offer's page, who mentioned whom, what two people changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.conflicts import NOTHING, Conflict, column_conflicts
from portal.core.identity import current_identity
from portal.core.notifications import Notification, Told
from portal.core.panels import Panel
from portal.core.templating import moment
from portal.notes.forms import VISIBILITIES, NoteForm, note_form, values_of
from portal.notes.models import Note, NoteVisibility
from portal.notes.queries import Subject, list_colleagues, list_mentions, list_notes, list_revisions

LABELS = {"body": _l("Note"), "visibility": _l("Who may read it"), "is_pinned": _l("Keep it on top")}


@dataclass(frozen=True)
class NoteRow:
    """One note as a panel lists it."""

    id: UUID
    body: str
    author: str
    when: str
    visibility: str  # in words; empty where everybody may read it
    is_pinned: bool
    is_edited: bool
    is_mine: bool


@dataclass(frozen=True)
class Revision:
    """What a note said before somebody changed it."""

    body: str
    author: str
    when: str


def patient_panel(patient_id: UUID) -> Panel:
    """Return the notes about a patient, for her page."""
    return _panel(Subject(patient_id=patient_id))


def offer_panel(offer_id: UUID) -> Panel:
    """Return the notes about an offer, for its page."""
    return _panel(Subject(offer_id=offer_id))


def _panel(subject: Subject) -> Panel:
    reader = current_identity()
    rows = [_row(note, author) for note, author in list_notes(subject, reader)]
    form = note_form(list_colleagues(but=reader.id)) if reader.can("patients.write") else None
    return Panel("notes/_panel.html", {"rows": rows, "form": form, "subject": subject})


def _row(note: Note, author: str | None) -> NoteRow:
    visibility = NoteVisibility(note.visibility)
    return NoteRow(
        id=note.id, body=note.body, author=author or _("Clinikoop"), when=moment(note.created_at),
        visibility="" if visibility is NoteVisibility.CLINIC else str(VISIBILITIES[visibility]),
        is_pinned=note.is_pinned, is_edited=note.edited_at is not None, is_mine=note.author_id == current_identity().id,
    )  # fmt: skip


def revisions(note: Note) -> list[Revision]:
    """Return what a note said before, the newest first."""
    return [
        Revision(row.body, author or _("Clinikoop"), moment(row.edited_at))
        for row, author in list_revisions(note, current_identity().id)
    ]


def home_of(subject: Subject) -> str:
    """Return the page that a note stands on."""
    if subject.offer_id:
        return f"/offers/{subject.offer_id}#notes"
    return f"/patients/{subject.patient_id}#notes"


def tell_mentions(rows: Sequence[Notification]) -> Mapping[UUID, Told]:
    """Say who mentioned the reader; nothing of a note that is gone or no longer for her."""
    found = {note.id: (note, author, patient) for note, author, patient in list_mentions(
        [row.object_id for row in rows], current_identity())}  # fmt: skip
    told = {}
    for row in rows:
        if row.object_id in found:
            note, author, patient = found[row.object_id]
            name = author or _("Clinikoop")
            text = (
                _("%(author)s mentioned you in a note about %(patient)s.", author=name, patient=patient.full_name)
                if patient
                else _("%(author)s mentioned you in a note about an offer.", author=name)
            )
            told[row.id] = Told(text, home_of(Subject.of(note)), "at")
    return told


def conflicts(form: NoteForm, note: Note) -> list[Conflict]:
    """Return where a refused form and the stored note differ."""
    written = form.written()
    found = column_conflicts(form, note, values_of(written), LABELS)
    theirs, yours = set(note.mentions), {str(person_id) for person_id in written.mentions}
    if theirs != yours:
        names = [_names(form, ids) for ids in (theirs, yours)]
        found.append(Conflict(_("Tell these colleagues"), *names))
    return found


def _names(form: NoteForm, ids: set[str]) -> str:
    return ", ".join(person.name for person in form.colleagues if str(person.id) in ids) or NOTHING
