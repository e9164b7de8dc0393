"""Offers for the demonstration clinics and for measuring: typical plans, priced as the editor prices them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.catalog.enums import VatClass
from portal.core.audit import ActivityLog, ActorKind
from portal.core.database import bulk_insert
from portal.core.jobs import SYSTEM
from portal.core.money import Currency
from portal.offers.editing import PriceBook, PricedLine, TypedLine
from portal.offers.models import Offer, OfferKind, OfferTerm, PatientOffer, Treatment, TreatmentTooth
from portal.offers.numbering import NUMBER_KIND
from portal.offers.services import offer_terms
from portal.offers.totals import DiscountKind, offer_totals
from portal.ops.demo.desk import Desk, take_numbers
from portal.ops.demo.dice import Dice
from portal.ops.demo.histories import DECK, History, make_history
from portal.ops.demo.patients import NewPatient
from portal.ops.demo.plans import LONG_PLAN, Plan, Wish, draw_plan, travel

LONG_OFFER = 12  # the place of the offer of three pages
MAX_SHORT_LINES = 8
DISCOUNT_SHARE, NOTE_SHARE, RELATIVE_SHARE, TRAVEL_SHARE, HIDDEN_SHARE = 0.25, 0.3, 0.6, 0.7, 0.1
PERCENTS = (5, 10, 15, 20)
_TENTH = Decimal("0.1")
PATIENT_NOTES = (
    "Fiyatlara kontrol muayeneleri dâhildir.",
    "Kesin plan, muayene ve tomografiden sonra belirlenir.",
    "Tedavi iki seansta tamamlanır.",
)
INTERNAL_NOTES = (
    "Taksit sordu, cuma günü aranacak.",
    "Eşiyle görüşüp dönecek.",
    "Başka bir klinikten de teklif almış.",
    "İmplant markası hekimle konuşulacak.",
)
_CURRENCIES = {"TR": Currency.TRY, "GB": Currency.GBP}  # of the country lived in; elsewhere the euro


@dataclass(frozen=True, slots=True)
class _Draft:
    """An offer before it has its number."""

    id: UUID
    patient: NewPatient
    relative: NewPatient | None
    plan: Plan
    history: History
    book: PriceBook
    lines: list[PricedLine]
    writer: tuple[UUID, str]
    dice: Dice


def add_offers(desk: Desk, patients: Sequence[NewPatient], *, every: int) -> int:
    """Make an offer for every ``every``-th patient of the clinic; return how many."""
    drafts = [
        _draft(desk, patient, patients[place - 1] if place else None, patient.index // every)
        for place, patient in enumerate(patients)
        if patient.index % every == every - 1
    ]
    drafts = sorted((draft for draft in drafts if draft.lines), key=lambda draft: draft.history.created_at)
    tables: dict[Any, list[dict[str, Any]]] = {
        model: [] for model in (Offer, Treatment, TreatmentTooth, PatientOffer, OfferTerm, ActivityLog)
    }
    for draft, offer_no in zip(drafts, _numbers(desk, drafts), strict=True):
        tables[Offer].append(_offer(desk, draft, offer_no))
        for position, line in enumerate(draft.lines):
            row = _treatment(draft, line, position)
            tables[Treatment].append(row)
            tables[TreatmentTooth] += _teeth(draft, row["id"], line.teeth)
        tables[PatientOffer] += _recipients(draft)
        title = tables[Offer][-1]["title"]
        tables[OfferTerm] += [{"term": term, "offer_id": draft.id} for term in sorted(offer_terms(offer_no, title))]
        tables[ActivityLog] += _logs(desk, draft)
    for model, rows in tables.items():
        bulk_insert(model, rows)
    return len(drafts)


def _draft(desk: Desk, patient: NewPatient, before: NewPatient | None, place: int) -> _Draft:
    dice, person = desk.dice(f"offer/{place}"), patient.person
    deck = desk.dice(f"deck/{place // len(DECK)}").sample(DECK, len(DECK))
    validity = timedelta(days=desk.clinic.offer_validity_days)
    history = make_history(dice, deck[place % len(DECK)], patient.registered_at, desk.year, validity)
    book = desk.book(_CURRENCIES.get(person.residence, Currency.EUR), "tr" if person.locale == "tr" else "en")
    years = (desk.year.today - person.birth_date).days // 365
    plan = LONG_PLAN if place == LONG_OFFER else draw_plan(dice, years)
    wishes = plan.wishes(dice)
    abroad = person.residence != desk.clinic.country
    if abroad and len(wishes) + 2 <= MAX_SHORT_LINES and dice.chance(TRAVEL_SHARE):
        wishes += travel(dice)
    family = before is not None and (before.person.phone, before.person.address) == (person.phone, person.address)
    relative = before if family and dice.chance(RELATIVE_SHARE) else None
    lines = _priced(dice, book, wishes, abroad=abroad)
    writer = dice.choice(desk.staff)
    return _Draft(dice.uuid7(history.created_at), patient, relative, plan, history, book, lines, writer, dice)


def _priced(dice: Dice, book: PriceBook, wishes: Iterable[Wish], *, abroad: bool) -> list[PricedLine]:
    """Price the wishes the clinic offers and has a price for."""
    by_code = {row.code: row for row in book.treatments.values() if row.id in book.prices}
    return [
        book.price_line(_typed(dice, wish, by_code[wish.code], book.prices[by_code[wish.code].id], abroad=abroad))
        for wish in wishes
        if wish.code in by_code
    ]


def _typed(dice: Dice, wish: Wish, row: Any, price: Decimal, *, abroad: bool) -> TypedLine:
    """Type a line as a coordinator does; treatment of people from abroad is exempt (law 3065, art. 13/1-l)."""
    kind, value = DiscountKind.PERCENT, None
    if dice.chance(DISCOUNT_SHARE):
        kind = dice.choice(list(DiscountKind))
        value = (
            Decimal(dice.choice(PERCENTS)) if kind is DiscountKind.PERCENT else (price * _TENTH).quantize(Decimal(1))
        )
    return TypedLine(
        catalog_id=row.id, name=None, teeth=", ".join(map(str, wish.teeth)), arch=wish.arch, quantity=wish.quantity,
        unit_price=None, discount_kind=kind, discount_value=value,
        vat_rate=Decimal(0) if abroad and row.vat_class == VatClass.TREATMENT else None,
    )  # fmt: skip


def _numbers(desk: Desk, drafts: Sequence[_Draft]) -> list[str]:
    """Return the next numbers of each year, in the order of the drafts."""
    years = [desk.year.day(draft.history.created_at).year for draft in drafts]
    numbers = {year: iter(take_numbers(NUMBER_KIND, year, count)) for year, count in sorted(Counter(years).items())}
    return [f"{year}-{next(numbers[year]):05d}" for year in years]


def _offer(desk: Desk, draft: _Draft, offer_no: str) -> dict[str, Any]:
    dice, history, book = draft.dice, draft.history, draft.book
    totals = offer_totals([line.amounts for line in draft.lines], prices_include_vat=book.prices_include_vat)
    return {
        "id": draft.id, "offer_no": offer_no,
        "title": draft.plan.title_tr if book.language == "tr" else draft.plan.title_en,
        "status_id": desk.statuses[history.kind].id, "primary_patient_id": draft.patient.id,
        "created_by_id": draft.writer[0], "currency": book.currency,
        "prices_include_vat": book.prices_include_vat, "valid_until": history.valid_until,
        "patient_note": dice.choice(PATIENT_NOTES) if dice.chance(NOTE_SHARE) else None,
        "internal_note": dice.choice(INTERNAL_NOTES) if dice.chance(NOTE_SHARE) else None,
        "subtotal": totals.subtotal, "discount_total": totals.discount, "net_total": totals.net,
        "vat_total": totals.vat, "grand_total": totals.gross, "sent_at": history.sent_at,
        "decided_at": history.decided_at, "version": 1 + len(history.steps), "created_at": history.created_at,
        "updated_at": history.changed_at,
    }  # fmt: skip


def _treatment(draft: _Draft, line: PricedLine, position: int) -> dict[str, Any]:
    at, amounts, totals = draft.history.created_at, line.amounts, line.totals
    return {
        "id": draft.dice.uuid7(at), "offer_id": draft.id, "catalog_id": line.catalog_id, "position": position,
        "code": line.code, "name": line.name, "scope": line.scope, "arch": line.arch, "quantity": amounts.quantity,
        "unit_price": amounts.unit_price, "discount_kind": amounts.discount_kind,
        "discount_value": amounts.discount_value, "vat_rate": amounts.vat_rate, "line_base": totals.base,
        "line_discount": totals.discount, "line_net": totals.net, "line_vat": totals.vat,
        "line_gross": totals.gross, "created_at": at, "updated_at": at,
    }  # fmt: skip


def _teeth(draft: _Draft, treatment_id: UUID, teeth: Sequence[int]) -> list[dict[str, Any]]:
    at = draft.history.created_at
    return [
        {"id": draft.dice.uuid7(at), "treatment_id": treatment_id, "tooth": tooth, "position": place}
        for place, tooth in enumerate(teeth)
    ]


def _recipients(draft: _Draft) -> list[dict[str, Any]]:
    at = draft.history.created_at
    return [
        {
            "id": draft.dice.uuid7(at), "patient_id": patient.id, "offer_id": draft.id, "assigned": True,
            "visible": not draft.dice.chance(HIDDEN_SHARE), "created_at": at, "updated_at": at,
        }
        for patient in (draft.patient, draft.relative)
        if patient is not None
    ]  # fmt: skip


def _logs(desk: Desk, draft: _Draft) -> list[dict[str, Any]]:
    """Return what services would have logged: the draft, and each status it went to."""
    actor_id, actor_name = draft.writer
    person = {"actor_kind": ActorKind.USER, "actor_id": actor_id, "actor_name": actor_name}
    clock = {"actor_kind": SYSTEM.kind, "actor_id": None, "actor_name": SYSTEM.name}
    rows, before = [_log(draft, "offer.created", draft.history.created_at, {}, person)], OfferKind.DRAFT
    for kind, at in draft.history.steps:
        if kind is OfferKind.EXPIRED:
            rows.append(_log(draft, "offer.expired", at, {}, clock))
        else:
            keys = [desk.statuses[before].key, desk.statuses[kind].key]
            rows.append(_log(draft, "offer.moved", at, {"status": keys}, person))
            before = kind
    return rows


def _log(draft: _Draft, action: str, at: datetime, changes: dict[str, Any], actor: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": draft.dice.uuid7(at), "at": at, "action": action, "object_type": Offer.__tablename__,
        "object_id": draft.id, "changes": changes, **actor,
    }  # fmt: skip
