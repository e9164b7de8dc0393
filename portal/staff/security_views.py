"""Buttons of the staff pages about logins: the second step, and sessions."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.core.access import Permission, access
from portal.core.errors import RuleError
from portal.core.identity import request_actor
from portal.staff import security
from portal.staff.queries import get_person
from portal.staff.views import blueprint


@blueprint.post("/second-step")
@access(Permission.STAFF_WRITE)
def require_second_step() -> ResponseReturnValue:
    """Ask everybody for a second step at login, or no longer."""
    required = request.form.get("required") == "yes"
    asked = _("Everybody without a second step is now led to set it up.")
    done = asked if required else _("The second step is everybody's own choice again.")
    _try(lambda: security.require_second_step(request_actor(), required=required), lambda _nothing: done)
    return redirect(url_for("staff.index"))


@blueprint.post("/<uuid:user_id>/second-step/off")
@access(Permission.STAFF_WRITE)
def reset_second_step(user_id: UUID) -> ResponseReturnValue:
    """Take the second step away from a colleague whose phone is lost."""
    person = get_person(user_id)
    done = _("The second step of %(name)s is off until it is set up again.", name=person.name)
    _try(lambda: security.reset_second_step(request_actor(), person), lambda _nothing: done)
    return redirect(url_for("staff.show", user_id=user_id))


@blueprint.post("/<uuid:user_id>/password")
@access(Permission.STAFF_WRITE)
def demand_password(user_id: UUID) -> ResponseReturnValue:
    """Ask a colleague for a new password."""
    person = get_person(user_id)
    done = _("%(name)s is led to choose a new password before anything else.", name=person.name)
    _try(lambda: security.demand_password(request_actor(), person), lambda _nothing: done)
    return redirect(url_for("staff.show", user_id=user_id))


@blueprint.post("/<uuid:user_id>/sessions/end")
@access(Permission.STAFF_WRITE)
def end_sessions(user_id: UUID) -> ResponseReturnValue:
    """End every session of a colleague."""
    person = get_person(user_id)
    _try(
        lambda: security.end_sessions_of(request_actor(), person),
        lambda count: ngettext("%(num)s session has ended.", "%(num)s sessions have ended.", count),
    )
    return redirect(url_for("staff.show", user_id=user_id))


def _try(work: Callable[[], object], told: Callable[..., str]) -> None:
    """Do something and say what came of it, or which rule refuses it."""
    try:
        result = work()
    except RuleError as error:
        flash(error.message, "warning")
    else:
        flash(told(result), "success")
