"""Settings of the clinic as a house: who it is, and how people reach it."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from portal.settings.kinds import Text
from portal.settings.registry import Definition, Section, define

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
