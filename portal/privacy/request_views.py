"""Pages of the register of requests."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import VIEW, Permission, access
from portal.core.clock import today
from portal.core.errors import StaleVersionError
from portal.core.identity import current_clinic, request_actor
from portal.core.links import ListLinks
from portal.core.reads import note_reads
from portal.patients.duplicates import find_number
from portal.patients.queries import get_patient
from portal.privacy import requests
from portal.privacy.forms import AnswerForm, RequestForm
from portal.privacy.models import RequestKind, RequestStatus, SubjectRequest
from portal.privacy.views import blueprint
from portal.privacy.words import REQUESTS, STATES


@blueprint.get("/requests")
@access(Permission.PRIVACY_MANAGE)
def list_requests() -> ResponseReturnValue:
    """Show what waits for an answer, the most urgent first, or what was answered."""
    answered = request.args.get("show") == "answered"
    page = requests.list_answered(request.args.get("at")) if answered else None
    links = ListLinks(url_for("privacy.list_requests"), {"show": "answered" if answered else None})
    rows = page.items if page else requests.list_open()
    before, after = links.pages(page) if page else (None, None)
    return render_template(
        "privacy/requests.html", rows=rows, page=page, links=links, before=before, after=after, kinds=REQUESTS,
        states=STATES, today=today(current_clinic().timezone), most=requests.MOST_OPEN,
    )  # fmt: skip


@blueprint.route("/requests/new", methods=["GET", "POST"])
@access(Permission.PRIVACY_MANAGE)
def new_request() -> ResponseReturnValue:
    """Note a request."""
    wanted = request.args.get("patient", type=UUID)
    form = RequestForm(number=get_patient(wanted).patient_no if wanted else "", find=find_number)
    if form.submitted():
        asked = requests.register_request(
            request_actor(), kind=RequestKind(form.kind.data), received_on=form.received(),
            patient_id=form.patient_id, detail=form.detail.data or None,
        )  # fmt: skip
        flash(_("The request is noted."), "success")
        return redirect(url_for("privacy.show_request", request_id=asked.id))
    return render_template("privacy/new_request.html", form=form), 422 if form.errors else 200


@blueprint.route("/requests/<uuid:request_id>", methods=["GET", "POST"])
@access(Permission.PRIVACY_MANAGE)
def show_request(request_id: UUID) -> ResponseReturnValue:
    """Show a request with what can be done about it, and note its answer."""
    asked, status = requests.get_request(request_id), 200
    form = AnswerForm(version=asked.version)
    if form.submitted():
        version, answer = form.version.data, RequestStatus(form.status.data)
        try:
            requests.answer_request(
                request_actor(), asked, version=version, status=answer, outcome=form.outcome.data
            )  # fmt: skip
        except StaleVersionError:
            flash(_("A colleague has answered this request meanwhile."), "warning")
            status = 409
        else:
            flash(_("The answer is noted."), "success")
            return redirect(url_for("privacy.list_requests"))
    return _request_page(asked, form, 422 if form.errors else status)


def _request_page(asked: SubjectRequest, form: AnswerForm, status: int) -> ResponseReturnValue:
    patient = get_patient(asked.patient_id) if asked.patient_id else None
    note_reads(VIEW, [patient.id] if patient else [])
    return render_template(
        "privacy/request.html", asked=asked, patient=patient, form=form, kinds=REQUESTS, states=STATES,
        today=today(current_clinic().timezone),
    ), status  # fmt: skip
