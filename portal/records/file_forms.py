"""Forms of a patient's files."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import FileStorage
from wtforms import MultipleFileField, SelectField, ValidationError

from portal.core.forms import DayField, KeyedForm, LineField, PortalForm, choices
from portal.records.file_services import About
from portal.records.filetypes import MB, RULES
from portal.records.models import FileKind

MAX_FILES = 20
MAX_UPLOAD = 110 * MB  # of one form; beyond it nothing is read


def _kinds() -> SelectField:
    pairs = ((kind, rule.label) for kind, rule in RULES.items())
    return SelectField(_l("Kind"), choices=choices(pairs), default=FileKind.XRAY)


class UploadForm(KeyedForm):
    """One file or several of one kind."""

    kind = _kinds()
    taken_on = DayField(_l("Taken on"))
    note = LineField(_l("Note"), limit=500)
    files = MultipleFileField(_l("Files"), render_kw={"accept": "image/jpeg,image/png,image/webp,.pdf,.dcm,.stl"})

    def sent(self) -> list[FileStorage]:
        """Return the files of the request."""
        return [upload for upload in request.files.getlist("files") if upload.filename]

    def validate_files(self, _field: MultipleFileField) -> None:
        """Ask for at least one, and not for hundreds; what each is, is asked of its content."""
        count = len(self.sent())
        if not count:
            raise ValidationError(_("Choose a file first."))
        if count > MAX_FILES:
            raise ValidationError(_("Send at most %(count)d files at a time.", count=MAX_FILES))

    def about(self) -> About:
        """Return what is said of the files; call after validation."""
        return About(FileKind(self.kind.data), self.taken_on.data, self.note.data or None)


class FileForm(PortalForm):
    """What is said of one file."""

    kind = _kinds()
    taken_on = DayField(_l("Taken on"))
    note = LineField(_l("Note"), limit=500)

    def values(self) -> dict[str, Any]:
        """Return the columns; call after validation."""
        return {"kind": self.kind.data, "taken_on": self.taken_on.data, "note": self.note.data or None}
