"""How an offer is written on its page, and on its patient's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.catalog.enums import Scope
from portal.catalog.teeth import format_teeth, tooth_name
from portal.core.activity import Entry, list_entries
from portal.core.errors import NotFoundError
from portal.core.forms import plain_number
from portal.core.panels import Panel
from portal.core.templating import day, money
from portal.offers.chart import offer_chart
from portal.offers.currency import find_drift
from portal.offers.editing import PricedLine
from portal.offers.history import history
from portal.offers.listing import status_label
from portal.offers.models import Jaw, Offer, OfferKind, OfferStatus, Treatment
from portal.offers.options import stored_sums
from portal.offers.people import SIGNERS, find_return, list_staff
from portal.offers.queries import (
    list_for_patient,
    list_options,
    list_recipients,
    list_revisions,
    list_statuses,
    list_visits,
)
from portal.offers.rules import OPEN_KINDS, REVISABLE_KINDS, may_move
from portal.offers.sealing import clinic_today, sending_problem
from portal.offers.visit_words import visit_words
from portal.offers.visits import stored_visits
from portal.patients.models import Patient

ACTIONS = {
    "offer.created": _l("drafted the offer"),
    "offer.changed": _l("changed the offer"),
    "offer.moved": _l("changed the status"),
    "offer.assigned": _l("assigned the offer to one more patient"),
    "offer.shown": _l("made the offer visible to a patient"),
    "offer.hidden": _l("hid the offer from a patient"),
    "offer.expired": _l("marked the offer as expired"),
    "offer.revised": _l("made this revision"),
    "offer.people": _l("changed who looks after the offer"),
    "offer.signoff_asked": _l("asked for a sign-off"),
    "offer.signed_off": _l("signed the offer off"),
    "offer.sent_back": _l("sent the offer back"),
    "offer.signed": _l("signed the offer"),
    "offer.refused": _l("declined the offer"),
    "offer.superseded": _l("replaced this version with a newer one"),
}
FIELDS = {
    "title": _l("Title"), "currency": _l("Currency"), "valid_until": _l("Valid until"), "status": _l("Status"),
    "options": _l("Options"), "option_count": _l("Number of options"),
    "visits": _l("Visits"), "visit_count": _l("Number of visits"),
    "lines": _l("Lines"), "line_count": _l("Number of lines"), "grand_total": _l("Total"),
    "patient_note": _l("Note for the patient"), "internal_note": _l("Note for colleagues"), "patient": _l("Patient"),
    "revision": _l("Version"), "price_list_id": _l("Price list"), "residency": _l("The patient lives"),
    "basis": _l("The plan rests on"), "is_provisional": _l("Provisional until the examination"),
    "discount_value": _l("Discount on the whole offer"), "discount_kind": _l("Its type"),
}  # fmt: skip
JAW_WORDS: dict[str, LazyString] = {
    Jaw.UPPER: _l("Upper jaw"), Jaw.LOWER: _l("Lower jaw"), Jaw.BOTH: _l("Both jaws"),
}  # fmt: skip


@dataclass(frozen=True)
class Move:
    """A status an offer may go to, as a button."""

    status_id: UUID
    kind: str
    label: str


def where(line: Treatment) -> str:
    """Say what a line applies to: teeth, a jaw, the mouth."""
    if line.teeth:
        return format_teeth(tooth.tooth for tooth in line.teeth)
    if line.arch:
        return str(JAW_WORDS[line.arch])
    return str(_l("Whole mouth")) if line.scope == Scope.MOUTH else ""


def teeth_in_words(line: Treatment) -> str:
    """Name a line's teeth in words, for those who do not know the numbers."""
    return ", ".join(str(tooth_name(tooth.tooth)) for tooth in line.teeth)


def moves(offer: Offer, statuses: Sequence[OfferStatus]) -> list[Move]:
    """Return where the offer may go from here."""
    before = OfferKind(offer.status.kind)
    if offer.superseded_at is not None:
        return []
    return [
        Move(status.id, status.kind, status_label(status))
        for status in statuses
        if status.is_active and status.id != offer.status_id and may_move(before, OfferKind(status.kind))
    ]


def is_over(valid_until: date | None, kind: str, day: date) -> bool:
    """Tell whether an offer that waits for an answer is past its last day; the hourly job has not marked it yet."""
    return valid_until is not None and valid_until < day and kind in OPEN_KINDS


