from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.work import clinic_work
from portal.settings.models import ClinicImage
from portal.settings.queries import list_offer_templates
from portal.settings.templates import Block, DocumentTexts, document_texts
from tests.support.people import Person, hidden_fields
from tests.support.settings import fields_of, save

PAGE = "/settings/documents"
TEXTS = {"header": "Bağdat Caddesi 1\nİstanbul", "bank": "IBAN TR00", "terms": "Koşullar", "footer": "Ltd. Şti."}


@pytest.fixture
def owner(sign_in: Callable[..., Person]) -> Person:
    """The owner of papatya, signed in."""
    return sign_in("owner")


@pytest.fixture
def told(portal: Flask, papatya: ClinicInfo) -> Callable[..., DocumentTexts]:
    """Read what documents say: ``told("de")``."""

    def read(locale: str = "tr", clinic: ClinicInfo = papatya) -> DocumentTexts:
        with clinic_work(portal, clinic.id):
            return document_texts(list_offer_templates(), locale)

    return read


@pytest.fixture
def send_logo(owner: Person) -> Callable[..., TestResponse]:
    """Upload a file as the logo and return the page that answers."""

    def send(content: bytes, name: str = "logo.png") -> TestResponse:
        fields = {"logo": (io.BytesIO(content), name)}
        return owner.post(f"{PAGE}/logo", fields, content_type="multipart/form-data", follow_redirects=True)

    return send


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 100), **options: Any) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "#0f6b6f").save(made, kind, **options)
    return made.getvalue()


