"""A made-up offer, to show a clinic how its documents print."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from portal.catalog.enums import ToothRole
from portal.catalog.teeth import format_teeth
from portal.catalog.tooth_names import name_teeth
from portal.core.clock import now
from portal.core.patient_texts import Texts, mark_phrase, texts
from portal.offers.content_parts import (
    ClinicContent,
    LineContent,
    OfferContent,
    ToothContent,
    Totals,
    VatRow,
    VisitContent,
)
from portal.offers.content_queries import get_clinic_words
from portal.offers.pdf.document import draw_page
from portal.settings.letterhead import letterhead
from portal.settings.templates import Block, DocumentTexts

_NOBODY = UUID(int=0)
_RATE = Decimal(10)
_LINES = (
    (mark_phrase("Dental implant"), (36, 46), Decimal(650), ()),
    (mark_phrase("Zirconia crown"), (13, 12, 11, 21, 22, 23), Decimal(240), ()),
    (mark_phrase("Zirconia bridge"), (16, 15, 14), Decimal(230), (15,)),
)


def draw_sample(locale: str, told: DocumentTexts) -> bytes:
    """Return the first page of a made-up offer with a clinic's texts as PNG; raises PdfError."""
    head, foot = letterhead(texts(locale))
    usual = {Block.HEADER: head, Block.FOOTER: foot}
    blocks = {**usual, **{name: text for name, text in told.blocks.items() if text}}
    return draw_page(sample_content(locale, replace(told, blocks=blocks), get_clinic_words().name))


def sample_content(locale: str, told: DocumentTexts, clinic: str) -> OfferContent:
    """Return what a made-up offer of a clinic says."""
    words, day = texts(locale), now().date()
    lines = tuple(_line(words, *line) for line in _LINES)
    gross = sum((line.gross for line in lines), Decimal(0))
    net = (gross * 100 / (100 + _RATE)).quantize(Decimal("0.01"))
    totals = Totals(None, gross, Decimal(0), net, gross - net, gross, (VatRow(_RATE, net, gross - net, ""),))
    return OfferContent(
        locale=words.locale,
        clinic=ClinicContent(clinic, told.accent, told.logo_id, told.block(Block.HEADER), told.block(Block.BANK)),
        offer_id=_NOBODY, number=f"{day.year}-00000", revision=1, title=words.phrase("A sample"),
        patient_name="Ayşe Yılmaz", dated=day, valid_until=day + timedelta(days=30), currency="EUR", provisional=False,
        prices_include_vat=True, options=(), lines=lines, totals=(totals,),
        visits=(VisitContent(1, 4, 0, None, None), VisitContent(2, 5, 90, None, None)), patient_note="",
        terms=told.block(Block.TERMS), footer=told.block(Block.FOOTER), missing=(),
    )  # fmt: skip


def _line(words: Texts, name: str, teeth: tuple[int, ...], price: Decimal, pontics: tuple[int, ...]) -> LineContent:
    roles = {tooth: ToothRole.PONTIC if tooth in pontics else ToothRole.UNIT for tooth in teeth}
    total = price * len(teeth)
    return LineContent(
        id=_NOBODY, name=words.phrase(name), teeth=tuple(ToothContent(tooth, roles[tooth], None) for tooth in teeth),
        teeth_text=format_teeth(teeth), teeth_words=name_teeth(teeth, words), place="", brand=None, material=None,
        abutment=None, about="", quantity=Decimal(len(teeth)), unit_price=price, price=total, discount=Decimal(0),
        vat_rate=_RATE, gross=total, included=False, option_id=None, visit=None, healing_days=None,
        warranty_months=None,
    )  # fmt: skip
