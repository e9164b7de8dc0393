"""A patient's page at her private link. Before the second factor it says nothing but the clinic's name."""

from __future__ import annotations

import io

from flask import Blueprint, Response, make_response, redirect, request, send_file
from flask.typing import ResponseReturnValue

from portal.auth import limits
from portal.auth.login import csrf
from portal.core.access import PUBLIC, access
from portal.core.clock import now
from portal.core.errors import ClinicClosed, NotFoundError, RuleError
from portal.core.identity import current_clinic
from portal.core.patient_texts import PATIENT_LANGUAGES, mark_phrase
from portal.offers.content import offer_content
from portal.offers.documents import Section
from portal.offers.models import DeclineReason
from portal.offers.pdf.document import file_name, patient_pdf
from portal.offers.pdf.engine import PdfError
from portal.settings.queries import get_image, list_offer_templates
from portal.settings.templates import document_texts
from portal.sharing import deciding, messages, opening, page, passes
from portal.sharing.deciding import Copy, DecisionError, Signature
from portal.sharing.forms import AcceptForm, DeclineForm, QuestionForm
from portal.sharing.models import OfferSignature
from portal.sharing.opening import Answer, Closed
from portal.sharing.page import Typed
from portal.sharing.presenting import own_address
from portal.sharing.queries import get_patient_of
from portal.sharing.rendering import closed_page, gate_page, message_page, offer_page, refused_page
from portal.sharing.visiting import (
    ClosedLink,
    UnopenedLink,
    Visitor,
    current_reader,
    current_visitor,
    link_path,
    patient_actor,
)

blueprint = Blueprint("link", __name__, url_prefix="/o/<token>")
csrf.exempt(blueprint)  # see PatientForm
PER_ADDRESS = limits.Limit("link", 40, 15.0)


@blueprint.after_request
def keep_quiet(response: Response) -> Response:
    """Keep links out of search engines and out of the addresses other sites see."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    if request.args.get("lang") in PATIENT_LANGUAGES:
        passes.keep_language(response, request.args["lang"], link_path())
    return response


@blueprint.get("")
@access(PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """Show the offer, or ask for the second factor. Reading changes nothing: a preview robot is no reader."""
    visitor = current_visitor(token)
    if not passes.has_pass(visitor.recipient):
        return gate_page(visitor)
    return offer_page(visitor, Typed())


@blueprint.post("")
@access(PUBLIC)
def unlock(token: str) -> ResponseReturnValue:
    """Try the second factor; a right one opens the page for a while. Tries at unknown links count as well."""
    if not limits.take([(PER_ADDRESS, request.remote_addr or "")]):
        return message_page(mark_phrase("Too many tries. Please wait a few minutes."), 429, back=True)
    visitor = current_visitor(token)
    answer = opening.answer_factor(patient_actor(), visitor.recipient, typed=request.form.get("answer", ""))
    if answer is not Answer.RIGHT:
        return redirect(f"{link_path()}?tried=1", 303)
    response = make_response(redirect(link_path(), 303))
    passes.give_pass(response, visitor.recipient, link_path())
    return response


@blueprint.post("/accept")
@access(PUBLIC)
def accept(token: str) -> ResponseReturnValue:
    """Accept the offer or parts of it, signed."""
    visitor, form = current_reader(token), AcceptForm()
    if not form.submitted():
        problem = visitor.words.phrase("Please write your name and tick that you agree.")
        return offer_page(visitor, _typed(form, problem)), 422
    signature = Signature(
        form.name.data, form.strokes(), visitor.words.locale, request.remote_addr, request.user_agent.string[:300]
    )  # fmt: skip
    try:
        row = deciding.accept_offer(
            patient_actor(), visitor.recipient, option_id=form.option_id.data, line_ids=form.line_ids(),
            read_sha256=form.read_sha256.data or "", signature=signature,
        )  # fmt: skip
    except DecisionError as error:
        return refused_page(visitor, error.reason, _typed(form, visitor.words.phrase(page.REFUSED[error.reason])))
    _send_copy(visitor, row)
    return redirect(f"{link_path()}#decision", 303)


@blueprint.post("/decline")
@access(PUBLIC)
def decline(token: str) -> ResponseReturnValue:
    """Decline the offer, with a reason."""
    visitor, form = current_reader(token), DeclineForm()
    if not form.submitted():
        return offer_page(visitor, Typed(problem=visitor.words.phrase("Please choose a reason."))), 422
    reason, note = DeclineReason(form.reason.data), form.note.data or None
    try:
        deciding.decline_offer(patient_actor(), visitor.recipient, reason=reason, note=note)
    except DecisionError as error:
        return refused_page(visitor, error.reason, Typed(note=note or ""))
    return redirect(f"{link_path()}#decision", 303)


@blueprint.post("/question")
@access(PUBLIC)
def question(token: str) -> ResponseReturnValue:
    """Ask the clinic something."""
    visitor, form = current_reader(token), QuestionForm()
    if not form.submitted():
        problem = visitor.words.phrase("Please write your question, in at most 2000 letters.")
        return offer_page(visitor, Typed(problem=problem, question=form.body.data or "")), 422
    deciding.ask_question(patient_actor(), visitor.recipient, body=form.body.data, form_key=form.form_key.data)
    return redirect(f"{link_path()}#questions", 303)


@blueprint.post("/reading")
@access(PUBLIC)
def reading(token: str) -> ResponseReturnValue:
    """Hear from the page's script that it is being read, and which parts of it."""
    visitor = current_reader(token)
    told = set(request.form.get("sections", "")[:200].split(","))
    opening.note_reading(
        patient_actor(), visitor.recipient, seconds=request.form.get("seconds", 0, type=int),
        sections=[section for section in Section if section in told],
    )  # fmt: skip
    return "", 204


