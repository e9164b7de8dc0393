"""A patient's page at her private link. Before the second factor it says nothing but the clinic's name."""

from __future__ import annotations

import io
from dataclasses import dataclass
from uuid import uuid4

from flask import Blueprint, Response, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from portal.auth import limits
from portal.auth.login import csrf
from portal.core.access import PUBLIC, access
from portal.core.audit import Actor, ActorKind
from portal.core.clock import now
from portal.core.errors import ClinicClosed, NotFoundError, RuleError
from portal.core.identity import current_clinic
from portal.core.patient_texts import PATIENT_LANGUAGES, Texts, mark_phrase, texts
from portal.offers.content import offer_content
from portal.offers.models import DeclineReason, Offer, PatientOffer, Verify
from portal.offers.pdf.document import file_name, patient_pdf
from portal.offers.pdf.engine import PdfError
from portal.offers.queries import get_offer
from portal.settings.queries import get_image, list_offer_templates
from portal.settings.templates import document_texts
from portal.sharing import deciding, messages, opening, page, passes
from portal.sharing.deciding import Copy, DecisionError, Refusal, Signature
from portal.sharing.forms import AcceptForm, DeclineForm, QuestionForm
from portal.sharing.models import OfferSignature
from portal.sharing.opening import Answer, Closed
from portal.sharing.page import PatientPage, Typed
from portal.sharing.presenting import own_address
from portal.sharing.queries import find_link, get_patient_of

blueprint = Blueprint("link", __name__, url_prefix="/o/<token>")
csrf.exempt(blueprint)  # see PatientForm
PER_ADDRESS = limits.Limit("link", 40, 15.0)


@dataclass(frozen=True)
class Visitor:
    """Who has a working link open, and in which language."""

    token: str
    recipient: PatientOffer
    offer: Offer
    words: Texts


class ClosedLink(Exception):  # noqa: N818 - a state, not a fault
    """The link opens nothing any more."""

    def __init__(self, reason: Closed, words: Texts) -> None:
        super().__init__(reason)
        self.reason, self.words = reason, words


class UnopenedLink(Exception):  # noqa: N818 - a state, not a fault
    """The visitor has not shown the second factor, or too long ago."""


