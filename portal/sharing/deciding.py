"""A patient decides: accepts with her signature, declines, or asks. One decision an offer, over what she has read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.outbox import queue_mail
from portal.offers import services as offers
from portal.offers.content import content_sha256
from portal.offers.documents import EventKind
from portal.offers.events import note_event
from portal.offers.models import Decision, DeclineReason, Offer, OfferKind, OfferOption, PatientOffer, Treatment
from portal.offers.queries import default_status, get_offer
from portal.offers.rules import OPEN_KINDS
from portal.offers.sealing import clinic_today
from portal.settings.letterhead import signature
from portal.sharing.alerts import Alert, alert
from portal.sharing.models import OfferQuestion, OfferSignature, SignatureMethod
from portal.sharing.queries import find_question_by_key, find_signature, list_options
from portal.sharing.telling import tell, told_of

_ALERTS = {OfferKind.ACCEPTED: Alert.ACCEPTED, OfferKind.DECLINED: Alert.DECLINED}


class Refusal(StrEnum):
    """Why a decision was not taken."""

    CHANGED = "changed"  # not what stands in the offer now
    SUPERSEDED = "superseded"
    DECIDED = "decided"
    OVER = "over"
    EMPTY = "empty"


class DecisionError(Exception):
    """A decision that cannot be taken; nothing was changed."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Signature:
    """Who signs and how: the name typed, and strokes where it was drawn as well."""

    name: str
    drawing: list[Any] | None
    locale: str
    ip: str | None
    user_agent: str | None


@dataclass(frozen=True)
class Copy:
    """The mail that tells a patient what she has accepted."""

    to_address: str
    subject: str
    body: str


def accept_offer(
    actor: Actor, recipient: PatientOffer, *, option_id: UUID | None, line_ids: Collection[UUID], read_sha256: str,
    signature: Signature,
) -> OfferSignature:  # fmt: skip
    """Accept an offer, whole or some of its lines, under the hash of what was read.

    The same patient's second try returns the first one's signature. Raises DecisionError.
    """
    offer = _locked(recipient.offer_id)
    signed = find_signature(offer.id)
    if signed is not None:
        if signed.patient_offer_id == recipient.id:
            return signed
        raise DecisionError(Refusal.DECIDED)
    _check_open(offer)
    if not read_sha256 or read_sha256 != content_sha256(offer):
        raise DecisionError(Refusal.CHANGED)
    chosen = _choose(offer, list_options(offer.id), option_id, line_ids)
    row = OfferSignature(
        offer_id=offer.id, patient_offer_id=recipient.id, option_id=option_id,
        accepted_lines=[str(line.id) for line in chosen], signer_name=signature.name, drawing=signature.drawing,
        method=SignatureMethod.DRAWN if signature.drawing else SignatureMethod.TYPED, content_sha256=read_sha256,
        locale=signature.locale, ip=signature.ip, user_agent=signature.user_agent,
    )  # fmt: skip
    current_session().add(row)
    offer.chosen_option_id = option_id
    audit.record(actor, "offer.signed", offer, changes={"line_count": [None, len(chosen)]})
    _move(actor, offer, recipient, OfferKind.ACCEPTED, {"line_count": len(chosen), "locale": signature.locale})
    return row


def decline_offer(actor: Actor, recipient: PatientOffer, *, reason: DeclineReason, note: str | None) -> None:
    """Decline an offer; doing so again changes nothing. Raises DecisionError."""
    offer = _locked(recipient.offer_id)
    if offer.status.kind == OfferKind.DECLINED:
        return
    _check_open(offer)
    offer.decline_reason, offer.decline_note = reason, note
    audit.record(actor, "offer.refused", offer, changes={"decline_reason": [None, reason]})
    _move(actor, offer, recipient, OfferKind.DECLINED, {"reason": reason})


def ask_question(actor: Actor, recipient: PatientOffer, *, body: str, form_key: UUID | None) -> OfferQuestion:
    """Ask the clinic; the same form sent again returns the question it asked the first time."""
    current_session().refresh(recipient, ["id"], with_for_update=True)
    known = find_question_by_key(form_key)
    if known is not None:
        return known
    row = OfferQuestion(
        offer_id=recipient.offer_id, patient_offer_id=recipient.id, body=body, form_key=form_key, asked_at=now()
    )
    current_session().add(row)
    current_session().flush()
    audit.record(actor, "question.asked", row, changes={})
    tell(actor, recipient, EventKind.QUESTION)
    alert(recipient, get_offer(recipient.offer_id), Alert.QUESTION, once=row.id)
    return row


def answer_question(actor: Actor, question: OfferQuestion, *, answer: str) -> None:
    """Answer a patient's question, or change the answer; she reads it on her page."""
    if question.answer == answer:
        return
    question.answer, question.answered_at, question.answered_by_id = answer, now(), actor.id
    audit.record(actor, "question.answered", question)
    note_event(question.offer_id, EventKind.ANSWERED, actor=actor, recipient_id=question.patient_offer_id)


def queue_copy(row: OfferSignature, copy: Copy) -> None:
    """Queue the mail about a signature, once."""
    queue_mail(
        kind="offer.accepted", to_address=copy.to_address, subject=copy.subject, body=copy.body + signature(),
        dedupe_key=f"accepted:{row.offer_id}", about_id=row.offer_id,
    )  # fmt: skip


def accepted_total(offer: Offer, row: OfferSignature) -> Decimal:
    """Return what the accepted lines come to."""
    accepted = set(row.accepted_lines)
    return sum((line.line_gross for line in offer.lines if str(line.id) in accepted), Decimal(0))


def _locked(offer_id: UUID) -> Offer:
    """Return an offer as it is once nobody else decides on it."""
    current_session().scalars(sa.select(Offer.id).where(Offer.id == offer_id).with_for_update()).one()
    current_session().expire(get_offer(offer_id))
    return get_offer(offer_id)


def _check_open(offer: Offer) -> None:
    if offer.superseded_at is not None:
        raise DecisionError(Refusal.SUPERSEDED)
    if offer.decided_at is not None:
        raise DecisionError(Refusal.DECIDED)
    over = offer.valid_until is not None and offer.valid_until < clinic_today()
    if over or offer.status.kind not in OPEN_KINDS:
        raise DecisionError(Refusal.OVER)


def _choose(
    offer: Offer, options: Sequence[OfferOption], option_id: UUID | None, line_ids: Collection[UUID]
) -> list[Treatment]:
    """Mark every line as accepted or declined; return the accepted ones. What is included comes with the rest."""
    labelled = {row.id for row in options}
    if option_id not in labelled if labelled else option_id is not None:
        raise DecisionError(Refusal.EMPTY)
    offered = [line for line in offer.lines if line.option_id in (None, option_id)]
    accepted = [line for line in offered if line.is_included or line.id in line_ids]
    if not any(not line.is_included for line in accepted):
        raise DecisionError(Refusal.EMPTY)
    for line in offer.lines:
        line.decision = Decision.ACCEPTED if line in accepted else Decision.DECLINED
    return accepted


def _move(actor: Actor, offer: Offer, recipient: PatientOffer, kind: OfferKind, meta: dict[str, Any]) -> None:
    offers.move_offer(
        actor, offer, status=default_status(kind), recipient_id=recipient.id, meta=told_of(recipient, **meta)
    )
    alert(recipient, offer, _ALERTS[kind], once=f"{offer.id}:{offer.version}")
