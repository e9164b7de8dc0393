"""Tells whoever looks after an offer at once what its patient does: opens it, asks, decides, or is locked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.database import current_session
from portal.core.notifications import Notification, Told, notify, tell_by
from portal.offers.models import Offer, PatientOffer
from portal.patients.models import Patient


class Alert(StrEnum):
    """What is told of a patient at her link."""

    OPENED = "link.opened"
    QUESTION = "link.question"
    ACCEPTED = "link.accepted"
    DECLINED = "link.declined"
    LOCKED = "link.locked"


ICONS = {
    Alert.OPENED: "eye", Alert.QUESTION: "chat-dots", Alert.ACCEPTED: "check-circle", Alert.DECLINED: "x-circle",
    Alert.LOCKED: "lock",
}  # fmt: skip


def alert(recipient: PatientOffer, offer: Offer, kind: Alert, *, once: object) -> None:
    """Tell an offer's coordinator, else who drafted it, what a patient did; once for each ``once``."""
    user_id = offer.coordinator_id or offer.created_by_id
    if user_id is not None:
        notify(
            user_id, kind=kind, object_type="patient_offers", object_id=recipient.id, dedupe_key=f"{kind}:{once}"
        )  # fmt: skip


def tell_alerts(rows: Sequence[Notification]) -> Mapping[UUID, Told]:
    """Word notifications about links, with the names as they are now."""
    statement = (
        sa.select(PatientOffer.id, Offer.id.label("offer_id"), Offer.offer_no, Patient.first_name, Patient.last_name)
        .join(Offer, sa.and_(Offer.clinic_id == PatientOffer.clinic_id, Offer.id == PatientOffer.offer_id))
        .join(Patient, sa.and_(Patient.clinic_id == PatientOffer.clinic_id, Patient.id == PatientOffer.patient_id))
        .where(PatientOffer.id.in_({row.object_id for row in rows}))
    )
    known = {row.id: row for row in current_session().execute(statement)}
    return {
        row.id: Told(
            _words(Alert(row.kind), f"{found.first_name or ''} {found.last_name or ''}".strip(), found.offer_no),
            f"/offers/{found.offer_id}", ICONS[Alert(row.kind)],
        )
        for row in rows
        if (found := known.get(row.object_id))
    }  # fmt: skip


def _words(kind: Alert, name: str, number: str) -> str:
    if kind is Alert.OPENED:
        return _("%(name)s opened offer %(number)s for the first time", name=name, number=number)
    if kind is Alert.QUESTION:
        return _("%(name)s asked about offer %(number)s", name=name, number=number)
    if kind is Alert.ACCEPTED:
        return _("%(name)s accepted offer %(number)s", name=name, number=number)
    if kind is Alert.DECLINED:
        return _("%(name)s declined offer %(number)s", name=name, number=number)
    return _("%(name)s is locked out of offer %(number)s after too many wrong answers", name=name, number=number)


for _kind in Alert:
    tell_by(_kind, tell_alerts)
