"""The follow-up rules a clinic has: made, changed, and proposed to those who have none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import NotFoundError, StaleVersionError
from portal.reminders.models import FollowUpRule, ReminderKind, RuleAssignee, Trigger
from portal.settings.registry import own_clinic


def list_rules() -> Sequence[FollowUpRule]:
    """Return the clinic's rules in order."""
    return current_session().scalars(sa.select(FollowUpRule).order_by(FollowUpRule.position, FollowUpRule.id)).all()


def get_rule(rule_id: UUID) -> FollowUpRule:
    """Return one rule; raises NotFoundError."""
    found = current_session().scalars(sa.select(FollowUpRule).where(FollowUpRule.id == rule_id)).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def create_rule(actor: Actor, *, values: Mapping[str, Any]) -> FollowUpRule:
    """Make a rule; it acts on what happens from now on. One that is there word for word is returned instead."""
    own_clinic(lock=True)  # of two clicks the second finds what the first has made
    known = next((rule for rule in list_rules() if all(getattr(rule, name) == values[name] for name in values)), None)
    if known is not None:
        return known
    rule = FollowUpRule(**values, active_since=now())
    current_session().add(rule)
    current_session().flush()
    audit.record(actor, "rule.created", rule, changes={"name": [None, rule.name]})
    return rule


def update_rule(actor: Actor, rule: FollowUpRule, *, version: int, values: Mapping[str, Any]) -> None:
    """Save a rule; switched on again, or on another trigger, it acts on what happens from now on.

    Raises StaleVersionError where somebody saved it meanwhile.
    """
    current_session().refresh(rule, with_for_update=True)
    if version != rule.version:
        raise StaleVersionError
    if (values["is_active"] and not rule.is_active) or values["trigger"] != rule.trigger:
        rule.active_since = now()
    for name, value in values.items():
        if getattr(rule, name) != value:
            setattr(rule, name, value)
    if current_session().is_modified(rule):
        audit.record(actor, "rule.changed", rule)
        current_session().flush()


def propose_rules(actor: Actor) -> int:
    """Give a clinic without rules those that most clinics want, once also by two clicks; return how many were made."""
    own_clinic(lock=True)
    if list_rules():
        return 0
    proposed = proposed_rules()
    for position, values in enumerate(proposed):
        create_rule(actor, values={**values, "position": position})
    return len(proposed)


def proposed_rules() -> list[dict[str, Any]]:
    """Return the rules to begin with, named in the reader's language."""
    call, message = ReminderKind.CALL, ReminderKind.MESSAGE
    rows = (
        (Trigger.UNOPENED, 24, message, _("Not opened after a day"), _("Ask whether the offer arrived")),
        (Trigger.UNDECIDED, 48, call, _("Read, but undecided after two days"), _("Call and ask what is still open")),
        (Trigger.EXPIRING, 72, message, _("Three days before it ends"), _("Remind of the offer's last day")),
        (Trigger.DECLINED, 24, call, _("The day after a decline"), _("Ask for the reason, think of another offer")),
        (Trigger.ACCEPTED, 4, call, _("Accepted"), _("Book the first appointment")),
        (Trigger.QUESTION, 2, message, _("A question waits for two hours"), _("Answer the patient's question")),
    )
    return [
        {"trigger": trigger, "delay_hours": hours, "kind": kind, "name": name, "title": title,
         "assignee": RuleAssignee.COORDINATOR}
        for trigger, hours, kind, name, title in rows
    ]  # fmt: skip
