"""Dealing with what an offer waits for: done now, or put off; a reminder remembers it, so that the row goes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.home.ranking import is_cause
from portal.offers.models import Offer
from portal.reminders.models import Reminder, ReminderKind, ReminderStatus


def settle(actor: Actor, *, offer: Offer, causes: Iterable[str], title: str) -> int:
    """Note that somebody has dealt with these reasons; return how many nobody had dealt with before."""
    return sum(_remember(actor, offer, cause, title, due_at=now(), done=True) for cause in causes if is_cause(cause))


def put_off(actor: Actor, *, offer: Offer, causes: Iterable[str], title: str, due_at: datetime) -> bool:
    """Put these reasons off until ``due_at``, as one reminder to the actor; False where they were dealt with before."""
    first, *rest = [cause for cause in causes if is_cause(cause)] or [""]
    made = bool(first) and _remember(actor, offer, first, title, due_at=due_at, done=False)
    for cause in rest:
        _remember(actor, offer, cause, title, due_at=now(), done=True)
    return made


def unsettle(actor: Actor, *, offer_id: UUID, causes: Iterable[str]) -> int:
    """Take back what ``settle`` and ``put_off`` noted: the reasons are on the list again; return how many."""
    wanted = [cause for cause in causes if is_cause(cause)]
    statement = sa.select(Reminder).where(Reminder.offer_id == offer_id, Reminder.cause.in_(wanted))
    found = current_session().scalars(statement).all()
    for reminder in found:
        audit.record(actor, "reminder.taken_back", reminder, changes={"cause": [reminder.cause, None]})
        current_session().delete(reminder)
    return len(found)


def _remember(actor: Actor, offer: Offer, cause: str, title: str, *, due_at: datetime, done: bool) -> bool:
    """Keep one reminder of a cause, ever: ``form_key`` is made of it, so two clicks and two colleagues make one."""
    reminder = Reminder(
        title=title[:200], due_at=due_at, kind=ReminderKind.TASK, cause=cause, form_key=uuid5(offer.id, cause),
        status=ReminderStatus.DONE if done else ReminderStatus.OPEN, completed_at=now() if done else None,
        completed_by_id=actor.id if done else None, offer_id=offer.id, patient_id=offer.primary_patient_id,
        created_by_id=actor.id, assigned_to_id=actor.id,
    )  # fmt: skip
    session = current_session()
    if session.scalars(sa.select(Reminder.id).where(Reminder.form_key == reminder.form_key)).first():
        return False
    try:
        with session.begin_nested():
            session.add(reminder)
            audit.record(actor, "reminder.settled" if done else "reminder.created", reminder)
    except IntegrityError:  # a colleague, at the same moment
        return False
    return True
