"""Forms of private links: making one, and the message it travels with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, SelectField, TextAreaField
from wtforms.validators import DataRequired, ValidationError

from portal.core.forms import LineField, MaxLength, PortalForm, Required, TextField, UuidField, choices
from portal.core.patient_texts import language_name
from portal.core.text import clean_text
from portal.offers.models import Channel, DeclineReason, Verify
from portal.sharing.link_settings import DAYS, FACTOR_LABELS

CHANNEL_LABELS = {
    Channel.WHATSAPP: _l("WhatsApp"),
    Channel.EMAIL: _l("E-mail"),
    Channel.QR: _l("QR code"),
    Channel.COPY: _l("copied address"),
}


class LinkForm(PortalForm):
    """How a link is opened, in which language, and how long it lives."""

    method = RadioField(_l("To open the link, the patient types"))
    days = SelectField(_l("The link works for"))
    locale = SelectField(_l("Language"))

    def offer_choices(self, methods: list[Verify], languages: Sequence[str]) -> None:
        """Set what may be chosen; the factors are those that the patient's record can answer."""
        self.method.choices = [(str(method), FACTOR_LABELS[method]) for method in methods]
        self.days.choices = choices((days, _("%(num)d days", num=days)) for days in DAYS)
        self.locale.choices = choices((code, language_name(code)) for code in languages)

    def choose_usual(self, methods: list[Verify], *, factor: str, days: str) -> None:
        """Choose at first what the clinic usually does, as far as this patient's record can answer it."""
        self.method.data = factor if factor in methods else str(methods[0])
        self.days.data = days


class MessageForm(PortalForm):
    """The message to a patient. The link's token comes back with it: it is stored nowhere else."""

    token = HiddenField()
    message = TextAreaField(
        _l("Message"), [Required(), MaxLength(1000)], filters=[lambda text: text and clean_text(text)]
    )

    def validate_message(self, field: TextAreaField) -> None:
        """Keep the link in the message: without it the message is of no use."""
        if f"/o/{self.token.data}" not in (field.data or ""):
            raise ValidationError(_("The message lost the link. Put it back in."))


class ChannelForm(PortalForm):
    """How a link was handed over; by e-mail is noted where it is sent."""

    channel = SelectField(_l("Handed over by"))

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        ways = (Channel.WHATSAPP, Channel.QR, Channel.COPY)
        self.channel.choices = choices((way, CHANNEL_LABELS[way]) for way in ways)


class PatientForm(PortalForm):
    """A form of a patient's page.

    Without a token against forged requests: the address itself is a secret of 256 bits that no other site knows, and
    the cookie behind it is not sent from other sites. A page left open overnight so loses nothing that was typed.
    """

    class Meta(PortalForm.Meta):
        """No token."""

        csrf = False


class AcceptForm(PatientForm):
    """What a patient accepts, and her signature."""

    name = LineField(limit=200, required=True)
    read_sha256 = LineField(limit=64)
    option_id = UuidField()
    drawing = HiddenField()
    agreed = BooleanField(validators=[DataRequired()])

    def line_ids(self) -> frozenset[UUID]:
        """Return the lines that were ticked; what is no id is left out."""
        return frozenset(filter(None, (_uuid(text) for text in request.form.getlist("line")[:500])))

    def strokes(self) -> list[Any] | None:
        """Return the drawn strokes in thousandths of the field, or None where nothing usable was drawn."""
        try:
            drawn = json.loads((self.drawing.data or "")[:200_000])
            strokes = [[[_thousandth(x), _thousandth(y)] for x, y in stroke] for stroke in drawn if stroke]
        except (ValueError, TypeError, RecursionError):
            return None
        return strokes if 0 < len(strokes) <= 100 and any(len(stroke) > 2 for stroke in strokes) else None


class DeclineForm(PatientForm):
    """Why a patient says no."""

    reason = SelectField(choices=choices((reason, reason) for reason in DeclineReason))
    note = TextField(limit=2000)


class QuestionForm(PatientForm):
    """A patient's question. The same form sent twice asks once."""

    form_key = UuidField()
    body = TextAreaField(validators=[Required(), MaxLength(2000)], filters=[lambda text: text and clean_text(text)])


class AnswerForm(PortalForm):
    """The clinic's answer."""

    answer = TextAreaField(
        _l("Answer"), [Required(), MaxLength(2000)], filters=[lambda text: text and clean_text(text)]
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _thousandth(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= 1000:
        raise ValueError(value)
    return value
