"""Forms of the staff pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, SelectMultipleField, ValidationError
from wtforms.validators import Optional
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core.access import ClinicRole, Permission
from portal.core.forms import LineField, PortalForm, Required, VersionField, choices
from portal.core.i18n import other_languages
from portal.core.identity import ROLE_LABELS, current_clinic
from portal.core.phones import PhoneError, parse_phone
from portal.staff.handover import Work
from portal.staff.labels import PERMISSION_LABELS


class PersonForm(PortalForm):
    """What a clinic notes about one of its staff, and her role."""

    version = VersionField(default=0)
    name = LineField(_l("Name"), limit=200, required=True)
    title = LineField(_l("Job title"), limit=80, description=_l("Such as Dr. or Head of the patient desk."))
    phone_e164 = LineField(_l("Phone"), limit=40, description=_l("Any country: 0532 123 45 67 or +49 30 123456."))
    locale = SelectField(_l("Language"), [Optional()])
    role = SelectField(_l("Role"))

    def __init__(self, *args: Any, roles: Sequence[ClinicRole], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.role.choices = choices((role, ROLE_LABELS[role]) for role in roles)
        self.locale.choices = choices(other_languages(), empty=_("As the clinic"))

    def validate_phone_e164(self, field: LineField) -> None:
        """Accept what can be a phone number, and keep its international form."""
        if field.data:
            try:
                field.data = parse_phone(field.data, current_clinic().country)
            except PhoneError as error:
                message = _("This is not a phone number. For a number abroad start with + and the country code.")
                raise ValidationError(message) from error

    def values(self) -> dict[str, Any]:
        """Return the columns of the person, empty texts as None; call after validation."""
        return {
            name: self[name].data or None for name in ("name", "title", "phone_e164", "locale", "role")
        }  # fmt: skip


class WayForm(PortalForm):
    """How a link reaches the person: by mail, or shown to whoever makes it."""

    way = SelectField(
        _l("How the link travels"),
        choices=choices([("mail", _l("By e-mail")), ("link", _l("I pass it on, by WhatsApp for example"))]),
    )

    @property
    def by_mail(self) -> bool:
        """Whether we send it."""
        return bool(self.way.data == "mail")


class InviteForm(PersonForm, WayForm):
    """A colleague to be."""

    email = LineField(_l("E-mail"), limit=254, required=True, description=_l("She logs in with it."))

    def validate_email(self, field: LineField) -> None:
        """Accept a well-formed address and normalise it; nothing is looked up."""
        try:
            field.data = validate_email(field.data, check_deliverability=False).normalized.lower()
        except EmailNotValidError as error:
            raise ValidationError(_("This is not an e-mail address.")) from error


class PermissionsForm(PortalForm):
    """What somebody may do, each permission by itself."""

    version = VersionField(default=0)
    permissions = SelectMultipleField(
        _l("Permissions"), widget=ListWidget(), option_widget=CheckboxInput(), validate_choice=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.permissions.choices = choices(PERMISSION_LABELS.items())

    def wanted(self) -> frozenset[Permission]:
        """Return the permissions that are ticked; what is none counts for nothing."""
        return frozenset(name for name in PERMISSION_LABELS if name in (self.permissions.data or ()))


NOBODY = "nobody"


class HandoverForm(PortalForm):
    """Who takes over each kind of work; its fields are made for the work there is."""

    def takers(self) -> dict[str, UUID | None]:
        """Return whom each kind of work goes to; call after validation."""
        fields = {name: field for name, field in self._fields.items() if name != "csrf_token"}
        return {name: None if field.data == NOBODY else UUID(field.data) for name, field in fields.items()}


def handover_form(works: Sequence[Work]) -> HandoverForm:
    """Return the form for ``works``; nothing is chosen beforehand."""
    fields = {
        work.holding.key: SelectField(
            f"{work.holding.label} ({work.count})", [Required()],
            choices=choices([*work.colleagues, (NOBODY, _l("Nobody for now"))], empty="—"),
        )
        for work in works
    }  # fmt: skip
    form: HandoverForm = type("HandoverForm", (HandoverForm,), fields)()
    return form