@blueprint.after_request
def keep_quiet(response: Response) -> Response:
    """Keep links out of search engines and out of the addresses other sites see."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    if request.args.get("lang") in PATIENT_LANGUAGES:
        passes.keep_language(response, request.args["lang"], _path())
    return response


@blueprint.get("")
@access(PUBLIC)
def show(token: str) -> ResponseReturnValue:
    """Show the offer, or ask for the second factor. Reading changes nothing: a preview robot is no reader."""
    visitor = _visitor(token)
    if not passes.has_pass(visitor.recipient):
        return _gate_page(visitor)
    return _offer_page(visitor, Typed())


@blueprint.post("")
@access(PUBLIC)
def unlock(token: str) -> ResponseReturnValue:
    """Try the second factor; a right one opens the page for a while."""
    visitor = _visitor(token)
    if not limits.take([(PER_ADDRESS, request.remote_addr or "")]):
        return _gate_page(visitor, problem=visitor.words.phrase("Too many tries. Please wait a few minutes.")), 429
    answer = opening.answer_factor(_actor(), visitor.recipient, typed=request.form.get("answer", ""))
    if answer is not Answer.RIGHT:
        return redirect(f"{_path()}?tried=1", 303)
    response = make_response(redirect(_path(), 303))
    passes.give_pass(response, visitor.recipient, _path())
    return response


@blueprint.post("/accept")
@access(PUBLIC)
def accept(token: str) -> ResponseReturnValue:
    """Accept the offer or parts of it, signed."""
    visitor, form = _reader(token), AcceptForm()
    if not form.submitted():
        problem = visitor.words.phrase("Please write your name and tick that you agree.")
        return _offer_page(visitor, _typed(form, problem)), 422
    signature = Signature(
        form.name.data, form.strokes(), visitor.words.locale, request.remote_addr, request.user_agent.string[:300]
    )  # fmt: skip
    try:
        row = deciding.accept_offer(
            _actor(), visitor.recipient, option_id=form.option_id.data, line_ids=form.line_ids(),
            read_sha256=form.read_sha256.data or "", signature=signature,
        )  # fmt: skip
    except DecisionError as error:
        return _refused(visitor, error.reason, _typed(form, visitor.words.phrase(page.REFUSED[error.reason])))
    _send_copy(visitor, row)
    return redirect(f"{_path()}#decision", 303)


@blueprint.post("/decline")
@access(PUBLIC)
def decline(token: str) -> ResponseReturnValue:
    """Decline the offer, with a reason."""
    visitor, form = _reader(token), DeclineForm()
    if not form.submitted():
        return _offer_page(visitor, Typed(problem=visitor.words.phrase("Please choose a reason."))), 422
    reason, note = DeclineReason(form.reason.data), form.note.data or None
    try:
        deciding.decline_offer(_actor(), visitor.recipient, reason=reason, note=note)
    except DecisionError as error:
        return _refused(visitor, error.reason, Typed(note=note or ""))
    return redirect(f"{_path()}#decision", 303)


@blueprint.post("/question")
@access(PUBLIC)
def question(token: str) -> ResponseReturnValue:
    """Ask the clinic something."""
    visitor, form = _reader(token), QuestionForm()
    if not form.submitted():
        problem = visitor.words.phrase("Please write your question, in at most 2000 letters.")
        return _offer_page(visitor, Typed(problem=problem, question=form.body.data or "")), 422
    deciding.ask_question(_actor(), visitor.recipient, body=form.body.data, form_key=form.form_key.data)
    return redirect(f"{_path()}#questions", 303)


@blueprint.post("/reading")
@access(PUBLIC)
def reading(token: str) -> ResponseReturnValue:
    """Hear from the page's script that it is being read."""
    visitor = _reader(token)
    seconds = request.form.get("seconds", 0, type=int)
    opening.note_reading(_actor(), visitor.recipient, seconds=min(max(seconds, 0), opening.BEAT))
    return "", 204


@blueprint.post("/pdf")
@access(PUBLIC)
def pdf(token: str) -> ResponseReturnValue:
    """Give the offer as a document that leads back here by its QR code."""
    visitor = _reader(token)
    document = patient_pdf(visitor.offer, locale=visitor.words.locale, link_url=own_address(visitor.token))
    opening.note_pdf(_actor(), visitor.recipient, locale=visitor.words.locale)
    name = file_name(offer_content(visitor.offer, locale=visitor.words.locale))
    return send_file(io.BytesIO(document), "application/pdf", as_attachment=True, download_name=name)


@blueprint.get("/visits.ics")
@access(PUBLIC)
def visits(token: str) -> ResponseReturnValue:
    """Give the proposed dates as a calendar file."""
    visitor = _reader(token)
    content = offer_content(visitor.offer, locale=visitor.words.locale)
    headers = {"Content-Disposition": "attachment; filename=visits.ics"}
    return Response(page.calendar(content, visitor.words), mimetype="text/calendar", headers=headers)


@blueprint.get("/logo")
@access(PUBLIC)
def logo(token: str) -> ResponseReturnValue:
    """Give the clinic's logo; the page asks for it only where there is one."""
    logo_id = document_texts(list_offer_templates(), _visitor(token).words.locale).logo_id
    if logo_id is None:
        raise NotFoundError
    image = get_image(logo_id)
    return Response(image.content, mimetype=image.mime, headers={"Cache-Control": "private, max-age=3600"})


@blueprint.errorhandler(UnopenedLink)
def _unopened(_error: UnopenedLink) -> ResponseReturnValue:
    return redirect(_path(), 303)


@blueprint.errorhandler(ClosedLink)
def _closed(error: ClosedLink) -> ResponseReturnValue:
    return _message_page(page.CLOSED[error.reason], 410, words=error.words)


