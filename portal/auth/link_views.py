"""Pages behind the links of accounts: being invited, and forgotten passwords. Whoever has the link needs no login."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.auth.entering import DeadLinkError, ask_for_reset, count_try, open_link, use_link
from portal.auth.forms import ForgottenForm, InviteForm, NewPasswordForm
from portal.auth.models import AccountTokenKind
from portal.auth.services import TooManyAttemptsError
from portal.auth.tokens import TokenState
from portal.auth.views import blueprint
from portal.core.access import PUBLIC, access
from portal.core.errors import RuleError
from portal.core.identity import ROLE_LABELS, request_actor

_DEAD = {
    None: _l("This link leads nowhere. Perhaps a part of it was lost: open it again from the message itself."),
    TokenState.USED: _l("This link was used already. Log in with the password you chose."),
    TokenState.EXPIRED: _l("This link has run out. Ask for a new one."),
    TokenState.REVOKED: _l("This link is no longer valid: a newer one was made, or it was taken back."),
}


@blueprint.route("/welcome/<invite_token>", methods=["GET", "POST"])
@access(PUBLIC)
def accept_invite(invite_token: str) -> ResponseReturnValue:
    """Let somebody who was invited choose name and password."""
    try:
        if request.method == "POST":
            count_try(request_actor())
        _link, person = open_link(invite_token, AccountTokenKind.INVITE)
        form = InviteForm(name=person.name)
        if form.submitted() and _used(invite_token, AccountTokenKind.INVITE, form, name=form.name.data):
            flash(_("Welcome! Log in with your e-mail address and your new password."), "success")
            return redirect(url_for("auth.login"))
    except (DeadLinkError, TooManyAttemptsError) as error:
        return _refused(error)
    page = render_template("auth/welcome.html", form=form, person=person, role=ROLE_LABELS[person.role])
    return page, 422 if form.errors else 200


@blueprint.route("/password/forgotten", methods=["GET", "POST"])
@access(PUBLIC)
def forgotten() -> ResponseReturnValue:
    """Have a link for a new password sent; the answer never tells whether there is such an account."""
    form = ForgottenForm()
    if form.submitted():
        try:
            ask_for_reset(request_actor(), email=form.email.data or "")
        except TooManyAttemptsError as error:
            form.form_errors.append(error.message)
            return render_template("auth/forgotten.html", form=form), 429
        flash(_("If there is an account with this address, a mail with a link is on its way to it."), "info")
        return redirect(url_for("auth.login"))
    return render_template("auth/forgotten.html", form=form), 422 if form.errors else 200


@blueprint.route("/password/reset/<reset_token>", methods=["GET", "POST"])
@access(PUBLIC)
def reset_password(reset_token: str) -> ResponseReturnValue:
    """Let somebody who has forgotten her password choose a new one."""
    try:
        if request.method == "POST":
            count_try(request_actor())
        open_link(reset_token, AccountTokenKind.RESET)
        form = NewPasswordForm()
        if form.submitted() and _used(reset_token, AccountTokenKind.RESET, form):
            flash(
                _("Your password is changed, and every session of yours has ended. Log in with the new one."), "success"
            )
            return redirect(url_for("auth.login"))
    except (DeadLinkError, TooManyAttemptsError) as error:
        return _refused(error)
    return render_template("auth/reset.html", form=form), 422 if form.errors else 200


def _used(token: str, kind: AccountTokenKind, form: NewPasswordForm, *, name: str | None = None) -> bool:
    """Use a link; return False where the password will not do, which the form then says."""
    try:
        use_link(request_actor(), token, kind, password=form.new_password.data or "", name=name)
    except RuleError as error:
        form.new_password.errors = [error.message]
        return False
    return True


def _refused(error: DeadLinkError | TooManyAttemptsError) -> ResponseReturnValue:
    """Say why a link opens nothing: of another clinic's and of one that never was, the same."""
    if isinstance(error, TooManyAttemptsError):
        return render_template("auth/dead_link.html", text=error.message), 429
    return render_template("auth/dead_link.html", text=_DEAD[error.state]), 404 if error.state is None else 410
