"""One line of an offer on its way from the form to the database: as typed, then complete."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from flask_babel import gettext as _

from portal.catalog.enums import Pricing, Scope, ToothRole
from portal.catalog.teeth import TeethError, parse_teeth
from portal.core.text import fold
from portal.offers.models import Jaw
from portal.offers.totals import DiscountKind, LineInput, LineTotals

SURFACES = "MODVL"
# As colleagues write them in other notations: buccal and vestibular, palatal and lingual, incisal and occlusal.
_SURFACE_LETTERS = {**{letter.lower(): letter for letter in SURFACES}, "b": "V", "f": "V", "p": "L", "i": "O"}


class LineError(ValueError):
    """A line cannot be made; ``field`` is the one at fault, ``message`` says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


@dataclass(frozen=True)
class TypedLine:
    """One line as typed; None is what was left empty."""

    catalog_id: UUID | None
    name: str | None
    teeth: str
    arch: Jaw | None
    quantity: Decimal | None
    unit_price: Decimal | None
    discount_kind: DiscountKind
    discount_value: Decimal | None
    vat_rate: Decimal | None
    surfaces: str = ""
    pontics: str = ""
    brand: str | None = None
    material: str | None = None
    abutment: str | None = None
    included: bool = False
    option: str = ""  # the label of the one it is part of; "": of all
    visit_no: int | None = None
    healing_days: int | None = None
    warranty_months: int | None = None


@dataclass(frozen=True)
class PricedLine:
    """A complete line with its amounts."""

    catalog_id: UUID | None
    code: str | None
    name: str
    scope: Scope
    arch: Jaw | None
    teeth: tuple[int, ...]
    amounts: LineInput
    totals: LineTotals
    surfaces: str | None = None
    pontics: frozenset[int] = frozenset()
    brand: str | None = None
    material: str | None = None
    abutment: str | None = None
    is_included: bool = False
    vat_class: str | None = None
    vat_exemption_code: str | None = None
    option: str | None = None
    visit_no: int | None = None
    healing_days: int | None = None
    warranty_months: int | None = None
    sittings: int | None = None  # how often she comes for it, by the catalogue

    def role(self, tooth: int) -> ToothRole:
        """Return what a tooth is in this line."""
        if self.scope is not Scope.MULTI:
            return ToothRole.UNIT
        return ToothRole.PONTIC if tooth in self.pontics else ToothRole.PILLAR


def read_surfaces(text: str) -> str | None:
    """Return surfaces as MODVL in the usual order, from any notation; None where ``text`` is something else."""
    found = [_SURFACE_LETTERS.get(letter, "") for letter in fold(text)]
    if not found or len(found) != len(set(found)) or "" in found:
        return None
    return "".join(letter for letter in SURFACES if letter in found)


def surfaces_of(typed: TypedLine, pricing: Pricing | None) -> str | None:
    """Return the surfaces of a line; raises LineError for anything else, or where there are none to name."""
    if not typed.surfaces:
        return None
    found = read_surfaces(typed.surfaces)
    if found is None:
        raise LineError("surfaces", _("Write the surfaces with the letters M, O, D, V and L, each once."))
    if pricing not in (None, Pricing.PER_SURFACE):
        raise LineError("surfaces", _("This treatment has no surfaces."))
    return found


def pontics_of(typed: TypedLine, scope: Scope, teeth: tuple[int, ...]) -> frozenset[int]:
    """Return the teeth of a bridge that are carried: the typed ones, else those between its two ends."""
    if scope is not Scope.MULTI:
        if typed.pontics:
            raise LineError("pontics", _("Only a bridge has pontics."))
        return frozenset()
    if not typed.pontics:
        return frozenset(teeth[1:-1])
    try:
        found = frozenset(parse_teeth(typed.pontics))
    except TeethError:
        raise LineError("pontics", _("Write teeth of the bridge, like 14, 15.")) from None
    if not found < frozenset(teeth):
        raise LineError("pontics", _("Pontics are teeth of the bridge, and one of them must carry it."))
    return found
