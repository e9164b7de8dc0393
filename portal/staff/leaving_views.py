"""Pages on which somebody's work is handed over and her account closed, or opened again."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.errors import RuleError
from portal.core.identity import current_identity, request_actor
from portal.staff.forms import handover_form
from portal.staff.handover import list_work
from portal.staff.leaving import deactivate_person, reactivate_person
from portal.staff.presenting import PersonView
from portal.staff.queries import get_person
from portal.staff.views import blueprint


@blueprint.route("/<uuid:user_id>/deactivate", methods=["GET", "POST"])
@access(Permission.STAFF_WRITE)
def deactivate(user_id: UUID) -> ResponseReturnValue:
    """Hand somebody's work over, then let her in no more."""
    person = get_person(user_id)
    view, works = PersonView(person, current_identity()), list_work(user_id)
    form = handover_form(works)
    if form.submitted():
        try:
            deactivate_person(request_actor(), person, takers=form.takers())
        except RuleError as error:
            form.form_errors.append(error.message)
        else:
            flash(_("%(name)s can no longer log in.", name=person.name), "success")
            return redirect(url_for("staff.show", user_id=user_id))
    page = render_template("staff/deactivate.html", view=view, form=form, works=works)
    return page, 422 if form.errors else 200


@blueprint.post("/<uuid:user_id>/reactivate")
@access(Permission.STAFF_WRITE)
def reactivate(user_id: UUID) -> ResponseReturnValue:
    """Let somebody in again."""
    person = get_person(user_id)
    try:
        reactivate_person(request_actor(), person)
    except RuleError as error:
        flash(error.message, "warning")
    else:
        flash(_("%(name)s can log in again.", name=person.name), "success")
    return redirect(url_for("staff.show", user_id=user_id))
