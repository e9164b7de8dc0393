"""What sending does to an offer: it is checked, locked by the hash of what it says, and replaces older revisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.catalog.rates.queries import find_bulletin
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clinics import Clinic
from portal.core.clock import now, today
from portal.core.database import current_session, require_scope
from portal.core.errors import RuleError
from portal.core.scope import ClinicScope
from portal.offers import queries
from portal.offers.content import content_sha256
from portal.offers.models import Offer, OfferKind
from portal.settings.kinds import Flag
from portal.settings.registry import Definition, Section, define, get_setting

SIGNOFF = define(
    Definition(
        "offers.signoff_required", Flag(), default=False, section=Section.OFFERS,
        label=_l("A dentist signs every offer off before it is sent"),
        help=_l("Drafts then wait in the dentists' queue."),
    )
)  # fmt: skip


def seal_offer(actor: Actor, offer: Offer) -> None:
    """Lock an offer that is being sent, and let it replace its older revisions; raises RuleError where it may not go.

    Sent a second time, after a negotiation, it keeps its hash: it could not change meanwhile.
    """
    older = queries.list_revisions(offer) if offer.root_offer_id else []
    problem = sending_problem(offer, older)
    if problem:
        raise RuleError(problem)
    offer.sent_at = now()
    if offer.content_sha256 is None:
        _pin_bulletin(offer)
    offer.content_sha256 = offer.content_sha256 or content_sha256(offer)
    for other in older:
        if other.id != offer.id and other.superseded_at is None:
            other.superseded_at = offer.sent_at
            audit.record(actor, "offer.superseded", other, changes={"revision": [other.offer_no, offer.offer_no]})


def _pin_bulletin(offer: Offer) -> None:
    """Remember the bulletin an offer in another currency than the clinic's goes by; none where there is none."""
    home = pinned_clinic().default_currency
    found = find_bulletin(clinic_today(), having={offer.currency, home}) if offer.currency != home else None
    offer.bulletin_id = found.id if found else None


def sending_problem(offer: Offer, revisions: Sequence[Offer]) -> str | None:
    """Say what keeps an offer from being sent, or return None."""
    if not offer.lines:
        return _("An offer without treatments cannot be sent. Add one first.")
    if offer.valid_until is None:
        return _("An offer needs a last day before it can be sent. Give it one.")
    if offer.valid_until < clinic_today():
        return _("The last day of this offer is over. Give the draft a new one, then send it.")
    if any(row.status.kind == OfferKind.ACCEPTED for row in revisions if row.id != offer.id):
        return _("The patient has accepted an earlier version. A revision of it cannot be sent.")
    if offer.status.kind == OfferKind.DRAFT and offer.signed_off_at is None and signoff_required():
        return _("A dentist must sign this offer off before it is sent.")
    return None


def signoff_required() -> bool:
    """Tell whether the clinic sends only what a dentist has signed off."""
    return get_setting(SIGNOFF)


def pinned_clinic() -> Clinic:
    """Return the pinned clinic's row."""
    scope = require_scope(current_session())
    assert isinstance(scope, ClinicScope)
    return current_session().get_one(Clinic, scope.clinic_id)


def clinic_today() -> date:
    """Return the current day in the pinned clinic's zone."""
    return today(pinned_clinic().timezone)
