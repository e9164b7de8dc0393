"""Pages on which colleagues make, hand over and end patients' links."""

from __future__ import annotations

import io
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.errors import NotFoundError, RuleError
from portal.core.identity import current_clinic, request_actor
from portal.core.panels import offer_page
from portal.core.patient_texts import patient_language
from portal.offers.content import offer_content
from portal.offers.models import Channel, Offer, PatientOffer, Verify
from portal.offers.pdf.document import document_language, file_name, offer_pdf
from portal.offers.pdf.engine import PdfError
from portal.offers.queries import get_offer, get_recipient
from portal.patients.models import Patient
from portal.privacy.consents import Way, may_contact
from portal.settings.house import patient_languages
from portal.settings.registry import get_setting
from portal.sharing import deciding, messages, presenting, services
from portal.sharing.forms import AnswerForm, ChannelForm, LinkForm, MessageForm
from portal.sharing.link_settings import USUAL_DAYS, USUAL_FACTOR
from portal.sharing.links import hash_token
from portal.sharing.queries import allows_open_links, get_patient_of, get_question
from portal.sharing.services import NewLink

blueprint = Blueprint("sharing", __name__, url_prefix="/offers/<uuid:offer_id>/recipients/<uuid:recipient_id>/link")
offer_page.add(Permission.OFFERS_READ, presenting.share_panel)


@blueprint.route("", methods=["GET", "POST"])
@access(Permission.OFFERS_WRITE, reads="offer_id")
def make(offer_id: UUID, recipient_id: UUID) -> ResponseReturnValue:
    """Make a patient's link, and show it this once."""
    offer, recipient, patient = _found(offer_id, recipient_id)
    form = LinkForm()
    methods = presenting.possible_factors(patient, open_links=allows_open_links())
    form.offer_choices(methods, patient_languages())
    if form.submitted():
        try:
            link = services.create_link(
                request_actor(), offer, recipient, patient=patient, method=Verify(form.method.data),
                days=int(form.days.data), locale=form.locale.data,
            )  # fmt: skip
        except RuleError as error:
            form.form_errors.append(error.message)
        else:
            return _handover_page(offer, recipient, patient, link)
    elif not form.is_submitted():
        form.choose_usual(methods, factor=get_setting(USUAL_FACTOR), days=get_setting(USUAL_DAYS))
        form.locale.data = patient_language(patient.locale or current_clinic().default_locale)
    page = render_template("sharing/make.html", form=form, offer=offer, recipient=recipient, patient=patient)
    return page, 422 if form.errors else 200


@blueprint.post("/message")
@access(Permission.OFFERS_WRITE, reads="offer_id")
def message(offer_id: UUID, recipient_id: UUID) -> ResponseReturnValue:
    """Show the link again with the colleague's own message."""
    offer, recipient, patient = _found(offer_id, recipient_id)
    form, link = _message_form(recipient)
    if form.submitted():
        return _handover_page(offer, recipient, patient, link, message=form.message.data)
    return _handover_page(offer, recipient, patient, link, form=form), 422


@blueprint.post("/mail")
@access(Permission.OFFERS_WRITE, reads="offer_id")
def mail(offer_id: UUID, recipient_id: UUID) -> ResponseReturnValue:
    """Send the link by e-mail."""
    offer, recipient, patient = _found(offer_id, recipient_id)
    form, link = _message_form(recipient)
    if not form.submitted():
        return _handover_page(offer, recipient, patient, link, form=form), 422
    subject = messages.mail_subject(recipient.locale or "", clinic=current_clinic().name)
    try:
        services.mail_link(request_actor(), recipient, patient=patient, subject=subject, message=form.message.data)
    except RuleError as error:
        flash(error.message, "warning")
    else:
        flash(_("The mail is on its way."), "success")
    return redirect(url_for("offers.show", offer_id=offer_id))


