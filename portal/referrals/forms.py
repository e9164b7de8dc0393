"""The form of a referral source."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import Optional, Regexp
from wtforms.widgets import ColorInput

from portal.core.forms import DecimalField, LineField, PortalForm, Required, VersionField, choices
from portal.core.money import Currency
from portal.referrals.models import SourceKind

KINDS: dict[str, LazyString] = {
    SourceKind.ONLINE: _l("Online"), SourceKind.PATIENT: _l("A patient"), SourceKind.PARTNER: _l("Partner or agency"),
    SourceKind.WALK_IN: _l("Walk-in"), SourceKind.OTHER: _l("Something else"),
}  # fmt: skip
DEFAULT_COLOUR = "#0f6b6f"
MOST = Decimal("9999999999.99")


class SourceForm(PortalForm):
    """A source: what it is called, where it belongs, and what it costs."""

    name = LineField(_l("Name of the source"), limit=120, required=True)
    kind = SelectField(_l("Kind"), [Required()])
    group = LineField(_l("Group"), limit=120, description=_l("Such as social media. A new name makes a new group."))
    colour = StringField(
        _l("Colour"), [Regexp(r"#[0-9a-fA-F]{6}\Z", message=_l("Write the colour as #0f6b6f."))],
        default=DEFAULT_COLOUR, widget=ColorInput(), filters=[lambda value: value or DEFAULT_COLOUR],
    )  # fmt: skip
    monthly_cost = DecimalField(
        _l("Cost a month"), low=Decimal(0), high=MOST, description=_l("What you pay for it, such as advertising.")
    )
    cost_currency = SelectField(_l("Currency"), [Optional()])
    version = VersionField(default=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = choices(KINDS.items())
        self.cost_currency.choices = choices((code, code) for code in Currency)

    def validate_monthly_cost(self, field: DecimalField) -> None:
        """Keep a cost to the cent."""
        if field.data is not None:
            field.data = field.data.quantize(Decimal("0.01"))

    def refuse_name(self) -> None:
        """Say beside the name that another source has it."""
        self.name.errors = [*self.name.errors, _("Another source has this name.")]

    def values(self) -> dict[str, Any]:
        """Return the columns; call after validation. A source without a cost has no currency."""
        cost = self.monthly_cost.data
        return {
            "name": self.name.data, "kind": self.kind.data, "colour": self.colour.data, "monthly_cost": cost,
            "cost_currency": None if cost is None else self.cost_currency.data,
        }  # fmt: skip
