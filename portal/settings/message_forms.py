"""The form of one message to patients, and the words for what messages are about."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import ValidationError

from portal.core.forms import LineField, PortalForm, Required, TextField, VersionField
from portal.settings.messages import (
    NEEDED,
    SLOTS,
    SUBJECT_SLOTS,
    Faults,
    Message,
    MessageChannel,
    Occasion,
    find_faults,
)

OCCASIONS: Mapping[Occasion, LazyString] = {
    Occasion.SHARE: _l("Sending the link"), Occasion.EXPIRY: _l("Before an offer ends"),
    Occasion.FOLLOW_UP: _l("Asking again"), Occasion.THANKS: _l("Saying thank you"),
}  # fmt: skip
CHANNELS: Mapping[MessageChannel, LazyString | str] = {
    MessageChannel.WHATSAPP: "WhatsApp", MessageChannel.EMAIL: _l("E-mail"),
}  # fmt: skip


class MessageForm(PortalForm):
    """The clinic's own words."""

    subject = LineField(_l("Subject"), limit=200, required=True, description=_l("Anybody near the screen reads it."))
    body = TextField(_l("Text"), limit=2000)
    version = VersionField(default=0)
    occasion = Occasion.SHARE

    def validate_subject(self, field: LineField) -> None:
        """Refuse placeholders that say who is meant."""
        _refuse(find_faults(field.data or "", slots=SUBJECT_SLOTS))

    def validate_body(self, field: TextField) -> None:
        """Refuse what could not be filled in, or would leave the link out."""
        _refuse(find_faults(field.data or "", slots=SLOTS[self.occasion], needed=NEEDED.get(self.occasion, ())))

    def message(self) -> Message:
        """Return what was typed."""
        return Message(self.body.data or "", self.subject.data if self.subject else None)


def message_form(key: Occasion, channel: MessageChannel, stored: Message, version: int) -> MessageForm:
    """Return the form of a message; only mail has a subject."""
    form = MessageForm(data={"body": stored.body, "subject": stored.subject, "version": version})
    form.occasion = key
    form.body.validators = [Required(), *form.body.validators[1:]]
    if channel is not MessageChannel.EMAIL:
        del form.subject
    return form


def _refuse(faults: Faults) -> None:
    if faults.braces:
        raise ValidationError(_("A brace has no counterpart. Write placeholders as {clinic}."))
    if faults.unknown:
        names = ", ".join(f"{{{name}}}" for name in faults.unknown)
        raise ValidationError(_("Nothing fills %(names)s here.", names=names))
    if faults.missing:
        names = ", ".join(f"{{{name}}}" for name in faults.missing)
        raise ValidationError(_("The text needs %(names)s.", names=names))
