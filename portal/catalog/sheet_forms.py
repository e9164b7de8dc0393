"""The form that takes a table of prices, as a file or pasted."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import FileField, HiddenField, TextAreaField, ValidationError

from portal.catalog.price_files import MAX_TEXT, NotTextError, decode, plain
from portal.core.forms import PortalForm

MAX_BYTES = 1_000_000


class SheetForm(PortalForm):
    """A table of prices. ``version`` is the list's and ``seen`` the table's, as they were shown."""

    version = HiddenField()
    seen = HiddenField()
    file = FileField(
        _l("File"), description=_l("CSV, as the export of this page makes it."),
        render_kw={"accept": ".csv,.txt,text/csv"},
    )  # fmt: skip
    text = TextAreaField(
        _l("Or paste the table"), description=_l("The first line holds the headings."),
        filters=[lambda text: plain(text or "")], render_kw={"rows": 8, "spellcheck": "false", "wrap": "off"},
    )  # fmt: skip

    def validate_file(self, _field: FileField) -> None:
        """Put a file's text into the field below it; refuse what is no text."""
        upload = request.files.get("file")
        if upload is None or not upload.filename:
            return
        try:
            self.text.data = plain(decode(upload.read()))
        except NotTextError:
            raise ValidationError(_("This is not a CSV file. In your spreadsheet, save the table as CSV.")) from None
        if not self.table().strip():
            raise ValidationError(_("This file is empty."))

    def validate_text(self, field: Any) -> None:
        """Refuse nothing at all, and too much."""
        if not field.data.strip() and not self.file.errors:
            raise ValidationError(_("Choose a file, or paste the table."))
        if len(field.data) > MAX_TEXT:
            raise ValidationError(_("This table is too large. Send fewer lines at a time."))

    def table(self) -> str:
        """Return the table's text; call after validation."""
        return str(self.text.data or "")

    def confirmed(self) -> bool:
        """Tell whether the table is to be taken, and is the one that was shown."""
        return bool(request.form.get("save")) and self.seen.data == self._digest()

    def show(self, version: str) -> None:
        """Remember what is shown now."""
        self.version.data, self.seen.data = version, self._digest() if version else ""

    def _digest(self) -> str:
        return sha256(self.table().encode()).hexdigest()
