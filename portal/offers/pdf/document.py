"""Makes an offer's document, remembers it by what it says, and keeps what was sent."""

from __future__ import annotations

import hashlib
import io
import json
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from threading import Lock

import segno
import structlog

from portal.core.database import current_session
from portal.core.patient_texts import patient_language, texts
from portal.offers.content import content_sha256, offer_content
from portal.offers.content_parts import OfferContent
from portal.offers.content_queries import find_document
from portal.offers.documents import PdfDocument
from portal.offers.models import Offer
from portal.offers.pdf.data import document_data
from portal.offers.pdf.engine import TYPESETTER, PdfError
from portal.settings.queries import get_image

log = structlog.get_logger("portal.pdf")
PREVIEW_PPI = 80
_REMEMBERED = 64
_FOLDER = Path(__file__).parent
_SOURCES = {"main.typ": (_FOLDER / "offer.typ").read_bytes(), "chart.typ": (_FOLDER / "chart.typ").read_bytes()}


class _Remembered:
    """The documents made last, by the hash of everything they are made of."""

    def __init__(self, size: int) -> None:
        self._size, self._lock = size, Lock()
        self._known: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def put(self, key: str, document: bytes) -> None:
        with self._lock:
            self._known[key] = document
            while len(self._known) > self._size:
                self._known.popitem(last=False)


_documents = _Remembered(_REMEMBERED)


def offer_pdf(offer: Offer, *, locale: str, second_locale: str | None = None, link_url: str | None = None) -> bytes:
    """Return an offer, loaded as by get_offer(), as a PDF. Writes nothing; raises PdfError.

    ``second_locale`` stands beside the first language; ``link_url`` is what its QR code opens.
    """
    content = offer_content(offer, locale=locale)
    files = document_files(content, _second(offer, content.locale, second_locale), link_url)
    key = _key(files)
    document = _documents.get(key)
    if document is None:
        day = datetime.combine(content.dated, time.min, UTC)
        document = TYPESETTER.pdf(files, timestamp=int(day.timestamp()))
        _documents.put(key, document)
    return document


def draw_page(content: OfferContent) -> bytes:
    """Return the first page of a document as PNG, to look at. Raises PdfError."""
    return TYPESETTER.png(document_files(content, None, None), ppi=PREVIEW_PPI)[0]


def stored_pdf(offer: Offer, locale: str) -> bytes:
    """Return an offer's PDF as it was kept for what the offer says now; makes and keeps it the first time.

    Adds a row to the session, so call it where something is sent. Raises PdfError.
    """
    language, agreed = patient_language(locale), content_sha256(offer)
    found = find_document(offer.id, language, agreed)
    if found is not None:
        return found.content
    document = offer_pdf(offer, locale=language)
    row = PdfDocument(
        offer_id=offer.id, locale=language, content_sha256=agreed, content=document,
        sha256=hashlib.sha256(document).hexdigest(),
    )  # fmt: skip
    current_session().add(row)
    return document


def keep_pdf(offer: Offer) -> None:
    """Keep the document of an offer that is being sent; where it cannot be made, the offer goes out all the same."""
    try:
        stored_pdf(offer, document_language(offer))
    except PdfError as error:
        log.warning("pdf.not_kept", offer_id=str(offer.id), error=type(error).__name__)


def current_pdf(offer: Offer, *, locale: str, second_locale: str | None = None) -> bytes:
    """Return the document kept for what an offer says, else a new one. Writes nothing; raises PdfError."""
    alone = second_locale is None or patient_language(second_locale) == patient_language(locale)
    kept = _kept(offer, locale) if alone else None
    return kept or offer_pdf(offer, locale=locale, second_locale=second_locale)


def patient_pdf(offer: Offer, *, locale: str, link_url: str) -> bytes:
    """Return a patient's own copy, with her link as a QR code. Writes nothing; raises PdfError.

    Where the clinic has changed its texts since, she gets the document as it was kept, without the code.
    """
    kept = _kept(offer, locale)
    if kept is not None and kept != offer_pdf(offer, locale=locale):
        return kept
    return offer_pdf(offer, locale=locale, link_url=link_url)


def document_language(offer: Offer) -> str:
    """Return the language an offer is printed in unless told otherwise: its own, else the patient's, else Turkish."""
    patient = offer.primary_patient
    return patient_language(offer.locale or (patient.locale if patient else None) or "tr")


def file_name(content: OfferContent) -> str:
    """Return what a saved document is called: "Teklif 2026-00012 Papatya.pdf"."""
    words = texts(content.locale)
    clinic = content.clinic.name.split()[0] if content.clinic.name.split() else ""
    word = words.phrase("Offer")
    return f"{word} {content.number} {clinic}".strip() + ".pdf"


def document_files(content: OfferContent, second: OfferContent | None, link_url: str | None) -> dict[str, bytes]:
    """Return the files a document is set of: the template, its data, the logo and the QR code."""
    logo = get_image(content.clinic.logo_id).content if content.clinic.logo_id else None
    data = document_data(content, second, logo=logo is not None, link_url=link_url)
    files = {**_SOURCES, "data.json": json.dumps(data, ensure_ascii=False).encode()}
    if logo is not None:
        files["logo.png"] = logo
    if link_url:
        picture = io.BytesIO()
        segno.make(link_url, error="m", micro=False).save(picture, kind="svg", border=0, xmldecl=False)
        files["qr.svg"] = picture.getvalue()
    return files


def _kept(offer: Offer, locale: str) -> bytes | None:
    if not offer.content_sha256:
        return None
    found = find_document(offer.id, patient_language(locale), offer.content_sha256)
    return found.content if found else None


def _second(offer: Offer, first: str, wanted: str | None) -> OfferContent | None:
    if wanted is None or patient_language(wanted) == first:
        return None
    return offer_content(offer, locale=wanted)


def _key(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {len(files[name])}\n".encode() + files[name])
    return digest.hexdigest()
