"""The form of a treatment and its prices."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, Form, IntegerField, SelectField, ValidationError
from wtforms.validators import Optional

from portal.catalog.composing import Part
from portal.catalog.enums import Dentition, Pricing, Scope, VatClass
from portal.catalog.models import CatalogTreatment
from portal.catalog.queries import PriceListInfo
from portal.catalog.services import PRICED_SCOPES
from portal.catalog.teeth import Arch, TeethError, arch, is_primary, parse_teeth
from portal.core.forms import DecimalField, LineField, PortalForm, Required, VersionField, choices
from portal.core.money import quantize_money

SCOPES: dict[str, LazyString] = {
    Scope.TOOTH: _l("One tooth"), Scope.MULTI: _l("Several teeth"), Scope.QUADRANT: _l("One quadrant"),
    Scope.ARCH: _l("One jaw"), Scope.MOUTH: _l("Whole mouth"),
}  # fmt: skip
PRICINGS: dict[str, LazyString] = {
    Pricing.FLAT: _l("Fixed price"), Pricing.PER_TOOTH: _l("Per tooth"), Pricing.PER_SURFACE: _l("Per surface"),
    Pricing.PER_ROLE: _l("Per bridge unit"), Pricing.PER_ARCH: _l("Per jaw"),
    Pricing.PER_SESSION: _l("Per session"),
}  # fmt: skip
VAT_CLASSES: dict[str, LazyString] = {
    VatClass.TREATMENT: _l("Treatment"), VatClass.AESTHETIC_REVIEW: _l("Aesthetic"),
    VatClass.NON_MEDICAL: _l("Not medical"),
}  # fmt: skip
DENTITIONS: dict[str, LazyString] = {
    Dentition.PERMANENT: _l("Permanent teeth"), Dentition.PRIMARY: _l("Primary teeth"), Dentition.BOTH: _l("All teeth"),
}  # fmt: skip
MAX_MINUTES = 600
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


class PriceField(DecimalField):
    """A price of at most two decimals; empty is no price, which is not the same as 0."""

    def pre_validate(self, _form: Any) -> None:
        """Refuse what the database would round unasked, and write the rest as it is stored."""
        if self.data is None:
            return
        rounded = quantize_money(self.data)
        if rounded != self.data:
            raise ValidationError(_("A price has at most two decimals."))
        self.data = rounded


class MinutesField(IntegerField):
    """A length of time in whole minutes, or nothing."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the minutes; raises ValueError with a message that says what fits."""
        raw = valuelist[0].strip() if valuelist else ""
        self.data = None
        if not raw:
            return
        if not (raw.isascii() and raw.isdigit() and len(raw) < 5 and 1 <= int(raw) <= MAX_MINUTES):
            raise ValueError(_("Write whole minutes, from 1 to %(most)d.", most=MAX_MINUTES))
        self.data = int(raw)


