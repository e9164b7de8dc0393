"""The page that gives staff an offer's PDF."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.patient_texts import PATIENT_LANGUAGES, language_name
from portal.core.text import fold
from portal.offers.content import offer_content
from portal.offers.pdf.document import current_pdf, document_language, file_name
from portal.offers.pdf.engine import PdfError
from portal.offers.pdf.sample import draw_sample
from portal.offers.queries import get_offer
from portal.settings.preview import show_samples_by

blueprint = Blueprint("offer_documents", __name__, url_prefix="/offers")
show_samples_by(draw_sample)


@blueprint.app_context_processor
def document_languages() -> dict[str, object]:
    """Give the offer's page the languages of documents."""
    return {"document_languages": {code: language_name(code) for code in PATIENT_LANGUAGES}}


@blueprint.get("/<uuid:offer_id>/pdf")
@access(Permission.OFFERS_READ, reads="offer_id", reading="print")
def pdf(offer_id: UUID) -> ResponseReturnValue:
    """Show an offer as a PDF: as it was kept when it was sent, else as it would be now; writes nothing."""
    offer = get_offer(offer_id)
    locale, second = request.args.get("lang") or document_language(offer), request.args.get("with")
    try:
        document = current_pdf(offer, locale=locale, second_locale=second)
    except PdfError:
        flash(_("The PDF could not be made. Try again in a moment."), "danger")
        return redirect(url_for("offers.show", offer_id=offer_id))
    return pdf_response(document, file_name(offer_content(offer, locale=locale)))


def pdf_response(document: bytes, name: str) -> Response:
    """Return a document to be opened in the browser, with a name to be saved under."""
    plain = fold(name).encode("ascii", "ignore").decode().replace('"', "")
    disposition = f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    return Response(document, mimetype="application/pdf", headers={"Content-Disposition": disposition})
