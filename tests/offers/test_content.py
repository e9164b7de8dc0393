from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.catalog.models import CatalogTreatment
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.patient_texts import PATIENT_LANGUAGES
from portal.core.work import clinic_work
from portal.offers.content import content_sha256, offer_content
from portal.offers.models import Offer, OfferOption, OfferVisit
from portal.offers.queries import get_offer
from portal.settings.models import PdfTemplate
from tests.support.data import add_offer, add_patient


@pytest.fixture
def offer(portal: Flask, papatya: ClinicInfo) -> Iterator[Offer]:
    """A draft of one line of three crowns, within papatya's work."""
    with clinic_work(portal, papatya.id):
        made = add_offer(papatya, add_patient(), patient_note="Dikkat: İyi günler")
        yield get_offer(made.id)


def crown(offer: Offer) -> CatalogTreatment:
    found = current_session().get(CatalogTreatment, (offer.clinic_id, offer.lines[0].catalog_id))
    assert found is not None
    return found


def add(row: Any) -> Any:
    session = current_session()
    session.add(row)
    session.flush()
    audit.record(SYSTEM, "offer.changed", Offer)
    return row


def changed(offer: Offer) -> None:
    audit.record(SYSTEM, "offer.changed", offer)
    current_session().flush()


def test_a_line_is_told_in_the_patients_own_language(offer: Offer) -> None:
    treatment = crown(offer)
    treatment.name_de, treatment.name_ru = "Zirkonkrone", "Циркониевая коронка"
    treatment.about = {"en": "A cap for your tooth", "ru": "Колпачок на зуб"}
    changed(offer)
    told = {locale: offer_content(offer, locale=locale).lines[0] for locale in PATIENT_LANGUAGES}
    assert told["de"].name == "Zirkonkrone"
    assert told["ru"].name == "Циркониевая коронка"
    assert told["tr"].name == treatment.name_tr
    assert told["en"].teeth_words == "upper right canine, upper right lateral incisor, upper right central incisor"
    assert told["ru"].about == "Колпачок на зуб"
    assert told["de"].about == "A cap for your tooth"  # English where there is none
    assert {line.teeth_text for line in told.values()} == {"11–13"}


def test_a_name_missing_in_a_language_is_english_and_told(offer: Offer) -> None:
    treatment = crown(offer)
    treatment.name_de = None
    changed(offer)
    content = offer_content(offer, locale="de")
    assert content.lines[0].name == treatment.name_en
    assert content.missing == (treatment.name_en,)
    assert offer_content(offer, locale="tr").missing == ()


def test_a_name_that_somebody_typed_stays_as_typed(offer: Offer) -> None:
    offer.lines[0].name = "Ön dişlere zirkonyum"
    changed(offer)
    content = offer_content(offer, locale="ru")
    assert (content.lines[0].name, content.missing) == ("Ön dişlere zirkonyum", ())


def test_the_hash_is_one_in_every_language_and_after_a_reload(offer: Offer) -> None:
    before = content_sha256(offer)
    for locale in PATIENT_LANGUAGES:
        offer_content(offer, locale=locale)
    current_session().expire_all()
    assert content_sha256(get_offer(offer.id)) == before
    assert len(before) == 64


