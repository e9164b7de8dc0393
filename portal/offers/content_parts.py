"""The parts of what an offer says, as plain values; portal.offers.content fills them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True)
class ClinicContent:
    """Who offers, and how its documents look."""

    name: str
    accent: str  # #rrggbb
    logo_id: UUID | None
    header: str
    bank: str


@dataclass(frozen=True)
class ToothContent:
    """A tooth of a line: its FDI number, its role in a bridge, its surfaces."""

    number: int
    role: str
    surfaces: str | None


@dataclass(frozen=True)
class LineContent:
    """One treatment. ``price`` is before the offer's discount, with VAT where the offer's prices have it."""

    id: UUID
    name: str
    teeth: tuple[ToothContent, ...]
    teeth_text: str  # 11-13, 36
    teeth_words: str
    place: str  # a jaw or the whole mouth in words, "" for teeth
    brand: str | None
    material: str | None
    abutment: str | None
    about: str
    quantity: Decimal
    unit_price: Decimal
    price: Decimal
    discount: Decimal
    vat_rate: Decimal
    gross: Decimal
    included: bool
    option_id: UUID | None  # None: part of every option
    visit: int | None
    healing_days: int | None
    warranty_months: int | None


@dataclass(frozen=True)
class OptionContent:
    """One of several ways to treat."""

    id: UUID
    label: str
    title: str | None
    recommended: bool


@dataclass(frozen=True)
class VatRow:
    """What is taxed at one rate; ``reason`` says why where it is exempt."""

    rate: Decimal
    net: Decimal
    vat: Decimal
    reason: str


@dataclass(frozen=True)
class Totals:
    """The sums of one option with what is part of every option; of the whole offer where it has none."""

    option_id: UUID | None
    subtotal: Decimal
    discount: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal
    vat_rows: tuple[VatRow, ...]


@dataclass(frozen=True)
class VisitContent:
    """A stay at the clinic, and how long to heal before it."""

    number: int
    days: int
    gap_days_before: int
    starts_on: date | None
    note: str | None


@dataclass(frozen=True)
class OfferContent:
    """Everything an offer says in one language."""

    locale: str
    clinic: ClinicContent
    offer_id: UUID
    number: str
    revision: int
    title: str
    patient_name: str
    dated: date
    valid_until: date | None
    currency: str
    provisional: bool
    prices_include_vat: bool
    options: tuple[OptionContent, ...]
    lines: tuple[LineContent, ...]
    totals: tuple[Totals, ...]  # one an option, one alone without options
    visits: tuple[VisitContent, ...]
    patient_note: str
    terms: str
    footer: str
    missing: tuple[str, ...]  # English names of treatments that have none in this language
    sha256: str = ""  # of what was sent, as the patient's page shows it and a signature holds it

    def lines_of(self, option_id: UUID | None) -> tuple[LineContent, ...]:
        """Return the lines of one option alone; of None, those that are part of every option."""
        return tuple(line for line in self.lines if line.option_id == option_id)
