"""A clinic's own statuses of offers: what they are called, their colours and order, and the usual one of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.core.errors import NotFoundError, RuleError, StaleVersionError
from portal.offers.models import Offer, OfferKind, OfferStatus
from portal.offers.queries import list_statuses
from portal.settings.registry import own_clinic

TONES = ("grey", "blue", "teal", "green", "amber", "orange", "red", "purple", "pink")  # of static/css/theme.css
MOST = 40


def get_status(status_id: UUID) -> OfferStatus:
    """Return one of the clinic's statuses; raises NotFoundError."""
    found = current_session().scalars(sa.select(OfferStatus).where(OfferStatus.id == status_id)).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def count_offers(status_id: UUID) -> int:
    """Return how many offers have a status."""
    statement = sa.select(sa.func.count()).select_from(Offer).where(Offer.status_id == status_id)
    return current_session().execute(statement).scalar_one()


def shown_state(status: OfferStatus) -> str:
    """Return what a form shows of a status, to tell later whether somebody changed it meanwhile."""
    return "|".join([status.label_tr, status.label_en, status.colour or "", str(status.is_active)])


def add_status(actor: Actor, *, kind: OfferKind, label_tr: str, label_en: str, colour: str | None) -> OfferStatus:
    """Add a status of a kind behind the others; it inherits the kind's rules."""
    own_clinic(lock=True)
    rows = list_statuses()
    if len(rows) >= MOST:
        raise RuleError(_("There are enough statuses. Change one that is not in use."))
    _check_labels(None, label_tr, label_en)
    status = OfferStatus(
        kind=kind, key=f"{kind}-{uuid4().hex[:12]}", label_tr=label_tr, label_en=label_en, colour=colour,
        position=max((row.position for row in rows), default=0) + 1, is_active=True,
        is_default=not any(row.kind == kind for row in rows),
    )  # fmt: skip
    current_session().add(status)
    current_session().flush()
    audit.record(actor, "status.added", status, changes={"label_tr": [None, label_tr], "label_en": [None, label_en]})
    return status


def change_status(
    actor: Actor, status: OfferStatus, *, seen: str, label_tr: str, label_en: str, colour: str | None, is_active: bool
) -> None:
    """Rename, colour, put out of use or back; offers that have the status keep it.

    Raises StaleVersionError where it is no longer as ``seen``, RuleError for the usual one of its kind.
    """
    own_clinic(lock=True)
    current_session().refresh(status)
    if shown_state(status) != seen:
        raise StaleVersionError
    if status.is_default and not is_active:
        raise RuleError(_("This is the usual status of its kind. Make another one usual first."))
    _check_labels(status.id, label_tr, label_en)
    values: Mapping[str, object] = {
        "label_tr": label_tr, "label_en": label_en, "colour": colour, "is_active": is_active
    }  # fmt: skip
    for name, value in values.items():
        setattr(status, name, value)
    changes = audit.changes_of(status)
    if changes:
        audit.record(actor, "status.changed", status, changes=changes)


def make_usual(actor: Actor, status: OfferStatus) -> None:
    """Use a status wherever an offer comes to its kind by itself; raises RuleError for one out of use."""
    own_clinic(lock=True)
    if not status.is_active:
        raise RuleError(_("This status is out of use. Put it back into use first."))
    if status.is_default:
        return
    for other in list_statuses():
        if other.kind == status.kind and other.is_default:
            other.is_default = False
    current_session().flush()
    status.is_default = True
    audit.record(actor, "status.made_usual", status, changes={"is_default": [False, True]})


def move_status(actor: Actor, status: OfferStatus, *, up: bool) -> None:
    """Put a status one place up or down; at the end of the list it stays."""
    own_clinic(lock=True)
    rows = list(list_statuses())
    place = rows.index(status)
    other = place - 1 if up else place + 1
    if not 0 <= other < len(rows):
        return
    rows[place], rows[other] = rows[other], rows[place]
    for position, row in enumerate(rows):
        row.position = position
    audit.record(actor, "status.moved", status, changes={"position": [place, other]})


def _check_labels(own_id: UUID | None, label_tr: str, label_en: str) -> None:
    """Refuse a name that another status has: people could not tell them apart."""
    for row in list_statuses():
        if row.id != own_id and (row.label_tr == label_tr or row.label_en == label_en):
            raise RuleError(_("Another status has this name already."))
