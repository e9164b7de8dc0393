"""Pages of a patient's files: list and upload, look at, describe, delete, bring back."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.core.access import Permission, access
from portal.core.errors import NotFoundError, RuleError
from portal.core.identity import request_actor
from portal.core.panels import patient_page
from portal.core.storage import StorageError
from portal.patients.queries import get_editable, get_patient
from portal.records import file_presenting as presenting
from portal.records import file_services as services
from portal.records.file_forms import MAX_UPLOAD, FileForm, UploadForm
from portal.records.file_queries import get_file, list_files

blueprint = Blueprint("files", __name__, url_prefix="/patients/<uuid:patient_id>/files")
patient_page.add(Permission.FILES_READ, presenting.files_panel)


@blueprint.get("")
@access(Permission.FILES_READ, reads="patient_id")
def index(patient_id: UUID) -> ResponseReturnValue:
    """List a patient's files, with the form that adds some."""
    return _page(patient_id, UploadForm())


@blueprint.post("")
@access(Permission.FILES_WRITE, max_bytes=MAX_UPLOAD, reads="patient_id")
def upload(patient_id: UUID) -> ResponseReturnValue:
    """Take files: those that are fine are kept, of each other it is said what is wrong."""
    get_editable(patient_id)
    form = UploadForm()
    if not form.submitted():
        return _page(patient_id, form), 422
    kept, refused = 0, []
    for sent in form.sent():
        name = services.safe_name(sent.filename or "")
        try:
            services.add_file(
                request_actor(), patient_id, services.Upload(name, sent.stream), form.about(),
                form_key=form.form_key.data,
            )  # fmt: skip
            kept += 1
        except RuleError as error:
            refused.append(f"{name}: {error.message}")
    return _told(patient_id, form, kept, refused)


@blueprint.get("/<uuid:file_id>")
@access(Permission.FILES_READ, reads="patient_id", reading="file")
def show(patient_id: UUID, file_id: UUID) -> ResponseReturnValue:
    """Serve a file: ``?save`` to keep it, else as the browser shows it where it safely can."""
    row = get_file(patient_id, file_id)
    try:
        return presenting.file_response(row, save="save" in request.args)
    except StorageError:
        flash(_("The file store does not give this file back right now. Try again in a moment."), "danger")
        return redirect(url_for("files.index", patient_id=patient_id))


@blueprint.get("/<uuid:file_id>/thumbnail")
@access(Permission.FILES_READ, reads="patient_id")
def thumbnail(patient_id: UUID, file_id: UUID) -> ResponseReturnValue:
    """Serve the small picture of a file."""
    key = get_file(patient_id, file_id).thumbnail_key
    try:
        return presenting.thumbnail_response(key or "")
    except StorageError as error:
        raise NotFoundError from error


@blueprint.route("/<uuid:file_id>/edit", methods=["GET", "POST"])
@access(Permission.FILES_WRITE, reads="patient_id")
def edit(patient_id: UUID, file_id: UUID) -> ResponseReturnValue:
    """Change what is said of a file."""
    patient, row = get_editable(patient_id), get_file(patient_id, file_id)
    form = FileForm(obj=row)
    if form.submitted():
        services.change_file(request_actor(), row, form.values())
        flash(_("Saved."), "success")
        return redirect(url_for("files.index", patient_id=patient_id))
    return render_template("records/edit_file.html", patient=patient, file=row, form=form), 422 if form.errors else 200


@blueprint.post("/<uuid:file_id>/delete")
@access(Permission.FILES_WRITE)
def delete(patient_id: UUID, file_id: UUID) -> ResponseReturnValue:
    """Take a file off the page, with an undo."""
    row = get_file(patient_id, file_id)
    services.delete_file(request_actor(), row)
    undo = url_for("files.restore", patient_id=patient_id, file_id=file_id)
    text = _("%(name)s is deleted, for good in %(days)d days.", name=row.filename, days=services.KEPT_DAYS)
    flash({"text": text, "undo_url": undo}, "success")  # type: ignore[arg-type]
    return redirect(url_for("files.index", patient_id=patient_id))


@blueprint.post("/<uuid:file_id>/restore")
@access(Permission.FILES_WRITE)
def restore(patient_id: UUID, file_id: UUID) -> ResponseReturnValue:
    """Bring a deleted file back."""
    row = get_file(patient_id, file_id, deleted=True)
    services.restore_file(request_actor(), row)
    flash(_("%(name)s is back.", name=row.filename), "success")
    return redirect(url_for("files.index", patient_id=patient_id))


def _told(patient_id: UUID, form: UploadForm, kept: int, refused: list[str]) -> ResponseReturnValue:
    """Say what became of the files sent; the form is shown again with what was typed where one was refused."""
    if kept:
        flash(ngettext("%(num)d file is kept.", "%(num)d files are kept.", kept), "success")
    for text in refused:
        flash(text, "danger")
    if kept or not refused:
        return redirect(url_for("files.index", patient_id=patient_id))
    return _page(patient_id, form), 422


def _page(patient_id: UUID, form: UploadForm) -> str:
    patient, rows = get_patient(patient_id), presenting.file_rows(list_files(patient_id))
    return render_template("records/files.html", patient=patient, files=rows, form=form)
