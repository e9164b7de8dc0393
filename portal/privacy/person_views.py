"""What is done with all the data of one person: a copy of it."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.errors import RuleError
from portal.core.identity import current_clinic, request_actor
from portal.patients.queries import get_patient
from portal.privacy.consent_views import blueprint
from portal.privacy.exporting import export_person


@blueprint.post("/export")
@access(Permission.PRIVACY_MANAGE, reads="patient_id", reading="export")
def export(patient_id: UUID) -> ResponseReturnValue:
    """Download the copy of all that is stored about a patient."""
    patient = get_patient(patient_id)
    try:
        copy = export_person(request_actor(), patient, clinic=current_clinic().name)
    except RuleError as error:
        flash(error.message, "warning")
        return redirect(url_for("patients.show", patient_id=patient_id))
    name = _("personal-data-%(number)s", number=patient.patient_no)
    return send_file(copy, "application/zip", as_attachment=True, download_name=f"{name}.zip")
