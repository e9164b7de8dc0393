"""What a draft holds, written and compared: its own columns, its totals, lines, options and visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from portal.core.database import current_session
from portal.offers.lines import PricedLine
from portal.offers.models import Offer, Treatment, TreatmentTooth
from portal.offers.options import TypedOption, drop_options, lines_of, main_label, store_options, stored_options
from portal.offers.queries import list_options, list_visits
from portal.offers.totals import offer_totals
from portal.offers.visits import TypedVisit, store_visits, stored_visits

_CONTENT = (
    "catalog_id", "code", "name", "scope", "arch", "quantity", "unit_price", "discount_kind", "discount_value",
    "vat_rate", "is_included", "offer_discount", "brand", "material", "abutment", "visit_no", "healing_days",
    "warranty_months",
)  # fmt: skip


def set_values(
    offer: Offer, values: Mapping[str, Any], lines: Sequence[PricedLine], options: Sequence[TypedOption]
) -> None:
    """Set an offer's own columns and its totals: those of its main option where it has options."""
    for name, value in values.items():
        setattr(offer, name, value)
    counted = lines_of(main_label(options), lines)
    totals = offer_totals([line.amounts for line in counted], prices_include_vat=offer.prices_include_vat)
    offer.subtotal, offer.discount_total = totals.subtotal, totals.discount
    offer.net_total, offer.vat_total, offer.grand_total = totals.net, totals.vat, totals.gross


def store_parts(
    offer: Offer, lines: Sequence[PricedLine], options: Sequence[TypedOption], visits: Sequence[TypedVisit]
) -> None:
    """Write the lines, options and visits of an offer that is stored, in place of those it had."""
    store_visits(offer.id, visits)
    ids = store_options(offer.id, options)
    offer.lines = [
        make_line(line, position, ids.get(line.option) if line.option else None) for position, line in enumerate(lines)
    ]
    current_session().flush()
    drop_options(offer.id, keep=ids)


def part_changes(
    offer: Offer, lines: Sequence[PricedLine], options: Sequence[TypedOption], visits: Sequence[TypedVisit]
) -> Mapping[str, Sequence[Any] | None]:
    """Return what the log tells of changed lines, options and visits: that they changed, or how many there are.

    Never which treatments, nor what an option is called: they are health data (law 6698, art. 6), and nothing can be
    taken out of the log again.
    """
    rows = list_options(offer.id)
    labels = {row.id: row.label for row in rows}
    before = [(labels.get(line.option_id) if line.option_id else None, _content(line)) for line in offer.lines]
    after = [(line.option, _content(make_line(line, position))) for position, line in enumerate(lines)]
    return {
        **_changed("lines", "line_count", before, after),
        **_changed("options", "option_count", stored_options(rows), options),
        **_changed("visits", "visit_count", stored_visits(list_visits(offer.id)), visits),
    }


def _changed(
    name: str, counted: str, before: Sequence[Any], after: Sequence[Any]
) -> Mapping[str, Sequence[Any] | None]:
    if list(before) == list(after):
        return {}
    return {name: None} if len(before) == len(after) else {counted: [len(before), len(after)]}


def _content(line: Treatment) -> tuple[Any, ...]:
    teeth = [(tooth.tooth, tooth.role, tooth.surfaces) for tooth in line.teeth]
    return teeth, *(getattr(line, name) for name in _CONTENT)


def make_line(line: PricedLine, position: int, option_id: UUID | None = None) -> Treatment:
    """Return a line as a row that belongs to no offer yet."""
    amounts, totals = line.amounts, line.totals
    return Treatment(
        catalog_id=line.catalog_id, code=line.code, name=line.name, scope=line.scope, arch=line.arch,
        position=position, quantity=amounts.quantity, unit_price=amounts.unit_price,
        discount_kind=amounts.discount_kind, discount_value=amounts.discount_value, vat_rate=amounts.vat_rate,
        line_base=totals.base, line_discount=totals.discount, line_net=totals.net, line_vat=totals.vat,
        line_gross=totals.gross, offer_discount=amounts.offer_discount, option_id=option_id,
        visit_no=line.visit_no, healing_days=line.healing_days, warranty_months=line.warranty_months,
        is_included=line.is_included, brand=line.brand, material=line.material,
        abutment=line.abutment, vat_class=line.vat_class, vat_exemption_code=line.vat_exemption_code,
        teeth=[
            TreatmentTooth(tooth=tooth, position=place, role=line.role(tooth), surfaces=line.surfaces)
            for place, tooth in enumerate(line.teeth)
        ],
    )  # fmt: skip
