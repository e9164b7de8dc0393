"""The form of an offer and of its lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from flask import abort
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, FormField, SelectField, SelectMultipleField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from portal.catalog.enums import Audience, Residency
from portal.catalog.teeth import ALL_TEETH
from portal.core.clock import today
from portal.core.errors import error_page
from portal.core.forms import (
    DayField,
    DecimalField,
    KeyedForm,
    LineField,
    PortalForm,
    RowsField,
    TextField,
    UuidField,
    VersionField,
    choices,
)
from portal.core.identity import current_clinic
from portal.core.money import MAX_AMOUNT, Currency
from portal.offers.editing import TypedLine
from portal.offers.models import Basis, Jaw
from portal.offers.totals import MAX_QUANTITY, DiscountKind

MAX_LINES = 100
TOO_MANY_LINES = (
    _l("That is more lines than an offer has"),
    _l("Go back and take some out, or make a second offer. Nothing was changed."),
)
JAWS = {"": "—", Jaw.UPPER: _l("Upper jaw"), Jaw.LOWER: _l("Lower jaw"), Jaw.BOTH: _l("Both jaws")}
AUDIENCES = {
    Audience.DOMESTIC: _l("Patients at home"), Audience.INTERNATIONAL: _l("Patients from abroad"),
    Audience.PARTNER: _l("Partners"),
}  # fmt: skip
RESIDENCIES = {Residency.RESIDENT: _l("in Türkiye"), Residency.NON_RESIDENT: _l("abroad")}
BASES = {
    Basis.EXAM: _l("an examination"), Basis.OPG: _l("a panoramic X-ray"), Basis.CBCT: _l("a 3D scan (CBCT)"),
    Basis.PHOTOS: _l("photos"),
}  # fmt: skip
DISCOUNTS = {DiscountKind.PERCENT: "%", DiscountKind.AMOUNT: _l("amount")}


class LineForm(FlaskForm):
    """One line. What is left empty comes from the catalogue, the price list and the VAT rules."""

    class Meta:
        """Part of a form that carries the token itself."""

        csrf = False

    catalog_id = SelectField(_l("Treatment"), [Optional()], validate_choice=False)
    name = LineField(_l("Name on the offer"), limit=200)
    teeth = LineField(_l("Teeth"), limit=160)
    arch = SelectField(_l("Jaw"), [Optional()], choices=choices(JAWS.items()))
    quantity = DecimalField(_l("Quantity"), low=Decimal(0), high=MAX_QUANTITY)
    unit_price = DecimalField(_l("Unit price"), low=Decimal(0), high=MAX_AMOUNT)
    discount_value = DecimalField(_l("Discount"), low=Decimal(0), high=MAX_AMOUNT)
    discount_kind = SelectField(_l("Discount type"), choices=choices(DISCOUNTS.items()), default=DiscountKind.PERCENT)
    vat_rate = DecimalField(_l("VAT rate"), low=Decimal(0), high=Decimal(100))
    surfaces = LineField(_l("Surfaces"), limit=12)
    pontics = LineField(_l("Pontics"), limit=100)
    brand = LineField(_l("Brand"), limit=80)
    material = LineField(_l("Material"), limit=80)
    abutment = LineField(_l("Abutment"), limit=80)
    included = BooleanField(_l("Included in a package, at no price of its own"))
    details: ClassVar[tuple[str, ...]] = ("surfaces", "pontics", "brand", "material", "abutment", "included")

    @property
    def has_details(self) -> bool:
        """Whether a field that is folded away says something, or is wrong."""
        return any(self[name].data or self[name].errors for name in self.details)

    @property
    def is_blank(self) -> bool:
        """Whether nothing was entered; such a line is left out."""
        fields = (field for field in self if field is not self.discount_kind)
        return not any(field.data or (field.raw_data and field.raw_data[0].strip()) for field in fields)

    def typed(self) -> TypedLine:
        """Return the line as typed; call after validation."""
        try:
            catalog_id = UUID(self.catalog_id.data) if self.catalog_id.data else None
        except ValueError:
            catalog_id = UUID(int=0)  # never a treatment's: refused where it is looked up
        return TypedLine(
            catalog_id=catalog_id,
            name=self.name.data or None,
            teeth=self.teeth.data or "",
            arch=Jaw(self.arch.data) if self.arch.data else None,
            quantity=self.quantity.data,
            unit_price=self.unit_price.data,
            discount_kind=DiscountKind(self.discount_kind.data),
            discount_value=self.discount_value.data,
            vat_rate=self.vat_rate.data,
            surfaces=self.surfaces.data or "",
            pontics=self.pontics.data or "",
            brand=self.brand.data or None,
            material=self.material.data or None,
            abutment=self.abutment.data or None,
            included=bool(self.included.data),
        )


class LinesField(RowsField):
    """The lines, a few more than may be saved, so that one too many is told beside all of them.

    More than one page shows are refused as a whole (413): WTForms would drop them unseen.
    """

    def _extract_indices(self, prefix: str, formdata: Any) -> Iterator[int]:
        places = set(super()._extract_indices(prefix, formdata))
        if len(places) > self.max_entries:
            abort(error_page(413, page=TOO_MANY_LINES))
        return iter(places)


class OfferForm(KeyedForm):
    """An offer with its lines."""

    version = VersionField(default=0)
    patient_id = UuidField()
    offer_id = UuidField()
    title = LineField(_l("Title"), limit=200, required=True)
    currency = SelectField(_l("Currency"), choices=choices((code, code) for code in Currency))
    valid_until = DayField(_l("Valid until"), required=True)
    audience = SelectField(_l("Price list"), [Optional()], choices=choices(AUDIENCES.items()))
    residency = SelectField(_l("The patient lives"), [Optional()], choices=choices(RESIDENCIES.items()))
    basis = SelectField(_l("The plan rests on"), [Optional()], choices=choices(BASES.items(), empty="—"))
    is_provisional = BooleanField(_l("Provisional until the examination"), default=True)
    discount_value = DecimalField(_l("Discount on the whole offer"), low=Decimal(0), high=MAX_AMOUNT)
    discount_kind = SelectField(_l("Its type"), choices=choices(DISCOUNTS.items()), default=DiscountKind.PERCENT)
    patient_note = TextField(_l("Note for the patient"), limit=5000)
    internal_note = TextField(_l("Note for colleagues"), limit=5000, description=_l("Never shown to the patient."))
    lines = LinesField(FormField(LineForm), max_entries=2 * MAX_LINES)
    entry = TextField(_l("Quick entry"), limit=4000)
    chart = SelectMultipleField(_l("Tooth chart"), choices=choices((n, n) for n in ALL_TEETH), validate_choice=False)

    def set_treatments(self, groups: dict[str, list[SelectChoice]]) -> None:
        """Offer these treatments, grouped by heading, in every line; call again after adding lines."""
        for entry in self.lines:
            entry.form.catalog_id.choices = {"": choices([], empty=_("Other: write its name")), **groups}

    @property
    def ticked(self) -> list[int]:
        """The teeth ticked in the chart."""
        chosen = set(self.chart.data or ())
        return [tooth for tooth in ALL_TEETH if str(tooth) in chosen]

    def validate_valid_until(self, field: DayField) -> None:
        """Accept today and later, up to five years."""
        now_here = today(current_clinic().timezone)
        if field.data and not now_here <= field.data <= date(now_here.year + 5, 12, 31):
            raise ValidationError(_("An offer is valid from today on, for five years at most."))

    def values(self) -> dict[str, Any]:
        """Return the offer's own columns; call after validation."""
        return {
            "title": self.title.data,
            "currency": self.currency.data,
            "valid_until": self.valid_until.data,
            "patient_note": self.patient_note.data or None,
            "internal_note": self.internal_note.data or None,
            "basis": self.basis.data or None,
            "discount_kind": self.discount_kind.data if self.discount_value.data else None,
            "discount_value": self.discount_value.data or None,
            "is_provisional": bool(self.is_provisional.data),
        }


class MoveForm(PortalForm):
    """The status an offer goes to."""

    status_id = UuidField()


class AssignForm(PortalForm):
    """The number of a patient the offer is shown to as well."""

    patient_no = LineField(_l("Patient number"), limit=20, required=True)


class VisibilityForm(PortalForm):
    """Whether a patient may see the offer: "yes" or "no"."""

    visible = SelectField(choices=choices([("yes", "yes"), ("no", "no")]))
