"""Revisions: a sent offer is changed by making its next version."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from flask_babel import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.database import Base, current_session
from portal.core.errors import RuleError
from portal.core.search import replace_terms
from portal.offers import queries
from portal.offers.documents import EventKind
from portal.offers.events import note_event
from portal.offers.models import (
    Offer,
    OfferKind,
    OfferOption,
    OfferTerm,
    OfferVisit,
    PatientOffer,
    Treatment,
    TreatmentTooth,
)
from portal.offers.rules import REVISABLE_KINDS
from portal.offers.sealing import clinic_today, pinned_clinic
from portal.offers.services import offer_terms

Row = TypeVar("Row", bound=Base)
_OWN = frozenset({"clinic_id", "id", "created_at", "updated_at", "version", "form_key"})
_STATE = frozenset({
    "offer_no", "status_id", "created_by_id", "sent_at", "decided_at", "root_offer_id", "revision_no", "superseded_at",
    "first_viewed_at", "decline_reason", "decline_note", "content_sha256", "signoff_asked_at", "signed_off_at",
    "signed_off_by_id", "chosen_option_id",
})  # fmt: skip


def revise_offer(actor: Actor, offer: Offer) -> Offer:
    """Make the next version of a sent offer as a draft: its lines, teeth, options, visits and patients.

    Where a draft of a revision exists already, it is returned. The older version stays in force until the new one is
    sent. Raises RuleError for a draft, for what is closed, and for a version that another has replaced.
    """
    root_id = offer.root_offer_id or offer.id
    queries.lock_offer(root_id)  # one revision at a time; the second sender sees the first one's
    revisions = queries.list_revisions(offer)
    waiting = next((row for row in revisions if row.revision_no > 1 and row.status.kind == OfferKind.DRAFT), None)
    if waiting is not None:
        return waiting
    check_revisable(offer)
    root = next(row for row in revisions if row.id == root_id)
    number = max(row.revision_no for row in revisions) + 1
    revision = _copy(
        offer, Offer, leave=_STATE, offer_no=f"{root.offer_no}-{number}", revision_no=number, root_offer_id=root_id,
        status=queries.default_status(OfferKind.DRAFT), created_by_id=actor.id, lines=[],
    )  # fmt: skip
    _renew(revision)
    current_session().add(revision)
    current_session().flush()
    _copy_content(offer, revision)
    audit.record(actor, "offer.revised", revision, changes={"revision": [offer.offer_no, revision.offer_no]})
    note_event(offer.id, EventKind.REVISED, actor=actor, meta={"revision_no": number})
    note_event(revision.id, EventKind.CREATED, actor=actor, meta={"revision_no": number})
    replace_terms(OfferTerm, "offer_id", revision.id, offer_terms(revision.offer_no, revision.title))
    return revision


def check_revisable(offer: Offer) -> None:
    """Raise RuleError unless the next version of an offer may be made."""
    if offer.superseded_at is not None:
        raise RuleError(_("A newer version has replaced this one. Revise that one."))
    if offer.status.kind == OfferKind.DRAFT:
        raise RuleError(_("This is a draft. Change it as it is."))
    if offer.status.kind not in REVISABLE_KINDS:
        raise RuleError(_("This offer is closed. Make a new offer for the patient instead."))


def _copy_content(offer: Offer, revision: Offer) -> None:
    options: dict[UUID, UUID] = {}
    for option in queries.list_options(offer.id):
        copied = _copy(option, OfferOption, offer_id=revision.id)
        current_session().add(copied)
        current_session().flush()
        options[option.id] = copied.id
    for line in offer.lines:
        teeth = [_copy(tooth, TreatmentTooth, leave=frozenset({"treatment_id"})) for tooth in line.teeth]
        option_id = options.get(line.option_id) if line.option_id else None
        left = frozenset({"offer_id", "option_id", "decision"})
        revision.lines.append(_copy(line, Treatment, leave=left, option_id=option_id, teeth=teeth))
    visits = [_copy(visit, OfferVisit, offer_id=revision.id) for visit in queries.list_visits(offer.id)]
    patients = [
        PatientOffer(patient_id=row.patient_id, offer_id=revision.id, assigned=row.assigned, visible=row.visible)
        for row in queries.list_recipients(offer.id)
    ]
    current_session().add_all([*visits, *patients])
    current_session().flush()


def _renew(revision: Offer) -> None:
    """Give a revision a last day that is not over yet."""
    day, clinic = clinic_today(), pinned_clinic()
    if revision.valid_until is None or revision.valid_until < day:
        revision.valid_until = day + timedelta(days=clinic.offer_validity_days)


def _copy(row: Row, model: type[Row], *, leave: frozenset[str] = frozenset(), **changed: Any) -> Row:
    """Return a new row with the columns of another, but for those it must have of its own."""
    names = {column.key for column in model.__mapper__.column_attrs} - _OWN - leave - set(changed)
    return model(**{name: getattr(row, name) for name in names}, **changed)
