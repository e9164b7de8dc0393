"""What is done with all the data of one person: a copy of it, a legal hold, and making her anonymous."""

from __future__ import annotations

from uuid import UUID

from flask import abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.errors import RuleError
from portal.core.identity import current_clinic, current_identity, request_actor
from portal.core.templating import day
from portal.patients.queries import get_patient
from portal.privacy import erasing, requests
from portal.privacy.consent_views import blueprint
from portal.privacy.exporting import export_person
from portal.privacy.forms import EraseForm, HoldForm
from portal.privacy.models import RequestKind
from portal.privacy.words import TABLES

IN_THE_COPY = frozenset(
    {Permission.PATIENTS_READ, Permission.OFFERS_READ, Permission.MEDICAL_READ, Permission.FILES_READ}
)


@blueprint.post("/export")
@access(Permission.PRIVACY_MANAGE, reads="patient_id", reading="export")
def export(patient_id: UUID) -> ResponseReturnValue:
    """Download the copy of all that is stored about a patient; only for those who may see all of it."""
    if not current_identity().permissions >= IN_THE_COPY:
        abort(403)
    patient = get_patient(patient_id)
    try:
        copy = export_person(request_actor(), patient, clinic=current_clinic().name)
    except RuleError as error:
        flash(error.message, "warning")
        return redirect(url_for("patients.show", patient_id=patient_id))
    name = _("personal-data-%(number)s", number=patient.patient_no)
    return send_file(copy, "application/zip", as_attachment=True, download_name=f"{name}.zip")


@blueprint.route("/erase", methods=["GET", "POST"])
@access(Permission.PRIVACY_MANAGE, reads="patient_id")
def erase(patient_id: UUID) -> ResponseReturnValue:
    """Show what making a patient anonymous would do, and do it."""
    patient = get_patient(patient_id)
    form = EraseForm(number=patient.patient_no, requests=_erase_requests(patient_id))
    if form.submitted():
        try:
            erasing.erase_patient(
                request_actor(), patient, reason=form.reason.data, request_id=form.chosen_request()
            )  # fmt: skip
        except RuleError as error:
            form.form_errors = [error.message]
        else:
            flash(_("The patient is anonymous now. The proof stands on this page."), "success")
            return redirect(url_for("patient_privacy.erase", patient_id=patient_id))
    return _erase_page(patient_id, form, HoldForm(formdata=None), 422 if form.errors else 200)


@blueprint.post("/hold")
@access(Permission.PRIVACY_MANAGE, reads="patient_id")
def hold(patient_id: UUID) -> ResponseReturnValue:
    """Set or end a legal hold."""
    patient, form = get_patient(patient_id), HoldForm()
    if form.submitted():
        erasing.hold_patient(request_actor(), patient, until=form.until.data, reason=form.why.data or None)
        flash(_("The legal hold is noted.") if form.until.data else _("There is no legal hold now."), "success")
        return redirect(url_for("patient_privacy.erase", patient_id=patient_id))
    blank = EraseForm(formdata=None, number=patient.patient_no, requests=_erase_requests(patient_id))
    return _erase_page(patient_id, blank, form, 422 if form.errors else 200)


def _erase_requests(patient_id: UUID) -> list[tuple[UUID, str]]:
    """Return the open requests that ask for this, as choices."""
    return [
        (row.id, _("received on %(day)s", day=day(row.received_on)))
        for row in requests.list_open(patient_id)
        if row.kind == RequestKind.ERASE
    ]


def _erase_page(patient_id: UUID, form: EraseForm, hold_form: HoldForm, status: int) -> ResponseReturnValue:
    patient = get_patient(patient_id)
    if request.endpoint != "patient_privacy.hold":
        hold_form.until.data, hold_form.why.data = patient.hold_until, patient.hold_reason
    proof = erasing.find_proof(patient_id)
    return render_template(
        "privacy/erase.html", patient=patient, form=form, hold=hold_form, preview=erasing.preview_erasure(patient),
        proof=proof, genuine=proof is not None and erasing.proof_hash(proof) == proof.sha256, tables=TABLES,
    ), status  # fmt: skip