CHANGES: dict[str, Callable[[Offer], Any]] = {
    "a price": lambda offer: setattr(offer.lines[0], "unit_price", Decimal("8000.01")),
    "a quantity": lambda offer: setattr(offer.lines[0], "quantity", Decimal(4)),
    "a tooth": lambda offer: setattr(offer.lines[0].teeth[0], "tooth", 14),
    "a tooth's part in a bridge": lambda offer: setattr(offer.lines[0].teeth[0], "role", "pontic"),
    "a tooth's surfaces": lambda offer: setattr(offer.lines[0].teeth[0], "surfaces", "MO"),
    "a tooth less": lambda offer: offer.lines[0].teeth.pop(),
    "a line less": lambda offer: offer.lines.pop(),
    "a name": lambda offer: setattr(offer.lines[0], "name", "Other"),
    "a brand": lambda offer: setattr(offer.lines[0], "brand", "Straumann"),
    "a warranty": lambda offer: setattr(offer.lines[0], "warranty_months", 60),
    "what is included": lambda offer: setattr(offer.lines[0], "is_included", True),
    "a VAT rate": lambda offer: setattr(offer.lines[0], "vat_rate", Decimal(0)),
    "an exemption": lambda offer: setattr(offer.lines[0], "vat_exemption_code", "13/1-l"),
    "the currency": lambda offer: setattr(offer, "currency", "EUR"),
    "the total": lambda offer: setattr(offer, "grand_total", Decimal(1)),
    "the last day": lambda offer: setattr(offer, "valid_until", offer.valid_until + timedelta(days=1)),  # type: ignore[operator]
    "an option": lambda offer: add(OfferOption(offer_id=offer.id, label="A")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_agreed_changes_the_hash(offer: Offer, change: str) -> None:
    before = content_sha256(offer)
    CHANGES[change](offer)
    changed(offer)
    current_session().expire_all()
    assert content_sha256(get_offer(offer.id)) != before


def test_notes_and_how_it_is_printed_leave_the_hash_alone(offer: Offer) -> None:
    before = content_sha256(offer)
    offer.title, offer.patient_note, offer.internal_note = "Other", "Other", "Other"
    add(PdfTemplate(name="offer", body="", blocks={"terms": "Other terms"}, accent="#112233"))
    changed(offer)
    assert content_sha256(offer) == before


def test_each_option_has_totals_with_what_is_part_of_all(offer: Offer) -> None:
    options = [add(OfferOption(offer_id=offer.id, label=label, position=place)) for place, label in enumerate("AB")]
    offer.lines[0].option_id = options[1].id
    changed(offer)
    first, second = offer_content(offer, locale="en").totals
    assert (first.option_id, first.gross) == (options[0].id, Decimal(0))
    assert (second.gross, second.subtotal, second.discount) == (
        Decimal("21600.00"), Decimal("24000.00"), Decimal("2400.00"),
    )  # fmt: skip
    assert second.net + second.vat == second.gross == offer.grand_total
    assert [(row.rate, row.net + row.vat) for row in second.vat_rows] == [(Decimal("10.00"), second.gross)]


def test_why_no_vat_is_asked_is_said_in_the_patients_language(offer: Offer) -> None:
    offer.lines[0].vat_exemption_code = "13/1-l"
    changed(offer)
    reasons = {locale: offer_content(offer, locale=locale).totals[0].vat_rows[0].reason for locale in PATIENT_LANGUAGES}
    assert len(set(reasons.values())) == len(PATIENT_LANGUAGES)
    assert all("13/1-l" in reason for reason in reasons.values())


def test_a_clinics_texts_come_in_the_language_where_it_wrote_them(offer: Offer) -> None:
    add(PdfTemplate(name="offer", body="", blocks={"terms": "Koşullar", "footer": "Alt"}, accent="#112233"))
    add(PdfTemplate(name="offer de", body="", locale="de", blocks={"terms": "Bedingungen", "footer": ""}))
    german, russian = (offer_content(offer, locale=locale) for locale in ("de", "ru"))
    assert (german.terms, german.footer, german.clinic.accent) == ("Bedingungen", "Alt", "#112233")
    assert russian.terms == "Koşullar"


def test_an_offer_without_lines_says_nothing_and_costs_nothing(offer: Offer) -> None:
    offer.lines.clear()
    changed(offer)
    content = offer_content(offer, locale="en")
    assert (content.lines, content.totals[0].gross, content.totals[0].vat_rows) == ((), Decimal(0), ())
    assert content_sha256(offer)


def test_visits_come_in_their_order(offer: Offer) -> None:
    for number, gap in ((2, 90), (1, 0)):
        add(OfferVisit(offer_id=offer.id, visit_no=number, days=3, gap_days_before=gap))
    assert [(visit.number, visit.gap_days_before) for visit in offer_content(offer, locale="en").visits] == [
        (1, 0), (2, 90),
    ]  # fmt: skip


def test_reading_an_offers_content_takes_few_statements(offer: Offer, statements: list[str]) -> None:
    offer_content(offer, locale="en")
    assert len([text for text in statements if text.startswith("SELECT")]) <= 6, sa.text("\n".join(statements))
