"""Making reminders, doing them, putting them off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import StaleVersionError
from portal.reminders.models import Outcome, Reminder, ReminderStatus
from portal.reminders.queries import find_by_form_key


def create_reminder(actor: Actor, *, form_key: UUID | None, values: Mapping[str, Any]) -> Reminder:
    """Make a reminder; the same form sent again returns the one it has made."""
    known = find_by_form_key(form_key)
    if known is not None:
        return known
    reminder = Reminder(**values, form_key=form_key, created_by_id=actor.id, status=ReminderStatus.OPEN)
    session = current_session()
    try:
        with session.begin_nested():
            session.add(reminder)
            session.flush()
            audit.record(actor, "reminder.created", reminder, changes={})
    except IntegrityError:  # the same form, sent at the same moment
        known = find_by_form_key(form_key)
        if known is None:
            raise
        return known
    return reminder


def update_reminder(actor: Actor, reminder: Reminder, *, version: int, values: Mapping[str, Any]) -> None:
    """Save a reminder; raises StaleVersionError where somebody saved it meanwhile."""
    if version != reminder.version:
        raise StaleVersionError
    for name, value in values.items():
        if getattr(reminder, name) != value:
            setattr(reminder, name, value)
    if not current_session().is_modified(reminder):
        return
    audit.record(actor, "reminder.changed", reminder)
    try:
        current_session().flush()
    except StaleDataError as error:
        current_session().rollback()  # so that the reminder can be read again, as the other one saved it
        raise StaleVersionError from error


def complete_reminder(actor: Actor, reminder: Reminder, *, outcome: Outcome | None = None, note: str = "") -> bool:
    """Note that a reminder is done, and what came of it; False where it was no longer open."""
    _lock(reminder)
    if reminder.status != ReminderStatus.OPEN:
        return False
    reminder.status, reminder.outcome = ReminderStatus.DONE, outcome
    reminder.outcome_note = note.strip()[:500] or None
    _close(actor, reminder, "reminder.done")
    return True


def cancel_reminder(actor: Actor, reminder: Reminder) -> bool:
    """Drop a reminder without having done it; False where it was no longer open."""
    _lock(reminder)
    if reminder.status != ReminderStatus.OPEN:
        return False
    reminder.status = ReminderStatus.CANCELLED
    _close(actor, reminder, "reminder.cancelled")
    return True


def reopen_reminder(actor: Actor, reminder: Reminder) -> bool:
    """Take back that a reminder was done or dropped; False where it is open."""
    _lock(reminder)
    if reminder.status == ReminderStatus.OPEN:
        return False
    reminder.status = ReminderStatus.OPEN
    reminder.outcome = reminder.outcome_note = reminder.completed_at = reminder.completed_by_id = None
    audit.record(actor, "reminder.reopened", reminder)
    current_session().flush()
    return True


def snooze_reminder(actor: Actor, reminder: Reminder, *, until: datetime) -> bool:
    """Put an open reminder off until another moment; False where it is no longer open."""
    _lock(reminder)
    if reminder.status != ReminderStatus.OPEN:
        return False
    reminder.snoozed_from = reminder.snoozed_from or reminder.due_at
    reminder.due_at, reminder.is_all_day = until, False
    reminder.snooze_count += 1
    audit.record(actor, "reminder.snoozed", reminder)
    current_session().flush()
    return True


def pin_reminder(actor: Actor, reminder: Reminder, *, pinned: bool) -> None:
    """Keep a reminder on top, or no longer."""
    _lock(reminder)
    if reminder.is_pinned != pinned:
        reminder.is_pinned = pinned
        audit.record(actor, "reminder.changed", reminder)
        current_session().flush()


def record_export(actor: Actor, *, count: int) -> None:
    """Note that reminders left the portal as a file."""
    audit.record(actor, "reminders.exported", Reminder, changes={"rows": [None, count]})


def _lock(reminder: Reminder) -> None:
    """Read a reminder as it stands once nobody else writes it: of two clicks the second sees what the first did."""
    current_session().refresh(reminder, with_for_update=True)


def _close(actor: Actor, reminder: Reminder, action: str) -> None:
    reminder.completed_at, reminder.completed_by_id = now(), actor.id
    audit.record(actor, action, reminder)
    current_session().flush()
