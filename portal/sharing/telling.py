"""What a patient does at her link becomes the offer's history: which part, by which way she came, nothing of her."""

from __future__ import annotations

from typing import Any

from portal.core.audit import Actor
from portal.offers.documents import EventKind
from portal.offers.events import note_event
from portal.offers.models import PatientOffer


def tell(actor: Actor, recipient: PatientOffer, kind: EventKind, **told: Any) -> None:
    """Add an event of one recipient's link to the history of its offer."""
    note_event(recipient.offer_id, kind, actor=actor, recipient_id=recipient.id, meta=told_of(recipient, **told))


def told_of(recipient: PatientOffer, **told: Any) -> dict[str, Any]:
    """Return what an event holds: what is told, and how the link reached the patient where that was noted."""
    return {**({"channel": recipient.channel} if recipient.channel else {}), **told}
