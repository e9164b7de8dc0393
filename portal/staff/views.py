"""Pages of a clinic's staff: the list, a colleague, her data and her permissions."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.auth.sessions import list_sessions
from portal.core.access import Permission, access
from portal.core.conflicts import Conflict
from portal.core.errors import RuleError, StaleVersionError
from portal.core.identity import current_identity, request_actor
from portal.core.phones import show_phone
from portal.staff import presenting, queries, services
from portal.staff.forms import PermissionsForm, PersonForm
from portal.staff.inviting import has_open_invite
from portal.staff.listing import StaffListView, filter_from_args
from portal.staff.presenting import PersonView
from portal.staff.security import is_second_step_required

blueprint = Blueprint("staff", __name__, url_prefix="/staff")


@blueprint.get("/")
@access(Permission.STAFF_WRITE)
def index() -> ResponseReturnValue:
    """List the clinic's staff."""
    wanted = filter_from_args(request.args)
    view = StaffListView(wanted, queries.list_people(wanted))
    return render_template("staff/index.html", view=view, required=is_second_step_required())


@blueprint.get("/<uuid:user_id>")
@access(Permission.STAFF_WRITE)
def show(user_id: UUID) -> ResponseReturnValue:
    """Show a colleague, what she may do, and what was done to her account."""
    person = queries.get_person(user_id)
    view = PersonView(person, current_identity())
    return render_template(
        "staff/show.html", view=view, entries=presenting.activity(user_id), invited=has_open_invite(person),
        rows=list_sessions(user_id),
    )  # fmt: skip


@blueprint.route("/<uuid:user_id>/edit", methods=["GET", "POST"])
@access(Permission.STAFF_WRITE)
def edit(user_id: UUID) -> ResponseReturnValue:
    """Change a colleague's data and role; who saves second sees both versions."""
    person = queries.get_person(user_id)
    view = PersonView(person, current_identity())
    form, conflicts = PersonForm(obj=person, roles=view.roles()), list[Conflict]()
    if form.submitted():
        try:
            services.update_person(request_actor(), person, version=form.version.data, values=form.values())
        except StaleVersionError:
            conflicts = presenting.conflicts(form, person)
            form.version.data = person.version
        except RuleError as error:
            form.form_errors.append(error.message)
        if not (conflicts or form.form_errors):
            flash(_("Saved."), "success")
            return redirect(url_for("staff.show", user_id=user_id))
    return _edit_page(view, form, conflicts)


@blueprint.route("/<uuid:user_id>/permissions", methods=["GET", "POST"])
@access(Permission.STAFF_WRITE)
def permissions(user_id: UUID) -> ResponseReturnValue:
    """Grant or take single permissions besides the role's."""
    person = queries.get_person(user_id)
    form, stale = PermissionsForm(version=person.version), False
    if form.submitted():
        try:
            services.set_permissions(request_actor(), person, version=form.version.data, wanted=form.wanted())
        except StaleVersionError:
            form.version.data, stale = person.version, True
            form.form_errors.append(_("Somebody changed this account meanwhile. Here is how it stands now."))
        except RuleError as error:
            form.form_errors.append(error.message)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("staff.show", user_id=user_id))
    view = PersonView(person, current_identity())
    ticked = form.wanted() if form.is_submitted() and not stale else view.authority.permissions
    return render_template("staff/permissions.html", view=view, form=form, ticked=ticked), 422 if form.errors else 200


def _edit_page(view: PersonView, form: PersonForm, conflicts: list[Conflict]) -> ResponseReturnValue:
    if not form.is_submitted():
        form.phone_e164.data = show_phone(view.person.phone_e164)
    status = 409 if conflicts else 422 if form.errors else 200
    return render_template("staff/edit.html", view=view, form=form, conflicts=conflicts), status
