"""A person's reminders as a calendar that her phone subscribes to, under a secret address.

The address works without a login, so it tells little: what kind of thing is due, and as much of whom as the clinic
allows. Only its hash is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import icalendar
import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.auth.models import User
from portal.auth.queries import token_hash
from portal.core import audit
from portal.core.access import Permission
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.reminders.labels import KINDS
from portal.reminders.models import CalendarFeed, ReminderKind
from portal.reminders.queries import list_own
from portal.settings.kinds import Choice
from portal.settings.registry import Definition, Section, define, get_setting
from portal.staff.queries import authority_of

PAST, FUTURE = timedelta(days=7), timedelta(days=90)
LENGTH = timedelta(minutes=15)


class Told(StrEnum):
    """How much of a patient a calendar tells."""

    NOTHING = "nothing"
    NUMBER = "number"
    INITIALS = "initials"


FEED_TELLS = define(
    Definition(
        "notifications.calendar_tells", Choice({
            Told.NOTHING: _l("Nothing"), Told.NUMBER: _l("The patient's number"), Told.INITIALS: _l("Her initials"),
        }),
        str(Told.NUMBER), _l("What calendars on phones tell of a patient"),
        _l("Calendars leave the portal: titles and names never do."), Section.NOTIFICATIONS,
    )
)  # fmt: skip


def find_feed(user_id: UUID) -> CalendarFeed | None:
    """Return a person's calendar address as far as it is kept, or None."""
    statement = sa.select(CalendarFeed).where(CalendarFeed.user_id == user_id, CalendarFeed.revoked_at.is_(None))
    return current_session().scalars(statement.order_by(CalendarFeed.id.desc())).first()


def renew_feed(actor: Actor, *, user_id: UUID, token: str) -> None:
    """Make ``token`` the secret of a person's calendar; an address she had before opens nothing any more."""
    revoke_feed(actor, user_id=user_id)
    feed = CalendarFeed(user_id=user_id, token_hash=token_hash(token))
    current_session().add(feed)
    current_session().flush()
    audit.record(actor, "feed.created", feed, changes={})


def revoke_feed(actor: Actor, *, user_id: UUID) -> bool:
    """End a person's calendar address; False where she has none."""
    feed = find_feed(user_id)
    if feed is None:
        return False
    feed.revoked_at = now()
    audit.record(actor, "feed.revoked", feed, changes={})
    current_session().flush()
    return True


def set_digest(actor: Actor, *, user_id: UUID, wanted: bool) -> None:
    """Send a person the morning's mail, or do not."""
    person = current_session().scalars(sa.select(User).where(User.id == user_id)).one()
    if person.preferences.get("digest", True) != wanted:
        person.preferences = {**person.preferences, "digest": wanted}
        audit.record(actor, "account.changed", person)


def wants_digest(user_id: UUID) -> bool:
    """Tell whether a person gets the morning's mail."""
    wishes = current_session().scalars(sa.select(User.preferences).where(User.id == user_id)).one()
    return bool(wishes.get("digest", True))


def find_reader(token: str) -> User | None:
    """Return whose calendar a secret opens; None where it opens none, her account is closed or may see no patient."""
    statement = (
        sa.select(User)
        .join(CalendarFeed, sa.and_(CalendarFeed.clinic_id == User.clinic_id, CalendarFeed.user_id == User.id))
        .where(CalendarFeed.token_hash == token_hash(token), CalendarFeed.revoked_at.is_(None), User.is_active)
    )
    person = current_session().scalars(statement).one_or_none()
    return person if person and Permission.PATIENTS_READ in authority_of(person).permissions else None


def write_calendar(reader: User, *, clinic_url: str, zone: str) -> bytes:
    """Return a person's open reminders of the coming weeks as iCalendar (RFC 5545); ``zone`` is the clinic's."""
    moment = now()
    rows = list_own(reader.id, moment - PAST, moment + FUTURE)
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Clinikoop//Reminders//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Clinikoop")
    for event in _events(rows, clinic_url, ZoneInfo(zone)):
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _events(rows: Sequence[Any], clinic_url: str, zone: ZoneInfo) -> list[icalendar.Event]:
    told = Told(get_setting(FEED_TELLS))
    found = []
    for row in rows:
        event = icalendar.Event()
        event.add("uid", f"{row.id}@clinikoop")
        event.add("dtstamp", now())
        event.add("summary", _summary(row, told))
        if row.is_all_day:
            day: date = row.due_at.astimezone(zone).date()
            event.add("dtstart", day)
        else:
            event.add("dtstart", row.due_at)
            event.add("dtend", row.due_at + LENGTH)
        event.add("url", f"{clinic_url}/reminders/{row.id}")
        found.append(event)
    return found


def _summary(row: Any, told: Told) -> str:
    kind = str(KINDS[ReminderKind(row.kind)])
    if told is Told.NUMBER and row.patient_no:
        return f"{kind}, {_('patient %(number)s', number=row.patient_no)}"
    if told is Told.INITIALS and row.first_name:
        return f"{kind}, {row.first_name[:1]}. {(row.last_name or '')[:1]}."
    return kind
