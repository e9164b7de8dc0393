"""Reminders of every kind around today, about a patient and about nobody, and a rule that makes some."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from portal.auth.queries import find_account
from portal.core.clock import now
from portal.core.jobs import SYSTEM
from portal.reminders.models import Outcome, ReminderKind, ReminderPriority, RuleAssignee, Trigger
from portal.reminders.rules import create_rule
from portal.reminders.services import complete_reminder, create_reminder


def reminder_ids(subdomain: str, patient_id: UUID) -> dict[str, UUID]:
    """Add them to the pinned clinic; return the ids of one and of the rule by the names that addresses use."""
    owner = find_account(f"owner@{subdomain}.example.com")
    assert owner is not None
    for place, kind in enumerate(ReminderKind):
        values = {
            "title": f"{kind.capitalize()}, with a text that is rather long and goes on", "kind": kind,
            "due_at": now() + timedelta(hours=26 * (place - 1)), "is_all_day": place % 2 == 0, "is_pinned": place == 1,
            "priority": ReminderPriority.HIGH if place == 0 else ReminderPriority.NORMAL,
            "patient_id": patient_id if place < 2 else None, "assigned_to_id": owner.id if place < 3 else None,
        }  # fmt: skip
        reminder = create_reminder(SYSTEM, form_key=None, values=values)
    done = create_reminder(SYSTEM, form_key=None, values={"title": "Done", "due_at": now(), "patient_id": patient_id})
    complete_reminder(SYSTEM, done, outcome=Outcome.REACHED)
    rule = create_rule(SYSTEM, values={
        "name": "Read, but undecided", "title": "Call and ask", "trigger": Trigger.UNDECIDED, "delay_hours": 48,
        "assignee": RuleAssignee.COORDINATOR, "is_active": True,
    })  # fmt: skip
    return {"reminder_id": reminder.id, "rule_id": rule.id}