@blueprint.post("/pdf")
@access(PUBLIC)
def pdf(token: str) -> ResponseReturnValue:
    """Give the offer as a document that leads back here by its QR code."""
    visitor = current_reader(token)
    document = patient_pdf(visitor.offer, locale=visitor.words.locale, link_url=own_address(visitor.token))
    opening.note_pdf(patient_actor(), visitor.recipient, locale=visitor.words.locale)
    name = file_name(offer_content(visitor.offer, locale=visitor.words.locale))
    return send_file(io.BytesIO(document), "application/pdf", as_attachment=True, download_name=name)


@blueprint.get("/visits.ics")
@access(PUBLIC)
def visits(token: str) -> ResponseReturnValue:
    """Give the proposed dates as a calendar file."""
    visitor = current_reader(token)
    content = offer_content(visitor.offer, locale=visitor.words.locale)
    headers = {"Content-Disposition": "attachment; filename=visits.ics"}
    return Response(page.calendar(content, visitor.words), mimetype="text/calendar", headers=headers)


@blueprint.get("/logo")
@access(PUBLIC)
def logo(token: str) -> ResponseReturnValue:
    """Give the clinic's logo; the page asks for it only where there is one."""
    logo_id = document_texts(list_offer_templates(), current_visitor(token).words.locale).logo_id
    if logo_id is None:
        raise NotFoundError
    image = get_image(logo_id)
    return Response(image.content, mimetype=image.mime, headers={"Cache-Control": "private, max-age=3600"})


@blueprint.errorhandler(UnopenedLink)
def _unopened(_error: UnopenedLink) -> ResponseReturnValue:
    return redirect(link_path(), 303)


@blueprint.errorhandler(ClosedLink)
def _closed(error: ClosedLink) -> ResponseReturnValue:
    return message_page(page.CLOSED[error.reason], 410, words=error.words)


@blueprint.errorhandler(NotFoundError)
def _unknown(_error: NotFoundError) -> ResponseReturnValue:
    return message_page(page.CLOSED[None], 404)


@blueprint.errorhandler(ClinicClosed)
def _clinic_closed(_error: ClinicClosed) -> ResponseReturnValue:
    return closed_page()


@blueprint.errorhandler(PdfError)
def _no_pdf(_error: PdfError) -> ResponseReturnValue:
    return message_page(mark_phrase("The document cannot be made right now. Please try again."), 500, back=True)


@blueprint.errorhandler(RuleError)
def _rule(_error: RuleError) -> ResponseReturnValue:
    return message_page(page.CLOSED[Closed.OVER], 409)


def _typed(form: AcceptForm, problem: str) -> Typed:
    return Typed(problem, form.name.data or "", form.option_id.data, form.line_ids())


def _send_copy(visitor: Visitor, row: OfferSignature) -> None:
    patient, clinic, words = get_patient_of(visitor.recipient), current_clinic(), visitor.words
    if patient.email:
        body = messages.accepted_mail(
            words.locale, clinic=clinic.name, number=visitor.offer.offer_no, sha256=row.content_sha256,
            total=words.money(deciding.accepted_total(visitor.offer, row), visitor.offer.currency),
            day=words.day((row.signed_at or now()).date()),
            link=own_address(visitor.token),
        )  # fmt: skip
        deciding.queue_copy(row, Copy(patient.email, messages.mail_subject(words.locale, clinic=clinic.name), body))
