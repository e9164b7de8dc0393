"""Reminders on other pages and in words: panels, choices of people, and what two editors set differently."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l

from portal.core.conflicts import Conflict, column_conflicts
from portal.core.identity import current_clinic
from portal.core.panels import Panel
from portal.reminders import queries
from portal.reminders.forms import DELAYS, ReminderForm
from portal.reminders.labels import OUTCOMES
from portal.reminders.listing import HELPERS, due_text
from portal.reminders.models import Reminder

FIELDS = {
    "title": _l("What is to be done"), "kind": _l("Kind"), "assigned_to_id": _l("Who"), "priority": _l("Priority"),
    "is_pinned": _l("Keep it on top"), "description": _l("More"),
}  # fmt: skip


def people_choices() -> list[tuple[UUID, str]]:
    """Return the clinic's people as choices of a select."""
    return [(row.id, row.name) for row in queries.list_assignees()]


def patient_panel(patient_id: UUID) -> Panel:
    """Return the open reminders about a patient and her offers."""
    return _panel(queries.list_for_patient(patient_id), {"patient": patient_id})


def offer_panel(offer_id: UUID) -> Panel:
    """Return the open reminders about an offer."""
    return _panel(queries.list_for_offer(offer_id), {"offer": offer_id})


def conflicts(form: ReminderForm, reminder: Reminder) -> list[Conflict]:
    """Return where a refused form and the stored reminder differ."""
    values = form.values()
    found = column_conflicts(form, reminder, values, FIELDS)
    if (values["due_at"], values["is_all_day"]) != (reminder.due_at, reminder.is_all_day):
        mine = type("Row", (), {"due_at": values["due_at"], "is_all_day": values["is_all_day"]})
        found.append(Conflict(str(_l("Due")), due_text(reminder), due_text(mine)))
    return found


def local_date(moment: datetime) -> date:
    """Return the clinic's day of a moment."""
    return moment.astimezone(ZoneInfo(current_clinic().timezone)).date()


def row_context() -> dict[str, Any]:
    """Return what templates need to write rows of reminders."""
    return {"say": HELPERS, "delays": DELAYS.items(), "outcomes": OUTCOMES.items()}


def _panel(rows: Any, about: dict[str, UUID]) -> Panel:
    return Panel("reminders/_panel.html", {"rows": rows, "about": about, **row_context()})
