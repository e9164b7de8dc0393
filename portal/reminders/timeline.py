"""Reminders about a patient or her offers, made and done, for the timeline of her page."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.auth.models import User
from portal.core.access import Permission
from portal.core.activity import Entry
from portal.core.templating import moment
from portal.core.timeline import Asked, Happening, patient_timeline
from portal.offers.models import PatientOffer
from portal.reminders.models import Reminder, ReminderStatus


def made_reminders(asked: Asked) -> list[Happening]:
    """Return the reminders that were made."""
    rows = asked.rows(_rows(asked, Reminder.created_at, Reminder.created_by_id), Reminder.created_at, Reminder.id)
    return [_happening(row, _("made a reminder")) for row in rows]


def done_reminders(asked: Asked) -> list[Happening]:
    """Return the reminders that were done or dropped."""
    statement = _rows(asked, Reminder.completed_at, Reminder.completed_by_id)
    words = {ReminderStatus.DONE: _("did what was due"), ReminderStatus.CANCELLED: _("dropped a reminder")}
    return [
        _happening(row, words[ReminderStatus(row.status)])
        for row in asked.rows(statement.where(Reminder.status.in_(list(words))), Reminder.completed_at, Reminder.id)
    ]


def _rows(asked: Asked, at: Any, who: Any) -> sa.Select[*tuple[Any, ...]]:
    offers = sa.select(PatientOffer.offer_id).where(PatientOffer.patient_id.in_(asked.patient_ids))
    about = sa.or_(Reminder.patient_id.in_(asked.patient_ids), Reminder.offer_id.in_(offers))
    return (
        sa.select(Reminder.id, at.label("at"), Reminder.title, Reminder.status, User.name.label("actor_name"))
        .outerjoin(User, sa.and_(User.clinic_id == Reminder.clinic_id, User.id == who))
        .where(about)
    )


def _happening(row: Any, text: str) -> Happening:
    actor_name = row.actor_name or _("Clinikoop")
    return Happening(row.at, row.id, Entry(moment(row.at), row.at.isoformat(), actor_name, text, about=row.title))


patient_timeline.add(Permission.PATIENTS_READ, made_reminders)
patient_timeline.add(Permission.PATIENTS_READ, done_reminders)
