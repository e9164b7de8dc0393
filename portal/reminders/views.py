"""Pages of reminders: list, make, change, do, put off, drop, export."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime
from flask_babel import gettext as _

from portal.auth.queries import count_for_menu
from portal.auth.resume import local_path
from portal.core.access import Permission, access
from portal.core.conflicts import Conflict
from portal.core.errors import NotFoundError, StaleVersionError
from portal.core.identity import current_clinic, current_identity, request_actor
from portal.core.panels import offer_page, patient_page
from portal.core.reads import note_reads
from portal.core.tables import csv_download
from portal.reminders import presenting, queries, services
from portal.reminders.forms import DoneForm, SnoozeForm, reminder_form
from portal.reminders.listing import ListView, export_table, filter_from_args
from portal.reminders.models import Outcome, Reminder

blueprint = Blueprint("reminders", __name__, url_prefix="/reminders")
patient_page.add(Permission.PATIENTS_READ, presenting.patient_panel)
offer_page.add(Permission.PATIENTS_READ, presenting.offer_panel)
count_for_menu("reminders", queries.select_overdue())


@blueprint.get("/")
@access(Permission.PATIENTS_READ)
def index() -> ResponseReturnValue:
    """List reminders."""
    wanted = filter_from_args(request.args, current_identity().id)
    page = queries.list_reminders(wanted, request.args.get("at"))
    view = ListView(wanted, page, presenting.people_choices())
    return render_template("reminders/index.html", view=view, **presenting.row_context())


@blueprint.post("/export")
@access(Permission.PATIENTS_EXPORT)
def export() -> ResponseReturnValue:
    """Download the list as CSV; what leaves the portal is logged."""
    rows = list(queries.all_reminders(filter_from_args(request.form, current_identity().id)))
    services.record_export(request_actor(), count=len(rows))
    note_reads("export", [row.subject_id for row in rows if row.subject_id])
    return csv_download(_("reminders"), export_table(rows))


@blueprint.route("/new", methods=["GET", "POST"])
@access(Permission.PATIENTS_WRITE)
def new() -> ResponseReturnValue:
    """Make a reminder, about a patient, an offer, or nobody."""
    form = reminder_form(None, people=presenting.people_choices(), given=_given())
    patient, offer = queries.find_subject(form.patient_id.data, form.offer_id.data)
    if patient and (patient.anonymised_at or patient.merged_into_id):
        raise NotFoundError
    if form.submitted():
        services.create_reminder(request_actor(), form_key=form.form_key.data, values=form.values())
        flash(_("You will be reminded."), "success")
        return _back()
    page = render_template(
        "reminders/edit.html", form=form, reminder=None, patient=patient, offer=offer, back=_next()
    )  # fmt: skip
    return page, 422 if form.errors else 200


@blueprint.route("/<uuid:reminder_id>", methods=["GET", "POST"])
@access(Permission.PATIENTS_WRITE)
def edit(reminder_id: UUID) -> ResponseReturnValue:
    """Show and change a reminder; who saves second sees both versions."""
    reminder = queries.get_reminder(reminder_id)
    form = reminder_form(reminder, people=presenting.people_choices())
    form.patient_id.data, form.offer_id.data = reminder.patient_id, reminder.offer_id
    conflicts: list[Conflict] = []
    if form.submitted():
        try:
            services.update_reminder(request_actor(), reminder, version=form.version.data, values=form.values())
        except StaleVersionError:
            conflicts = presenting.conflicts(form, reminder)
            form.version.data = reminder.version
        if not conflicts:
            flash(_("Saved."), "success")
            return _back()
    return _edit_page(reminder, form, conflicts)


@blueprint.post("/<uuid:reminder_id>/done")
@access(Permission.PATIENTS_WRITE)
def done(reminder_id: UUID) -> ResponseReturnValue:
    """Note that a reminder is done; after no answer, propose to try again."""
    reminder, form = queries.get_reminder(reminder_id), DoneForm()
    services.complete_reminder(request_actor(), reminder, outcome=form.chosen, note=form.note.data or "")
    undo = url_for("reminders.reopen", reminder_id=reminder_id)
    flash({"text": _("Done: %(title)s", title=reminder.title), "undo_url": undo}, "success")  # type: ignore[arg-type]
    if form.chosen is Outcome.NO_ANSWER:
        flash(_("Nobody answered: when will you try again?"), "info")
        return redirect(url_for("reminders.new", next=_next(), again=reminder_id))
    return _back()


@blueprint.post("/<uuid:reminder_id>/snooze")
@access(Permission.PATIENTS_WRITE)
def snooze(reminder_id: UUID) -> ResponseReturnValue:
    """Put a reminder off; past the last day of its offer only with a word about it."""
    reminder, form = queries.get_reminder(reminder_id), SnoozeForm()
    if not form.validate():
        flash(_("Choose until when."), "warning")
        return _back()
    try:
        until = form.moment(current_clinic().timezone)
    except ValueError:
        flash(_("Choose a day that is still to come."), "warning")
        return _back()
    services.snooze_reminder(request_actor(), reminder, until=until)
    flash(_("Put off until %(when)s.", when=format_datetime(until, "EEEE d MMMM HH:mm")), "success")
    _patient, offer = queries.find_subject(None, reminder.offer_id)
    if offer and offer.valid_until and presenting.local_date(until) > offer.valid_until:
        flash(_("By then the offer %(number)s will have ended.", number=offer.offer_no), "warning")
    return _back()


@blueprint.post("/<uuid:reminder_id>/cancel")
@access(Permission.PATIENTS_WRITE)
def cancel(reminder_id: UUID) -> ResponseReturnValue:
    """Drop a reminder, with an undo."""
    reminder = queries.get_reminder(reminder_id)
    services.cancel_reminder(request_actor(), reminder)
    undo = url_for("reminders.reopen", reminder_id=reminder_id)
    flash({"text": _("Dropped: %(title)s", title=reminder.title), "undo_url": undo}, "success")  # type: ignore[arg-type]
    return _back()


@blueprint.post("/<uuid:reminder_id>/reopen")
@access(Permission.PATIENTS_WRITE)
def reopen(reminder_id: UUID) -> ResponseReturnValue:
    """Take back that a reminder was done or dropped."""
    reminder = queries.get_reminder(reminder_id)
    services.reopen_reminder(request_actor(), reminder)
    flash(_("It is open again: %(title)s", title=reminder.title), "success")
    return _back()


@blueprint.post("/<uuid:reminder_id>/pin")
@access(Permission.PATIENTS_WRITE)
def pin(reminder_id: UUID) -> ResponseReturnValue:
    """Keep a reminder on top, or no longer."""
    reminder = queries.get_reminder(reminder_id)
    services.pin_reminder(request_actor(), reminder, pinned=not reminder.is_pinned)
    return _back()


def _edit_page(reminder: Reminder, form: Any, conflicts: list[Conflict]) -> ResponseReturnValue:
    patient, offer = queries.find_subject(reminder.patient_id, reminder.offer_id)
    page = render_template(
        "reminders/edit.html", form=form, reminder=reminder, patient=patient, offer=offer, conflicts=conflicts,
        back=_next(), **presenting.row_context(),
    )  # fmt: skip
    return page, 409 if conflicts else 422 if form.errors else 200


def _given() -> dict[str, Any]:
    """Return what a new reminder begins with; ``again`` names one to try again, so that no address tells its title."""
    mine = {"assigned_to_id": str(current_identity().id)}
    again = _uuid("again")
    if again is None:
        return {**mine, "patient_id": _uuid("patient"), "offer_id": _uuid("offer")}
    row = queries.get_reminder(again)
    return {
        **mine, "title": row.title, "kind": row.kind, "priority": row.priority, "patient_id": row.patient_id,
        "offer_id": row.offer_id,
    }  # fmt: skip


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None


def _next() -> str:
    return local_path(request.values.get("next")) or url_for("reminders.index")


def _back() -> ResponseReturnValue:
    return redirect(_next())
