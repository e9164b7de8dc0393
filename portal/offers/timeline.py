"""What happened to a patient's offers, and to her links to them, for the timeline of her page."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.auth.models import User
from portal.core.access import Permission
from portal.core.activity import Entry, write_entry
from portal.core.audit import ActivityLog, ActorKind
from portal.core.templating import moment
from portal.core.timeline import Asked, Happening, patient_timeline
from portal.offers.documents import EventKind, OfferEvent
from portal.offers.history import NOTED_BY_STAFF, WORDS
from portal.offers.models import Offer, PatientOffer

LINK_ACTIONS = {
    "link.created": _l("made a link to the offer"),
    "link.unlocked": _l("unlocked the link to the offer"),
    "link.shared": _l("handed the link to the offer over"),
}
_ROUTINE = (EventKind.SECTION_READ, EventKind.VERIFIED)  # told on the offer's own page


def offer_events(asked: Asked) -> list[Happening]:
    """Return what happened to the patients' offers."""
    statement = (
        sa.select(
            OfferEvent.id, OfferEvent.at, OfferEvent.kind, OfferEvent.actor_kind, User.name.label("actor_name"),
            OfferEvent.patient_offer_id, Offer.id.label("offer_id"), Offer.offer_no,
        )
        .join(Offer, sa.and_(Offer.clinic_id == OfferEvent.clinic_id, Offer.id == OfferEvent.offer_id))
        .outerjoin(User, sa.and_(User.clinic_id == OfferEvent.clinic_id, User.id == OfferEvent.actor_id))
        .where(OfferEvent.offer_id.in_(_shown_to(asked, PatientOffer.offer_id)), OfferEvent.kind.not_in(_ROUTINE))
    )  # fmt: skip
    rows = asked.rows(statement, OfferEvent.at, OfferEvent.id)
    return [Happening(row.at, row.id, _entry(row)) for row in rows]


def link_changes(asked: Asked) -> list[Happening]:
    """Return what was done to the patients' links, as far as no event of the offer tells it."""
    statement = (
        sa.select(
            ActivityLog.id, ActivityLog.at, ActivityLog.actor_name, ActivityLog.action, ActivityLog.changes,
            Offer.id.label("offer_id"), Offer.offer_no,
        )
        .join(
            PatientOffer,
            sa.and_(PatientOffer.clinic_id == ActivityLog.clinic_id, PatientOffer.id == ActivityLog.object_id),
        )
        .join(Offer, sa.and_(Offer.clinic_id == PatientOffer.clinic_id, Offer.id == PatientOffer.offer_id))
        .where(
            ActivityLog.object_type == "patient_offers", PatientOffer.patient_id.in_(asked.patient_ids),
            ActivityLog.object_id.in_(_shown_to(asked, PatientOffer.id)), ActivityLog.action.in_(list(LINK_ACTIONS)),
        )
    )  # fmt: skip
    return [
        Happening(row.at, row.id, _about(write_entry(row, actions=LINK_ACTIONS, fields={}), row))
        for row in asked.rows(statement, ActivityLog.at, ActivityLog.id)
    ]


def _shown_to(asked: Asked, column: Any) -> sa.Select[Any]:
    return sa.select(column).where(PatientOffer.patient_id.in_(asked.patient_ids))


def _entry(row: Any) -> Entry:
    kind = EventKind(row.kind)
    words = NOTED_BY_STAFF.get(kind, WORDS[kind]) if row.actor_kind == ActorKind.USER else WORDS[kind]
    patient = _("The patient") if row.patient_offer_id else _("Clinikoop")
    return _about(Entry(moment(row.at), row.at.isoformat(), row.actor_name or patient, str(words)), row)


def _about(entry: Entry, row: Any) -> Entry:
    return Entry(
        entry.when_text, entry.when_iso, entry.actor_name, entry.text, entry.changes, row.offer_no,
        f"/offers/{row.offer_id}",
    )  # fmt: skip


patient_timeline.add(Permission.OFFERS_READ, offer_events)
patient_timeline.add(Permission.OFFERS_READ, link_changes)