def activity(offer_id: UUID, statuses: Sequence[OfferStatus]) -> list[Entry]:
    """Return what was done to an offer."""
    labels = {status.key: status_label(status) for status in statuses}
    values: dict[str, Callable[[str], str]] = {
        "status": lambda key: labels.get(key, key),
        "valid_until": lambda text: day(date.fromisoformat(text)),
        "grand_total": lambda text: plain_number(Decimal(text)),
    }
    return list_entries("offers", offer_id, actions=ACTIONS, fields=FIELDS, values=values)


def patient_of(offer: Offer) -> Patient:
    """Return the patient an offer is for; raises NotFoundError for an imported offer without one."""
    if offer.primary_patient is None:
        raise NotFoundError
    return offer.primary_patient


def line_preview(line: PricedLine, currency: str) -> dict[str, str]:
    """Return what a line being typed comes to, written for the page."""
    return {
        "quantity": plain_number(line.amounts.quantity),
        "unit_price": plain_number(line.amounts.unit_price),
        "vat_rate": plain_number(line.amounts.vat_rate),
        "healing_days": str(line.healing_days or ""),
        "warranty_months": str(line.warranty_months or ""),
        "total": money(line.totals.gross, currency),
    }


class People:
    """Those who may look after an offer, for its page."""

    def __init__(self, offer: Offer) -> None:
        self._offer, self._staff = offer, list_staff()
        self.returned = find_return(offer)

    def name(self, user_id: UUID | None) -> str:
        """Return a colleague's name; empty for nobody, and for who has left."""
        return next((row.name for row in self._staff if row.id == user_id), "")

    def selects(self) -> list[tuple[str, LazyString, UUID | None, list[Any]]]:
        """Return (field, label, chosen, colleagues) of each choice."""
        signers = [row for row in self._staff if row.role in SIGNERS]
        return [
            ("coordinator_id", _l("Coordinator"), self._offer.coordinator_id, list(self._staff)),
            ("doctor_id", _l("Dentist"), self._offer.doctor_id, signers),
        ]


class OfferView:
    """What the page of an offer shows."""

    where = staticmethod(where)
    teeth_in_words = staticmethod(teeth_in_words)
    visit_words = staticmethod(visit_words)

    def __init__(self, offer: Offer, statuses: Sequence[OfferStatus]) -> None:
        self.offer = offer
        self.status_label = status_label(offer.status)
        self.moves = moves(offer, statuses)
        options = list_options(offer.id)
        self.labels = {row.id: row.label for row in options}
        self.sums = stored_sums(offer, options)
        self.drift = find_drift(offer)
        self.visits = stored_visits(list_visits(offer.id))
        self.chart = offer_chart(offer.lines)
        self.recipients = list_recipients(offer.id)
        self.revisions = list_revisions(offer)
        self.entries = activity(offer.id, statuses)
        self.events = history(offer.id)
        self.is_draft = offer.status.kind == OfferKind.DRAFT
        self.may_revise = offer.superseded_at is None and offer.status.kind in REVISABLE_KINDS
        self.is_over = is_over(offer.valid_until, offer.status.kind, clinic_today())
        self.send_problem = self._send_problem()
        self.people = People(offer)

    @staticmethod
    def label_of(status: OfferStatus) -> str:
        """Write a status in the reader's language."""
        return status_label(status)

    @property
    def newest(self) -> Offer | None:
        """The version that replaced this one."""
        sent = [row for row in self.revisions if row.superseded_at is None and row.revision_no > self.offer.revision_no]
        return sent[-1] if self.offer.superseded_at and sent else None

    def _send_problem(self) -> str | None:
        if any(move.kind == OfferKind.SENT for move in self.moves):
            return sending_problem(self.offer, self.revisions)
        return None


def patient_panel(patient_id: UUID) -> Panel:
    """Return the offers of a patient, for her page."""
    statuses = {status.id: status for status in list_statuses()}
    labels = {key: status_label(status) for key, status in statuses.items()}
    return Panel(
        "offers/_patient_panel.html",
        {"offers": list_for_patient(patient_id), "statuses": statuses, "labels": labels, "patient_id": patient_id},
    )