@blueprint.post("/pdf")
@access(Permission.OFFERS_WRITE, reads="offer_id", reading="print")
def pdf(offer_id: UUID, recipient_id: UUID) -> ResponseReturnValue:
    """Print the offer with the link as a QR code, to be handed to the patient; what was sent stays as it was kept."""
    offer, recipient, patient = _found(offer_id, recipient_id)
    _form, link = _message_form(recipient)
    locale, address = recipient.locale or document_language(offer), presenting.own_address(link.token)
    try:
        document = offer_pdf(offer, locale=locale, link_url=address)
    except PdfError:
        flash(_("The PDF could not be made. Try again in a moment."), "danger")
        return _handover_page(offer, recipient, patient, link), 503
    services.note_channel(request_actor(), recipient, channel=Channel.QR)
    name = file_name(offer_content(offer, locale=locale))
    return send_file(io.BytesIO(document), "application/pdf", as_attachment=True, download_name=name)


@blueprint.post("/channel")
@access(Permission.OFFERS_WRITE)
def channel(offer_id: UUID, recipient_id: UUID) -> ResponseReturnValue:
    """Note by which way the link was handed over; the page's script says so by itself."""
    recipient, form = get_recipient(offer_id, recipient_id), ChannelForm()
    if form.submitted() and recipient.token_hash is not None:
        services.note_channel(request_actor(), recipient, channel=Channel(form.channel.data))
    if request.accept_mimetypes.best == "application/json":
        return "", 204
    return redirect(url_for("offers.show", offer_id=offer_id))


@blueprint.post("/revoke")
@access(Permission.OFFERS_WRITE)
def revoke(offer_id: UUID, recipient_id: UUID) -> ResponseReturnValue:
    """End a link."""
    services.revoke_link(request_actor(), get_recipient(offer_id, recipient_id))
    flash(_("The link no longer opens anything."), "success")
    return redirect(url_for("offers.show", offer_id=offer_id))


@blueprint.post("/unlock")
@access(Permission.OFFERS_WRITE)
def unlock(offer_id: UUID, recipient_id: UUID) -> ResponseReturnValue:
    """Let a patient try again after too many wrong answers."""
    services.unlock_link(request_actor(), get_recipient(offer_id, recipient_id))
    flash(_("The patient can try again."), "success")
    return redirect(url_for("offers.show", offer_id=offer_id))


@blueprint.post("/questions/<uuid:question_id>")
@access(Permission.OFFERS_WRITE)
def answer(offer_id: UUID, recipient_id: UUID, question_id: UUID) -> ResponseReturnValue:
    """Answer a patient's question."""
    recipient, form = get_recipient(offer_id, recipient_id), AnswerForm()
    question = get_question(recipient, question_id)
    if form.submitted():
        deciding.answer_question(request_actor(), question, answer=form.answer.data)
        flash(_("The patient finds your answer under the link."), "success")
    else:
        flash(_("Write an answer of at most 2000 characters."), "warning")
    return redirect(url_for("offers.show", offer_id=offer_id))


def _found(offer_id: UUID, recipient_id: UUID) -> tuple[Offer, PatientOffer, Patient]:
    recipient = get_recipient(offer_id, recipient_id)
    return get_offer(offer_id), recipient, get_patient_of(recipient)


def _message_form(recipient: PatientOffer) -> tuple[MessageForm, NewLink]:
    form = MessageForm()
    token = form.token.data or ""
    if recipient.token_hash is None or hash_token(token) != recipient.token_hash:
        raise NotFoundError  # another link was made meanwhile, or this one never was
    return form, NewLink(token, None)


def _handover_page(
    offer: Offer, recipient: PatientOffer, patient: Patient, link: NewLink, *,
    message: str | None = None, form: MessageForm | None = None,
) -> str:  # fmt: skip
    typed = form.message.data if form else message
    view = presenting.handover(patient, link, locale=recipient.locale or "", message=typed)
    if form is None:
        form = MessageForm(formdata=None, token=link.token, message=view.message)
    return render_template(
        "sharing/handover.html",
        form=form,
        view=view,
        offer=offer,
        recipient=recipient,
        patient=patient,
        warning=may_contact(patient.id, Way.WHATSAPP).warning,
        channels=ChannelForm(formdata=None),
    )
