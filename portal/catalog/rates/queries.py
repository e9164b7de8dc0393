"""Reading stored bulletins, and counting with them: Decimal only, rounded by nobody but the caller."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from portal.catalog.models import ExchangeBulletin, ExchangeRate
from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.core.money import Currency
from portal.settings.kinds import Percent
from portal.settings.registry import Definition, Section, define, get_setting

MARGIN = define(
    Definition(
        "rates.margin_percent", Percent(Decimal(0), Decimal(50)), Decimal(3),
        _l("Warn when a rate moved by more than"),
        _l("In percent, since the offer was written."), Section.MONEY,
    )
)  # fmt: skip
_PRECISION = 50
_LIRA = Decimal(1)


class NoRateError(LookupError):
    """A bulletin says nothing of a currency."""


@dataclass(frozen=True)
class Bulletin:
    """A stored bulletin; ``rates`` are lira for one unit of each currency it has a buying rate of."""

    id: UUID
    source: str
    day: date
    number: str | None
    rates: Mapping[str, Decimal]


def find_bulletin(on: date, *, having: Collection[str] = ()) -> Bulletin | None:
    """Return the bulletin of a day, or the latest before it; one that has every currency of ``having``."""
    statement = sa.select(ExchangeBulletin).where(ExchangeBulletin.day <= on)
    for currency in sorted(set(having) - {Currency.TRY}):
        statement = statement.where(
            sa.exists().where(
                ExchangeRate.bulletin_id == ExchangeBulletin.id,
                ExchangeRate.currency == currency,
                ExchangeRate.forex_buying.is_not(None),
            )
        )
    newest = statement.order_by(ExchangeBulletin.day.desc(), ExchangeBulletin.id.desc()).limit(1)
    row = current_session().scalars(newest).one_or_none()
    return None if row is None else _loaded(row)


def get_bulletin(bulletin_id: UUID) -> Bulletin:
    """Return the bulletin that an offer pinned. Raises NotFoundError."""
    row = current_session().scalars(sa.select(ExchangeBulletin).where(ExchangeBulletin.id == bulletin_id)).one_or_none()
    if row is None:
        raise NotFoundError
    return _loaded(row)


def rate(bulletin: Bulletin, currency: str) -> Decimal:
    """Return lira for one unit of ``currency``: the bank's forex buying rate, which invoices go by.

    Raises NoRateError where the bulletin has none.
    """
    if currency == Currency.TRY:
        return _LIRA
    try:
        return bulletin.rates[currency]
    except KeyError:
        raise NoRateError(f"The bulletin of {bulletin.day} has no rate of {currency}.") from None


def convert(amount: Decimal, source: str, target: str, bulletin: Bulletin) -> Decimal:
    """Return ``amount`` of one currency in another, by the lira; not rounded, so round once at the end.

    Raises NoRateError where the bulletin lacks one of the two.
    """
    if source == target:
        return amount
    with localcontext(prec=_PRECISION):
        return amount * rate(bulletin, source) / rate(bulletin, target)


def moved_beyond(before: Decimal, after: Decimal, margin_percent: Decimal) -> bool:
    """Tell whether a rate moved by more than the margin, up or down."""
    return abs(after - before) * 100 > margin_percent * before


def drift_margin() -> Decimal:
    """Return by how many percent a rate may move before the clinic wants to be warned."""
    return get_setting(MARGIN)


def _loaded(row: ExchangeBulletin) -> Bulletin:
    statement = sa.select(ExchangeRate.currency, ExchangeRate.unit, ExchangeRate.forex_buying).where(
        ExchangeRate.bulletin_id == row.id, ExchangeRate.forex_buying.is_not(None)
    )
    rates = {found.currency: _per_unit(found) for found in current_session().execute(statement)}
    return Bulletin(row.id, row.source, row.day, row.bulletin_no, MappingProxyType(rates))


def _per_unit(row: Any) -> Decimal:
    with localcontext(prec=_PRECISION):
        per_unit: Decimal = row.forex_buying / row.unit
        return per_unit
