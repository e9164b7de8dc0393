"""A clinic's price lists: made, changed, ended by their last day, and copied with every price moved by a percentage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.catalog.models import CatalogTreatment, PriceList, PriceListItem, PriceListVariant
from portal.catalog.pricing import prices_of_list, variants_of_list
from portal.core import audit
from portal.core.audit import Actor
from portal.core.database import bulk_insert, current_session
from portal.core.errors import NotFoundError
from portal.core.money import MAX_AMOUNT

UNIQUE_VIOLATION = "23505"  # PostgreSQL's SQLSTATE


class NameTakenError(Exception):
    """Another price list of the clinic has this name."""


class PriceTooLargeError(Exception):
    """A price would become larger than the portal can hold."""


class TooEarlyError(Exception):
    """A list that is to follow another begins before that one, or with it."""


@dataclass(frozen=True)
class Move:
    """How a copy's prices differ: by ``percent``, then rounded to a multiple of ``step``.

    ``category_id``: only prices of that heading; the others stay.
    """

    percent: Decimal
    step: Decimal
    category_id: UUID | None = None

    def moved(self, price: Decimal) -> Decimal:
        """Return the new price; raises PriceTooLargeError."""
        exact = price * (100 + self.percent) / 100
        moved = (exact / self.step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * self.step
        if moved > MAX_AMOUNT:
            raise PriceTooLargeError
        return moved


def list_all() -> list[tuple[PriceList, int]]:
    """Return every price list with the number of its prices, the newest first."""
    count = (
        sa.select(PriceListItem.price_list_id, sa.func.count(PriceListItem.id).label("prices"))
        .group_by(PriceListItem.price_list_id)
        .subquery()
    )
    statement = (
        sa.select(PriceList, sa.func.coalesce(count.c.prices, 0))
        .outerjoin(count, count.c.price_list_id == PriceList.id)
        .order_by(PriceList.valid_from.desc(), PriceList.name, PriceList.id)
    )
    return [(row[0], row[1]) for row in current_session().execute(statement)]


def get_price_list(price_list_id: UUID) -> PriceList:
    """Return a price list. Raises NotFoundError, also for another clinic's."""
    found = current_session().scalars(sa.select(PriceList).where(PriceList.id == price_list_id)).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def create_price_list(actor: Actor, *, values: Mapping[str, Any]) -> PriceList:
    """Make an empty price list. Raises NameTakenError."""
    return _add(actor, values, action="price_list.created")


def update_price_list(actor: Actor, price_list: PriceList, *, values: Mapping[str, Any]) -> None:
    """Change a price list's name, audience or days; its currency stays. Raises NameTakenError."""
    session = current_session()
    session.refresh(price_list, with_for_update=True)
    try:
        with session.begin_nested():
            for name, value in values.items():
                setattr(price_list, name, value)
            if changes := audit.changes_of(price_list):
                audit.record(actor, "price_list.changed", price_list, changes=changes)
            session.flush()
    except IntegrityError as error:
        _refuse_unless_name(error)
        raise NameTakenError from error


def treatments_moved(move: Move) -> set[UUID] | None:
    """Return the treatments whose prices move; None for every one."""
    if move.category_id is None:
        return None
    statement = sa.select(CatalogTreatment.id).where(CatalogTreatment.category_id == move.category_id)
    return set(current_session().scalars(statement))


def copy_price_list(
    actor: Actor, source: PriceList, *, values: Mapping[str, Any], move: Move, follows: bool = False
) -> PriceList:
    """Make a list with the prices of another, moved; ``follows``: that one ends the day before.

    Raises NameTakenError, PriceTooLargeError, and TooEarlyError where it cannot follow.
    """
    if follows and values["valid_from"] <= source.valid_from:
        raise TooEarlyError
    some = treatments_moved(move)
    prices = {
        key: move.moved(price) if some is None or key in some else price
        for key, price in prices_of_list(source.id).items()
    }
    variants = {
        key: move.moved(price) if some is None or key[0] in some else price
        for key, price in variants_of_list(source.id).items()
    }
    columns = {**values, "currency": source.currency, "audience": source.audience}
    made = _add(actor, columns, action="price_list.copied", prices=[None, len(prices)], percent=[None, move.percent])
    items = [
        {"price_list_id": made.id, "catalog_id": key, "unit_price": price} for key, price in prices.items()
    ]  # fmt: skip
    bulk_insert(PriceListItem, items)
    more = [
        {"price_list_id": made.id, "catalog_id": treatment, "variant": variant, "unit_price": price}
        for (treatment, variant), price in variants.items()
    ]
    bulk_insert(PriceListVariant, more)
    if follows:
        _end(actor, source, values["valid_from"] - timedelta(days=1))
    return made


def _end(actor: Actor, price_list: PriceList, day: date) -> None:
    """Let a list end on a day, unless it ends before."""
    current_session().refresh(price_list, with_for_update=True)
    if price_list.valid_to is None or price_list.valid_to > day:
        price_list.valid_to = day
        audit.record(actor, "price_list.changed", price_list)
        current_session().flush()


def _add(actor: Actor, values: Mapping[str, Any], *, action: str, **changes: list[Any]) -> PriceList:
    session = current_session()
    made = PriceList(**values)
    try:
        with session.begin_nested():
            session.add(made)
            session.flush()
            audit.record(actor, action, made, changes={"name": [None, made.name], **changes})
    except IntegrityError as error:
        _refuse_unless_name(error)
        raise NameTakenError from error
    return made


def _refuse_unless_name(error: IntegrityError) -> None:
    """Raise ``error`` again unless it says that the name is taken."""
    if getattr(error.orig, "sqlstate", None) != UNIQUE_VIOLATION:
        raise error


def is_valid(price_list: PriceList, on: date) -> bool:
    """Tell whether a price list holds on a day."""
    return price_list.valid_from <= on and (price_list.valid_to is None or on <= price_list.valid_to)
