"""A patient opens her link: the second factor, and how long she reads. Reading alone writes nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum

from portal.auth.passwords import check_password
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.offers import services as offers
from portal.offers.documents import EventKind, Section
from portal.offers.models import Offer, OfferKind, PatientOffer, Verify
from portal.offers.queries import default_status, get_offer
from portal.offers.sealing import clinic_today
from portal.sharing import factors
from portal.sharing.alerts import Alert, alert
from portal.sharing.queries import sections_read
from portal.sharing.telling import tell

MAX_TRIES = 5
BEAT = 15  # seconds that one beat of the page's script stands for at most
_MOST_READ = 4 * 3600
_NEW_VISIT = timedelta(minutes=30)
_SHOWN = frozenset(
    {OfferKind.SENT, OfferKind.VIEWED, OfferKind.NEGOTIATING, OfferKind.ACCEPTED, OfferKind.DECLINED}
)  # fmt: skip
_UNDECIDED = frozenset({OfferKind.SENT, OfferKind.VIEWED, OfferKind.NEGOTIATING})


class Closed(StrEnum):
    """Why a link opens nothing."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    OVER = "over"


class Answer(StrEnum):
    """What became of a try to open a link."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


def why_closed(recipient: PatientOffer, offer: Offer) -> Closed | None:
    """Say why a link opens nothing, or return None where it does."""
    if recipient.revoked_at is not None or not recipient.visible:
        return Closed.REVOKED
    if recipient.expires_at is None or recipient.expires_at <= now():
        return Closed.EXPIRED
    if offer.superseded_at is not None:
        return Closed.SUPERSEDED
    over = offer.status.kind in _UNDECIDED and offer.valid_until is not None and offer.valid_until < clinic_today()
    return Closed.OVER if over or offer.status.kind not in _SHOWN else None


def answer_factor(actor: Actor, recipient: PatientOffer, *, typed: str) -> Answer:
    """Try to open a link; the fifth wrong answer in a row locks it until a colleague unlocks it.

    Under the row's lock, so that tries at once are counted one by one.
    """
    current_session().refresh(recipient, with_for_update=True)
    if recipient.locked_at is not None:
        return Answer.LOCKED
    if not _is_right(recipient, typed):
        return _note_failure(actor, recipient)
    recipient.failed_count = 0
    if recipient.first_viewed_at is None:
        tell(actor, recipient, EventKind.VERIFIED)
    _note_visit(actor, recipient)
    return Answer.RIGHT


def note_reading(
    actor: Actor, recipient: PatientOffer, *, seconds: int, sections: Collection[Section] = ()
) -> None:  # fmt: skip
    """Add what the page's script tells of reading: never more time than has passed since it last told.

    Each part that was read becomes an event, once a visit.
    """
    current_session().refresh(recipient, with_for_update=True)
    last = recipient.last_viewed_at
    if last is None or now() - last > _NEW_VISIT:
        _note_visit(actor, recipient)
        current_session().flush()
    else:
        passed = min(max(seconds, 0), BEAT, int((now() - last).total_seconds()))
        recipient.read_seconds = min(recipient.read_seconds + passed, _MOST_READ)
        recipient.last_viewed_at = now()
    if sections:
        known = sections_read(recipient.id)
        for section in Section:
            if section in sections and section not in known:
                tell(actor, recipient, EventKind.SECTION_READ, section=section)


def note_pdf(actor: Actor, recipient: PatientOffer, *, locale: str) -> None:
    """Note that a patient took the document."""
    tell(actor, recipient, EventKind.PDF, locale=locale)


def _is_right(recipient: PatientOffer, typed: str) -> bool:
    method = Verify(recipient.verify_method or Verify.CODE)
    if method is Verify.NONE:
        return True
    return check_password(factors.normal_answer(method, typed[:100]), recipient.verify_hash)[0]


def _note_failure(actor: Actor, recipient: PatientOffer) -> Answer:
    recipient.failed_count += 1
    locked = recipient.failed_count >= MAX_TRIES
    if locked:
        recipient.locked_at = now()
    audit.record(actor, "link.locked" if locked else "link.failed", recipient)
    tell(actor, recipient, EventKind.VERIFY_FAILED)
    if recipient.locked_at is not None:
        alert(recipient, get_offer(recipient.offer_id), Alert.LOCKED, once=f"{recipient.id}:{recipient.locked_at}")
    return Answer.LOCKED if locked else Answer.WRONG


def _note_visit(actor: Actor, recipient: PatientOffer) -> None:
    recipient.view_count += 1
    recipient.last_viewed_at = now()
    recipient.first_viewed_at = recipient.first_viewed_at or recipient.last_viewed_at
    audit.record(actor, "link.opened", recipient)
    tell(actor, recipient, EventKind.OPENED)
    offer = get_offer(recipient.offer_id)
    alert(recipient, offer, Alert.OPENED, once=recipient.id)
    if offer.first_viewed_at is None:
        offer.first_viewed_at = recipient.last_viewed_at
    if offer.status.kind == OfferKind.SENT:
        offers.move_offer(actor, offer, status=default_status(OfferKind.VIEWED), recipient_id=recipient.id)
