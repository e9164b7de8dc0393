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

from portal.catalog.enums import Dentition, Pricing, Scope, VatClass
from portal.catalog.queries import list_choices, list_treatments, prices, vat_rates
from portal.catalog.teeth import TeethError, TeethProblem, is_primary, parse_teeth
from portal.offers.lines import LineError as LineError
from portal.offers.lines import PricedLine as PricedLine
from portal.offers.lines import TypedLine as TypedLine
from portal.offers.lines import pontics_of, surfaces_of
from portal.offers.models import Jaw
from portal.offers.totals import LineInput, LineTotals, TotalsError, TotalsProblem, line_totals

_BY_TEETH = frozenset({Pricing.PER_TOOTH, Pricing.PER_ROLE, Pricing.PER_SURFACE})
TOOTH_SCOPES = frozenset({Scope.TOOTH, Scope.MULTI})
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


class PriceBook:
    """The catalogue, prices and VAT rates that lines are filled from: three queries, read once.

    ``kept`` are treatments an offer has already: it keeps them, also where they are offered no more.
    """

    def __init__(
        self, currency: str, on: date, language: str, *, prices_include_vat: bool, kept: Collection[UUID] = ()
    ) -> None:
        self.currency = currency
        rows = list_treatments() if kept else list_choices()
        self.treatments: dict[UUID, Any] = {row.id: row for row in rows if row.is_active or row.id in kept}
        self.prices = prices(currency, on)
        self.rates = vat_rates(on)
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
        amounts = LineInput(
            quantity=typed.quantity if typed.quantity is not None else _quantity(row, teeth, typed.arch),
            unit_price=self._unit_price(typed, row),
            discount_kind=typed.discount_kind if typed.discount_value else None,
            discount_value=typed.discount_value or None,
            vat_rate=self._vat_rate(typed, row),
        )
        name = typed.name or (self.name(row) if row else "")
        arch = None if scope in TOOTH_SCOPES else typed.arch
        return PricedLine(
            typed.catalog_id, row.code if row else None, name, scope, arch, teeth, amounts, self._totals(amounts),
            surfaces=surfaces_of(typed, Pricing(row.pricing) if row else None) if teeth else None,
            pontics=pontics_of(typed, scope, teeth),
            brand=typed.brand, material=typed.material, abutment=typed.abutment, is_included=typed.included,
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

    def _unit_price(self, typed: TypedLine, row: Any | None) -> Decimal:
        if typed.unit_price is not None:
            return typed.unit_price
        known = self.prices.get(row.id) if row else None
        if known is None:
            raise LineError("unit_price", _("The price list has no price for this. Write one."))
        return known

    def _vat_rate(self, typed: TypedLine, row: Any | None) -> Decimal:
        if typed.vat_rate is not None:
            return typed.vat_rate
        rate = self.rates.get(VatClass(row.vat_class) if row else VatClass.TREATMENT)
        if rate is None:
            raise LineError("vat_rate", _("No VAT rule covers this day. Write the rate."))
        return rate

    def _totals(self, amounts: LineInput) -> LineTotals:
        try:
            return line_totals(amounts, prices_include_vat=self.prices_include_vat)
        except TotalsError as error:
            field = error.field or "unit_price"
            raise LineError(field, str(_TOTALS_MESSAGES.get(error.reason, _l("This cannot be right.")))) from error


def _scope(typed: TypedLine, row: Any | None, teeth: Sequence[int]) -> Scope:
    if row is not None:
        return Scope(row.scope)
    return Scope.TOOTH if teeth else Scope.ARCH if typed.arch else Scope.MOUTH


def _quantity(row: Any | None, teeth: Sequence[int], arch: Jaw | None) -> Decimal:
    pricing = Pricing(row.pricing) if row else Pricing.PER_TOOTH if teeth else Pricing.PER_ARCH
    if pricing in _BY_TEETH and teeth:
        return Decimal(len(teeth))
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
