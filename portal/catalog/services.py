"""Writing the catalogue: adding and changing treatments with their prices.

A treatment is never deleted, since offers point to it; switched off, it is no longer offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.exc import IntegrityError

from portal.catalog.enums import Pricing, Scope
from portal.catalog.models import CatalogTreatment, PriceListItem
from portal.catalog.queries import PriceListInfo, find_by_code, list_items, next_position, treatment_prices
from portal.core import audit
from portal.core.audit import Actor, Changes
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import StaleVersionError

Prices = Mapping[PriceListInfo, Decimal | None]
UNIQUE_VIOLATION = "23505"  # PostgreSQL's SQLSTATE

# What a price can count, given what the treatment is done to; the rest goes with everything.
PRICED_SCOPES: Mapping[str, frozenset[Scope]] = {
    Pricing.PER_TOOTH: frozenset({Scope.TOOTH, Scope.MULTI}),
    Pricing.PER_SURFACE: frozenset({Scope.TOOTH}),
    Pricing.PER_ROLE: frozenset({Scope.MULTI}),
    Pricing.PER_ARCH: frozenset({Scope.ARCH, Scope.MOUTH}),
}


class CodeTakenError(Exception):
    """Another treatment of the clinic has this code."""


def create_treatment(actor: Actor, *, values: Mapping[str, Any], prices: Prices) -> CatalogTreatment:
    """Add a treatment at the end of its heading, with its prices.

    Saved a second time with the same values, it returns the one made the first time. Raises
    CodeTakenError where another treatment has the code; the database decides, so also in a race.
    """
    session = current_session()
    treatment = CatalogTreatment(**values, position=next_position(values["category_id"]))
    try:
        with session.begin_nested():
            session.add(treatment)
            session.flush()
            audit.record(actor, "treatment.created", treatment, changes=_set_prices(treatment, {}, prices))
    except IntegrityError as error:
        _refuse_unless_code(error)
        known = find_by_code(values["code"])
        if known is None or not _same(known, values, prices):
            raise CodeTakenError from error
        return known
    return treatment


def update_treatment(
    actor: Actor, treatment: CatalogTreatment, *, version: int, values: Mapping[str, Any], prices: Prices
) -> None:
    """Change a treatment and its prices; without a difference nothing is written.

    Raises StaleVersionError where somebody saved something else before, with the treatment read as it
    stands now; CodeTakenError where another treatment has the code.
    """
    session = current_session()
    session.refresh(treatment, with_for_update=True)  # so that of two editors the second sees what the first saved
    if _same(treatment, values, prices):
        return
    if treatment.version != version:
        raise StaleVersionError
    items = list_items(treatment.id)
    if treatment.category_id != values["category_id"]:
        values = {**values, "position": next_position(values["category_id"])}
    try:
        with session.begin_nested():
            treatment.updated_at = now()  # prices alone must count as a change of it, so that its version moves
            for name, value in values.items():
                setattr(treatment, name, value)
            changes = {**audit.changes_of(treatment), **_set_prices(treatment, items, prices)}
            audit.record(actor, "treatment.changed", treatment, changes=changes)
            session.flush()
    except IntegrityError as error:
        _refuse_unless_code(error)
        raise CodeTakenError from error


def record_export(actor: Actor, wanted: Mapping[str, str], *, count: int) -> None:
    """Log that the catalogue left the portal as a file: how many rows, and by which filters."""
    changes = {name: [None, value] for name, value in {**wanted, "rows": count}.items()}
    audit.record(actor, "catalog.exported", CatalogTreatment, changes=changes)


def _set_prices(treatment: CatalogTreatment, items: Mapping[Any, PriceListItem], prices: Prices) -> Changes:
    """Make the items of a treatment what ``prices`` says and return what that changed."""
    session, changes = current_session(), Changes()
    for price_list, wanted in prices.items():
        item = items.get(price_list.id)
        before = item.unit_price if item else None
        if wanted == before:
            continue
        changes[price_list.log_key] = [before, wanted]
        if item is None:
            session.add(PriceListItem(price_list_id=price_list.id, catalog_id=treatment.id, unit_price=wanted))
        elif wanted is None:
            session.delete(item)
        else:
            item.unit_price = wanted
    return changes


def _same(known: CatalogTreatment, values: Mapping[str, Any], prices: Prices) -> bool:
    stored = treatment_prices(known.id)
    same = all(getattr(known, name) == value for name, value in values.items())
    return same and all(stored.get(price_list.id) == price for price_list, price in prices.items())


def _refuse_unless_code(error: IntegrityError) -> None:
    """Raise ``error`` again unless it says that the code is taken: the one thing a form can collide with."""
    if getattr(error.orig, "sqlstate", None) != UNIQUE_VIOLATION:
        raise error
