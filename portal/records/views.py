"""Pages of medical records: read and write."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.conflicts import Conflict
from portal.core.errors import StaleVersionError
from portal.core.identity import request_actor
from portal.core.panels import patient_alerts, patient_page
from portal.core.sealing import SealError
from portal.patients.queries import get_editable, get_patient
from portal.records import presenting
from portal.records.document import MedicalRecord
from portal.records.forms import MedicalForm, medical_form
from portal.records.queries import get_medical
from portal.records.services import save_medical

blueprint = Blueprint("medical", __name__, url_prefix="/patients/<uuid:patient_id>/medical")
patient_page.add(Permission.MEDICAL_READ, presenting.medical_panel)
patient_alerts.add(Permission.MEDICAL_READ, presenting.alerts_panel)


@blueprint.get("")
@access(Permission.MEDICAL_READ, reads="patient_id", reading="medical")
def show(patient_id: UUID) -> ResponseReturnValue:
    """Show a patient's medical record."""
    patient, known = get_patient(patient_id), get_medical(patient_id)
    facts, entries = presenting.facts(known.record), presenting.activity(known)
    return render_template("records/medical.html", patient=patient, known=known, facts=facts, entries=entries)


@blueprint.route("/edit", methods=["GET", "POST"])
@access(Permission.MEDICAL_WRITE, reads="patient_id", reading="medical")
def edit(patient_id: UUID) -> ResponseReturnValue:
    """Change the record; who saves second sees both versions, and one that cannot be opened is never written over."""
    patient, form = get_editable(patient_id), _form_of(patient_id)
    conflicts: list[Conflict] = []
    if form.submitted():
        written = {"version": form.version.data, "record": form.record(), "reviewed": form.reviewed.data}
        try:
            save_medical(request_actor(), patient_id, **written)
        except StaleVersionError:
            known = get_medical(patient_id)
            conflicts, form.version.data = presenting.conflicts(form.record(), known.record), known.version
        except SealError as error:
            form.form_errors = [presenting.refusal(error)]
        if not conflicts and not form.errors:
            flash(_("Saved."), "success")
            return redirect(url_for("medical.show", patient_id=patient_id))
    status = 409 if conflicts else 422 if form.errors else 200
    return render_template("records/edit_medical.html", form=form, patient=patient, conflicts=conflicts), status


def _form_of(patient_id: UUID) -> MedicalForm:
    """Return the form as it was sent, or with what is stored; what was typed must not need the stored one."""
    if request.method == "POST":
        return medical_form(MedicalRecord(), 0)
    known = get_medical(patient_id)
    return medical_form(known.record, known.version)
