"""What an offer says, in one language of patients: the page, the PDF and what is signed are all made of this."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from portal.catalog.enums import Scope
from portal.catalog.teeth import format_teeth
from portal.catalog.tooth_names import name_teeth
from portal.core.clock import now
from portal.core.patient_texts import FALLBACK, Texts, mark_phrase, texts
from portal.offers import content_queries as queries
from portal.offers.content_parts import (
    ClinicContent,
    LineContent,
    OfferContent,
    OptionContent,
    ToothContent,
    Totals,
    VatRow,
    VisitContent,
)
from portal.offers.models import Jaw, Offer, OfferOption, Treatment
from portal.settings.letterhead import letterhead
from portal.settings.queries import list_offer_templates
from portal.settings.templates import Block, DocumentTexts, document_texts

JAW_WORDS: dict[str, str] = {
    Jaw.UPPER: mark_phrase("Upper jaw"), Jaw.LOWER: mark_phrase("Lower jaw"), Jaw.BOTH: mark_phrase("Both jaws"),
}  # fmt: skip
WHOLE_MOUTH = mark_phrase("Whole mouth")
EXEMPT = mark_phrase("Exempt from VAT (%(code)s)")
ZERO = Decimal(0)


def offer_content(offer: Offer, *, locale: str) -> OfferContent:
    """Return everything an offer says in ``locale``; ``offer`` is loaded as by get_offer().

    A treatment without a name in that language is named in English and told in ``missing``.
    """
    words, options = texts(locale), queries.list_options(offer.id)
    known = queries.treatments_of({line.catalog_id for line in offer.lines if line.catalog_id})
    clinic, own = queries.get_clinic_words(), document_texts(list_offer_templates(), words.locale)
    head, foot = letterhead(words)
    missing: dict[str, None] = {}
    lines = tuple(_line(line, known, words, missing) for line in offer.lines)
    dated = (offer.sent_at or offer.created_at or now()).astimezone(ZoneInfo(clinic.timezone)).date()
    patient = offer.primary_patient
    return OfferContent(
        locale=words.locale, clinic=_clinic(clinic.name, own, head), offer_id=offer.id, number=offer.offer_no,
        revision=offer.revision_no, title=offer.title, patient_name=patient.full_name if patient else "",
        dated=dated, valid_until=offer.valid_until, currency=offer.currency, provisional=offer.is_provisional,
        prices_include_vat=offer.prices_include_vat,
        options=tuple(OptionContent(row.id, row.label, row.title, row.is_recommended) for row in options),
        lines=lines, totals=_all_totals(offer, options, words),
        visits=tuple(
            VisitContent(row.visit_no, row.days, row.gap_days_before, row.starts_on, row.note)
            for row in queries.list_visits(offer.id)
        ),
        patient_note=offer.patient_note or "", terms=own.block(Block.TERMS), footer=own.block(Block.FOOTER) or foot,
        missing=tuple(missing), sha256=offer.content_sha256 or "",
    )  # fmt: skip


def warranty_words(months: int, words: Texts) -> str:
    """Say how long a treatment is under warranty, in years where they are whole."""
    if months % 12:
        return words.phrase_n("%(num)d month's warranty", "%(num)d months' warranty", months)
    return words.phrase_n("%(num)d year's warranty", "%(num)d years' warranty", months // 12)


def content_sha256(offer: Offer) -> str:
    """Return the hash of what an offer agrees on: the same in every language and after a reload.

    Lines with their teeth, prices, VAT and options, totals, currency and validity; not who it is for,
    nor notes, nor how a clinic prints it.
    """
    labels = {row.id: row.label for row in queries.list_options(offer.id)}
    agreed = {
        "form": 1,
        "currency": offer.currency,
        "prices_include_vat": offer.prices_include_vat,
        "valid_until": _canonical(offer.valid_until),
        "is_provisional": bool(offer.is_provisional),
        "options": sorted(labels.values()),
        "lines": [_agreed_line(line, labels) for line in sorted(offer.lines, key=lambda row: row.position)],
        "totals": [_canonical(value) for value in (offer.net_total, offer.vat_total, offer.grand_total)],
    }
    text = json.dumps(agreed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


_AGREED = (
    "code", "name", "scope", "arch", "quantity", "unit_price", "discount_kind", "discount_value", "vat_rate",
    "vat_exemption_code", "line_net", "line_vat", "line_gross", "brand", "material", "abutment", "visit_no",
    "healing_days", "warranty_months",
)  # fmt: skip


def _agreed_line(line: Treatment, labels: Mapping[UUID, str]) -> dict[str, Any]:
    teeth = sorted((tooth.tooth, str(tooth.role), tooth.surfaces or "") for tooth in line.teeth)
    return {
        **{name: _canonical(getattr(line, name)) for name in _AGREED},
        "is_included": bool(line.is_included),
        "option": labels.get(line.option_id) if line.option_id else None,
        "teeth": [list(tooth) for tooth in teeth],
    }


def _canonical(value: Any) -> Any:
    """Write a value in its one form: 8000, 8000.0 and 8000.00 are one price."""
    if isinstance(value, Decimal):
        return format(value.normalize() + 0, "f")
    return value.isoformat() if isinstance(value, date) else value


def _clinic(name: str, own: DocumentTexts, head: str) -> ClinicContent:
    return ClinicContent(name, own.accent, own.logo_id, own.block(Block.HEADER) or head, own.block(Block.BANK))


def _line(line: Treatment, catalogue: Mapping[UUID, Any], words: Texts, missing: dict[str, None]) -> LineContent:
    known = catalogue.get(line.catalog_id) if line.catalog_id else None
    teeth = tuple(ToothContent(tooth.tooth, tooth.role, tooth.surfaces) for tooth in line.teeth)
    numbers = [tooth.number for tooth in teeth]
    return LineContent(
        id=line.id, name=_name(line, known, words, missing), teeth=teeth, teeth_text=format_teeth(numbers),
        teeth_words=name_teeth(numbers, words), place=_place(line, words), brand=line.brand, material=line.material,
        abutment=line.abutment, about=_about(known, words), quantity=line.quantity, unit_price=line.unit_price,
        price=line.line_base - line.line_discount, discount=line.line_discount, vat_rate=line.vat_rate,
        gross=line.line_gross, included=bool(line.is_included), option_id=line.option_id, visit=line.visit_no,
        healing_days=line.healing_days, warranty_months=line.warranty_months,
    )  # fmt: skip


def _name(line: Treatment, known: Any | None, words: Texts, missing: dict[str, None]) -> str:
    """Return the catalogue's name in this language, but a name that somebody typed as it was typed."""
    if known is None or line.name not in (known.name_tr, known.name_en, known.name_de, known.name_ru):
        return line.name
    name = getattr(known, f"name_{words.locale}")
    if not name:
        missing[known.name_en] = None
    return str(name or known.name_en)


