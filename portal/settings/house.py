"""Settings of the clinic as a house: who it is, how people reach it, its languages, its money and its hours."""

from __future__ import annotations

from datetime import time
from functools import lru_cache
from zoneinfo import available_timezones

from babel import Locale
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.core.i18n import LANGUAGES
from portal.core.money import Currency
from portal.core.patient_texts import PATIENT_LANGUAGES, language_name
from portal.core.templating import country
from portal.settings.kinds import Choice, Choices, Flag, Hours, Text, Whole
from portal.settings.registry import Definition, Section, define, get_setting

_NINE, _SIX = time(9), time(18)


def _countries() -> dict[str, LazyString]:
    """Return every country of ISO 3166, named in the reader's language."""
    return {
        code: LazyString(country, code)
        for code in sorted(Locale("en").territories)
        if len(code) == 2 and code.isalpha()
    }


@lru_cache(maxsize=1)
def time_zones() -> dict[str, str]:
    """Return the time zones a clinic may be in, by their names in the IANA database."""
    regions = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return {zone: zone.replace("_", " ") for zone in sorted(available_timezones()) if zone.startswith(regions)} | {
        "UTC": "UTC"
    }


NAME = define(
    Definition(
        "clinic.name", Text(200), "", _l("Name of the clinic"),
        _l("On every page, in mails and on documents."), Section.CLINIC, column="name", required=True,
    )
)  # fmt: skip
# The keys of phone and e-mail are those of the page about links, where clinics set them first.
CLINIC_PHONE = define(
    Definition(
        "sharing.phone", Text(20, shape="phone"), "", _l("Phone"),
        _l("Patients see it where their link is locked, has run out, or does not open."), Section.CLINIC,
    )
)  # fmt: skip
CLINIC_EMAIL = define(
    Definition(
        "sharing.email", Text(254, shape="email"), "", _l("E-mail"),
        _l("Shown to patients beside the phone."), Section.CLINIC,
    )
)  # fmt: skip
LEGAL_NAME = define(
    Definition(
        "clinic.legal_name", Text(200), "", _l("Legal name"),
        _l("The company as the trade register knows it."), Section.CLINIC,
    )
)  # fmt: skip
ADDRESS = define(Definition("clinic.address", Text(500, lines=True), "", _l("Address"), section=Section.CLINIC))
TAX_OFFICE = define(Definition("clinic.tax_office", Text(120), "", _l("Tax office"), section=Section.CLINIC))
TAX_NUMBER = define(Definition("clinic.tax_number", Text(20), "", _l("Tax number"), section=Section.CLINIC))
LICENCE = define(
    Definition("clinic.licence", Text(60), "", _l("Licence number"), _l("Of the ministry of health."), Section.CLINIC)
)
TOURISM_CERTIFICATE = define(
    Definition(
        "clinic.tourism_certificate", Text(60), "", _l("Health tourism certificate"),
        _l("Its number. Whether VAT exemptions apply is said on the page about VAT."), Section.CLINIC,
    )
)  # fmt: skip
COUNTRY = define(
    Definition(
        "clinic.country", Choice(_countries()), "TR", _l("Country"),
        _l("Phone numbers typed without a country code are taken to be from here."), Section.CLINIC, column="country",
    )
)  # fmt: skip
LANGUAGE = define(
    Definition(
        "clinic.language", Choice({code: language_name(code) for code in LANGUAGES}), "tr",
        _l("Language of the clinic"),
        _l("For colleagues who chose none, and for patients whose language is not known."), Section.LANGUAGES,
        column="default_locale",
    )
)  # fmt: skip
PATIENTS_READ = define(
    Definition(
        "patients.languages", Choices({code: language_name(code) for code in PATIENT_LANGUAGES}), PATIENT_LANGUAGES,
        _l("Languages offered to patients"),
        _l("For the pages that their links open. Links that were made before keep their language."), Section.LANGUAGES,
    )
)  # fmt: skip
CURRENCY = define(
    Definition(
        "clinic.currency", Choice({str(code): str(code) for code in Currency}), "TRY", _l("Usual currency"),
        _l("New offers start in it."), Section.MONEY, column="default_currency",
    )
)  # fmt: skip
CURRENCIES = define(
    Definition(
        "offers.currencies", Choices({str(code): str(code) for code in Currency}), tuple(map(str, Currency)),
        _l("Currencies offered"),
        _l("New offers can be written in these, and always in the usual one."), Section.MONEY,
    )
)  # fmt: skip
VAT_INCLUDED = define(
    Definition(
        "clinic.prices_include_vat", Flag(), default=True, label=_l("Prices include VAT"),
        help=_l("For new offers. Offers that exist keep how they were counted."), section=Section.MONEY,
        column="prices_include_vat",
    )
)  # fmt: skip
TIME_ZONE = define(
    Definition(
        "clinic.timezone", Choice(time_zones()), "Europe/Istanbul", _l("Time zone"),
        _l("Every time is shown in it, and days end by it."), Section.HOURS, column="timezone",
    )
)  # fmt: skip
HOURS = define(
    Definition(
        "clinic.hours", Hours(), ((_NINE, _SIX),) * 6 + (None,), _l("Working hours"),
        _l("Patients read them beside your phone number. Leave both times of a day empty where you are closed."),
        Section.HOURS,
    )
)  # fmt: skip
VALIDITY = define(
    Definition(
        "offers.validity_days", Whole(1, 365), 30, _l("Offers are valid for"),
        _l("In days, counted from the day a new offer is written."), Section.OFFERS, column="offer_validity_days",
    )
)  # fmt: skip


def patient_languages() -> tuple[str, ...]:
    """Return the languages that the clinic offers to patients, in the portal's order."""
    return get_setting(PATIENTS_READ)


def offered_currencies(usual: str, *kept: str) -> list[str]:
    """Return the currencies an offer can be written in: those chosen, the usual one, and what is ``kept``."""
    chosen = {*get_setting(CURRENCIES), usual, *kept}
    return [str(code) for code in Currency if code in chosen]
