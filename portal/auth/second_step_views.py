"""Pages on which people turn the second step at login on and off, at a clinic's host and at the admin host."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.auth import second_step as steps
from portal.auth.forms import CodeForm, ConfirmForm
from portal.auth.queries import get_account
from portal.auth.second_step import SecondStepUnavailableError
from portal.auth.views import blueprint
from portal.core.access import SIGNED_IN, Site, access
from portal.core.errors import RuleError
from portal.core.identity import current_identity, request_actor
from portal.core.qr import qr_code


@blueprint.get("/account/second-step")
@access(SIGNED_IN, Site.BOTH, during_duty=True)
def second_step() -> ResponseReturnValue:
    """Show whether the second step is on, and how to set it up."""
    return _page(CodeForm(formdata=None), ConfirmForm(formdata=None))


@blueprint.post("/account/second-step/begin")
@access(SIGNED_IN, Site.BOTH, during_duty=True)
def begin_second_step() -> ResponseReturnValue:
    """Make a secret for the authenticator."""
    form = ConfirmForm()
    if form.submitted():
        try:
            steps.begin(request_actor(), form.password.data or "")
        except SecondStepUnavailableError as error:
            flash(error.message, "warning")
            return redirect(url_for("auth.second_step"))
        except RuleError as error:
            form.password.errors = [error.message]
        else:
            return redirect(url_for("auth.second_step"))
    return _page(CodeForm(formdata=None), form), 422


@blueprint.post("/account/second-step/confirm")
@access(SIGNED_IN, Site.BOTH, during_duty=True)
def confirm_second_step() -> ResponseReturnValue:
    """Turn the second step on, and show the recovery codes this once."""
    form = CodeForm()
    if form.submitted():
        try:
            codes = steps.confirm(request_actor(), form.code.data or "")
        except RuleError as error:
            form.code.errors = [error.message]
        else:
            return _codes_page(codes)
    return _page(form, ConfirmForm(formdata=None)), 422


@blueprint.post("/account/second-step/codes")
@access(SIGNED_IN, Site.BOTH)
def renew_recovery_codes() -> ResponseReturnValue:
    """Show new recovery codes, this once; those before are dead."""
    form = ConfirmForm()
    if form.submitted():
        try:
            return _codes_page(steps.renew_codes(request_actor(), form.password.data or ""))
        except RuleError as error:
            form.password.errors = [error.message]
    return _page(CodeForm(formdata=None), form), 422


@blueprint.post("/account/second-step/off")
@access(SIGNED_IN, Site.BOTH)
def turn_off_second_step() -> ResponseReturnValue:
    """Turn the second step off."""
    form = ConfirmForm()
    if form.submitted():
        try:
            steps.turn_off(request_actor(), form.password.data or "")
        except RuleError as error:
            form.password.errors = [error.message]
        else:
            flash(_("The second step is off: your password alone lets you in."), "success")
            return redirect(url_for("auth.second_step"))
    return _page(CodeForm(formdata=None), form), 422


def _page(code: CodeForm, confirm: ConfirmForm) -> str:
    person, drawn, secret, problem = get_account(current_identity().id), None, "", ""
    if person.totp_secret is not None and person.totp_confirmed_at is None:
        issuer = f"Clinikoop {g.clinic.name}" if g.clinic else "Clinikoop"
        try:
            secret, address = steps.address_of(person, issuer=issuer)
            drawn = qr_code(address)
        except SecondStepUnavailableError as error:
            problem = error.message
    return render_template(
        "auth/second_step.html", person=person, drawn=drawn, secret=secret, problem=problem, code=code, confirm=confirm
    )


def _codes_page(codes: list[str]) -> str:
    return render_template("auth/recovery_codes.html", codes=codes)
