from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image
from pypdf import PdfReader

from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.patient_texts import PATIENT_LANGUAGES
from portal.core.work import clinic_work
from portal.offers.content import content_sha256, offer_content
from portal.offers.documents import PdfDocument
from portal.offers.models import Offer, OfferOption
from portal.offers.pdf import file_name, offer_pdf, stored_pdf
from portal.offers.pdf.document import document_files, draw_page
from portal.offers.pdf.engine import TYPESETTER, PdfError, PdfTimeoutError, Typesetter
from portal.offers.queries import get_offer
from portal.offers.services import send_offer
from tests.support.data import add_offer, add_patient

HOSTILE = [
    '#eval("1 + 1") #read("/etc/passwd") #import "x.typ"',
    "$ x^2 $ @label <label> \\ * _ ` `` ``` = - + / ~ [ ] { } // /* */ %(name)s {{ 7 * 7 }}",
    "İıŞşĞğÜüÖöÇç Привет, Ёлка ẞß €₺£ — „“”",
]


@pytest.fixture
def offer(portal: Flask, papatya: ClinicInfo) -> Iterator[Offer]:
    """A draft of one line of three crowns, within papatya's work."""
    with clinic_work(portal, papatya.id):
        yield get_offer(add_offer(papatya, add_patient(first_name="Işıl", last_name="Çağlar")).id)


@pytest.fixture
def typesetter() -> Iterator[Typesetter]:
    """A typesetter of its own with little patience."""
    made = Typesetter(seconds=3)
    yield made
    made.stop()


def text_of(document: bytes) -> str:
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages)
    return " ".join(text.replace("\u200b", "").split())


def set_text(typesetter: Typesetter, source: str) -> bytes:
    return typesetter.pdf({"main.typ": f'#set document(title: "x")\n{source}'.encode()}, timestamp=0)


@pytest.mark.parametrize(
    ("locale", "title", "tooth"),
    [
        ("tr", "Tedavi teklifi", "sağ üst köpek dişi"),
        ("en", "Treatment offer", "upper right canine"),
        ("de", "Behandlungsangebot", "Eckzahn oben rechts"),
        ("ru", "Предложение по лечению", "верхний правый клык"),
    ],
)
def test_a_document_speaks_the_patients_language(offer: Offer, locale: str, title: str, tooth: str) -> None:
    document = offer_pdf(offer, locale=locale)
    text, reader = text_of(document), PdfReader(io.BytesIO(document))
    assert all(part in text for part in (title, tooth, "11–13", "Işıl Çağlar", offer.offer_no))
    assert reader.trailer["/Root"]["/Lang"] == locale
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.metadata is not None
    assert reader.metadata.title == f"{title} {offer.offer_no}"


def test_two_languages_stand_side_by_side(offer: Offer) -> None:
    text = text_of(offer_pdf(offer, locale="de", second_locale="tr"))
    assert all(part in text for part in ("Behandlungsangebot", "Tedavi teklifi", "Eckzahn", "köpek dişi"))
    alone = offer_pdf(offer, locale="de", second_locale="de")
    assert alone == offer_pdf(offer, locale="de")


