"""Who stands at a private link: a visitor with a working one, a reader who has opened it, and in which language."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _

from portal.core.audit import Actor, ActorKind
from portal.core.errors import NotFoundError
from portal.core.identity import current_clinic
from portal.core.patient_texts import PATIENT_LANGUAGES, Texts, texts
from portal.offers.models import Offer, PatientOffer
from portal.offers.queries import get_offer
from portal.sharing import opening, passes
from portal.sharing.opening import Closed
from portal.sharing.queries import find_link


@dataclass(frozen=True)
class Visitor:
    """Who has a working link open, and in which language."""

    token: str
    recipient: PatientOffer
    offer: Offer
    words: Texts


class ClosedLink(Exception):  # noqa: N818 - a state, not a fault
    """The link opens nothing any more."""

    def __init__(self, reason: Closed, words: Texts) -> None:
        super().__init__(reason)
        self.reason, self.words = reason, words


class UnopenedLink(Exception):  # noqa: N818 - a state, not a fault
    """The visitor has not shown the second factor, or too long ago."""


def current_visitor(token: str) -> Visitor:
    """Return who has a working link open; raises NotFoundError for an unknown one, ClosedLink for an ended one."""
    recipient = find_link(token)
    if recipient is None:
        raise NotFoundError
    offer = get_offer(recipient.offer_id)
    reason = opening.why_closed(recipient, offer)
    if reason is not None:
        raise ClosedLink(reason, visitor_words(recipient))
    return Visitor(token, recipient, offer, visitor_words(recipient))


def current_reader(token: str) -> Visitor:
    """Return a visitor who has opened the link; raises UnopenedLink too."""
    visitor = current_visitor(token)
    if not passes.has_pass(visitor.recipient):
        raise UnopenedLink
    return visitor


def visitor_words(recipient: PatientOffer | None = None) -> Texts:
    """Return the texts in the language she chose, else the link's, else her browser's."""
    for wish in (request.args.get("lang"), request.cookies.get(passes.LANGUAGE)):
        if wish in PATIENT_LANGUAGES:
            return texts(wish)
    if recipient is not None and recipient.locale:
        return texts(recipient.locale)
    return texts(request.accept_languages.best_match(PATIENT_LANGUAGES) or PATIENT_LANGUAGES[0])


def link_path() -> str:
    """Return the path of the link that was asked for, whether it opens anything or not."""
    return url_for("link.show", token=(request.view_args or {}).get("token", ""))


def patient_actor() -> Actor:
    """Return the patient as the log names her: not by name."""
    with force_locale(current_clinic().default_locale):
        name = _("Patient")
    return Actor(ActorKind.SYSTEM, name, ip=request.remote_addr)
