"""Pages of notes: write, change, look back, delete, bring back. They are read on the page of what they are about."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.conflicts import Conflict
from portal.core.errors import StaleVersionError
from portal.core.identity import current_identity, request_actor
from portal.core.notifications import tell_by
from portal.core.panels import offer_page, patient_page
from portal.core.reads import find_patients_by
from portal.notes import presenting, queries, services
from portal.notes.forms import known_id, note_form
from portal.notes.queries import Subject
from portal.patients.duplicates import find_kept
from portal.patients.queries import get_editable

blueprint = Blueprint("notes", __name__, url_prefix="/notes")
patient_page.add(Permission.PATIENTS_READ, presenting.patient_panel)
offer_page.add(Permission.OFFERS_READ, presenting.offer_panel)
tell_by(services.MENTION, presenting.tell_mentions)
find_patients_by("note_id", queries.select_patient)


@blueprint.route("/new", methods=["GET", "POST"])
@access(Permission.PATIENTS_WRITE)
def new() -> ResponseReturnValue:
    """Write a note about the patient or the offer that the address names."""
    subject = Subject(known_id(request.args.get("patient")), known_id(request.args.get("offer")))
    if (subject.patient_id is None) == (subject.offer_id is None):
        flash(_("Choose whom the note is about."), "info")
        return redirect(url_for("patients.index"))
    subject = _standing(subject)
    form = note_form(queries.list_colleagues(but=current_identity().id))
    if form.submitted():
        services.write_note(request_actor(), subject, form.written(), form_key=form.form_key.data)
        flash(_("The note is written."), "success")
        return redirect(presenting.home_of(subject))
    status = 422 if form.errors else 200
    return render_template("notes/edit.html", form=form, back=presenting.home_of(subject), note=None), status


@blueprint.route("/<uuid:note_id>/edit", methods=["GET", "POST"])
@access(Permission.PATIENTS_WRITE, reads="note_id")
def edit(note_id: UUID) -> ResponseReturnValue:
    """Change one's own note; what it said before is kept."""
    me = current_identity()
    note = queries.get_own_note(note_id, me.id)
    form, back = note_form(queries.list_colleagues(but=me.id), note), presenting.home_of(Subject.of(note))
    conflicts: list[Conflict] = []
    if form.submitted():
        try:
            services.change_note(request_actor(), note, form.written(), version=form.version.data)
        except StaleVersionError:
            conflicts, form.version.data = presenting.conflicts(form, note), note.version
        if not conflicts:
            flash(_("Saved."), "success")
            return redirect(back)
    status = 409 if conflicts else 422 if form.errors else 200
    return render_template("notes/edit.html", form=form, back=back, note=note, conflicts=conflicts), status


@blueprint.get("/<uuid:note_id>")
@access(Permission.PATIENTS_READ, reads="note_id")
def show(note_id: UUID) -> ResponseReturnValue:
    """Show a note and what it said before."""
    note = queries.get_note(note_id, current_identity())
    back, before = presenting.home_of(Subject.of(note)), presenting.revisions(note)
    return render_template("notes/show.html", note=note, back=back, revisions=before)


@blueprint.post("/<uuid:note_id>/delete")
@access(Permission.PATIENTS_WRITE)
def delete(note_id: UUID) -> ResponseReturnValue:
    """Take one's own note away, with an undo."""
    note = queries.get_own_note(note_id, current_identity().id)
    services.delete_note(request_actor(), note)
    undo = url_for("notes.restore", note_id=note_id)
    flash({"text": _("The note is deleted."), "undo_url": undo}, "success")  # type: ignore[arg-type]
    return redirect(presenting.home_of(Subject.of(note)))


@blueprint.post("/<uuid:note_id>/restore")
@access(Permission.PATIENTS_WRITE)
def restore(note_id: UUID) -> ResponseReturnValue:
    """Bring one's own note back."""
    note = queries.get_own_note(note_id, current_identity().id, deleted=True)
    services.restore_note(request_actor(), note)
    flash(_("The note is back."), "success")
    return redirect(presenting.home_of(Subject.of(note)))


def _standing(subject: Subject) -> Subject:
    """Put whom a duplicate was joined to in its place; raises NotFoundError for a patient who is anonymous."""
    patient_id = subject.patient_id
    return Subject(get_editable(find_kept(patient_id) or patient_id).id) if patient_id else subject
