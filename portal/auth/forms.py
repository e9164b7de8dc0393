"""Forms of signing in and of one's own account."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField
from wtforms.validators import EqualTo, Length

from portal.auth.passwords import MAX_LENGTH, MIN_LENGTH
from portal.core.forms import LineField, MaxLength, PortalForm, Required


class LoginForm(PortalForm):
    """Address and password; ``resume`` carries a form that was sent after the session had ended."""

    email = LineField(_l("E-mail"), limit=254, required=True)
    password = PasswordField(_l("Password"), [Required(), MaxLength(MAX_LENGTH)])
    next = HiddenField()
    resume = HiddenField()


class CodeForm(PortalForm):
    """The second step: a code of the authenticator or a recovery code, and what the login carries along."""

    code = LineField(_l("Code"), limit=40, required=True)
    next = HiddenField()
    resume = HiddenField()


class ForgottenForm(PortalForm):
    """The address of somebody who has forgotten her password."""

    email = LineField(_l("E-mail"), limit=254, required=True)


class ConfirmForm(PortalForm):
    """One's password, for what must not happen at an unlocked screen."""

    password = PasswordField(_l("Your password"), [Required(), MaxLength(MAX_LENGTH)])


class NewPasswordForm(PortalForm):
    """A new password, twice. No field whose name holds "password" outlives its request."""

    new_password = PasswordField(
        _l("New password"),
        [
            Required(),
            Length(min=MIN_LENGTH, message=_l("Use at least %(min)d characters.")),
            MaxLength(MAX_LENGTH),
        ],
    )
    password_again = PasswordField(
        _l("New password again"), [Required(), EqualTo("new_password", _l("The two do not match."))]
    )


class PasswordForm(NewPasswordForm):
    """The current password beside a new one."""

    current_password = PasswordField(_l("Current password"), [Required(), MaxLength(MAX_LENGTH)])


class InviteForm(NewPasswordForm):
    """What somebody who was invited fills in: how she is called, and her password."""

    name = LineField(_l("Your name"), limit=200, required=True)
