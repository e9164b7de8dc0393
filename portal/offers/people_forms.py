"""Forms of those who look after offers: coordinator and doctor, sign-off, and handing many offers over."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import Optional

from portal.core.forms import PortalForm, TextField, choices


class PeopleForm(PortalForm):
    """Who looks after an offer."""

    coordinator_id = SelectField(_l("Coordinator"), [Optional()], validate_choice=False)
    doctor_id = SelectField(_l("Dentist"), [Optional()], validate_choice=False)


class SignForm(PortalForm):
    """What a dentist says about a draft."""

    answer = SelectField(choices=choices([("sign", "sign"), ("back", "back")]))
    note = TextField(_l("Note for colleagues"), limit=1000)


class RequireForm(PortalForm):
    """Whether sending needs a sign-off: "yes" or "no"."""

    required = SelectField(choices=choices([("yes", "yes"), ("no", "no")]))