def _about(known: Any | None, words: Texts) -> str:
    about = known.about if known else {}
    return str(about.get(words.locale) or about.get(FALLBACK) or "")


def _place(line: Treatment, words: Texts) -> str:
    if line.arch:
        return words.phrase(JAW_WORDS[line.arch])
    return words.phrase(WHOLE_MOUTH) if line.scope == Scope.MOUTH and not line.teeth else ""


def _all_totals(offer: Offer, options: Sequence[OfferOption], words: Texts) -> tuple[Totals, ...]:
    """Return one set of totals for each option, with what is part of all of them; one alone without options."""
    if not options:
        return (_totals(offer, offer.lines, None, words),)
    chosen = {row.id: [line for line in offer.lines if line.option_id in (None, row.id)] for row in options}
    return tuple(_totals(offer, lines, option_id, words) for option_id, lines in chosen.items())


def _totals(offer: Offer, lines: Collection[Treatment], option_id: UUID | None, words: Texts) -> Totals:
    base, net = sum((line.line_base for line in lines), ZERO), sum((line.line_net for line in lines), ZERO)
    gross = sum((line.line_gross for line in lines), ZERO)
    price = gross if offer.prices_include_vat else net
    return Totals(option_id, base, base - price, net, gross - net, gross, _vat_rows(lines, words))


def _vat_rows(lines: Collection[Treatment], words: Texts) -> tuple[VatRow, ...]:
    sums: dict[tuple[Decimal, str], tuple[Decimal, Decimal]] = {}
    for line in lines:
        key = (line.vat_rate, line.vat_exemption_code or "")
        net, vat = sums.get(key, (ZERO, ZERO))
        sums[key] = (net + line.line_net, vat + line.line_vat)
    return tuple(
        VatRow(rate, net, vat, words.phrase(EXEMPT, code=code) if code else "")
        for (rate, code), (net, vat) in sorted(sums.items())
    )
