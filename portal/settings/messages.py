"""What a clinic writes to its patients: texts shipped in their languages, and its own in place of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm.exc import StaleDataError

from portal.core import audit
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.core.errors import StaleVersionError
from portal.core.patient_texts import mark_phrase, patient_language, texts
from portal.settings.models import MessageTemplate

_SLOT = re.compile(r"\{([^{}]*)\}")


class Occasion(StrEnum):
    """When a message is written."""

    SHARE = "share_link"
    EXPIRY = "expiry"
    FOLLOW_UP = "follow_up"
    THANKS = "thanks"


class MessageChannel(StrEnum):
    """The way a message goes."""

    WHATSAPP = "whatsapp"
    EMAIL = "email"


SLOTS: Mapping[Occasion, tuple[str, ...]] = {
    Occasion.SHARE: ("patient", "clinic", "link"),
    Occasion.EXPIRY: ("patient", "clinic", "valid_until"),
    Occasion.FOLLOW_UP: ("patient", "clinic"),
    Occasion.THANKS: ("patient", "clinic"),
}
NEEDED: Mapping[Occasion, tuple[str, ...]] = {Occasion.SHARE: ("link",)}
SUBJECT_SLOTS = ("clinic",)  # a subject may be read over somebody's shoulder
SUBJECT = mark_phrase("A message from {clinic}")
DEFAULTS: Mapping[Occasion, str] = {
    Occasion.SHARE: mark_phrase("Hello! {clinic} has prepared your personal offer. You can read it here: {link}"),
    Occasion.EXPIRY: mark_phrase(
        "Hello! The offer that {clinic} has prepared for you is valid until {valid_until}. Have you any questions?"
    ),
    Occasion.FOLLOW_UP: mark_phrase("Hello! This is {clinic}. Have you had time to look at your offer?"),
    Occasion.THANKS: mark_phrase("Thank you for your trust! We look forward to seeing you. {clinic}"),
}


@dataclass(frozen=True)
class Message:
    """A text ready to be sent; only mail has a subject."""

    body: str
    subject: str | None = None


@dataclass(frozen=True)
class Faults:
    """What is wrong with a text: placeholders that nothing fills, braces that close nothing, needed ones left out."""

    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    braces: bool = False

    @property
    def any(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.unknown or self.missing or self.braces)


def find_faults(text: str, *, slots: tuple[str, ...], needed: tuple[str, ...] = ()) -> Faults:
    """Return what keeps a text from being used."""
    found = _SLOT.findall(text)
    unknown = tuple(dict.fromkeys(name for name in found if name not in slots))
    missing = tuple(name for name in needed if name not in found)
    rest = _SLOT.sub("", text)
    return Faults(unknown, missing, "{" in rest or "}" in rest)


def default_message(key: Occasion, channel: MessageChannel, locale: str | None) -> Message:
    """Return the text shipped with the portal, its placeholders unfilled."""
    words = texts(locale)
    subject = words.phrase(SUBJECT) if channel is MessageChannel.EMAIL else None
    return Message(words.phrase(DEFAULTS[key]), subject)


def find_template(key: Occasion, channel: MessageChannel, locale: str | None) -> MessageTemplate | None:
    """Return the clinic's own text in a patient's language, or None."""
    statement = sa.select(MessageTemplate).where(
        MessageTemplate.key == key,
        MessageTemplate.channel == channel,
        MessageTemplate.locale == patient_language(locale),
    )
    return current_session().scalars(statement).one_or_none()


def render_message(key: Occasion, channel: MessageChannel, locale: str | None, values: Mapping[str, str]) -> Message:
    """Return the message of an occasion in a patient's language, with ``values`` filled in: the clinic's, or ours."""
    own = find_template(key, channel, locale)
    found = default_message(key, channel, locale) if own is None else Message(own.body, own.subject)
    return fill(found, values)


def fill(message: Message, values: Mapping[str, str]) -> Message:
    """Put values in place of placeholders; one without a value is left out, and no value is read as a text again."""

    def written(text: str) -> str:
        return _SLOT.sub(lambda slot: values.get(slot.group(1), ""), text)

    return Message(written(message.body), None if message.subject is None else written(message.subject))


def save_template(
    actor: Actor, key: Occasion, channel: MessageChannel, locale: str, *, version: int, message: Message
) -> None:
    """Keep a clinic's own text. Raises StaleVersionError where ``version`` is not the one now stored (0: none)."""
    row = find_template(key, channel, locale)
    if (row.version if row else 0) != version:
        raise StaleVersionError
    session = current_session()
    if row is None:
        row = MessageTemplate(key=key, channel=channel, locale=locale, body="")
        session.add(row)
    row.body, row.subject = message.body, message.subject
    changes = audit.changes_of(row)
    try:
        session.flush()
    except (StaleDataError, sa.exc.IntegrityError) as error:
        session.rollback()
        raise StaleVersionError from error
    if changes:
        audit.record(actor, "message.changed", row, changes={"body": None})


def reset_template(actor: Actor, key: Occasion, channel: MessageChannel, locale: str) -> None:
    """Let the shipped text hold again."""
    row = find_template(key, channel, locale)
    if row is not None:
        audit.record(actor, "message.reset", row, changes={"body": None})
        current_session().delete(row)
