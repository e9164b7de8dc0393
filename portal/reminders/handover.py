"""Open reminders, and the rules that make them, are the work of whom they are assigned to."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from portal.core.access import Permission
from portal.reminders.models import FollowUpRule, Reminder, ReminderStatus
from portal.staff.handover import Holding, register


def _open() -> list[sa.ColumnElement[bool]]:
    return [Reminder.status == ReminderStatus.OPEN]


register(Holding("reminders", _l("Open reminders"), Reminder, "assigned_to_id", Permission.PATIENTS_READ, _open))
register(Holding("rules", _l("Follow-up rules"), FollowUpRule, "assignee_id", Permission.PATIENTS_READ))
