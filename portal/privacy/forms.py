"""Forms of privacy: texts, consents and their withdrawal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, ValidationError
from wtforms.validators import Optional

from portal.core.clock import day_start, now, today
from portal.core.forms import DayField, KeyedForm, LineField, PortalForm, Required, TextField, VersionField, choices
from portal.core.identity import current_clinic
from portal.core.patient_texts import language_name
from portal.privacy.words import CHANNELS, KINDS


class TextForm(PortalForm):
    """A notice or the text of a consent; ``after`` is the version it follows."""

    after = VersionField(default=0)
    body = TextField(_l("Text"), limit=20_000)

    def validate_body(self, field: TextField) -> None:
        """Ask for a text: nobody agrees to nothing."""
        if not field.data or len(field.data) < 20:
            raise ValidationError(_("Write the whole text that patients read."))


class ConsentForm(KeyedForm):
    """That a patient was told or agreed."""

    text_id = SelectField(_l("What it is about"), [Required()])
    channel = SelectField(_l("How it was given"), [Required()])
    given_on = DayField(_l("Day"), required=True)
    file_id = SelectField(_l("Signed paper"), [Optional()], description=_l("A file of this patient, such as a scan."))
    note = LineField(_l("Note"), limit=300, description=_l("Who was there, or what was said."))

    def __init__(self, *args: Any, texts: Sequence[Any], scans: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.text_id.choices = choices((text.id, consent_label(text)) for text in texts)
        self.channel.choices = choices(CHANNELS.items())
        self.file_id.choices = choices(((row.id, row.filename) for row in scans), empty="—")
        if self.given_on.data is None and not self.is_submitted():
            self.given_on.data = today(current_clinic().timezone)

    def validate_given_on(self, field: DayField) -> None:
        """Refuse a day to come."""
        if field.data and not date(1950, 1, 1) <= field.data <= today(current_clinic().timezone):
            raise ValidationError(_("A consent cannot be given in the future."))

    def given_at(self) -> datetime:
        """Return the moment: now where it is today, else the beginning of the day."""
        zone, day = current_clinic().timezone, self.given_on.data
        return now() if day is None or day == today(zone) else day_start(day, zone)

    def chosen_file(self) -> UUID | None:
        """Return the file that was chosen."""
        return UUID(self.file_id.data) if self.file_id.data else None


class ReasonForm(PortalForm):
    """Why something is done, in a line."""

    reason = LineField(_l("Reason"), limit=300)


def consent_label(text: Any) -> str:
    """Return a text's name with its language and version."""
    return f"{KINDS[text.kind]} · {language_name(text.locale)} · {_('version %(number)s', number=text.version_no)}"
