"""The history of an offer: what happened to it, append-only; and the same as usage without personal data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.auth.models import User
from portal.core.analytics import note_use
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.offers.documents import EventKind, OfferEvent
from portal.offers.models import PatientOffer
from portal.patients.models import Patient

LIMIT = 200
_COUNTED = frozenset({"channel", "locale", "seconds", "section", "revision_no", "option_count", "line_count"})


def note_event(
    offer_id: UUID, kind: EventKind, *, actor: Actor, recipient_id: UUID | None = None,
    meta: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Add one event to an offer's history, and to the clinic's usage as ``offer.<kind>``.

    ``meta`` holds plain values and nothing personal; of them only the known few reach the usage, and no id does.
    """
    told = dict(meta or {})
    current_session().add(
        OfferEvent(
            offer_id=offer_id, patient_offer_id=recipient_id, kind=kind, actor_kind=actor.kind, actor_id=actor.id,
            meta=told,
        )
    )  # fmt: skip
    props = {name: value for name, value in told.items() if name in _COUNTED}
    note_use(f"offer.{kind}", actor=actor, props={"by": str(actor.kind), **props})


def list_events(offer_id: UUID) -> Sequence[Any]:
    """Return what happened to an offer, newest first.

    Rows have id, kind, at, actor_kind, actor_id, actor_name (a colleague's, or None), patient_offer_id,
    first_name and last_name (of the patient whose link it was, or None) and meta.
    """
    statement = (
        sa.select(
            OfferEvent.id, OfferEvent.kind, OfferEvent.at, OfferEvent.actor_kind, OfferEvent.actor_id,
            User.name.label("actor_name"), OfferEvent.patient_offer_id, Patient.first_name, Patient.last_name,
            OfferEvent.meta,
        )
        .outerjoin(User, sa.and_(User.clinic_id == OfferEvent.clinic_id, User.id == OfferEvent.actor_id))
        .outerjoin(
            PatientOffer,
            sa.and_(
                PatientOffer.clinic_id == OfferEvent.clinic_id, PatientOffer.id == OfferEvent.patient_offer_id
            ),
        )
        .outerjoin(
            Patient, sa.and_(Patient.clinic_id == PatientOffer.clinic_id, Patient.id == PatientOffer.patient_id)
        )
        .where(OfferEvent.offer_id == offer_id)
        .order_by(OfferEvent.id.desc())
        .limit(sa.literal_column(str(LIMIT)))
    )  # fmt: skip
    return current_session().execute(statement).all()
