"""Forms of privacy: texts, consents and their withdrawal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from portal.privacy.models import RequestStatus
from portal.privacy.words import CHANNELS, KINDS, REQUESTS, STATES


class TextForm(PortalForm):
    """A notice or the text of a consent; ``after`` is the version it follows."""

    after = VersionField(default=0)
    body = TextField(_l("Text"), limit=20_000)

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Ask for a text: nobody agrees to nothing."""
        valid = bool(super().validate(*args, **kwargs))
        if valid and len(self.body.data or "") < 20:
            self.body.errors = [_("Write the whole text that patients read.")]
            return False
        return valid


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


class EraseForm(PortalForm):
    """That a patient is to be made anonymous: why, on which request, and her number as a second look."""

    reason = LineField(_l("Reason"), limit=300, required=True, description=_l("Without names: the reason stays."))
    request_id = SelectField(_l("On the request"), [Optional()])
    number = LineField(_l("Number of the patient, to confirm"), limit=20, required=True)

    def __init__(self, *args: Any, number: str, requests: Sequence[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = number
        self.request_id.choices = choices(requests, empty="—")

    def validate_number(self, field: LineField) -> None:
        """Ask for the very number: what follows cannot be undone."""
        if field.data and field.data.lstrip("0") != self.expected.lstrip("0"):
            raise ValidationError(_("This is not the number of this patient."))

    def chosen_request(self) -> UUID | None:
        """Return the request that was chosen."""
        return UUID(self.request_id.data) if self.request_id.data else None


class HoldForm(PortalForm):
    """Until when a patient may not be made anonymous, and why."""

    until = DayField(_l("Hold until"), description=_l("Empty: there is no hold."))
    why = LineField(_l("Reason for the hold"), limit=300, description=_l("A lawsuit or a complaint, for example."))

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Ask why, where there is a hold."""
        valid = bool(super().validate(*args, **kwargs))
        if valid and self.until.data and not self.why.data:
            self.why.errors = [_("Say why, so that colleagues know when it can end.")]
            return False
        return valid


class RequestForm(PortalForm):
    """What a data subject asks for; ``find`` looks a patient up by number."""

    kind = SelectField(_l("What is asked for"), [Required()])
    received_on = DayField(_l("Received on"), required=True)
    number = LineField(
        _l("Number of the patient"), limit=20, description=_l("Empty where it is nobody of your patients.")
    )  # fmt: skip
    detail = TextField(_l("What was written or said"), limit=4000)

    def __init__(self, *args: Any, find: Callable[[str], UUID | None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.find = find
        self.patient_id: UUID | None = None
        self.kind.choices = choices(REQUESTS.items())
        if self.received_on.data is None and not self.is_submitted():
            self.received_on.data = today(current_clinic().timezone)

    def validate_received_on(self, field: DayField) -> None:
        """Refuse a day to come."""
        if field.data and not date(2016, 4, 7) <= field.data <= today(current_clinic().timezone):
            raise ValidationError(_("A request lies between the beginning of the law and today."))

    def validate_number(self, field: LineField) -> None:
        """Find the patient."""
        self.patient_id = self.find(field.data)
        if self.patient_id is None:
            raise ValidationError(_("There is no patient with this number."))

    def received(self) -> date:
        """Return the day it arrived."""
        day = self.received_on.data
        assert day is not None  # it is required
        return day


class AnswerForm(PortalForm):
    """How a request was answered."""

    version = VersionField(default=0)
    status = SelectField(_l("Answer"), [Required()])
    outcome = LineField(_l("What was done, or why not"), limit=1000, required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.status.choices = choices((state, label) for state, label in STATES.items() if state != RequestStatus.OPEN)


def consent_label(text: Any) -> str:
    """Return a text's name with its language and version."""
    return f"{KINDS[text.kind]} · {language_name(text.locale)} · {_('version %(number)s', number=text.version_no)}"
