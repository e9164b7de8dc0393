"""Fields of a clinic's settings, and the form of its document templates."""

from __future__ import annotations

from typing import Any

from babel.dates import get_day_names
from email_validator import EmailNotValidError, validate_email
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, SelectMultipleField, StringField
from wtforms.validators import Optional, Regexp, ValidationError
from wtforms.widgets import CheckboxInput, ColorInput, ListWidget, TextInput

from portal.core.forms import LineField, PortalForm, Required, TextField
from portal.core.i18n import language
from portal.core.identity import current_clinic
from portal.core.patient_texts import PATIENT_LANGUAGES
from portal.core.phones import PhoneError, parse_phone, show_phone
from portal.core.text import clean_line
from portal.settings.kinds import Hours, Kind, Week
from portal.settings.models import PdfTemplate
from portal.settings.templates import DEFAULT_ACCENT, Block, texts_mark


class KindField(StringField):
    """One line that a kind reads; what it cannot read stays as typed, with ``message`` beside it."""

    def __init__(
        self, label: Any, *, kind: Kind[Any], message: str | LazyString, required: bool = True, **options: Any
    ) -> None:
        self.kind, self.message = kind, message
        super().__init__(label, [Required() if required else Optional()], **options)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.kind.write(self.data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the value; raises ValueError with the message."""
        self.data = None
        text = clean_line(valuelist[0]) if valuelist else ""
        if text:
            try:
                self.data = self.kind.read(text)
            except ValueError:
                raise ValueError(str(self.message)) from None


class PhoneField(LineField):
    """A phone number as people type it, kept as E.164."""

    data: str | None

    def __init__(self, label: Any, *, limit: int, **options: Any) -> None:
        super().__init__(label, limit=2 * limit, **options)

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else show_phone(self.data or "")

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 - WTForms hands it over
        """Take what can be a phone number where the clinic is."""
        if self.data:
            try:
                self.data = parse_phone(self.data, current_clinic().country)
            except PhoneError as error:
                message = _("This is not a phone number. For a number abroad start with + and the country code.")
                raise ValidationError(message) from error


class EmailField(LineField):
    """A well-formed address; nothing is sent or looked up."""

    data: str | None

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 - WTForms hands it over
        """Keep the address in its usual form."""
        if self.data:
            try:
                self.data = validate_email(self.data, check_deliverability=False).normalized
            except EmailNotValidError as error:
                raise ValidationError(_("This is not an e-mail address.")) from error


class SeenField(HiddenField):
    """What a form showed when it was opened; a form without it showed nothing that is current."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the mark."""
        self.data = valuelist[0] if valuelist else ""


class ChecksField(SelectMultipleField):
    """Boxes to tick, at least one."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        """Refuse none at all, and what is not offered."""
        if not self.data:
            raise ValidationError(_("Choose at least one."))
        super().pre_validate(form)


class HoursField(Field):
    """Two times for each day of a week, both empty where it is closed."""

    widget = TextInput()
    data: Week | None

    def rows(self) -> list[tuple[str, str, str]]:
        """Return (day, from, to) of each day, as typed where something was."""
        names = get_day_names("wide", locale=language())
        typed = self.raw_data if self.raw_data and len(self.raw_data) == 14 else _times(self.data)
        return [(names[place], typed[2 * place], typed[2 * place + 1]) for place in range(7)]

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read fourteen times; raises ValueError where a day is not one."""
        typed = [str(value).strip()[:5] for value in valuelist]
        days = zip(typed[::2], typed[1::2], strict=False)
        try:
            self.data = Hours().read(";".join(f"{start}-{end}" if start or end else "" for start, end in days))
        except ValueError:
            self.data = None
            raise ValueError(_("Give each open day a time to open and a later one to close, as 09:00.")) from None


def _times(week: Week | None) -> list[str]:
    return [f"{end:%H:%M}" if end else "" for day in week or (None,) * 7 for end in day or (None, None)]


class DocumentForm(PortalForm):
    """The texts of a document in one language, or in every one, and its colour."""

    header = TextField(
        _l("Letterhead"), limit=500,
        description=_l("Beside the logo. Left empty, it is the address and contact from the settings."),
    )  # fmt: skip
    bank = TextField(_l("How to pay"), limit=1000, description=_l("Bank, IBAN, SWIFT, and what is due when."))
    terms = TextField(_l("Terms"), limit=8000)
    footer = TextField(
        _l("Foot of every page"), limit=300,
        description=_l("Left empty, it is the legal name with its numbers from the settings."),
    )  # fmt: skip
    accent = StringField(
        _l("Colour"), [Regexp(r"#[0-9a-fA-F]{6}\Z", message=_l("Write the colour as #0f6b6f."))],
        default=DEFAULT_ACCENT, widget=ColorInput(), filters=[lambda value: value or DEFAULT_ACCENT],
    )  # fmt: skip

    seen = SeenField()

    def blocks(self) -> dict[Block, str]:
        """Return the texts by block."""
        return {name: self[name].data or "" for name in Block}


def document_form(template: PdfTemplate | None, *, sent: bool) -> DocumentForm:
    """Return the form of one language's texts, as stored unless it was sent."""
    if sent:
        return DocumentForm()
    stored = {name: text for name, text in (template.blocks if template else {}).items() if name in set(Block)}
    accent = (template.accent if template else None) or DEFAULT_ACCENT
    return DocumentForm(formdata=None, data={**stored, "accent": accent, "seen": texts_mark(template)})


def known_language(value: str | None) -> str | None:
    """Return the language of documents that an address names; None for every language."""
    return value if value in PATIENT_LANGUAGES else None
