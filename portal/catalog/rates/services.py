"""Storing bulletins, as the platform: clinics only read them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from uuid_utils.compat import uuid7

from portal.catalog.models import ExchangeBulletin, ExchangeRate
from portal.catalog.rates.parsing import ParsedBulletin
from portal.core.database import current_session

TCMB = "tcmb"


@dataclass(frozen=True)
class Stored:
    """What became of a bulletin: whether it was new, and whether an older copy says something else."""

    id: UUID
    is_new: bool
    differs: bool = False


def store_bulletin(bulletin: ParsedBulletin, *, source: str = TCMB) -> Stored:
    """Store a bulletin with its rates; one that is there already stays as it is, since offers point to it.

    Two at once store it once: the database decides.
    """
    session = current_session()
    added = session.execute(
        insert(ExchangeBulletin)
        .values(id=uuid7(), source=source, day=bulletin.day, bulletin_no=bulletin.number)
        .on_conflict_do_nothing()
        .returning(ExchangeBulletin.id)
    ).scalar_one_or_none()
    if added is not None:
        rows = [{"bulletin_id": added, **asdict(rate)} for rate in bulletin.rates]
        session.execute(sa.insert(ExchangeRate), rows)
        return Stored(added, is_new=True)
    known = session.scalars(
        sa.select(ExchangeBulletin.id).where(ExchangeBulletin.source == source, ExchangeBulletin.day == bulletin.day)
    ).one()
    return Stored(known, is_new=False, differs=_stored_rates(known) != _plain(bulletin))


def _stored_rates(bulletin_id: UUID) -> set[tuple[object, ...]]:
    rows = current_session().execute(
        sa.select(
            ExchangeRate.currency, ExchangeRate.unit, ExchangeRate.forex_buying, ExchangeRate.forex_selling,
            ExchangeRate.banknote_buying, ExchangeRate.banknote_selling,
        ).where(ExchangeRate.bulletin_id == bulletin_id)
    )  # fmt: skip
    return {tuple(row) for row in rows}


def _plain(bulletin: ParsedBulletin) -> set[tuple[object, ...]]:
    return {tuple(asdict(rate).values()) for rate in bulletin.rates}
