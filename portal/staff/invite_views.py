"""Pages on which colleagues are invited, and their links made anew or taken back."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.auth.mails import Letter
from portal.auth.models import User
from portal.core.access import ClinicRole, Permission, access
from portal.core.errors import RuleError
from portal.core.identity import current_identity, request_actor
from portal.core.phones import whatsapp_url
from portal.staff import inviting
from portal.staff.forms import InviteForm, WayForm
from portal.staff.presenting import appointable
from portal.staff.queries import get_person
from portal.staff.views import blueprint


@blueprint.route("/invite", methods=["GET", "POST"])
@access(Permission.STAFF_WRITE)
def invite() -> ResponseReturnValue:
    """Invite a colleague by mail, or by a link that is shown this once."""
    form = InviteForm(roles=appointable(current_identity()), role=ClinicRole.COORDINATOR)
    if form.submitted():
        try:
            person, letter = inviting.invite_person(
                request_actor(), email=form.email.data or "", values=form.values(), by_mail=form.by_mail
            )
        except RuleError as error:
            form.form_errors.append(error.message)
        else:
            return _handed_over(person, letter, by_mail=form.by_mail)
    return render_template("staff/invite.html", form=form), 422 if form.errors else 200


@blueprint.post("/<uuid:user_id>/invite")
@access(Permission.STAFF_WRITE)
def invite_again(user_id: UUID) -> ResponseReturnValue:
    """Make a new link for somebody who has not come yet."""
    person, form = get_person(user_id), WayForm()
    if form.submitted():
        try:
            letter = inviting.invite_again(request_actor(), person, by_mail=form.by_mail)
        except RuleError as error:
            flash(error.message, "warning")
        else:
            return _handed_over(person, letter, by_mail=form.by_mail)
    return redirect(url_for("staff.show", user_id=user_id))


@blueprint.post("/<uuid:user_id>/invite/revoke")
@access(Permission.STAFF_WRITE)
def revoke_invite(user_id: UUID) -> ResponseReturnValue:
    """Take an invitation back."""
    try:
        inviting.revoke_invite(request_actor(), get_person(user_id))
    except RuleError as error:
        flash(error.message, "warning")
    else:
        flash(_("The link no longer opens anything."), "success")
    return redirect(url_for("staff.show", user_id=user_id))


def _handed_over(person: User, letter: Letter, *, by_mail: bool) -> ResponseReturnValue:
    if by_mail:
        flash(_("The invitation is on its way to %(address)s.", address=person.email), "success")
        return redirect(url_for("staff.show", user_id=person.id))
    url = whatsapp_url(person.phone_e164, letter.body)
    return render_template("staff/link.html", person=person, letter=letter, whatsapp=url)
