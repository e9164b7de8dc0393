"""Writing notes: what one said before is kept, and who is mentioned is told once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import NotFoundError, StaleVersionError
from portal.core.notifications import notify
from portal.core.text import fold
from portal.notes.models import Note, NoteRevision, NoteVisibility
from portal.notes.queries import Colleague, Subject, find_by_form_key

MENTION = "note.mention"


@dataclass(frozen=True)
class Written:
    """What somebody typed."""

    body: str
    visibility: NoteVisibility
    is_pinned: bool
    mentions: Collection[UUID]


def mentioned(body: str, colleagues: Sequence[Colleague]) -> list[Colleague]:
    """Return whom a text names after an @: by the full name, or by a first name that only one of them has."""
    text = fold(body)
    first_names = [fold(person.name).split(" ", 1)[0] for person in colleagues]
    found = []
    for person, first in zip(colleagues, first_names, strict=True):
        names = [fold(person.name), *([first] if first_names.count(first) == 1 else [])]
        if any(re.search(rf"(?<!\w)@{re.escape(name)}(?!\w)", text) for name in names):
            found.append(person)
    return found


def write_note(actor: Actor, subject: Subject, written: Written, *, form_key: UUID | None) -> Note:
    """Write a note; the same form sent again returns the note it made first.

    Raises NotFoundError where there is no such patient or offer.
    """
    known = find_by_form_key(form_key)
    if known is not None:
        return known
    note = Note(
        author_id=actor.id, patient_id=subject.patient_id, offer_id=subject.offer_id, body=written.body,
        visibility=written.visibility, is_pinned=written.is_pinned, mentions=_ids(written.mentions), form_key=form_key,
    )  # fmt: skip
    try:
        with current_session().begin_nested():
            current_session().add(note)
            current_session().flush()
    except IntegrityError as error:
        again = find_by_form_key(form_key)  # two at once: the other one has made it meanwhile
        if again is None:
            raise NotFoundError from error
        return again
    audit.record(actor, "note.written", note, changes={"visibility": [None, note.visibility]})
    _tell(note, written.mentions)
    return note


def change_note(actor: Actor, note: Note, written: Written, *, version: int) -> None:
    """Change a note and keep what it said; raises StaleVersionError where ``version`` is not the one now stored."""
    if note.version != version:
        raise StaleVersionError
    before = note.body
    note.body, note.visibility, note.is_pinned = written.body, written.visibility, written.is_pinned
    note.mentions = _ids(written.mentions)
    changes = audit.changes_of(note)
    if not changes:
        return
    if written.body != before:
        note.edited_at = now()
        current_session().add(NoteRevision(note_id=note.id, body=before, edited_by_id=actor.id))
    audit.record(actor, "note.changed", note, changes=changes)
    try:
        current_session().flush()
    except StaleDataError as error:
        current_session().rollback()
        raise StaleVersionError from error
    _tell(note, written.mentions)


def delete_note(actor: Actor, note: Note) -> None:
    """Take a note away; its author can bring it back."""
    if note.deleted_at is None:
        note.deleted_at = now()
        audit.record(actor, "note.deleted", note, changes={})


def restore_note(actor: Actor, note: Note) -> None:
    """Bring a deleted note back."""
    if note.deleted_at is not None:
        note.deleted_at = None
        audit.record(actor, "note.restored", note, changes={})


def _ids(mentions: Iterable[UUID]) -> list[str]:
    return sorted(str(person_id) for person_id in mentions)


def _tell(note: Note, mentions: Iterable[UUID]) -> None:
    for person_id in mentions:
        notify(person_id, kind=MENTION, object_type="notes", object_id=note.id, dedupe_key=f"note:{note.id}")
