"""Pages of patients: list, register, show, edit, archive, export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.conflicts import Conflict
from portal.core.errors import NotFoundError, StaleVersionError
from portal.core.identity import current_identity, request_actor
from portal.core.panels import patient_page
from portal.core.reads import note_reads
from portal.core.tables import csv_download
from portal.core.timeline import Place, patient_timeline
from portal.patients import presenting, queries, services
from portal.patients.duplicates import find_kept, merged_ids
from portal.patients.forms import PatientForm
from portal.patients.listing import ListView, filter_from_args
from portal.referrals.queries import list_sources

blueprint = Blueprint("patients", __name__, url_prefix="/patients")


@blueprint.get("/")
@access(Permission.PATIENTS_READ)
def index() -> ResponseReturnValue:
    """List patients."""
    wanted = filter_from_args(request.args)
    page = queries.list_patients(wanted, request.args.get("at"))
    count = len(page.items) if page.is_whole else queries.count_patients(wanted)
    view = ListView(wanted, page, count, list_sources())
    return render_template("patients/index.html", view=view)


@blueprint.post("/export")
@access(Permission.PATIENTS_EXPORT)
def export() -> ResponseReturnValue:
    """Download the list as CSV; what leaves the portal is logged."""
    wanted = filter_from_args(request.form)
    rows = list(queries.all_patients(wanted))
    services.record_export(request_actor(), wanted, count=len(rows))
    note_reads("export", [row.id for row in rows])
    return csv_download(_("patients"), presenting.export_table(rows, list_sources()))


@blueprint.route("/new", methods=["GET", "POST"])
@access(Permission.PATIENTS_WRITE)
def new() -> ResponseReturnValue:
    """Register a patient; somebody with the same name or phone is pointed out first."""
    form = PatientForm(sources=presenting.source_choices(list_sources()))
    similar: Sequence[Any] = []
    if form.submitted():
        known = queries.find_by_form_key(form.form_key.data)
        if known is None and not form.confirmed.data:
            similar = queries.find_similar(form.first_name.data, form.last_name.data, form.phone_e164)
        if not similar:
            patient = services.create_patient(request_actor(), form_key=form.form_key.data, values=form.values())
            flash(_("%(name)s is registered.", name=patient.full_name), "success")
            return redirect(url_for("patients.show", patient_id=patient.id))
    status = 422 if form.errors or similar else 200
    return render_template("patients/edit.html", form=form, patient=None, similar=similar), status


@blueprint.post("/similar")
@access(Permission.PATIENTS_WRITE)
def similar() -> ResponseReturnValue:
    """Return the hint about patients like the one being typed, as a piece of a page.

    A POST that writes nothing: names and phones have no place in addresses, which proxies log.
    """
    args = {name: request.form.get(name, "")[:100] for name in ("first_name", "last_name", "phone_raw")}
    rows = queries.find_similar(args["first_name"], args["last_name"], presenting.phone_or_none(args["phone_raw"]))
    return render_template("patients/_similar.html", similar=rows)


@blueprint.get("/<uuid:patient_id>")
@access(Permission.PATIENTS_READ, reads="patient_id")
def show(patient_id: UUID) -> ResponseReturnValue:
    """Show a patient, what belongs to her, and what was done; a duplicate leads to whom it was joined to."""
    try:
        patient = queries.get_patient(patient_id)
    except NotFoundError:
        kept_id = find_kept(patient_id)
        if kept_id is None:
            raise
        return redirect(url_for("patients.show", patient_id=kept_id))
    entries, more = patient_timeline.page(merged_ids(patient_id), current_identity(), None)
    return render_template(
        "patients/show.html",
        patient=patient,
        facts=presenting.facts(patient),
        panels=patient_page.panels(patient_id, current_identity()),
        entries=entries,
        more=more,
    )


@blueprint.get("/<uuid:patient_id>/timeline")
@access(Permission.PATIENTS_READ, reads="patient_id")
def timeline(patient_id: UUID) -> ResponseReturnValue:
    """Show everything that happened around a patient, page by page."""
    patient, place = queries.get_patient(patient_id), Place.read(request.args.get("at"))
    entries, more = patient_timeline.page(merged_ids(patient_id), current_identity(), place)
    return render_template("patients/timeline.html", patient=patient, entries=entries, more=more, place=place)


@blueprint.route("/<uuid:patient_id>/edit", methods=["GET", "POST"])
@access(Permission.PATIENTS_WRITE, reads="patient_id", reading="edit")
def edit(patient_id: UUID) -> ResponseReturnValue:
    """Change a patient; who saves second sees both versions."""
    patient = queries.get_editable(patient_id)
    form = PatientForm(obj=patient, sources=presenting.source_choices(list_sources(), patient.referral_source_id))
    conflicts: list[Conflict] = []
    if form.submitted():
        try:
            services.update_patient(request_actor(), patient, version=form.version.data, values=form.values())
        except StaleVersionError:
            conflicts = presenting.conflicts(form, patient)
            form.version.data = patient.version
        if not conflicts:
            flash(_("Saved."), "success")
            return redirect(url_for("patients.show", patient_id=patient_id))
    status = 409 if conflicts else 422 if form.errors else 200
    return render_template("patients/edit.html", form=form, patient=patient, conflicts=conflicts), status


@blueprint.post("/<uuid:patient_id>/archive")
@access(Permission.PATIENTS_WRITE)
def archive(patient_id: UUID) -> ResponseReturnValue:
    """Take a patient off the lists, with an undo."""
    patient = queries.get_patient(patient_id)
    services.archive_patient(request_actor(), patient)
    undo = url_for("patients.restore", patient_id=patient_id)
    flash({"text": _("%(name)s is archived.", name=patient.full_name), "undo_url": undo}, "success")  # type: ignore[arg-type]
    return redirect(url_for("patients.index"))


@blueprint.post("/<uuid:patient_id>/restore")
@access(Permission.PATIENTS_WRITE)
def restore(patient_id: UUID) -> ResponseReturnValue:
    """Put an archived patient back on the lists."""
    patient = queries.get_patient(patient_id)
    services.restore_patient(request_actor(), patient)
    flash(_("%(name)s is back on the list.", name=patient.full_name), "success")
    return redirect(url_for("patients.show", patient_id=patient_id))
