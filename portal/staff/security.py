"""What a clinic asks of its staff's logins, and helping a colleague whose phone is lost or whose screen stayed open."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.auth import second_step
from portal.auth.models import User
from portal.auth.queries import require_second_step_where
from portal.auth.services import end_sessions
from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import RuleError
from portal.settings.kinds import YES, Flag
from portal.settings.models import Setting
from portal.settings.registry import Definition, define, get_setting, set_setting
from portal.staff.queries import get_person
from portal.staff.services import check_manages

SECOND_STEP_REQUIRED = define(Definition("staff.second_step_required", Flag(), False, _l("Second step for everybody")))

# Asked in the query that finds whose a session is, so that no request costs a query more.
require_second_step_where(
    sa.select(Setting.id)
    .where(Setting.clinic_id == User.clinic_id, Setting.key == SECOND_STEP_REQUIRED.key, Setting.value == YES)
    .exists()
)


def is_second_step_required() -> bool:
    """Tell whether the clinic asks everybody for a second step."""
    return get_setting(SECOND_STEP_REQUIRED)


def require_second_step(actor: Actor, *, required: bool) -> None:
    """Ask everybody for a second step at login, or no longer; raises RuleError where whoever asks has none herself."""
    if required and actor.id is not None and get_person(actor.id).totp_confirmed_at is None:
        raise RuleError(_("Set up your own second step first, so that you know how it works."))
    set_setting(actor, SECOND_STEP_REQUIRED, required)


def reset_second_step(actor: Actor, person: User) -> None:
    """Take the second step away from a colleague whose phone is lost; her sessions end. Raises RuleError."""
    _check_other(actor, person)
    second_step.forget(actor, person)
    end_sessions(person.id)


def demand_password(actor: Actor, person: User) -> None:
    """Let a colleague do nothing before she has chosen a new password. Raises RuleError where that is not allowed."""
    _check_other(actor, person)
    if not person.must_change_password:
        person.must_change_password = True
        audit.record(actor, "password.demanded", person)


def end_sessions_of(actor: Actor, person: User) -> int:
    """End every session of a colleague; return how many. Raises RuleError where that is not whoever acts' to do."""
    _check_other(actor, person)
    count = end_sessions(person.id)
    audit.record(actor, "sessions.ended", person, changes={})
    return count


def _check_other(actor: Actor, person: User) -> None:
    if check_manages(actor, person).id == person.id:
        raise RuleError(_("Do this for yourself on the page of your own account."))
