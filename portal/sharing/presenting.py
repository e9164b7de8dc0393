"""What colleagues see of links: the panel on an offer's page, and the page where a link is handed over."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _
from markupsafe import Markup

from portal.core.clock import now
from portal.core.identity import current_clinic
from portal.core.panels import Panel
from portal.core.phones import whatsapp_url
from portal.core.qr import qr_code
from portal.core.settings import settings
from portal.core.templating import local_day
from portal.offers.models import Channel, PatientOffer, Verify
from portal.offers.reading import reading_line
from portal.patients.models import Patient
from portal.sharing import factors, links, messages
from portal.sharing.forms import CHANNEL_LABELS
from portal.sharing.queries import list_links, list_questions
from portal.sharing.services import NewLink


@dataclass(frozen=True)
class LinkRow:
    """One recipient's link as the panel shows it."""

    recipient_id: UUID
    name: str
    state: str  # none, live, locked, revoked, expired
    text: str
    reading: str


def share_panel(offer_id: UUID) -> Panel:
    """Return the links of an offer and what their patients asked, for its page."""
    rows = [link_row(recipient, patient) for recipient, patient in list_links(offer_id)]
    return Panel(
        "sharing/_panel.html", {"offer_id": offer_id, "rows": rows, "questions": list_questions(offer_id)}
    )  # fmt: skip


def link_row(recipient: PatientOffer, patient: Patient) -> LinkRow:
    """Say how one link stands."""
    state = link_state(recipient)
    texts = {
        "none": _("No link yet"),
        "locked": _("Locked after too many wrong tries"),
        "revoked": _("Revoked"),
        "expired": _("The link has run out"),
        "live": _("Link ending in %(hint)s, until %(day)s",
                  hint=recipient.token_hint or "", day=local_day(recipient.expires_at)),
    }  # fmt: skip
    parts = [texts[state], str(CHANNEL_LABELS[Channel(recipient.channel)]) if recipient.channel else ""]
    reading = "" if state == "none" else reading_line(recipient)
    return LinkRow(recipient.id, patient.full_name, state, " · ".join(filter(None, parts)), reading)


def link_state(recipient: PatientOffer) -> str:
    """Return how a link stands, in a word."""
    if recipient.token_hash is None:
        return "none"
    if recipient.revoked_at is not None:
        return "revoked"
    if recipient.expires_at is not None and recipient.expires_at <= now():
        return "expired"
    return "locked" if recipient.locked_at is not None else "live"


def possible_factors(patient: Patient, *, open_links: bool) -> list[Verify]:
    """Return the second factors that can be asked of a patient, the best first."""
    known = [method for method in (Verify.PHONE, Verify.BIRTH_DATE) if factors.known_answer(method, patient)]
    return [*known, Verify.CODE, *([Verify.NONE] if open_links else [])]


@dataclass(frozen=True)
class Handover:
    """A link on the page where it is shown, once."""

    address: str
    code: str | None
    message: str
    whatsapp: str
    qr: Markup


def handover(patient: Patient, link: NewLink, *, locale: str, message: str | None = None) -> Handover:
    """Return what is shown of a link; ``message`` is the colleague's own."""
    address = own_address(link.token)
    text = message or messages.share_message(
        locale, clinic=current_clinic().name, link=address, patient=patient.full_name
    )
    return Handover(address, link.code, text, whatsapp_url(patient.phone_e164, text), qr_code(address))


def own_address(token: str) -> str:
    """Return a link's whole address on the clinic's own host, whatever the request says."""
    return links.link_address(settings().url_for_host(current_clinic().subdomain), token)
