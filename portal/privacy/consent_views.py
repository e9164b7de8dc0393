"""The page of a patient's consents, and the panel about them on her page."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.errors import RuleError
from portal.core.identity import request_actor
from portal.core.panels import Panel, patient_page
from portal.core.patient_texts import patient_language
from portal.patients.queries import get_editable, get_patient
from portal.privacy import consents, texts
from portal.privacy.forms import ConsentForm, ReasonForm
from portal.privacy.models import ConsentChannel
from portal.privacy.words import CHANNELS, KINDS

blueprint = Blueprint("patient_privacy", __name__, url_prefix="/patients/<uuid:patient_id>/privacy")


def consent_panel(patient_id: UUID) -> Panel:
    """Return what a patient has agreed to, for her page."""
    standing = consents.standing(patient_id)
    rows = [(str(KINDS[kind]), standing[kind]) for kind in KINDS if kind in standing]
    return Panel("privacy/_panel.html", {"patient_id": patient_id, "rows": rows})


patient_page.add(Permission.PATIENTS_READ, consent_panel)


@blueprint.get("")
@access(Permission.PATIENTS_READ, reads="patient_id")
def show(patient_id: UUID) -> ResponseReturnValue:
    """Show a patient's consents, with the form that notes one."""
    return _page(patient_id, _consent_form(patient_id), 200)


@blueprint.post("/consents")
@access(Permission.PATIENTS_WRITE, resumable=True, reads="patient_id")
def record(patient_id: UUID) -> ResponseReturnValue:
    """Note a consent."""
    patient, form = get_editable(patient_id), _consent_form(patient_id)
    if form.submitted():
        text = texts.get_text(UUID(form.text_id.data))
        try:
            consents.record_consent(
                request_actor(), patient, text, channel=ConsentChannel(form.channel.data), given_at=form.given_at(),
                file_id=form.chosen_file(), note=form.note.data or "", form_key=form.form_key.data,
            )  # fmt: skip
        except RuleError as error:
            form.form_errors = [error.message]
        else:
            flash(_("The consent is noted."), "success")
            return redirect(url_for("patient_privacy.show", patient_id=patient_id))
    return _page(patient_id, form, 422 if form.errors else 200)


@blueprint.post("/consents/<uuid:consent_id>/withdraw")
@access(Permission.PATIENTS_WRITE)
def withdraw(patient_id: UUID, consent_id: UUID) -> ResponseReturnValue:
    """Note that a consent was withdrawn."""
    consent, form = consents.get_consent(patient_id, consent_id), ReasonForm()
    if form.submitted():
        consents.withdraw_consent(request_actor(), consent, reason=form.reason.data)
        flash(_("The withdrawal is noted. What was agreed to before stays in the record."), "success")
    else:
        flash(_("Give a reason of at most 300 characters, or none."), "warning")
    return redirect(url_for("patient_privacy.show", patient_id=patient_id))


def _consent_form(patient_id: UUID) -> ConsentForm:
    """Return the form over the texts in force, those in the patient's language in front."""
    hers = patient_language(get_patient(patient_id).locale or "tr")
    current = sorted(
        texts.list_current().values(), key=lambda text: (text.locale != hers, list(KINDS).index(text.kind))
    )
    return ConsentForm(texts=current, scans=consents.list_scans(patient_id))


def _page(patient_id: UUID, form: ConsentForm, status: int) -> ResponseReturnValue:
    return render_template(
        "privacy/patient.html", patient=get_patient(patient_id), form=form, rows=consents.list_consents(patient_id),
        kinds=KINDS, channels=CHANNELS,
    ), status  # fmt: skip
