"""Who looks after an offer: its coordinator and its doctor, and the doctor's sign-off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased

from portal.auth.models import User
from portal.core import audit
from portal.core.access import ClinicRole
from portal.core.audit import ActivityLog, Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import RuleError
from portal.offers.models import Offer, OfferKind, OfferStatus
from portal.offers.sealing import SIGNOFF
from portal.patients.models import Patient
from portal.settings.registry import set_setting

SIGNERS = frozenset({ClinicRole.DOCTOR, ClinicRole.OWNER})
_ADVISERS = frozenset({ClinicRole.COORDINATOR, ClinicRole.OWNER, ClinicRole.ADMIN, ClinicRole.DOCTOR})


def list_staff() -> Sequence[Any]:
    """Return the clinic's people who work with offers, as (id, name, role), by name."""
    roles = User.role.in_(_ADVISERS), User.is_active
    return current_session().execute(sa.select(User.id, User.name, User.role).where(*roles).order_by(User.name)).all()


def list_waiting(doctor_id: UUID | None) -> Sequence[Any]:
    """Return the drafts that wait for a sign-off, the longest first; with ``doctor_id`` hers and nobody's."""
    doctor = aliased(User)
    statement = (
        sa.select(
            Offer.id, Offer.offer_no, Offer.title, Offer.currency, Offer.grand_total, Offer.signoff_asked_at,
            Offer.doctor_id, Patient.first_name, Patient.last_name, doctor.name.label("doctor_name"),
        )
        .join(OfferStatus, sa.and_(OfferStatus.clinic_id == Offer.clinic_id, OfferStatus.id == Offer.status_id))
        .outerjoin(Patient, sa.and_(Patient.clinic_id == Offer.clinic_id, Patient.id == Offer.primary_patient_id))
        .outerjoin(doctor, sa.and_(doctor.clinic_id == Offer.clinic_id, doctor.id == Offer.doctor_id))
        .where(
            OfferStatus.kind == OfferKind.DRAFT, Offer.signoff_asked_at.is_not(None), Offer.signed_off_at.is_(None)
        )
        .order_by(Offer.signoff_asked_at, Offer.id)
        .limit(sa.literal_column("100"))
    )  # fmt: skip
    if doctor_id is not None:
        statement = statement.where(sa.or_(Offer.doctor_id == doctor_id, Offer.doctor_id.is_(None)))
    return current_session().execute(statement).all()


def find_return(offer: Offer) -> Any | None:
    """Return who sent a draft back and when, as (actor_name, at); None where it was not the last word on it."""
    if offer.status.kind != OfferKind.DRAFT or offer.signoff_asked_at is not None:
        return None
    statement = (
        sa.select(ActivityLog.actor_name, ActivityLog.at)
        .where(
            ActivityLog.object_type == "offers", ActivityLog.object_id == offer.id,
            ActivityLog.action == "offer.sent_back",
        )
        .order_by(ActivityLog.id.desc())
        .limit(sa.literal_column("1"))
    )  # fmt: skip
    return current_session().execute(statement).one_or_none()


def set_people(actor: Actor, offer: Offer, *, doctor_id: UUID | None, coordinator_id: UUID | None) -> None:
    """Say who looks after an offer; raises RuleError for somebody who does not work with offers here."""
    roles = {row.id: row.role for row in list_staff()}
    if coordinator_id not in {None, offer.coordinator_id, *roles}:
        raise RuleError(_("Choose a colleague of this clinic."))
    signers = {user_id for user_id, role in roles.items() if role in SIGNERS}
    if doctor_id not in {None, offer.doctor_id, *signers}:
        raise RuleError(_("Choose a dentist of this clinic."))
    if (offer.doctor_id, offer.coordinator_id) != (doctor_id, coordinator_id):
        offer.doctor_id, offer.coordinator_id = doctor_id, coordinator_id
        audit.record(actor, "offer.people", offer, changes={"doctor_id": None, "coordinator_id": None})


def reassign_offers(actor: Actor, offers: Mapping[UUID, UUID | None]) -> dict[UUID, UUID | None]:
    """Give each offer the coordinator it is mapped to; return those that had another, with that one.

    What is returned, given to this again, takes the change back. Raises RuleError for a stranger.
    """
    known = {row.id for row in list_staff()}
    if not {user_id for user_id in offers.values() if user_id} <= known:
        raise RuleError(_("Choose a colleague of this clinic."))
    before: dict[UUID, UUID | None] = {}
    found = current_session().scalars(sa.select(Offer).where(Offer.id.in_(list(offers))).order_by(Offer.id)).all()
    for offer in found:
        if offer.coordinator_id != offers[offer.id]:
            before[offer.id] = offer.coordinator_id
            offer.coordinator_id = offers[offer.id]
            audit.record(actor, "offer.people", offer, changes={"coordinator_id": None})
    return before


def ask_signoff(actor: Actor, offer: Offer) -> None:
    """Put a draft on the doctors' queue; raises RuleError for any other offer."""
    _check_open(offer)
    if not offer.lines:
        raise RuleError(_("An offer without treatments cannot be signed off. Add one first."))
    if offer.signoff_asked_at is None or offer.signed_off_at is not None:
        offer.signoff_asked_at, offer.signed_off_at, offer.signed_off_by_id = now(), None, None
        audit.record(actor, "offer.signoff_asked", offer, changes={})


def sign_off(actor: Actor, offer: Offer, *, note: str | None) -> None:
    """Sign a draft off as it stands; changing it later takes the signature away. Raises RuleError for other offers."""
    _check_open(offer)
    if not offer.lines:
        raise RuleError(_("An offer without treatments cannot be signed off. Add one first."))
    offer.signoff_asked_at = offer.signoff_asked_at or now()
    offer.signed_off_at, offer.signed_off_by_id = now(), actor.id
    offer.doctor_id = offer.doctor_id or actor.id
    _add_note(actor, offer, note)
    audit.record(actor, "offer.signed_off", offer, changes={})


def send_back(actor: Actor, offer: Offer, *, note: str) -> None:
    """Take a draft off the queue, saying what is to be changed; raises RuleError for any other offer."""
    _check_open(offer)
    offer.signoff_asked_at, offer.signed_off_at, offer.signed_off_by_id = None, None, None
    _add_note(actor, offer, note)
    audit.record(actor, "offer.sent_back", offer, changes={})


def require_signoff(actor: Actor, *, required: bool) -> None:
    """Decide whether the clinic sends only what a dentist has signed off."""
    set_setting(actor, SIGNOFF, required)


def _check_open(offer: Offer) -> None:
    if offer.status.kind != OfferKind.DRAFT:
        raise RuleError(_("Only a draft is signed off."))


def _add_note(actor: Actor, offer: Offer, note: str | None) -> None:
    """Add what the doctor says to the note for colleagues, which the patient never sees."""
    if note:
        offer.internal_note = "\n".join(filter(None, [offer.internal_note, f"{actor.name}: {note}"]))
