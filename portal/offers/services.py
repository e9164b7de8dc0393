"""Writing offers: drafting, changing, moving through statuses, assigning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm.exc import StaleDataError

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import RuleError, StaleVersionError
from portal.core.search import replace_terms
from portal.core.text import words
from portal.offers import queries
from portal.offers.documents import EventKind
from portal.offers.editing import PricedLine
from portal.offers.events import note_event
from portal.offers.models import Offer, OfferKind, OfferStatus, OfferTerm, PatientOffer
from portal.offers.numbering import next_offer_no, short_number
from portal.offers.options import TypedOption
from portal.offers.pdf import keep_pdf
from portal.offers.rules import DECIDED_KINDS, REVISABLE_KINDS, may_move
from portal.offers.sealing import clinic_today, seal_offer
from portal.offers.storing import part_changes, set_values, store_parts
from portal.offers.visits import TypedVisit
from portal.patients.models import Patient

EVENTS = {
    OfferKind.SENT: EventKind.SENT, OfferKind.ACCEPTED: EventKind.ACCEPTED, OfferKind.DECLINED: EventKind.DECLINED,
    OfferKind.EXPIRED: EventKind.EXPIRED,
}  # fmt: skip


def create_offer(
    actor: Actor, patient: Patient, *, form_key: UUID | None, year: int, prices_include_vat: bool,
    values: Mapping[str, Any], lines: Sequence[PricedLine], options: Sequence[TypedOption] = (),
    visits: Sequence[TypedVisit] = (),
) -> Offer:  # fmt: skip
    """Draft an offer for a patient under the year's next number, and assign it to her.

    The same form sent again returns the offer it made the first time. Raises RuleError for an archived patient.
    """
    check_patient(patient)
    number = next_offer_no(year)
    known = queries.find_by_form_key(form_key)
    if known is not None:
        current_session().rollback()  # gives the number back
        return known
    offer = Offer(
        offer_no=number, form_key=form_key, status=queries.default_status(OfferKind.DRAFT),
        primary_patient=patient, prices_include_vat=prices_include_vat, created_by_id=actor.id,
        coordinator_id=actor.id, lines=[],
    )  # fmt: skip
    set_values(offer, values, lines, options)
    current_session().add(offer)
    current_session().flush()
    store_parts(offer, lines, options, visits)
    current_session().add(PatientOffer(patient_id=patient.id, offer_id=offer.id, assigned=True, visible=True))
    audit.record(actor, "offer.created", offer, changes={
        "line_count": [None, len(offer.lines)], "grand_total": [None, offer.grand_total],
        "currency": [None, offer.currency],
    })  # fmt: skip
    note_event(offer.id, EventKind.CREATED, actor=actor, meta={"line_count": len(offer.lines)})
    replace_terms(OfferTerm, "offer_id", offer.id, offer_terms(offer.offer_no, offer.title))
    return offer


def update_offer(
    actor: Actor, offer: Offer, *, version: int, values: Mapping[str, Any], lines: Sequence[PricedLine],
    options: Sequence[TypedOption] = (), visits: Sequence[TypedVisit] = (),
) -> None:  # fmt: skip
    """Change a draft to hold what is given and no more; without a difference nothing is written.

    Raises RuleError for any other offer, StaleVersionError where somebody saved something else before.
    """
    check_draft(offer)
    is_stale = offer.version != version
    changes = part_changes(offer, lines, options, visits)
    if not changes and all(getattr(offer, name) == value for name, value in values.items()):
        return
    if is_stale:
        raise StaleVersionError
    offer.signed_off_at = offer.signed_off_by_id = None  # what was signed off is no more
    offer.updated_at = now()  # lines alone must count as a change of the offer, so that its version moves
    set_values(offer, values, lines, options)
    audit.record(actor, "offer.changed", offer, changes={**audit.changes_of(offer), **changes})
    try:
        store_parts(offer, lines, options, visits)
        current_session().flush()
    except StaleDataError as error:
        current_session().rollback()  # so that the offer can be read again, as the other one saved it
        raise StaleVersionError from error
    replace_terms(OfferTerm, "offer_id", offer.id, offer_terms(offer.offer_no, offer.title))


def move_offer(
    actor: Actor, offer: Offer, *, status: OfferStatus, recipient_id: UUID | None = None,
    meta: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Give an offer another status; raises RuleError where its kind may not follow.

    A new kind is an event of the offer's history; ``recipient_id`` says by whose link it came, ``meta`` goes with it.
    """
    before, after = OfferKind(offer.status.kind), OfferKind(status.kind)
    _check_move(offer, status)
    if offer.status_id == status.id:
        return
    if after is OfferKind.SENT:
        seal_offer(actor, offer)
    if after in DECIDED_KINDS:
        offer.decided_at = now()
    elif before in DECIDED_KINDS:
        offer.decided_at = None
    audit.record(actor, "offer.moved", offer, changes={"status": [offer.status.key, status.key]})
    offer.status = status
    if after in EVENTS and before is not after:
        note_event(offer.id, EVENTS[after], actor=actor, recipient_id=recipient_id, meta=meta)
    try:
        current_session().flush()
    except StaleDataError as error:
        raise StaleVersionError from error
    if after is OfferKind.SENT:
        keep_pdf(offer)


