"""The form of a patient."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import UUID

from babel import Locale
from email_validator import EmailNotValidError, validate_email
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, ValidationError
from wtforms.validators import Optional

from portal.core.clock import today
from portal.core.forms import DayField, KeyedForm, LineField, TextField, VersionField, choices
from portal.core.i18n import language
from portal.core.identity import current_clinic
from portal.core.phones import PhoneError, parse_phone
from portal.core.text import sort_key
from portal.patients.models import Gender

GENDERS: dict[str, LazyString] = {
    Gender.FEMALE: _l("Female"), Gender.MALE: _l("Male"), Gender.OTHER: _l("Other"),
}  # fmt: skip
PATIENT_LANGUAGES = ("tr", "en", "de", "ru", "ar", "nl", "fr", "es", "it", "uk", "fa", "pl", "ro", "bg", "az")
_COUNTRY = re.compile(r"[A-Z]{2}")
FIRST_COUNTRIES = ("TR", "DE", "GB", "NL", "RU")
NOT_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})  # CLDR lists them among the territories


class PatientForm(KeyedForm):
    """Everything a clinic notes about a patient when registering her."""

    version = VersionField(default=0)
    first_name = LineField(_l("First name"), limit=100, required=True)
    last_name = LineField(_l("Last name"), limit=100, required=True)
    phone_raw = LineField(_l("Phone"), limit=40, description=_l("Any country: 0532 123 45 67 or +49 30 123456."))
    email = LineField(_l("E-mail"), limit=254)
    birth_date = DayField(_l("Birth date"))
    gender = SelectField(_l("Gender"), [Optional()])
    nationality = SelectField(_l("Nationality"), [Optional()])
    residence_country = SelectField(_l("Country of residence"), [Optional()])
    locale = SelectField(_l("Language"), [Optional()], description=_l("The language this patient reads offers in."))
    city = LineField(_l("City"), limit=100)
    address = LineField(_l("Address"), limit=500)
    instagram = LineField("Instagram", limit=60)
    facebook = LineField("Facebook", limit=60)
    linkedin = LineField("LinkedIn", limit=60)
    x_handle = LineField("X", limit=60)
    referral_source_id = SelectField(_l("Referral source"), [Optional()])
    notes = TextField(_l("Notes"), limit=5000)
    is_active = BooleanField(_l("In treatment or in talks"), default=True)
    confirmed = BooleanField(_l("Register this patient anyway"), default=False)

    def __init__(self, *args: Any, sources: list[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.phone_e164: str | None = None
        names = Locale.parse(language())
        self.gender.choices = choices(GENDERS.items(), empty="—")
        self.nationality.choices = self.residence_country.choices = choices(_countries(names), empty="—")
        stored = {self.locale.object_data} - {None, *PATIENT_LANGUAGES}  # an imported one must not be lost
        spoken = [*PATIENT_LANGUAGES, *stored]
        self.locale.choices = choices(((code, names.languages.get(code, code)) for code in spoken), empty="—")
        self.referral_source_id.choices = choices(sources, empty="—")

    def validate_phone_raw(self, field: LineField) -> None:
        """Accept what can be a phone number where the clinic or the patient lives."""
        if field.data:
            try:
                self.phone_e164 = parse_phone(field.data, current_clinic().country, self.residence_country.data)
            except PhoneError as error:
                message = _("This is not a phone number. For a number abroad start with + and the country code.")
                raise ValidationError(message) from error

    def validate_email(self, field: LineField) -> None:
        """Accept a well-formed address and normalise it; nothing is sent or looked up."""
        if field.data:
            try:
                field.data = validate_email(field.data, check_deliverability=False).normalized.lower()
            except EmailNotValidError as error:
                raise ValidationError(_("This is not an e-mail address.")) from error

    def validate_birth_date(self, field: DayField) -> None:
        """Accept a day on which someone alive can have been born."""
        born: date | None = field.data
        if born and not date(1900, 1, 1) <= born <= today(current_clinic().timezone):
            raise ValidationError(_("A birth date lies between 1900 and today."))

    def values(self) -> dict[str, Any]:
        """Return the columns of the patient, empty texts as None; call after validation."""
        columns: dict[str, Any] = {
            name: field.data if field.data not in ("", None) else None
            for name, field in self._fields.items()
            if name not in ("csrf_token", "form_key", "version", "confirmed")
        }
        source = columns["referral_source_id"]
        columns["referral_source_id"] = UUID(source) if source else None
        columns["phone_e164"] = self.phone_e164
        return columns


def _countries(names: Locale) -> list[tuple[str, str]]:
    """Return (code, name) of every country, those most patients come from first."""
    countries = [
        (str(code), str(name))
        for code, name in names.territories.items()
        if _COUNTRY.fullmatch(str(code)) and code not in NOT_COUNTRIES
    ]
    return sorted(countries, key=lambda country: (country[0] not in FIRST_COUNTRIES, sort_key(country[1])))
