"""Offers in another currency than the clinic's: the bulletin they go by, and how the rate moved since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from portal.catalog.rates.queries import (
    Bulletin,
    NoRateError,
    convert,
    drift_margin,
    find_bulletin,
    get_bulletin,
    moved_beyond,
)
from portal.offers.models import Offer
from portal.offers.sealing import clinic_today, pinned_clinic

_ONE = Decimal(1)


@dataclass(frozen=True)
class Drift:
    """How far a rate moved, in the clinic's currency for one unit of the offer's."""

    currency: str
    home: str
    since: date
    before: Decimal
    after: Decimal
    margin: Decimal


def find_drift(offer: Offer) -> Drift | None:
    """Return how the rate of an offer's currency moved since its bulletin, where by more than the clinic's margin."""
    home = pinned_clinic().default_currency
    if offer.bulletin_id is None or offer.currency == home:
        return None
    newest = find_bulletin(clinic_today(), having={offer.currency, home})
    if newest is None or newest.id == offer.bulletin_id:
        return None
    pinned, margin = get_bulletin(offer.bulletin_id), drift_margin()
    before, after = _rate(offer.currency, home, pinned), _rate(offer.currency, home, newest)
    if before is None or after is None or not moved_beyond(before, after, margin):
        return None
    return Drift(offer.currency, home, pinned.day, before, after, margin)


def _rate(currency: str, home: str, bulletin: Bulletin) -> Decimal | None:
    try:
        return convert(_ONE, currency, home, bulletin)
    except NoRateError:
        return None
