"""Writing links: make, revoke, unlock, and note how they travel. The token itself is never stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _

from portal.auth.passwords import hash_password
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import RuleError
from portal.core.outbox import queue_mail
from portal.offers import services as offers
from portal.offers.documents import EventKind
from portal.offers.events import note_event
from portal.offers.models import Channel, Offer, OfferKind, PatientOffer, Verify
from portal.patients.models import Patient
from portal.settings.letterhead import signature
from portal.sharing import factors, links
from portal.sharing.queries import allows_open_links

_SHOWN_KINDS = frozenset({OfferKind.SENT, OfferKind.VIEWED, OfferKind.NEGOTIATING, OfferKind.ACCEPTED})


@dataclass(frozen=True)
class NewLink:
    """What is shown once: the token, and the code where the second factor is one."""

    token: str
    code: str | None


def create_link(
    actor: Actor, offer: Offer, recipient: PatientOffer, *, patient: Patient, method: Verify, days: int, locale: str
) -> NewLink:
    """Make a patient's link to an offer; one she had before is dead at once, and a draft is sent by it.

    Raises RuleError where the offer cannot be shown or the factor is not known of her.
    """
    code = factors.make_code() if method is Verify.CODE else None
    answer = code or factors.known_answer(method, patient)
    _check_factor(method, answer)
    _check_shareable(offer, recipient)
    current_session().refresh(recipient, with_for_update=True)  # of two senders one sees the other's link
    if offer.status.kind == OfferKind.DRAFT:
        _send(actor, offer)
    again, token = recipient.token_hash is not None, links.make_token()
    recipient.token_hash, recipient.token_hint = links.hash_token(token), links.hint_of(token)
    recipient.verify_method, recipient.verify_hash = method, hash_password(answer) if answer else None
    recipient.locale, recipient.expires_at, recipient.sent_at = locale, _end(days), now()
    recipient.failed_count, recipient.locked_at, recipient.revoked_at, recipient.channel = 0, None, None, None
    audit.record(actor, "link.reissued" if again else "link.created", recipient)
    if again:
        note_event(offer.id, EventKind.REISSUED, actor=actor, recipient_id=recipient.id, meta={"method": method})
    current_session().flush()
    return NewLink(token, code)


def revoke_link(actor: Actor, recipient: PatientOffer) -> None:
    """End a link for good; a new one can be made."""
    if recipient.token_hash is None or recipient.revoked_at is not None:
        return
    recipient.revoked_at = now()
    audit.record(actor, "link.revoked", recipient)
    note_event(recipient.offer_id, EventKind.REVOKED, actor=actor, recipient_id=recipient.id)


def unlock_link(actor: Actor, recipient: PatientOffer) -> None:
    """Give a patient who failed too often her tries back."""
    if recipient.locked_at is None:
        return
    recipient.locked_at, recipient.failed_count = None, 0
    audit.record(actor, "link.unlocked", recipient)


def note_channel(actor: Actor, recipient: PatientOffer, *, channel: Channel) -> None:
    """Note by which way a link was handed over."""
    if recipient.channel == channel:
        return
    recipient.channel = channel
    audit.record(actor, "link.shared", recipient)


def mail_link(actor: Actor, recipient: PatientOffer, *, patient: Patient, subject: str, message: str) -> None:
    """Put the mail with a link into the outbox, once a link; raises RuleError where she has no address."""
    if not patient.email:
        raise RuleError(_("This patient has no e-mail address."))
    note_channel(actor, recipient, channel=Channel.EMAIL)
    key = f"link:{recipient.id}:{(recipient.token_hash or b'').hex()[:32]}"
    queue_mail(
        kind="offer.link", to_address=patient.email, subject=subject, body=message + signature(), dedupe_key=key,
        about_id=recipient.id,
    )  # fmt: skip


def _send(actor: Actor, offer: Offer) -> None:
    offers.send_offer(actor, offer)


def _check_factor(method: Verify, answer: str | None) -> None:
    if method is Verify.NONE:
        if not allows_open_links():
            raise RuleError(_("Your clinic asks for a second factor. Choose one."))
    elif not answer:
        raise RuleError(_("The patient's record lacks this. Choose another way, or complete the record first."))


def _check_shareable(offer: Offer, recipient: PatientOffer) -> None:
    kind = OfferKind(offer.status.kind)
    if offer.superseded_at is not None:
        raise RuleError(_("A later version of this offer was sent. Share that one."))
    if kind is not OfferKind.DRAFT and kind not in _SHOWN_KINDS:
        raise RuleError(_("An offer in this status cannot be shared."))
    if not recipient.visible:
        raise RuleError(_("The offer is hidden from this patient. Show it first."))


def _end(days: int) -> datetime:
    return now() + timedelta(days=days)
