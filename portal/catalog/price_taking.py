"""Taking many prices into one price list at once, and telling that a list left the portal as a file."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.catalog.models import CatalogTreatment, PriceList, PriceListItem, PriceListVariant
from portal.catalog.pricing import prices_of_list, variants_of_list
from portal.catalog.queries import list_price_lists
from portal.core import audit
from portal.core.audit import Actor, Changes
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import StaleVersionError

Key = tuple[UUID, str | None]  # a treatment, and the variant a price is for; None: its unit price


def stored_prices(price_list_id: UUID) -> dict[Key, Decimal]:
    """Return every price of a list, unit prices and further ones."""
    units: dict[Key, Decimal] = {(key, None): price for key, price in prices_of_list(price_list_id).items()}
    return units | variants_of_list(price_list_id)


def version_of(prices: Mapping[Key, Decimal]) -> str:
    """Return what changes as soon as any of a list's prices does."""
    lines = sorted(f"{treatment} {variant or ''} {price}" for (treatment, variant), price in prices.items())
    return sha256("\n".join(lines).encode()).hexdigest()


def take_prices(actor: Actor, price_list: PriceList, *, version: str, wanted: Mapping[Key, Decimal]) -> int:
    """Make the prices of a list what ``wanted`` says, leave all others, and return how many that changed.

    Raises StaleVersionError where the list's prices are no longer those of ``version``.
    """
    session = current_session()
    treatments = _lock(price_list, {treatment for treatment, _variant in wanted})
    stored = stored_prices(price_list.id)
    if version_of(stored) != version:
        raise StaleVersionError
    changed = {key: price for key, price in wanted.items() if stored.get(key) != price}
    if not changed:
        return 0
    log_key = next(item.log_key for item in list_price_lists() if item.id == price_list.id)
    logged: dict[UUID, Changes] = {}
    for (treatment, variant), price in changed.items():
        name = f"{log_key} {variant}" if variant else log_key
        logged.setdefault(treatment, {})[name] = [stored.get((treatment, variant)), price]
    _set_prices(price_list.id, changed)
    for treatment_id, changes in logged.items():
        treatments[treatment_id].updated_at = now()  # so that its version moves, as with a price typed in its form
        audit.record(actor, "treatment.changed", treatments[treatment_id], changes=changes)
    audit.record(actor, "price_list.imported", price_list, changes={"prices": [None, len(changed)]})
    session.flush()
    return len(changed)


def record_export(actor: Actor, price_list: PriceList, *, count: int) -> None:
    """Log that a price list left the portal as a file."""
    audit.record(actor, "price_list.exported", price_list, changes={"rows": [None, count]})


def _lock(price_list: PriceList, treatment_ids: set[UUID]) -> dict[UUID, CatalogTreatment]:
    """Let nobody else change the list or these treatments until the end; the weaker lock lets prices point to them."""
    session = current_session()
    session.refresh(price_list, with_for_update={"key_share": True})
    statement = (
        sa.select(CatalogTreatment)
        .where(CatalogTreatment.id.in_(treatment_ids))
        .order_by(CatalogTreatment.id)
        .with_for_update(key_share=True)
    )
    rows = session.scalars(statement, execution_options={"populate_existing": True})
    return {row.id: row for row in rows}


def _set_prices(price_list_id: UUID, wanted: Mapping[Key, Decimal]) -> None:
    """Write prices, over those that are there."""
    session = current_session()
    rows: dict[Key, Any] = {}
    for item in session.scalars(sa.select(PriceListItem).where(PriceListItem.price_list_id == price_list_id)):
        rows[item.catalog_id, None] = item
    for further in session.scalars(sa.select(PriceListVariant).where(PriceListVariant.price_list_id == price_list_id)):
        rows[further.catalog_id, further.variant] = further
    for (treatment, variant), price in wanted.items():
        row = rows.get((treatment, variant))
        about: dict[str, Any] = {"price_list_id": price_list_id, "catalog_id": treatment, "unit_price": price}
        if row is not None:
            row.unit_price = price
        elif variant is None:
            session.add(PriceListItem(**about))
        else:
            session.add(PriceListVariant(**about, variant=variant))
