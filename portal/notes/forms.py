"""The form of a note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, SelectMultipleField, TextAreaField, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.forms import KeyedForm, MaxLength, Required, VersionField, choices
from portal.core.text import clean_text
from portal.notes.models import Note, NoteVisibility
from portal.notes.queries import Colleague
from portal.notes.services import Written, mentioned

PREFIX = "note-"  # the form stands on pages that have others
VISIBILITIES = {
    NoteVisibility.CLINIC: _l("Everybody in the clinic"),
    NoteVisibility.DOCTORS: _l("Dentists and owners only"),
    NoteVisibility.PRIVATE: _l("Only me"),
}


class NoteForm(KeyedForm):
    """A note."""

    version = VersionField(default=0)
    body = TextAreaField(
        _l("Note"), [Required(), MaxLength(4000)], filters=[lambda value: value and clean_text(value)],
        description=_l("A colleague named after an @ is told."),
    )  # fmt: skip
    visibility = SelectField(
        _l("Who may read it"), choices=choices(VISIBILITIES.items()), default=NoteVisibility.CLINIC
    )
    is_pinned = BooleanField(_l("Keep it on top"))
    mentions = SelectMultipleField(
        _l("Tell these colleagues"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )

    def __init__(self, *args: Any, colleagues: Sequence[Colleague], **kwargs: Any) -> None:
        super().__init__(*args, prefix=PREFIX, **kwargs)
        self.colleagues = colleagues
        self.mentions.choices = choices((person.id, person.name) for person in colleagues)

    def validate_visibility(self, field: SelectField) -> None:
        """Refuse to call somebody to a note that she may not read."""
        shut_out = [person.name for person in self._mentioned() if not person.may_read(field.data)]
        if shut_out:
            raise ValidationError(_("%(names)s could not read this note. Choose others, or let everybody read it.",
                                    names=", ".join(shut_out)))  # fmt: skip

    def written(self) -> Written:
        """Return what was typed; call after validation."""
        return Written(
            self.body.data, NoteVisibility(self.visibility.data), self.is_pinned.data,
            {person.id for person in self._mentioned()},
        )  # fmt: skip

    def _mentioned(self) -> list[Colleague]:
        chosen = [person for person in self.colleagues if str(person.id) in (self.mentions.data or ())]
        return list(dict.fromkeys([*chosen, *mentioned(self.body.data or "", self.colleagues)]))


def note_form(colleagues: Sequence[Colleague], note: Note | None = None) -> NoteForm:
    """Return the form of a new note, or of a stored one."""
    if note is None:
        return NoteForm(colleagues=colleagues)
    stored = {
        "version": note.version, "body": note.body, "visibility": note.visibility, "is_pinned": note.is_pinned,
        "mentions": list(note.mentions),
    }  # fmt: skip
    return NoteForm(colleagues=colleagues, data=stored)


def values_of(written: Written) -> dict[str, Any]:
    """Return what was typed by column, to compare with what is stored."""
    return {"body": written.body, "visibility": str(written.visibility), "is_pinned": written.is_pinned}


def known_id(text: str | None) -> UUID | None:
    """Return the id that an address gives, None where it gives none."""
    try:
        return UUID(text or "")
    except ValueError:
        return None