def test_the_same_content_makes_the_same_bytes(offer: Offer) -> None:
    assert (
        hashlib.sha256(offer_pdf(offer, locale="en")).digest()
        == hashlib.sha256(offer_pdf(get_offer(offer.id), locale="en")).digest()
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_what_people_type_is_printed_and_never_run(offer: Offer, text: str) -> None:
    offer.title, offer.patient_note, offer.lines[0].name, offer.lines[0].brand = text[:190], text, text[:190], text[:70]
    with current_session().no_autoflush:
        document = offer_pdf(offer, locale="tr")
    current_session().expire_all()
    assert " ".join(text.split()) in text_of(document)
    assert "root:" not in text_of(document)


def test_emoji_and_words_of_2000_letters_stay_on_the_page(offer: Offer) -> None:
    content = replace(
        offer_content(offer, locale="en"), patient_note="\U0001f9b7 " + "W" * 2000 + " \x00\x07end\U0001f600"
    )
    picture = Image.open(io.BytesIO(draw_page(content))).convert("L")
    right_margin = picture.crop((picture.width - 20, 0, picture.width, picture.height))
    assert right_margin.getextrema() == (255, 255)
    data = document_files(content, None, None)["data.json"].decode()
    assert "\U0001f9b7" not in data
    assert "end" in data


def test_a_name_the_font_lacks_still_makes_a_document(offer: Offer) -> None:
    content = replace(offer_content(offer, locale="en"), patient_name="王小明")
    assert Typesetter().pdf(document_files(content, None, None), timestamp=0).startswith(b"%PDF")


def test_an_offer_without_lines_and_one_with_sixty_are_printed(offer: Offer) -> None:
    content = offer_content(offer, locale="de")
    many = replace(content, lines=content.lines * 60)
    none = replace(content, lines=(), totals=(replace(content.totals[0], vat_rows=()),))
    typesetter = Typesetter()
    pages = [
        len(PdfReader(io.BytesIO(typesetter.pdf(document_files(told, None, None), timestamp=0))).pages)
        for told in (none, many)
    ]
    typesetter.stop()
    assert pages[0] == 1
    assert pages[1] > 5


def test_options_are_printed_with_a_total_each(offer: Offer) -> None:
    for place, label in enumerate("AB"):
        current_session().add(OfferOption(offer_id=offer.id, label=label, position=place))
    audit.record(SYSTEM, "offer.changed", offer, changes={})
    text = text_of(offer_pdf(offer, locale="en"))
    assert "Option A" in text
    assert text.count("Total") == 2


def test_the_qr_code_holds_the_link(offer: Offer) -> None:
    content = offer_content(offer, locale="en")
    assert b"<path" in document_files(content, None, "https://papatya.example/o/x")["qr.svg"]
    assert "qr.svg" not in document_files(content, None, None)
    assert "Open this offer on your phone" in text_of(offer_pdf(offer, locale="en", link_url="https://x.example/o/1"))


@pytest.mark.parametrize(
    "source",
    [
        '#read("/etc/passwd")',
        '#read("../../etc/passwd")',
        f'#read("{Path(*[".."] * 8) / __file__.lstrip("/")}")',
        '#image("/etc/hostname")',
        '#import "@preview/cetz:0.2.0"',
    ],
)
def test_a_template_reads_nothing_outside_its_folder(typesetter: Typesetter, source: str) -> None:
    with pytest.raises(PdfError) as refused:
        set_text(typesetter, source)
    assert not isinstance(refused.value, PdfTimeoutError)
    assert set_text(typesetter, "still at work").startswith(b"%PDF")


def test_a_document_that_hangs_is_killed_and_the_next_one_is_set(typesetter: Typesetter) -> None:
    typesetter.seconds = 1
    with pytest.raises(PdfTimeoutError, match="took longer than 1 seconds"):
        set_text(
            typesetter, "#{ let n = 0; for a in range(1000000) { for b in range(1000000) { n += calc.rem(a, 7) } } }"
        )
    typesetter.seconds = 10
    assert set_text(typesetter, "next").startswith(b"%PDF")


def test_a_document_that_eats_memory_is_stopped() -> None:
    typesetter = Typesetter(seconds=20, memory=1 << 30)
    try:
        with pytest.raises(PdfError, match=r"out of memory, or killed|took longer"):
            set_text(
                typesetter,
                '#let a = ("x" * 100000000,) \n #for i in range(40) { a.push("y" * 100000000 + str(i)) } #a.len()',
            )
        typesetter.memory = 2 << 30
        assert set_text(typesetter, "next").startswith(b"%PDF")
    finally:
        typesetter.stop()


def test_what_was_sent_is_kept_as_it_was(offer: Offer) -> None:
    first = stored_pdf(offer, "de_AT")
    current_session().flush()
    row = current_session().scalars(sa.select(PdfDocument).where(PdfDocument.offer_id == offer.id)).one()
    assert (row.locale, row.content_sha256, row.sha256) == (
        "de", content_sha256(offer), hashlib.sha256(first).hexdigest(),
    )  # fmt: skip
    offer.title = "Anders"
    assert stored_pdf(offer, "de") == first  # the title is no part of what was agreed; the paper stays as sent
    current_session().expire_all()


@pytest.mark.parametrize(
    ("locale", "name"),
    [("tr", "Teklif {} Papatya.pdf"), ("en", "Offer {} Papatya.pdf"), ("de", "Angebot {} Papatya.pdf")],
)
def test_a_saved_document_has_a_sensible_name(offer: Offer, locale: str, name: str) -> None:
    assert file_name(offer_content(offer, locale=locale)) == name.format(offer.offer_no)


@pytest.mark.parametrize("locale", PATIENT_LANGUAGES)
def test_staff_open_the_pdf_and_nothing_is_written(
    sign_in: Any, portal: Flask, papatya: ClinicInfo, locale: str
) -> None:
    with clinic_work(portal, papatya.id):
        offer_id = add_offer(papatya, add_patient()).id
    answer = sign_in("readonly").get(f"/offers/{offer_id}/pdf?lang={locale}")
    assert (answer.status_code, answer.mimetype, answer.data[:5]) == (200, "application/pdf", b"%PDF-")
    assert "Papatya.pdf" in answer.headers["Content-Disposition"]
    with clinic_work(portal, papatya.id):
        assert current_session().scalars(sa.select(PdfDocument).where(PdfDocument.offer_id == offer_id)).all() == []


def test_sending_an_offer_keeps_its_document(coordinator: Any, portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        offer = get_offer(add_offer(papatya, add_patient(locale="de")).id)
        send_offer(SYSTEM, offer)
        row = current_session().scalars(sa.select(PdfDocument).where(PdfDocument.offer_id == offer.id)).one()
        assert (row.locale, row.content_sha256) == ("de", offer.content_sha256)
        offer_id, kept = offer.id, row.content
        assert f"unterschreiben: {offer.content_sha256}" in text_of(kept), "as on the patient's page"
    assert coordinator.get(f"/offers/{offer_id}/pdf").data == kept


def test_an_offer_goes_out_even_where_its_document_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, coordinator: Any, portal: Flask, papatya: ClinicInfo
) -> None:
    def refuse(*_: Any, **__: Any) -> bytes:
        raise PdfError("no")

    monkeypatch.setattr(TYPESETTER, "pdf", refuse)
    with clinic_work(portal, papatya.id):
        offer = get_offer(add_offer(papatya, add_patient(first_name="Yalnız", locale="ru")).id)
        send_offer(SYSTEM, offer)
        offer_id = offer.id
        assert offer.content_sha256
    answer = coordinator.get(f"/offers/{offer_id}/pdf?lang=ru", follow_redirects=True)
    assert "The PDF could not be made" in answer.text
