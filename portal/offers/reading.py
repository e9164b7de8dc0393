"""How patients read an offer behind their links, in one line: "opened twice, 4 minutes, unread since Tuesday"."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from portal.core.clock import now
from portal.core.templating import local_day
from portal.offers.models import Offer, PatientOffer

_UNREAD_AFTER = timedelta(days=1)
_WEEK = timedelta(days=6)
_SUMS = (
    sa.select(
        sa.func.sum(PatientOffer.view_count).label("view_count"),
        sa.func.sum(PatientOffer.read_seconds).label("read_seconds"),
        sa.func.max(PatientOffer.last_viewed_at).label("last_viewed_at"),
        sa.func.bool_or(PatientOffer.token_hash.is_not(None)).label("is_shared"),
    )
    .where(PatientOffer.clinic_id == Offer.clinic_id, PatientOffer.offer_id == Offer.id)
    .correlate(Offer)
    .lateral("reading")
)


def with_reading(statement: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    """Add to a query of offers how all their links were read: view_count, read_seconds, last_viewed_at, is_shared."""
    return statement.add_columns(*_SUMS.c).outerjoin(_SUMS, sa.true())


def reading_of(row: Any, *, waits: bool) -> str:
    """Say how the links of an offer were read, "" where it has none; ``waits`` for its patient's answer."""
    return reading_line(row, waits=waits) if row.is_shared else ""


def reading_line(row: Any, *, waits: bool = True) -> str:
    """Say how a link was read, or several taken together."""
    if not row.view_count or row.last_viewed_at is None:
        return _("not opened yet")
    parts = [_opened(row.view_count), _read(row.read_seconds)]
    if waits and now() - row.last_viewed_at > _UNREAD_AFTER:
        parts.append(_("unread since %(day)s", day=_since(row.last_viewed_at)))
    return ", ".join(parts)


def _opened(count: int) -> str:
    if count == 2:
        return _("opened twice")
    return ngettext("opened once", "opened %(num)d times", count)


def _read(seconds: int) -> str:
    minutes = round(seconds / 60)
    return ngettext("%(num)d minute", "%(num)d minutes", minutes) if minutes else _("less than a minute")


def _since(moment: datetime) -> str:
    return format_date(moment, "EEEE") if now() - moment < _WEEK else local_day(moment)
