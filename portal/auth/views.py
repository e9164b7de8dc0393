"""Pages of signing in and of one's own account, at a clinic's host and at the admin host."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import login_user, logout_user

from portal.auth import pending, second_step, services
from portal.auth.forms import CodeForm, LoginForm, PasswordForm
from portal.auth.login import login_page, resume_page
from portal.auth.queries import find_identity
from portal.auth.resume import load_carried, local_path
from portal.core.access import PUBLIC, SIGNED_IN, Site, access
from portal.core.clock import now
from portal.core.errors import RuleError
from portal.core.identity import current_identity, request_actor
from portal.core.settings import settings

blueprint = Blueprint("auth", __name__)


@blueprint.get("/login")
@access(PUBLIC, Site.BOTH)
def login() -> ResponseReturnValue:
    """Show the login page."""
    form = LoginForm(formdata=None, next=local_path(request.args.get("next")) or "")
    if "stale" in request.args:
        flash(_("The page was open for too long. Please log in again."), "info")
    return login_page(form)


@blueprint.post("/login")
@access(PUBLIC, Site.BOTH)
def start_session() -> ResponseReturnValue:
    """Check address and password; the message is the same whatever is wrong."""
    form = LoginForm()
    if not form.submitted():
        return login_page(form, 422)
    try:
        person = services.check_login(request_actor(), email=form.email.data or "", password=form.password.data or "")
    except RuleError as error:
        form.form_errors.append(error.message)
        return login_page(form, 429)
    if person is None:
        form.form_errors.append(_("The e-mail or the password is not right."))
        return login_page(form, 422)
    if person.totp_confirmed_at is not None:
        return pending.ask_for_code(person, form)
    return _enter(person, form)


@blueprint.route("/login/code", methods=["GET", "POST"])
@access(PUBLIC, Site.BOTH)
def answer_code() -> ResponseReturnValue:
    """Check the second step of whoever has just given her password."""
    user_id, form = pending.noted_id(), CodeForm()
    if user_id is None:
        return _begin_again(form)
    if not form.submitted():
        return pending.code_page(form, 422 if form.errors else 200)
    try:
        second_step.count_try(user_id)  # before anything is read: it fails closed
        person = pending.find_pending()
        if person is None:
            return _begin_again(form)
        if second_step.check(request_actor(), user_id, form.code.data or ""):
            return _enter(person, form)
        form.code.errors = [_("This code is not right, or was used already. Wait for the next one.")]
    except RuleError as error:
        form.code.errors = [error.message]
        return pending.code_page(form, 429 if isinstance(error, services.TooManyAttemptsError) else 503)
    return pending.code_page(form, 422)


def _begin_again(form: CodeForm) -> ResponseReturnValue:
    """Ask for the password once more, where it was given too long ago; what the login carries is kept."""
    carried = LoginForm(formdata=None, next=local_path(form.next.data) or "", resume=form.resume.data or "")
    if form.is_submitted():
        carried.form_errors.append(_("The page was open for too long. Please log in again."))
    return login_page(carried, 422 if form.is_submitted() else 200)


def _enter(person: Any, form: LoginForm | CodeForm) -> ResponseReturnValue:
    """Start a session in a fresh cookie, so that nothing of before lives on, and go where the visitor was going."""
    token = services.start_session(
        request_actor(), person, expires_at=now() + settings().session_lifetime, user_agent=request.user_agent.string
    )
    session.clear()
    g.pop("csrf_token", None)  # it belongs to the cookie just cleared; the page that follows needs a new one
    session.permanent = True
    login_user(find_identity(token))
    carried = load_carried(form.resume.data)
    if carried:
        return resume_page(carried.path, carried.fields)
    return redirect(local_path(form.next.data) or "/")


@blueprint.post("/logout")
@access(SIGNED_IN, Site.BOTH, during_duty=True)
def logout() -> ResponseReturnValue:
    """End the session, in the database and in the browser."""
    services.sign_out(request_actor(), token=current_identity().token)
    logout_user()
    session.clear()
    flash(_("You are logged out."), "success")
    return redirect(url_for("auth.login"))


@blueprint.route("/account", methods=["GET", "POST"])
@access(SIGNED_IN, Site.BOTH, during_duty=True)
def account() -> ResponseReturnValue:
    """Show one's own account; change the password."""
    form = PasswordForm()
    if form.submitted():
        try:
            services.change_password(
                request_actor(),
                token=current_identity().token,
                current=form.current_password.data or "",
                new=form.new_password.data or "",
            )
        except services.WeakPasswordError as error:
            form.new_password.errors = [error.message]
        except RuleError as error:
            form.current_password.errors = [error.message]
        else:
            flash(_("Your password is changed. Every other session of yours has ended."), "success")
            return redirect(url_for("auth.account"))
    return render_template("auth/account.html", form=form), 422 if form.errors else 200