def send_offer(actor: Actor, offer: Offer) -> None:
    """Send an offer: lock it with the hash of what it says, and let it replace its older revisions.

    Raises RuleError where something is missing, StaleVersionError where somebody changed it meanwhile.
    """
    move_offer(actor, offer, status=queries.default_status(OfferKind.SENT))


def assign_offer(actor: Actor, offer: Offer, *, patient: Patient) -> None:
    """Show an offer to one more patient, a relative who pays for example.

    Raises RuleError if she has it already or is archived, or where a newer version has replaced the offer.
    """
    check_patient(patient)
    if offer.superseded_at is not None:
        raise RuleError(_("A newer version has replaced this one."))
    current_session().refresh(offer, ["version"], with_for_update=True)  # so that of two senders one sees the other's
    if any(row.patient_id == patient.id for row in queries.list_recipients(offer.id)):
        raise RuleError(_("The offer is assigned to this patient already."))
    current_session().add(PatientOffer(patient_id=patient.id, offer_id=offer.id, assigned=True, visible=True))
    audit.record(actor, "offer.assigned", offer, changes={"patient": [None, patient.patient_no]})


def set_visibility(actor: Actor, offer: Offer, recipient: PatientOffer, *, visible: bool) -> None:
    """Let a patient see an offer, or hide it from her."""
    if recipient.visible != visible:
        recipient.visible = visible
        audit.record(actor, "offer.shown" if visible else "offer.hidden", offer, changes={})


def record_export(actor: Actor, *, count: int) -> None:
    """Log that offers left the portal as a file, and how many."""
    audit.record(actor, "offers.exported", Offer, changes={"rows": [None, count]})


def expire_offers(actor: Actor) -> int:
    """Mark the pinned clinic's undecided offers whose last day is over; return how many.

    "Valid until" is the end of that day in the clinic's zone.
    """
    overdue = queries.overdue_offers(clinic_today())
    if overdue:
        expired = queries.default_status(OfferKind.EXPIRED)
        for offer in overdue:
            audit.record(actor, "offer.expired", offer, changes={})
            note_event(offer.id, EventKind.EXPIRED, actor=actor)
            offer.status_id = expired.id
    return len(overdue)


def offer_terms(offer_no: str, title: str) -> set[str]:
    """Return the words that find an offer; its patients' words are looked up where they stand."""
    return {offer_no, short_number(offer_no), *words(offer_no), *words(title)}


def check_draft(offer: Offer) -> None:
    """Raise RuleError unless an offer may be changed."""
    if offer.status.kind != OfferKind.DRAFT:
        if offer.status.kind in REVISABLE_KINDS and offer.superseded_at is None:
            raise RuleError(_("A sent offer is locked. Make a revision to change it."))
        raise RuleError(_("Only a draft can be changed."))


def check_patient(patient: Patient) -> None:
    """Raise RuleError where a patient gets no new offer: one who is off the lists would be forgotten with it."""
    if patient.archived_at is not None:
        raise RuleError(_("This patient is archived. Restore the patient first."))


def _check_move(offer: Offer, status: OfferStatus) -> None:
    if offer.superseded_at is not None:
        raise RuleError(_("A newer version has replaced this one. Its status stays as it is."))
    if not may_move(OfferKind(offer.status.kind), OfferKind(status.kind)) or not status.is_active:
        raise RuleError(_("An offer cannot go from here to this status."))
