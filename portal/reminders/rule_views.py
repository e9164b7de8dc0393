"""Pages of the follow-up rules."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField, SelectField, ValidationError
from wtforms.validators import NumberRange

from portal.core.access import Permission, access
from portal.core.conflicts import Conflict, column_conflicts
from portal.core.errors import StaleVersionError
from portal.core.forms import LineField, PortalForm, Required, VersionField, choices
from portal.core.identity import request_actor
from portal.reminders import presenting, rules
from portal.reminders.labels import ASSIGNEES, KINDS, PRIORITIES, TRIGGERS
from portal.reminders.models import FollowUpRule, ReminderKind, ReminderPriority, RuleAssignee, Trigger
from portal.reminders.views import blueprint

_YEAR = 24 * 365
_FIELDS = {
    "name": _l("Name"), "trigger": _l("When an offer"), "delay_hours": _l("For how many hours"), "kind": _l("Kind"),
    "priority": _l("Priority"), "title": _l("What the reminder says"), "assignee": _l("Who"), "is_active": _l("In use"),
}  # fmt: skip


class RuleForm(PortalForm):
    """When a rule acts, and what reminder it makes for whom."""

    version = VersionField(default=0)
    name = LineField(_FIELDS["name"], limit=120, required=True)
    trigger = SelectField(_FIELDS["trigger"], default=Trigger.UNDECIDED)
    delay_hours = IntegerField(
        _FIELDS["delay_hours"], [Required(), NumberRange(0, _YEAR, _l("Write a number of hours up to a year."))],
        default=48, description=_l("For an ending offer: how many hours before its last day is over."),
    )  # fmt: skip
    title = LineField(_FIELDS["title"], limit=200, required=True)
    kind = SelectField(_FIELDS["kind"], default=ReminderKind.CALL)
    priority = SelectField(_FIELDS["priority"], default=ReminderPriority.NORMAL)
    assignee = SelectField(_FIELDS["assignee"], default=RuleAssignee.COORDINATOR)
    assignee_id = SelectField(_l("This colleague"))
    is_active = BooleanField(_FIELDS["is_active"], default=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.trigger.choices = choices(TRIGGERS.items())
        self.kind.choices = choices(KINDS.items())
        self.priority.choices = choices(PRIORITIES.items())
        self.assignee.choices = choices(ASSIGNEES.items())
        self.assignee_id.choices = choices(presenting.people_choices(), empty="—")

    def validate_assignee_id(self, field: SelectField) -> None:
        """Ask for a name where a rule is for one colleague."""
        if self.assignee.data == RuleAssignee.USER and not field.data:
            raise ValidationError(_("Choose a colleague."))

    def values(self) -> dict[str, Any]:
        """Return the columns of the rule; call after validation."""
        chosen = self.assignee_id.data if self.assignee.data == RuleAssignee.USER else None
        plain = {name: self[name].data for name in _FIELDS}
        return {**plain, "assignee_id": UUID(chosen) if chosen else None}


@blueprint.get("/rules")
@access(Permission.RULES_WRITE)
def list_rules() -> ResponseReturnValue:
    """List the rules; where there are none, show those proposed."""
    found = rules.list_rules()
    return render_template(
        "reminders/rules.html", rules=found, proposed=[] if found else rules.proposed_rules(), triggers=TRIGGERS,
        kinds=KINDS, assignees=ASSIGNEES, people=dict(presenting.people_choices()),
    )  # fmt: skip


@blueprint.post("/rules/proposed")
@access(Permission.RULES_WRITE)
def propose_rules() -> ResponseReturnValue:
    """Take over the proposed rules."""
    made = rules.propose_rules(request_actor())
    if made:
        flash(_("The rules are in use. They act on what happens from now on."), "success")
    return redirect(url_for("reminders.list_rules"))


@blueprint.route("/rules/new", methods=["GET", "POST"])
@access(Permission.RULES_WRITE)
def new_rule() -> ResponseReturnValue:
    """Make a rule."""
    form = RuleForm()
    if form.submitted():
        rules.create_rule(request_actor(), values=form.values())
        flash(_("The rule is in use. It acts on what happens from now on."), "success")
        return redirect(url_for("reminders.list_rules"))
    return render_template("reminders/rule.html", form=form, rule=None), 422 if form.errors else 200


@blueprint.route("/rules/<uuid:rule_id>", methods=["GET", "POST"])
@access(Permission.RULES_WRITE)
def edit_rule(rule_id: UUID) -> ResponseReturnValue:
    """Change a rule; who saves second sees both versions."""
    rule = rules.get_rule(rule_id)
    form, conflicts = RuleForm(obj=rule), list[Conflict]()
    if form.submitted():
        try:
            rules.update_rule(request_actor(), rule, version=form.version.data, values=form.values())
        except StaleVersionError:
            conflicts, form.version.data = _conflicts(form, rule), rule.version
        if not conflicts:
            flash(_("Saved."), "success")
            return redirect(url_for("reminders.list_rules"))
    status = 409 if conflicts else 422 if form.errors else 200
    return render_template("reminders/rule.html", form=form, rule=rule, conflicts=conflicts), status


def _conflicts(form: RuleForm, rule: FollowUpRule) -> list[Conflict]:
    return column_conflicts(form, rule, form.values(), _FIELDS)
