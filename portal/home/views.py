"""The first page, at a clinic's host and at the admin host: today's list, and what is done with its rows."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_datetime
from flask_babel import gettext as _

from portal.core.access import SIGNED_IN, Permission, Site, access
from portal.core.clock import today
from portal.core.identity import current_clinic, current_identity, request_actor
from portal.core.links import Option, chosen
from portal.home import checklist, services
from portal.home.forms import TaskForm, UndoArgs
from portal.home.presenting import RowView, dealt_with
from portal.home.queries import overview
from portal.offers.listing import status_label
from portal.offers.queries import get_offer
from portal.privacy.consents import Way, list_leaves
from portal.reminders.forms import DELAYS, Delay, delayed
from portal.reminders.labels import OUTCOMES
from portal.reminders.models import Outcome
from portal.reminders.queries import get_reminder
from portal.reminders.services import complete_reminder, reopen_reminder, snooze_reminder

blueprint = Blueprint("home", __name__)
SHOWN = frozenset({Permission.PATIENTS_READ, Permission.OFFERS_READ})  # whoever lacks one has no use for the list


@blueprint.get("/")
@access(SIGNED_IN, Site.BOTH)
def index() -> ResponseReturnValue:
    """Show a clinic what is to be done and what is new; take the platform's people to the clinics."""
    identity = current_identity()
    if g.site is Site.PLATFORM:
        return redirect(url_for("platform.index"))
    if not identity.permissions >= SHOWN:
        return redirect(url_for("auth.account"))
    everybody, clinic = request.args.get("of") == "all", current_clinic()
    view = overview(clinic, user_id=None if everybody else identity.id)
    labels = {key: status_label(status) for key, status in view.statuses.items()}
    whose = [
        Option(_("Mine and unassigned"), url_for("home.index"), not everybody),
        Option(_("All"), url_for("home.index", of="all"), everybody),
    ]
    items = [RowView(row) for row in view.today.rows]
    reachable = {item.row.patient_id for item in items if item.phone and item.row.patient_id}
    return render_template(
        "home/index.html", view=view, labels=labels, items=items, whose=whose,
        leaves=list_leaves(reachable, Way.WHATSAPP),
        everybody=everybody, may_act=identity.can(Permission.PATIENTS_WRITE), delays=DELAYS.items(),
        steps=checklist.list_steps() if identity.can(Permission.SETTINGS_WRITE) else [],
        outcomes=OUTCOMES.items(), day_text=format_date(today(clinic.timezone), "full"),
    )  # fmt: skip


@blueprint.post("/today/done")
@access(Permission.PATIENTS_WRITE)
def done() -> ResponseReturnValue:
    """Take a row off the list: its reminder is done, and its offer's reasons are dealt with."""
    form = TaskForm()
    if form.reminder_id.data:
        outcome = chosen(Outcome, request.form.get("outcome"))
        complete_reminder(request_actor(), get_reminder(form.reminder_id.data), outcome=outcome)
    if form.offer_id.data:
        title = dealt_with(form.causes)
        services.settle(request_actor(), offer=get_offer(form.offer_id.data), causes=form.causes, title=title)
    return _told(form, _("Done."))


@blueprint.post("/today/later")
@access(Permission.PATIENTS_WRITE)
def snooze() -> ResponseReturnValue:
    """Put a row off; a reminder brings it back."""
    form, actor = TaskForm(), request_actor()
    until = delayed(chosen(Delay, request.form.get("until")) or Delay.TOMORROW, current_clinic().timezone)
    offer = get_offer(form.offer_id.data) if form.offer_id.data else None
    title = dealt_with(form.causes)
    if form.reminder_id.data:
        snooze_reminder(actor, get_reminder(form.reminder_id.data), until=until)
        if offer:
            services.settle(actor, offer=offer, causes=form.causes, title=title)
    elif offer:
        services.put_off(actor, offer=offer, causes=form.causes, title=title, due_at=until)
    return _told(form, _("Put off until %(when)s.", when=format_datetime(until, "EEEE d MMMM HH:mm")))


@blueprint.post("/today/undo")
@access(Permission.PATIENTS_WRITE)
def undo() -> ResponseReturnValue:
    """Put a row back on the list."""
    given = UndoArgs(request.args)
    if given.reminder_id:
        reopen_reminder(request_actor(), get_reminder(given.reminder_id))
    if given.offer_id:
        services.unsettle(request_actor(), offer_id=given.offer_id, causes=given.causes)
    flash(_("It is on the list again."), "success")
    return redirect(url_for("home.index"))


@blueprint.post("/first-steps/hide")
@access(Permission.SETTINGS_WRITE)
def hide_steps() -> ResponseReturnValue:
    """Hide the first steps from everybody of the clinic."""
    checklist.hide_steps(request_actor(), hidden=True)
    told = {"text": _("The first steps are hidden."), "undo_url": url_for("home.show_steps")}
    flash(told, "success")  # type: ignore[arg-type]
    return redirect(url_for("home.index"))


@blueprint.post("/first-steps/show")
@access(Permission.SETTINGS_WRITE)
def show_steps() -> ResponseReturnValue:
    """Show the first steps again."""
    checklist.hide_steps(request_actor(), hidden=False)
    return redirect(url_for("home.index"))


def _told(form: TaskForm, text: str) -> ResponseReturnValue:
    """Go back to the list, with a way to take it back."""
    address = url_for(
        "home.undo", cause=form.causes, reminder_id=form.reminder_id.data, offer_id=form.offer_id.data
    )  # fmt: skip
    flash({"text": text, "undo_url": address}, "success")  # type: ignore[arg-type]
    return redirect(url_for("home.index", of="all" if request.form.get("of") == "all" else None))