def bomb() -> bytes:
    """Return a PNG of a few bytes that says it has ten billion pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_clinic_writes_its_texts_and_they_show_in_every_language(
    owner: Person, told: Callable[..., DocumentTexts], lale: ClinicInfo
) -> None:
    assert owner.post(PAGE, {**TEXTS, "accent": "#AA3355"}).status_code == 302
    assert owner.post(f"{PAGE}?lang=de", {"terms": "Bedingungen", "accent": "#000000"}).status_code == 302
    german, russian = told("de"), told("ru")
    assert (german.block(Block.TERMS), german.block(Block.HEADER)) == ("Bedingungen", TEXTS["header"])
    assert (russian.block(Block.TERMS), russian.accent) == ("Koşullar", "#AA3355")
    assert german.accent == "#AA3355"  # the colour is the clinic's, not a language's
    assert told("tr", lale) == DocumentTexts()
    assert "Bedingungen" in owner.get(f"{PAGE}?lang=de").text


@pytest.mark.parametrize("accent", ["red", "#12345", "#1234567", '#000000"); #read("x', "javascript:1"])
def test_a_colour_that_is_none_is_refused_and_nothing_typed_is_lost(
    owner: Person, told: Callable[..., DocumentTexts], accent: str
) -> None:
    answer = owner.post(PAGE, {**TEXTS, "accent": accent})
    assert answer.status_code == 422
    assert "IBAN TR00" in answer.text
    assert told() == DocumentTexts()


def test_a_preview_shows_what_is_typed_and_saves_nothing(owner: Person, told: Callable[..., DocumentTexts]) -> None:
    page = owner.post(f"{PAGE}/preview", {**TEXTS, "accent": "#aa3355"})
    assert page.status_code == 200
    assert "data:image/png;base64," in page.text
    assert "IBAN TR00" in page.text
    drawn = owner.post(f"{PAGE}/preview?lang=ru", {**TEXTS}, headers={"Accept": "image/png"})
    other = owner.post(f"{PAGE}/preview?lang=ru", {**TEXTS, "header": "Other"}, headers={"Accept": "image/png"})
    assert drawn.mimetype == other.mimetype == "image/png"
    assert Image.open(io.BytesIO(drawn.data)).height > Image.open(io.BytesIO(drawn.data)).width
    assert drawn.data != other.data
    assert told() == DocumentTexts()


@pytest.mark.parametrize(
    ("kind", "options"), [("PNG", {}), ("JPEG", {"comment": b"<?php evil"}), ("WEBP", {}), ("GIF", {})]
)
def test_a_logo_is_written_anew_as_png(
    send_logo: Callable[..., TestResponse], owner: Person, kind: str, options: dict[str, Any]
) -> None:
    assert "The logo is set" in send_logo(picture(kind, (2400, 600), **options), "../../x.php").text
    kept = owner.get(f"{PAGE}/logo.png")
    shown = Image.open(io.BytesIO(kept.data))
    assert (kept.mimetype, shown.format, shown.size) == ("image/png", "PNG", (1200, 300))
    assert b"evil" not in kept.data


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Choose a picture first"),
        (b'<?xml version="1.0"?><SVG xmlns="x"><script>alert(1)</script></SVG>', "SVG files may hold programs"),
        (b"MZ\x90\x00" + b"\0" * 5000, "no picture that can be read"),
        (b"\x7fELF" + b"\0" * 5000, "no picture that can be read"),
        (b"\x89PNG\r\n\x1a\n" + b"MZ" * 500, "no picture that can be read"),
        (picture()[:60], "no picture that can be read"),
        (b"%PDF-1.7", "no picture that can be read"),
        (picture("BMP"), "no picture that can be read"),
        (picture("JPEG") + b"\xff" * (20 * 1024 * 1024), "larger than 5 MB"),
        (bomb(), "too many pixels"),
    ],
    ids=["nothing", "svg with script", "exe as png", "elf as png", "exe behind a png's mark", "cut off", "pdf", "bmp",
         "20 MB photo", "bomb"],
)  # fmt: skip
def test_what_is_no_logo_is_refused_with_what_to_do(
    send_logo: Callable[..., TestResponse], told: Callable[..., DocumentTexts], content: bytes, message: str
) -> None:
    assert message in send_logo(content).text
    assert told().logo_id is None


def test_a_file_beyond_all_measure_is_not_even_read(owner: Person) -> None:
    fields = {"logo": (io.BytesIO(b"\0" * (26 * 1024 * 1024)), "x.png")}
    assert owner.post(f"{PAGE}/logo", fields, content_type="multipart/form-data").status_code == 413


def test_a_new_logo_takes_the_place_of_the_old_one_and_can_be_removed(
    send_logo: Callable[..., TestResponse], owner: Person, portal: Flask, papatya: ClinicInfo,
    told: Callable[..., DocumentTexts],
) -> None:  # fmt: skip
    send_logo(picture())
    send_logo(picture(size=(200, 200)))
    with clinic_work(portal, papatya.id):
        assert [row.width for row in current_session().scalars(sa.select(ClinicImage))] == [200]
    assert owner.post(f"{PAGE}/logo/remove").status_code == 302
    assert told().logo_id is None
    assert owner.get(f"{PAGE}/logo.png").status_code == 204


def test_a_logo_is_printed(send_logo: Callable[..., TestResponse], owner: Person) -> None:
    before = owner.post(f"{PAGE}/preview", TEXTS, headers={"Accept": "image/png"}).data
    send_logo(picture())
    assert owner.post(f"{PAGE}/preview", TEXTS, headers={"Accept": "image/png"}).data != before


def test_another_clinic_sees_no_logo_of_ours(
    send_logo: Callable[..., TestResponse], sign_in: Callable[..., Person]
) -> None:
    send_logo(picture())
    assert sign_in("owner", "lale").get(f"{PAGE}/logo.png").status_code == 204


def test_two_who_write_the_documents_texts_get_the_conflict_page(
    owner: Person, told: Callable[..., DocumentTexts]
) -> None:
    mine = fields_of(owner, PAGE)
    assert save(owner, PAGE, bank="IBAN of a colleague").status_code == 302
    answer = owner.post(PAGE, {**mine, "bank": "IBAN of mine"})
    assert answer.status_code == 409
    assert "IBAN of a colleague" in answer.text and "IBAN of mine" in answer.text
    assert told().block(Block.BANK) == "IBAN of a colleague"
    assert owner.post(PAGE, {**mine, **hidden_fields(answer.text), "bank": "IBAN of mine"}).status_code == 302
    assert told().block(Block.BANK) == "IBAN of mine"
