"""What a patient's page shows of an offer, in her language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from icalendar import Calendar, Event

from portal.core.patient_texts import PATIENT_LANGUAGES, Texts, language_name, mark_phrase
from portal.offers.content import content_sha256, offer_content, warranty_words
from portal.offers.content_parts import LineContent, OfferContent, Totals, VisitContent
from portal.offers.models import DeclineReason, Offer, OfferKind, PatientOffer, Verify
from portal.offers.rules import OPEN_KINDS
from portal.patients.models import Patient
from portal.sharing.deciding import Refusal, accepted_total
from portal.sharing.opening import Closed
from portal.sharing.queries import find_signature, list_questions

UPPER, LOWER = (18, 17, 16, 15, 14, 13, 12, 11, 21, 22, 23, 24, 25, 26, 27, 28), (
    48, 47, 46, 45, 44, 43, 42, 41, 31, 32, 33, 34, 35, 36, 37, 38,
)  # fmt: skip
UPPER_PRIMARY, LOWER_PRIMARY = (55, 54, 53, 52, 51, 61, 62, 63, 64, 65), (85, 84, 83, 82, 81, 71, 72, 73, 74, 75)

QUESTIONS = {
    Verify.PHONE: mark_phrase("The last four digits of your phone number"),
    Verify.BIRTH_DATE: mark_phrase("Your date of birth, for example 31.12.1990"),
    Verify.CODE: mark_phrase("The code the clinic told you"),
}
REASONS = {
    DeclineReason.PRICE: mark_phrase("The price"),
    DeclineReason.TIMING: mark_phrase("The time does not suit me"),
    DeclineReason.TRAVEL: mark_phrase("The journey"),
    DeclineReason.OTHER_CLINIC: mark_phrase("I chose another clinic"),
    DeclineReason.UNSURE: mark_phrase("I am not sure yet"),
    DeclineReason.OTHER: mark_phrase("Another reason"),
}
CLOSED = {
    None: mark_phrase("This link opens nothing. It may have been mistyped, or replaced by a newer one."),
    Closed.REVOKED: mark_phrase("The clinic has ended this link."),
    Closed.EXPIRED: mark_phrase("This link has run out."),
    Closed.SUPERSEDED: mark_phrase("The clinic has sent a newer offer. Please open the newer link."),
    Closed.OVER: mark_phrase("This offer is no longer valid."),
}
REFUSED = {
    Refusal.CHANGED: mark_phrase("The offer is not the one you read. Please open the page again."),
    Refusal.SUPERSEDED: CLOSED[Closed.SUPERSEDED],
    Refusal.DECIDED: mark_phrase("This offer has been answered already, perhaps by somebody it was shared with."),
    Refusal.OVER: CLOSED[Closed.OVER],
    Refusal.EMPTY: mark_phrase("Please choose at least one treatment, and one option where there are several."),
}


@dataclass(frozen=True)
class Typed:
    """What she typed in a form that was not taken, so that nothing is lost."""

    problem: str = ""
    name: str = ""
    option_id: UUID | None = None
    line_ids: frozenset[UUID] | None = None
    question: str = ""
    note: str = ""


@dataclass(frozen=True)
class ChartTooth:
    """A tooth of the chart, and whether the offer treats it."""

    number: int
    marked: bool


@dataclass
class PatientPage:
    """The page of an opened link."""

    offer: Offer
    recipient: PatientOffer
    patient: Patient
    words: Texts
    typed: Typed = field(default_factory=Typed)

    def __post_init__(self) -> None:  # noqa: D105 - says itself
        self.content: OfferContent = offer_content(self.offer, locale=self.words.locale)
        self.sha256 = content_sha256(self.offer)
        self.signature = find_signature(self.offer.id)
        self.questions = list_questions(self.offer.id, self.recipient.id)
        self.is_open = self.offer.status.kind in OPEN_KINDS
        self.is_declined = self.offer.status.kind == OfferKind.DECLINED
        self.reasons = [(reason, self.words.phrase(text)) for reason, text in REASONS.items()]
        self.has_dates = any(visit.starts_on for visit in self.content.visits)
        self.has_common_choice = any(not line.included for line in self.content.lines_of(None))

    def money(self, amount: Decimal) -> str:
        """Write an amount in the offer's currency."""
        return self.words.money(amount, self.content.currency)

    def chart(self) -> list[list[ChartTooth]]:
        """Return the rows of the chart, upper jaw first; primary teeth only where some are treated."""
        marked = {tooth.number for line in self.content.lines for tooth in line.teeth}
        rows = [UPPER, UPPER_PRIMARY, LOWER_PRIMARY, LOWER]
        shown = [row for row in rows if len(row) > 10 or any(number > 50 for number in marked)]
        return [[ChartTooth(number, number in marked) for number in row] for row in shown] if marked else []

    def totals_of(self, option_id: UUID | None) -> Totals:
        """Return the sums of one option."""
        return next(totals for totals in self.content.totals if totals.option_id == option_id)

    def is_chosen(self, line: LineContent) -> bool:
        """Tell whether a line's box is ticked when the page opens."""
        return self.typed.line_ids is None or line.id in self.typed.line_ids

    def is_picked(self, option_id: UUID, *, recommended: bool) -> bool:
        """Tell whether an option is chosen when the page opens."""
        return option_id == self.typed.option_id if self.typed.option_id else recommended

    def is_left_out(self, line: LineContent) -> bool:
        """Tell whether she signed without this line."""
        return self.signature is not None and str(line.id) not in self.signature.accepted_lines

    def detail(self, line: LineContent) -> str:
        """Return brand, material, abutment and warranty as one text."""
        warranty = warranty_words(line.warranty_months, self.words) if line.warranty_months else None
        return " · ".join(part for part in (line.brand, line.material, line.abutment, warranty) if part)

    def accepted_lines(self) -> list[LineContent]:
        """Return the lines that were accepted."""
        ids = set(self.signature.accepted_lines) if self.signature else set()
        return [line for line in self.content.lines if str(line.id) in ids]

    def accepted_sum(self) -> str:
        """Return what the accepted lines come to."""
        assert self.signature is not None
        return self.money(accepted_total(self.offer, self.signature))


def languages(current: str, offered: Sequence[str]) -> list[tuple[str, str, bool]]:
    """Return code, own name and whether it is the current one, of every language that is offered."""
    return [(code, language_name(code), code == current) for code in PATIENT_LANGUAGES if code in {*offered, current}]


def calendar(content: OfferContent, words: Texts) -> bytes:
    """Return the proposed visits as a calendar file: days and the clinic's name, nothing of what is treated."""
    book = Calendar()
    book.add("prodid", "-//Clinikoop//EN")
    book.add("version", "2.0")
    for visit in content.visits:
        if visit.starts_on:
            book.add_component(_event(content, visit, visit.starts_on, words))
    return bytes(book.to_ical())


def _event(content: OfferContent, visit: VisitContent, first: date, words: Texts) -> Event:
    event = Event()
    event.add("uid", f"{content.offer_id}-{visit.number}@clinikoop")
    event.add("summary", words.phrase("Visit to %(clinic)s", clinic=content.clinic.name))
    event.add("dtstart", first)
    event.add("dtend", first + timedelta(days=visit.days))
    event.add("dtstamp", content.dated)
    event.add("status", "TENTATIVE")
    return event