@blueprint.errorhandler(NotFoundError)
def _unknown(_error: NotFoundError) -> ResponseReturnValue:
    return _message_page(page.CLOSED[None], 404)


@blueprint.errorhandler(ClinicClosed)
def _clinic_closed(_error: ClinicClosed) -> ResponseReturnValue:
    return _message_page(page.CLOSED[None], 404)


@blueprint.errorhandler(PdfError)
def _no_pdf(_error: PdfError) -> ResponseReturnValue:
    return _message_page(mark_phrase("The document cannot be made right now. Please try again."), 500, back=True)


@blueprint.errorhandler(RuleError)
def _rule(_error: RuleError) -> ResponseReturnValue:
    return _message_page(page.CLOSED[Closed.OVER], 409)


def _visitor(token: str) -> Visitor:
    """Return who has a working link open; raises NotFoundError for an unknown one, ClosedLink for an ended one."""
    recipient = find_link(token)
    if recipient is None:
        raise NotFoundError
    offer = get_offer(recipient.offer_id)
    reason = opening.why_closed(recipient, offer)
    if reason is not None:
        raise ClosedLink(reason, _words(recipient))
    return Visitor(token, recipient, offer, _words(recipient))


def _reader(token: str) -> Visitor:
    """Return a visitor who has opened the link; raises UnopenedLink too."""
    visitor = _visitor(token)
    if not passes.has_pass(visitor.recipient):
        raise UnopenedLink
    return visitor


def _words(recipient: PatientOffer | None = None) -> Texts:
    """Return the texts in the language she chose, else the link's, else her browser's."""
    for wish in (request.args.get("lang"), request.cookies.get(passes.LANGUAGE)):
        if wish in PATIENT_LANGUAGES:
            return texts(wish)
    if recipient is not None and recipient.locale:
        return texts(recipient.locale)
    return texts(request.accept_languages.best_match(PATIENT_LANGUAGES) or PATIENT_LANGUAGES[0])


def _path() -> str:
    return url_for("link.show", token=(request.view_args or {}).get("token", ""))


def _actor() -> Actor:
    """Return the patient as the log names her: not by name."""
    with force_locale(current_clinic().default_locale):
        name = _("Patient")
    return Actor(ActorKind.SYSTEM, name, ip=request.remote_addr)


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


def _refused(visitor: Visitor, reason: Refusal, typed: Typed) -> ResponseReturnValue:
    if reason is Refusal.EMPTY:
        return _offer_page(visitor, typed), 422
    return _message_page(page.REFUSED[reason], 409, words=visitor.words, back=True)


def _gate_page(visitor: Visitor, problem: str = "") -> str:
    method, words = Verify(visitor.recipient.verify_method or Verify.CODE), visitor.words
    if request.args.get("tried") and not problem:
        problem = words.phrase("That was not right. Please try again.")
    return _render(
        "gate", words, question=words.phrase(page.QUESTIONS[method]) if method in page.QUESTIONS else "",
        method=method, locked=visitor.recipient.locked_at is not None, problem=problem,
    )  # fmt: skip


def _offer_page(visitor: Visitor, typed: Typed) -> str:
    view = PatientPage(visitor.offer, visitor.recipient, get_patient_of(visitor.recipient), visitor.words, typed)
    return _render("offer", visitor.words, view=view, form_key=uuid4())


def _message_page(text: str, code: int, *, words: Texts | None = None, back: bool = False) -> ResponseReturnValue:
    words = words or _words()
    return _render("message", words, text=words.phrase(text), back=back), code


def _render(name: str, words: Texts, **values: object) -> str:
    has_logo = name != "message" and document_texts(list_offer_templates(), words.locale).logo_id is not None
    return render_template(
        f"sharing/page/{name}.html", phrase=words.phrase, phrase_n=words.phrase_n, words=words, path=_path(),
        languages=page.languages(words.locale), has_logo=has_logo, **values,
    )  # fmt: skip
