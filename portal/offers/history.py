"""The history of an offer in words: who sent, opened, asked and decided, and when."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.activity import Entry
from portal.core.audit import ActorKind
from portal.core.templating import moment
from portal.offers.documents import EventKind, Section
from portal.offers.events import list_events

WORDS = {
    EventKind.CREATED: _l("drafted the offer"),
    EventKind.SENT: _l("sent the offer"),
    EventKind.OPENED: _l("opened the link"),
    EventKind.VERIFIED: _l("proved who they are"),
    EventKind.VERIFY_FAILED: _l("failed to prove who they are"),
    EventKind.SECTION_READ: _l("read a part of the offer"),
    EventKind.PDF: _l("fetched the PDF"),
    EventKind.QUESTION: _l("asked a question"),
    EventKind.ANSWERED: _l("answered a question"),
    EventKind.ACCEPTED: _l("accepted the offer"),
    EventKind.DECLINED: _l("declined the offer"),
    EventKind.EXPIRED: _l("noted that the offer ran out"),
    EventKind.REISSUED: _l("made a new link"),
    EventKind.REVOKED: _l("revoked the link"),
    EventKind.REVISED: _l("made a revision"),
}
NOTED_BY_STAFF = {
    EventKind.ACCEPTED: _l("noted that the offer is accepted"),
    EventKind.DECLINED: _l("noted that the offer is declined"),
}


SECTIONS = {
    Section.TREATMENTS: _l("treatments"),
    Section.TOTALS: _l("prices"),
    Section.VISITS: _l("visits"),
    Section.DECISION: _l("decision"),
    Section.QUESTIONS: _l("questions"),
}


def history(offer_id: UUID) -> list[Entry]:
    """Return an offer's events in the reader's language, newest first; parts read one after another are one entry."""
    return [_entry(list(rows)) for _key, rows in groupby(list_events(offer_id), key=_together)]


def _together(row: Any) -> tuple[Any, ...]:
    return (row.kind, row.patient_offer_id) if row.kind == EventKind.SECTION_READ else (row.id,)


def _entry(rows: Sequence[Any]) -> Entry:
    newest, text = rows[0], str(_words(rows[0]))
    if newest.kind == EventKind.SECTION_READ:
        named = {str(SECTIONS[Section(row.meta["section"])]): None for row in reversed(rows) if "section" in row.meta}
        text = _("read: %(sections)s", sections=", ".join(named)) if named else text
    return Entry(
        when_text=moment(newest.at), when_iso=newest.at.isoformat(), actor_name=_who(newest), text=text, changes=[]
    )


def _who(row: Any) -> str:
    if row.actor_name:
        return str(row.actor_name)
    if row.patient_offer_id is not None:
        return f"{row.first_name or ''} {row.last_name or ''}".strip() or _("The patient")
    return _("Clinikoop")


def _words(row: Any) -> Any:
    by_staff = row.actor_kind == ActorKind.USER
    kind = EventKind(row.kind)
    return NOTED_BY_STAFF.get(kind, WORDS[kind]) if by_staff else WORDS[kind]
