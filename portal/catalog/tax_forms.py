"""Forms of a clinic's VAT rates and exemptions."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from wtforms import SelectField

from portal.catalog.enums import Residency
from portal.catalog.forms import VAT_CLASSES
from portal.core.forms import DayField, DecimalField, LineField, PortalForm, UuidField, choices


class RateForm(PortalForm):
    """A VAT rate from a day on."""

    vat_class = SelectField(_l("VAT class"), choices=choices(VAT_CLASSES.items()))
    rate = DecimalField(_l("Rate"), low=Decimal(0), high=Decimal(100), required=True, description=_l("In percent."))
    valid_from = DayField(
        _l("Valid from"), required=True,
        description=_l("Today or later. The rate before it ends the day before; offers that exist keep theirs."),
    )  # fmt: skip


class ExemptionForm(PortalForm):
    """An exemption from a day on."""

    vat_class = SelectField(_l("VAT class"), choices=choices(VAT_CLASSES.items()))
    residency = SelectField(
        _l("For whom"),
        choices=choices([(Residency.NON_RESIDENT, _l("Lives abroad")), (Residency.RESIDENT, _l("Lives here"))]),
    )
    code = LineField(
        _l("Code"), limit=20, required=True, description=_l("The article as it stands on invoices, such as 13/1-l.")
    )  # fmt: skip
    valid_from = DayField(_l("Valid from"), required=True, description=_l("Today or later."))


class EndForm(PortalForm):
    """The exemption that is to end."""

    exemption_id = UuidField()
