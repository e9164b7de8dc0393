"""Writing what a treatment's own page does not ask: other languages, aliases, brands, visits, and further prices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.catalog.enums import PriceVariant, Pricing
from portal.catalog.models import CatalogTreatment, PriceListVariant
from portal.catalog.queries import PriceListInfo
from portal.core import audit
from portal.core.audit import Actor, Changes
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import StaleVersionError

VariantPrices = Mapping[tuple[PriceListInfo, PriceVariant], Decimal | None]

# Which prices a treatment has besides its unit price.
VARIANTS: Mapping[str, tuple[PriceVariant, ...]] = {
    Pricing.PER_SURFACE: (PriceVariant.SURFACES_2, PriceVariant.SURFACES_3),
    Pricing.PER_ROLE: (PriceVariant.PONTIC,),
}


def list_variants(treatment_id: UUID) -> dict[tuple[UUID, str], PriceListVariant]:
    """Return (price_list_id, variant) -> price row of one treatment, as stored now."""
    statement = sa.select(PriceListVariant).where(PriceListVariant.catalog_id == treatment_id)
    rows = current_session().scalars(statement, execution_options={"populate_existing": True})
    return {(row.price_list_id, row.variant): row for row in rows}


def update_details(
    actor: Actor, treatment: CatalogTreatment, *, version: int, values: Mapping[str, Any], variants: VariantPrices
) -> None:
    """Change a treatment's details; without a difference nothing is written.

    Raises StaleVersionError where somebody saved something else before, with the treatment as it stands now.
    """
    session = current_session()
    session.refresh(treatment, with_for_update=True)
    stored = list_variants(treatment.id)
    changed = {name: value for name, value in values.items() if getattr(treatment, name) != value}
    prices = _price_changes(stored, variants)
    if not changed and not prices:
        return
    if treatment.version != version:
        raise StaleVersionError
    changes: Changes = {name: _logged(name, getattr(treatment, name), value) for name, value in changed.items()}
    for name, value in changed.items():
        setattr(treatment, name, value)
    treatment.updated_at = now()  # prices alone must move its version too
    _set_variants(treatment, stored, variants)
    audit.record(actor, "treatment.changed", treatment, changes={**changes, **prices})
    session.flush()


def _logged(name: str, old: Any, new: Any) -> list[Any] | None:
    """Return what the log says of a change; long texts only as changed."""
    if name == "about":
        return None
    return [", ".join(value) if isinstance(value, list) else value for value in (old, new)]


def _price_changes(stored: Mapping[tuple[UUID, str], PriceListVariant], wanted: VariantPrices) -> Changes:
    changes: Changes = {}
    for (price_list, variant), price in wanted.items():
        row = stored.get((price_list.id, variant))
        before = row.unit_price if row else None
        if before != price:
            changes[f"{price_list.log_key} {variant}"] = [before, price]
    return changes


def _set_variants(
    treatment: CatalogTreatment, stored: Mapping[tuple[UUID, str], PriceListVariant], wanted: VariantPrices
) -> None:
    session = current_session()
    for (price_list, variant), price in wanted.items():
        row = stored.get((price_list.id, variant))
        if row is None and price is not None:
            session.add(
                PriceListVariant(
                    price_list_id=price_list.id, catalog_id=treatment.id, variant=variant, unit_price=price
                )
            )
        elif row is not None and price is None:
            session.delete(row)
        elif row is not None and price is not None:
            row.unit_price = price