class CountField(IntegerField):
    """A whole number from ``low`` to ``high``, or nothing."""

    def __init__(self, label: Any = None, *, low: int, high: int, **kwargs: Any) -> None:
        self.low, self.high = low, high
        super().__init__(label, [Optional()], **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the number; raises ValueError with a message that says what fits."""
        raw = valuelist[0].strip() if valuelist else ""
        self.data = None
        if not raw:
            return
        if not (raw.isascii() and raw.isdigit() and len(raw) < 6 and self.low <= int(raw) <= self.high):
            raise ValueError(_("Write a whole number from %(low)d to %(high)d.", low=self.low, high=self.high))
        self.data = int(raw)


class PartForm(Form):
    """One part; a row without a treatment is no part."""

    component_id = SelectField(_l("Treatment"))
    upper_teeth = LineField(_l("Teeth of the upper jaw"), limit=120)
    lower_teeth = LineField(_l("Teeth of the lower jaw"), limit=120)
    quantity = DecimalField(_l("Quantity"), low=Decimal("0.01"), high=Decimal(999), default=Decimal(1))

    def validate_upper_teeth(self, field: LineField) -> None:
        """Accept permanent teeth of the upper jaw."""
        _check_teeth(field, Arch.UPPER)

    def validate_lower_teeth(self, field: LineField) -> None:
        """Accept permanent teeth of the lower jaw."""
        _check_teeth(field, Arch.LOWER)

    def part(self) -> Part | None:
        """Return the part of this row, None where it has no treatment; call after validation."""
        if not self.component_id.data:
            return None
        upper, lower = (parse_teeth(str(field.data or "")) for field in (self.upper_teeth, self.lower_teeth))
        return Part(
            UUID(self.component_id.data), upper, lower, (self.quantity.data or Decimal(1)).quantize(Decimal("0.01"))
        )


class TreatmentForm(PortalForm):
    """A treatment of the catalogue; treatment_form() adds one price field a price list."""

    price_lists: Sequence[PriceListInfo] = ()

    version = VersionField(default=0)
    name_tr = LineField(_l("Name in Turkish"), limit=200, required=True)
    name_en = LineField(_l("Name in English"), limit=200, required=True)
    code = LineField(
        _l("Code"), limit=40, required=True, description=_l("Short and unique, such as zirkonyum-kron."),
    )  # fmt: skip
    category_id = SelectField(_l("Category"), [Required()])
    scope = SelectField(_l("Applies to"), [Required()])
    pricing = SelectField(_l("Priced"), [Required()], default=Pricing.PER_TOOTH)
    dentition = SelectField(_l("Teeth it is done on"), [Required()])
    duration_min = MinutesField(_l("Minutes"), [Optional()], description=_l("How long it takes in the chair."))
    vat_class = SelectField(
        _l("VAT class"), [Required()],
        description=_l("Aesthetic work is disputed: ask your accountant. Transfer and hotel are not medical."),
    )  # fmt: skip
    is_active = BooleanField(
        _l("Offered to patients"), default=True,
        description=_l("Switched off, it is hidden from new offers; offers that already have it keep it."),
    )  # fmt: skip

    def __init__(self, *args: Any, categories: Sequence[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.category_id.choices = choices(categories, empty=_("Choose one"))
        for field, labels in (
            (self.scope, SCOPES), (self.pricing, PRICINGS), (self.dentition, DENTITIONS), (self.vat_class, VAT_CLASSES),
        ):  # fmt: skip
            field.choices = choices(labels.items())

    def validate_code(self, field: LineField) -> None:
        """Accept small ASCII letters and digits in groups joined by hyphens."""
        if not _CODE.fullmatch(field.data):
            raise ValidationError(_("Use the letters a to z, digits and hyphens: zirkonyum-kron."))

    def validate_pricing(self, field: SelectField) -> None:
        """Accept a price that counts what the treatment is done to."""
        scopes = PRICED_SCOPES.get(field.data)
        if scopes and not self.scope.errors and self.scope.data not in scopes:
            fitting = ", ".join(str(SCOPES[scope]) for scope in Scope if scope in scopes)
            raise ValidationError(_("This price only fits a treatment that applies to: %(scopes)s.", scopes=fitting))

    def refuse_code(self) -> None:
        """Say beside the code that another treatment has it."""
        self.code.errors = [*self.code.errors, _("Another treatment has this code.")]

    def values(self) -> dict[str, Any]:
        """Return the columns of the treatment; call after validation."""
        others = {"csrf_token", "version", *(_price_name(price_list) for price_list in self.price_lists)}
        columns = {name: field.data for name, field in self._fields.items() if name not in others}
        return {**columns, "category_id": UUID(columns["category_id"])}

    def prices(self) -> dict[PriceListInfo, Decimal | None]:
        """Return the unit price by price list, None where there is none; call after validation.

        A price list that became valid after the form was opened is left out: nobody emptied its price.
        """
        fields = zip(self.price_lists, self.price_fields(), strict=True)
        return {price_list: field.data for price_list, field in fields if field.raw_data}

    def price_fields(self) -> list[Field]:
        """Return the price fields in the order of the price lists."""
        return [self[_price_name(price_list)] for price_list in self.price_lists]


def treatment_form(
    categories: Sequence[tuple[UUID, str]],
    price_lists: Sequence[PriceListInfo],
    *,
    treatment: CatalogTreatment | None = None,
    prices: Mapping[UUID, Decimal] | None = None,
) -> TreatmentForm:
    """Return the form of a treatment (a new one without) with a price field for each price list."""
    fields = {_price_name(price_list): _price_field(price_list) for price_list in price_lists}
    made = type("PricedTreatmentForm", (TreatmentForm,), {"price_lists": tuple(price_lists), **fields})
    known = {_price_name(price_list): (prices or {}).get(price_list.id) for price_list in price_lists}
    return cast(TreatmentForm, made(obj=treatment, data=known, categories=categories))


def _price_name(price_list: PriceListInfo) -> str:
    return f"price_{price_list.id.hex}"


def _price_field(price_list: PriceListInfo) -> PriceField:
    label = _l("Unit price in %(currency)s", currency=price_list.currency)
    return PriceField(label, low=Decimal(0), description=price_list.name)


def _check_teeth(field: LineField, jaw: Arch) -> None:
    try:
        teeth = parse_teeth(str(field.data or ""))
    except TeethError as error:
        raise ValidationError(_("Write teeth as 11-13, 21: %(value)s is not one.", value=error.value)) from error
    if any(arch(tooth) is not jaw or is_primary(tooth) for tooth in teeth):
        raise ValidationError(_("Only permanent teeth of this jaw fit here."))
