"""The words for kinds, priorities and outcomes, with the icon of each kind."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.reminders.models import Outcome, ReminderKind, ReminderPriority, RuleAssignee, Trigger

KINDS: dict[ReminderKind, LazyString] = {
    ReminderKind.CALL: _l("Call"), ReminderKind.MESSAGE: _l("Message"), ReminderKind.TASK: _l("Task"),
    ReminderKind.RECALL: _l("Recall"),
}  # fmt: skip
ICONS: dict[str, str] = {
    ReminderKind.CALL: "telephone", ReminderKind.MESSAGE: "chat-dots", ReminderKind.TASK: "check2-square",
    ReminderKind.RECALL: "arrow-repeat",
}  # fmt: skip
PRIORITIES: dict[ReminderPriority, LazyString] = {
    ReminderPriority.HIGH: _l("High"), ReminderPriority.NORMAL: _l("Normal"), ReminderPriority.LOW: _l("Low"),
}  # fmt: skip
OUTCOMES: dict[Outcome, LazyString] = {
    Outcome.REACHED: _l("Reached"), Outcome.NO_ANSWER: _l("No answer"), Outcome.WRONG_NUMBER: _l("Wrong number"),
    Outcome.BOOKED: _l("Booked"), Outcome.DECLINED: _l("Not interested"),
}  # fmt: skip
TRIGGERS: dict[Trigger, LazyString] = {
    Trigger.UNOPENED: _l("is not opened"), Trigger.UNDECIDED: _l("is read, but not decided"),
    Trigger.EXPIRING: _l("is about to end"), Trigger.DECLINED: _l("is declined"),
    Trigger.ACCEPTED: _l("is accepted"), Trigger.QUESTION: _l("has a question without an answer"),
}  # fmt: skip
ASSIGNEES: dict[RuleAssignee, LazyString] = {
    RuleAssignee.COORDINATOR: _l("The offer's coordinator"), RuleAssignee.DOCTOR: _l("The offer's dentist"),
    RuleAssignee.USER: _l("One colleague"),
}  # fmt: skip
