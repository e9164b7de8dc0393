"""The rows of an offer's form: its lines, and the options among which the patient chooses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from flask import abort
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from portal.catalog.forms import CountField
from portal.core.errors import error_page
from portal.core.forms import DayField, DecimalField, LineField, RowForm, RowsField, choices
from portal.core.money import MAX_AMOUNT
from portal.offers.editing import TypedLine
from portal.offers.models import Jaw
from portal.offers.options import TypedOption
from portal.offers.totals import MAX_QUANTITY, DiscountKind
from portal.offers.visits import MOST_VISITS, TypedVisit

MAX_LINES = 100
TOO_MANY_LINES = (
    _l("That is more lines than an offer has"),
    _l("Go back and take some out, or make a second offer. Nothing was changed."),
)
JAWS = {"": "—", Jaw.UPPER: _l("Upper jaw"), Jaw.LOWER: _l("Lower jaw"), Jaw.BOTH: _l("Both jaws")}
DISCOUNTS = {DiscountKind.PERCENT: "%", DiscountKind.AMOUNT: _l("amount")}


def option_choices(options: Sequence[TypedOption], *, empty: str | None = None) -> list[SelectChoice]:
    """Return an offer's options as choices, after what it means to choose none of them."""
    named = [
        (row.label, f"{row.label}: {row.title}" if row.title else _("Option %(label)s", label=row.label))
        for row in options
    ]  # fmt: skip
    return choices(named, empty=empty or _("All options"))


class LineForm(RowForm):
    """One line. What is left empty comes from the catalogue, the price list and the VAT rules."""

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
    visit_no = CountField(_l("Visit"), low=1, high=MOST_VISITS)
    healing_days = CountField(_l("Healing in days"), low=0, high=720)
    warranty_months = CountField(_l("Warranty in months"), low=0, high=600)
    parts_of = HiddenField()
    option = SelectField(_l("Part of"), [Optional()], validate_choice=False)
    details: ClassVar[tuple[str, ...]] = (
        "surfaces", "pontics", "brand", "material", "abutment", "included", "visit_no", "healing_days",
        "warranty_months",
    )  # fmt: skip

    def set_choices(self, groups: dict[str, list[SelectChoice]], options: Sequence[TypedOption]) -> None:
        """Offer the treatments, grouped by heading, and the options a line may be part of."""
        self.catalog_id.choices = {"": choices([], empty=_("Other: write its name")), **groups}
        self.option.choices = option_choices(options)

    @property
    def has_wrong_details(self) -> bool:
        """Whether a field that is folded away is wrong."""
        return any(self[name].errors for name in self.details)

    @property
    def said_details(self) -> list[str]:
        """What the fields that are folded away say."""
        said = [str(self[name].data) for name in ("surfaces", "brand", "material", "abutment") if self[name].data]
        if self.visit_no.data:
            said.append(_("Visit %(number)s", number=self.visit_no.data))
        return [*said, *([_("Included in the package")] if self.included.data else [])]

    @property
    def is_blank(self) -> bool:
        """Whether nothing was entered; such a line is left out."""
        fields = (field for field in self if field not in (self.discount_kind, self.option, self.parts_of))
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
            option=self.option.data or "",
            visit_no=self.visit_no.data,
            healing_days=self.healing_days.data,
            warranty_months=self.warranty_months.data,
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


class OptionForm(RowForm):
    """One way to treat. Its letter comes from its place."""

    title = LineField(_l("Title"), limit=120)


class VisitForm(RowForm):
    """One stay at the clinic. Its number comes from its place."""

    days = CountField(_l("Days"), low=1, high=60)
    gap_days = CountField(_l("Days before it, to heal"), low=0, high=720)
    starts_on = DayField(_l("Proposed first day"))
    note = LineField(_l("Note"), limit=200)

    def typed(self) -> TypedVisit:
        """Return the stay; call after validation."""
        return TypedVisit(
            self.days.data or 1, self.gap_days.data or 0, self.starts_on.data, self.note.data or None
        )  # fmt: skip
