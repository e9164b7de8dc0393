"""Open offers are the work of their coordinator and their dentist."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from portal.core.access import Permission
from portal.offers.models import Offer, OfferKind, OfferStatus
from portal.staff.handover import Holding, register

_OPEN = (OfferKind.DRAFT, OfferKind.SENT, OfferKind.VIEWED, OfferKind.NEGOTIATING)


def _open_offers() -> list[sa.ColumnElement[bool]]:
    statuses = sa.select(OfferStatus.id).where(OfferStatus.kind.in_(_OPEN))
    return [Offer.status_id.in_(statuses), Offer.superseded_at.is_(None)]


register(
    Holding(
        "offers_coordinator", _l("Open offers as coordinator"), Offer, "coordinator_id", Permission.OFFERS_WRITE,
        _open_offers,
    )
)  # fmt: skip
register(
    Holding("offers_doctor", _l("Open offers as dentist"), Offer, "doctor_id", Permission.OFFERS_SIGN, _open_offers)
)
