"""The forms of price lists: made, changed, and copied with every price moved."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, ValidationError

from portal.catalog.enums import Audience
from portal.catalog.price_lists import Move
from portal.core.forms import DayField, DecimalField, LineField, PortalForm, Required, choices
from portal.core.money import Currency

AUDIENCES: dict[str, LazyString] = {
    Audience.DOMESTIC: _l("Patients at home"), Audience.INTERNATIONAL: _l("Patients from abroad"),
    Audience.PARTNER: _l("Partners"),
}  # fmt: skip
STEPS = ("0.01", "1", "5", "10", "50", "100")


class PriceListForm(PortalForm):
    """A price list; its currency is chosen once, since its prices count in it."""

    name = LineField(_l("Name of the list"), limit=120, required=True)
    currency = SelectField(_l("Currency"), [Required()])
    audience = SelectField(_l("For whom"), [Required()])
    valid_from = DayField(_l("Valid from"), required=True)
    valid_to = DayField(_l("Last day"), description=_l("Empty: until you end it. The list stays in the archive."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency.choices = choices((code, code) for code in Currency)
        self.audience.choices = choices(AUDIENCES.items())

    def fix_currency(self) -> None:
        """Take the currency away: that of a list with prices does not change."""
        del self.currency

    def validate_valid_to(self, field: DayField) -> None:
        """Refuse a list that ends before it begins."""
        if field.data and self.valid_from.data and field.data < self.valid_from.data:
            raise ValidationError(_("The last day cannot be before the first."))

    def refuse_name(self) -> None:
        """Say beside the name that another list has it."""
        self.name.errors = [*self.name.errors, _("Another price list has this name.")]

    def values(self) -> dict[str, Any]:
        """Return the columns; call after validation."""
        names = ("name", "currency", "audience", "valid_from", "valid_to")
        return {name: self._fields[name].data for name in names if name in self._fields}


class CopyForm(PortalForm):
    """A copy of a price list: its name, its days, and how its prices move."""

    name = LineField(_l("Name of the list"), limit=120, required=True)
    valid_from = DayField(_l("Valid from"), required=True)
    direction = SelectField(_l("Prices"), [Required()], default="up")
    percent = DecimalField(_l("By percent"), low=Decimal(0), high=Decimal(500), required=True)
    step = SelectField(_l("Round to"), [Required()], default="1")
    category = SelectField(_l("Which prices"), description=_l("The others are copied as they are."))
    follows = BooleanField(_l("End the present list the day before"), default=True)

    def __init__(self, *args: Any, categories: Sequence[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.category.choices = choices(categories, empty=_("All prices"))
        self.direction.choices = choices((("up", _("Raise")), ("down", _("Lower"))))
        self.step.choices = choices((step, step) for step in STEPS)

    def validate_percent(self, field: DecimalField) -> None:
        """Refuse prices below nothing."""
        if self.direction.data == "down" and field.data is not None and field.data > 100:
            raise ValidationError(_("Prices cannot fall by more than 100 percent."))

    def move(self) -> Move:
        """Return how prices move; call after validation."""
        percent: Decimal = self.percent.data or Decimal(0)
        category_id = UUID(self.category.data) if self.category.data else None
        return Move(percent if self.direction.data == "up" else -percent, Decimal(self.step.data), category_id)

    def values(self) -> dict[str, Any]:
        """Return the columns of the copy; call after validation."""
        return {"name": self.name.data, "valid_from": self.valid_from.data}

    def refuse_name(self) -> None:
        """Say beside the name that another list has it."""
        self.name.errors = [*self.name.errors, _("Another price list has this name.")]

    def refuse_day(self) -> None:
        """Say beside the first day that the list to be followed begins then, or later."""
        self.valid_from.errors = [*self.valid_from.errors, _("Choose a day after the present list begins.")]

    def refuse_percent(self) -> None:
        """Say beside the percentage that a price would be too large."""
        self.percent.errors = [*self.percent.errors, _("A price would become too large.")]
