"""From what is typed in the editor to priced lines: what is left empty is filled from the catalogue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.catalog.enums import Dentition, PriceVariant, Pricing, Residency, Scope, VatClass
from portal.catalog.pricing import choose_price_list, prices_of_list, variants_of_list, vat_of
from portal.catalog.queries import list_choices, list_treatments, prices, vat_rates
from portal.catalog.teeth import TeethError, TeethProblem, is_primary, parse_teeth, quadrant
from portal.offers.lines import LineError as LineError
from portal.offers.lines import PricedLine as PricedLine
from portal.offers.lines import TypedLine as TypedLine
from portal.offers.lines import pontics_of, surfaces_of
from portal.offers.models import Jaw
from portal.offers.totals import LineInput, LineTotals, TotalsError, TotalsProblem, line_totals

_BY_TEETH = frozenset({Pricing.PER_TOOTH, Pricing.PER_ROLE, Pricing.PER_SURFACE})
TOOTH_SCOPES = frozenset({Scope.TOOTH, Scope.MULTI})
_BY_SURFACES: dict[int, PriceVariant | None] = {1: None, 2: PriceVariant.SURFACES_2}
_TEETH_MESSAGES: dict[TeethProblem, LazyString] = {
    TeethProblem.UNKNOWN_TOOTH: _l("%(value)s is not an FDI tooth number."),
    TeethProblem.BAD_RANGE: _l("%(value)s is not a range along one arch. Write 11-13 or 13-23."),
    TeethProblem.DUPLICATE: _l("Tooth %(value)s is named twice."),
    TeethProblem.SYNTAX: _l("%(value)s cannot be read. Write teeth like 11-13, 21, 36."),
    TeethProblem.TOO_MANY: _l("That is more than 32 teeth."),
}
_TOTALS_MESSAGES: dict[TotalsProblem, LazyString] = {
    TotalsProblem.ZERO_QUANTITY: _l("It must be more than zero."),
    TotalsProblem.TOO_LARGE: _l("This is too large."),
    TotalsProblem.TOO_PRECISE: _l("Use at most two decimals."),
    TotalsProblem.DISCOUNT_ABOVE_BASE: _l("The discount is larger than the price."),
}


def totals_message(error: TotalsError) -> str:
    """Say why an amount is refused."""
    return str(_TOTALS_MESSAGES.get(error.reason, _l("This cannot be right.")))


class PriceBook:
    """The catalogue, prices and VAT rates that lines are filled from, read once.

    ``audience`` chooses the price list; None takes the one usual for the currency. ``residency`` decides on
    exemptions from VAT.
    ``kept`` are treatments an offer has already: it keeps them, also where they are offered no more.
    """

    def __init__(
        self, currency: str, on: date, language: str, *, prices_include_vat: bool, kept: Collection[UUID] = (),
        audience: str | None = None, residency: str = Residency.RESIDENT,
    ) -> None:  # fmt: skip
        self.currency = currency
        rows = list_treatments() if kept else list_choices()
        self.treatments: dict[UUID, Any] = {row.id: row for row in rows if row.is_active or row.id in kept}
        self.price_list_id = choose_price_list(audience, currency, on) if audience else None
        self.prices = {} if audience else prices(currency, on)
        if self.price_list_id:
            self.prices = prices_of_list(self.price_list_id)
        self.variants = variants_of_list(self.price_list_id) if self.price_list_id else {}
        self.rates = vat_rates(on)
        self.exemptions = _exemptions(residency, on)
        self.language = language
        self.prices_include_vat = prices_include_vat

    def name(self, row: Any) -> str:
        """Return a treatment's name in the offer's language."""
        return str(row.name_tr if self.language == "tr" else row.name_en)

    def price_line(self, typed: TypedLine) -> PricedLine:
        """Complete and compute a line; raises LineError."""
        row = self._treatment(typed)
        teeth = self._teeth(typed, row)
        scope = _scope(typed, row, teeth)
        if scope is Scope.ARCH and typed.arch is None:
            raise LineError("arch", _("Choose the upper jaw, the lower jaw or both."))
        surfaces = surfaces_of(typed, Pricing(row.pricing) if row else None) if teeth else None
        pontics = pontics_of(typed, scope, teeth)
        usual, unit_price = self._price(typed, row, _places(row, teeth, surfaces, pontics))
        vat_class = VatClass(row.vat_class) if row else VatClass.TREATMENT
        amounts = LineInput(
            quantity=typed.quantity if typed.quantity is not None else usual or _quantity(row, teeth, typed.arch),
            unit_price=unit_price,
            discount_kind=typed.discount_kind if typed.discount_value else None,
            discount_value=typed.discount_value or None,
            vat_rate=self._vat_rate(typed, vat_class),
        )
        name = typed.name or (self.name(row) if row else "")
        return PricedLine(
            typed.catalog_id, row.code if row else None, name, scope, None if scope in TOOTH_SCOPES else typed.arch,
            teeth, amounts, self._totals(amounts), surfaces=surfaces, pontics=pontics, brand=typed.brand,
            material=typed.material, abutment=typed.abutment, is_included=typed.included, vat_class=vat_class,
            vat_exemption_code=None if amounts.vat_rate else self.exemptions.get(vat_class),
            option=typed.option or None, visit_no=typed.visit_no, sittings=row.visits if row else None,
            healing_days=_given(typed.healing_days, row.healing_days if row else None),
            warranty_months=_given(typed.warranty_months, row.warranty_months if row else None),
        )  # fmt: skip

    def _treatment(self, typed: TypedLine) -> Any | None:
        if typed.catalog_id is None:
            if not typed.name:
                raise LineError("catalog_id", _("Choose a treatment, or write what it is."))
            return None
        row = self.treatments.get(typed.catalog_id)
        if row is None:
            raise LineError("catalog_id", _("This treatment is not offered any more. Choose another one."))
        return row

    def _teeth(self, typed: TypedLine, row: Any | None) -> tuple[int, ...]:
        try:
            teeth = parse_teeth(typed.teeth)
        except TeethError as error:
            raise LineError("teeth", str(_TEETH_MESSAGES[error.code]) % {"value": error.value}) from error
        if row is not None:
            if Scope(row.scope) in TOOTH_SCOPES and not teeth:
                raise LineError("teeth", _("Which teeth? Write them like 11-13, 21, 36."))
            _check_allowed(teeth, row)
        return teeth

    def _price(
        self, typed: TypedLine, row: Any | None, places: Sequence[PriceVariant | None]
    ) -> tuple[Decimal | None, Decimal]:
        """Return the unit price, and the quantity it is for where the teeth of one line differ in price."""
        if typed.included:
            return None, Decimal(0)
        if typed.unit_price is not None:
            return None, typed.unit_price
        known = self.prices.get(row.id) if row else None
        if known is None or row is None:
            raise LineError("unit_price", _("The price list has no price for this. Write one."))
        each = [self.variants.get((row.id, variant), known) if variant else known for variant in places]
        if len(set(each)) > 1:
            return Decimal(1), sum(each, Decimal(0))
        return None, each[0] if each else known

    def _vat_rate(self, typed: TypedLine, vat_class: VatClass) -> Decimal:
        if typed.vat_rate is not None:
            return typed.vat_rate
        if vat_class in self.exemptions:
            return Decimal(0)
        rate = self.rates.get(vat_class)
        if rate is None:
            raise LineError("vat_rate", _("No VAT rule covers this day. Write the rate."))
        return rate

    def _totals(self, amounts: LineInput) -> LineTotals:
        try:
            return line_totals(amounts, prices_include_vat=self.prices_include_vat)
        except TotalsError as error:
            field = error.field or "unit_price"
            raise LineError(field, totals_message(error)) from error


def _given(typed: int | None, usual: int | None) -> int | None:
    return usual if typed is None else typed


def _exemptions(residency: str, on: date) -> dict[VatClass, str]:
    """Return VAT class -> code of the exemption that holds for a patient of a residence."""
    if residency == Residency.RESIDENT:
        return {}
    codes = {vat_class: vat_of(vat_class, residency, on)[1] for vat_class in VatClass}
    return {vat_class: code for vat_class, code in codes.items() if code}


def _places(
    row: Any | None, teeth: Sequence[int], surfaces: str | None, pontics: Collection[int]
) -> list[PriceVariant | None]:
    """Return which price each tooth of a line has, None for the unit price."""
    pricing = Pricing(row.pricing) if row else None
    if pricing is Pricing.PER_SURFACE and surfaces:
        return [_BY_SURFACES.get(len(surfaces), PriceVariant.SURFACES_3)] * len(teeth)
    if pricing is Pricing.PER_ROLE:
        return [PriceVariant.PONTIC if tooth in pontics else None for tooth in teeth]
    return []


def _scope(typed: TypedLine, row: Any | None, teeth: Sequence[int]) -> Scope:
    if row is not None:
        return Scope(row.scope)
    return Scope.TOOTH if teeth else Scope.ARCH if typed.arch else Scope.MOUTH


def _quantity(row: Any | None, teeth: Sequence[int], arch: Jaw | None) -> Decimal:
    pricing = Pricing(row.pricing) if row else Pricing.PER_TOOTH if teeth else Pricing.PER_ARCH
    if pricing in _BY_TEETH and teeth:
        return Decimal(len(teeth))
    if row and Scope(row.scope) is Scope.QUADRANT and teeth:
        return Decimal(len({quadrant(tooth) for tooth in teeth}))
    return Decimal(2) if pricing is Pricing.PER_ARCH and arch is Jaw.BOTH else Decimal(1)


def _check_allowed(teeth: Sequence[int], row: Any) -> None:
    for tooth in teeth:
        if row.allowed_teeth and tooth not in row.allowed_teeth:
            allowed = ", ".join(str(number) for number in row.allowed_teeth)
            raise LineError("teeth", _("This treatment is for the teeth %(allowed)s only.", allowed=allowed))
        if row.dentition != Dentition.BOTH and is_primary(tooth) != (row.dentition == Dentition.PRIMARY):
            milk = row.dentition == Dentition.PRIMARY
            kind = _("primary teeth (51 to 85)") if milk else _("permanent teeth (11 to 48)")
            raise LineError("teeth", _("This treatment is for %(kind)s only.", kind=kind))
