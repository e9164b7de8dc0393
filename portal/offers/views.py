"""Pages of offers: list, draft, show, edit, move, assign."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import VIEW, Permission, access
from portal.core.clock import today
from portal.core.conflicts import Conflict
from portal.core.errors import NotFoundError, RuleError, StaleVersionError
from portal.core.identity import current_clinic, current_identity, request_actor
from portal.core.panels import patient_page
from portal.core.reads import find_patients_by, note_reads
from portal.core.search import clean_query
from portal.core.tables import csv_download, xlsx_download
from portal.offers import people, presenting, queries, saved_filters, services
from portal.offers.conflicts import conflicts
from portal.offers.editor import Editor
from portal.offers.editor_lines import blank_line
from portal.offers.editor_opening import draft_editor, new_editor, open_editor, picked
from portal.offers.editor_packages import waiting_packages
from portal.offers.editor_steps import take_step
from portal.offers.forms import AssignForm, MoveForm, OfferForm, VisibilityForm
from portal.offers.listing import OfferListView, export_table, filter_from_args, status_label
from portal.offers.models import Offer
from portal.patients.queries import PatientFilter, get_patient, list_patients

blueprint = Blueprint("offers", __name__, url_prefix="/offers")
patient_page.add(Permission.OFFERS_READ, presenting.patient_panel)
find_patients_by("offer_id", queries.select_patients)


@blueprint.get("/")
@access(Permission.OFFERS_READ)
def index() -> ResponseReturnValue:
    """List offers, with what they come to in each currency."""
    wanted, statuses = filter_from_args(request.args), queries.list_statuses()
    page, sums = queries.list_offers(wanted, request.args.get("at"), statuses), queries.sum_offers(wanted, statuses)
    staff, saved = people.list_staff(), saved_filters.list_filters(current_identity().id)
    view = OfferListView(request.args, page, sums, statuses, staff=staff, saved=saved)
    return render_template("offers/index.html", view=view)


@blueprint.post("/export")
@access(Permission.OFFERS_EXPORT)
def export() -> ResponseReturnValue:
    """Download the list as CSV, or as a workbook; what leaves the portal is logged."""
    wanted, statuses = filter_from_args(request.form), queries.list_statuses()
    rows = list(queries.all_offers(wanted, statuses))
    services.record_export(request_actor(), count=len(rows))
    note_reads("export", [row.patient_id for row in rows if row.patient_id])
    download = xlsx_download if request.form.get("format") == "xlsx" else csv_download
    return download(_("offers"), export_table(rows, statuses))


@blueprint.get("/new/patient")
@access(Permission.OFFERS_WRITE)
def pick_patient() -> ResponseReturnValue:
    """Ask for whom a new offer is."""
    query = clean_query(request.args.get("q", ""))
    page = list_patients(PatientFilter(query=query), None)
    source = request.args.get("source", type=UUID)
    return render_template("offers/pick_patient.html", query=query, rows=page.items, source=source)


@blueprint.route("/new", methods=["GET", "POST"])
@access(Permission.OFFERS_WRITE)
def new() -> ResponseReturnValue:
    """Draft an offer for the patient named in the address, else in the form; with the lines of ``source`` if any."""
    wanted = request.args.get("patient", type=UUID) or request.form.get("patient_id", type=UUID)
    if wanted is None:
        return redirect(url_for("offers.pick_patient"))
    note_reads(VIEW, [wanted])
    source = request.args.get("source", type=UUID)
    editor = new_editor(get_patient(wanted), queries.get_offer(source) if source else None)
    editor.take_entry()
    try:
        services.check_patient(editor.patient)
        if editor.form.submitted() and editor.compute():
            offer = _create(editor)
            flash(_("Offer %(number)s is drafted.", number=offer.offer_no), "success")
            return redirect(url_for("offers.show", offer_id=offer.id))
    except RuleError as error:
        if request.method == "GET":
            flash(error.message, "warning")
            return redirect(url_for("patients.show", patient_id=wanted))
        editor.form.form_errors.append(error.message)
    return _editor_page(editor, 422 if editor.form.errors else 200)


@blueprint.route("/<uuid:offer_id>/edit", methods=["GET", "POST"])
@access(Permission.OFFERS_WRITE, reads="offer_id", reading="edit")
def edit(offer_id: UUID) -> ResponseReturnValue:
    """Change a draft; who opens any other offer is shown it, who was overtaken while typing keeps the form."""
    offer = queries.get_offer(offer_id)
    editor = draft_editor(offer, presenting.patient_of(offer))
    editor.take_entry()
    try:
        services.check_draft(offer)
        if editor.form.submitted() and editor.compute():
            return _update(editor, offer)
    except RuleError as error:
        if request.method == "GET":
            flash(error.message, "warning")
            return redirect(url_for("offers.show", offer_id=offer_id))
        editor.form.form_errors.append(error.message)
        return _editor_page(editor, 409)
    except StaleVersionError:
        return _conflict_page(editor, offer_id)
    return _editor_page(editor, 422 if editor.form.errors else 200)


@blueprint.post("/preview")
@access(Permission.OFFERS_WRITE, resumable=True)
def preview() -> ResponseReturnValue:
    """Show the editor again with everything computed and more room, saving nothing (for pages without script)."""
    stepped = request.form.get("step", "")
    return _editor_page(_editor_from_form(entry=True, step=stepped), 200, more=2 if stepped else 5)


@blueprint.post("/entry")
@access(Permission.OFFERS_WRITE, resumable=True)
def entry() -> ResponseReturnValue:
    """Make lines of the text in the entry box and show the editor again, saving nothing; asks what is unclear."""
    return _editor_page(_editor_from_form(entry=True), 200)


@blueprint.post("/totals")
@access(Permission.OFFERS_WRITE)
def totals() -> ResponseReturnValue:
    """Return what the lines being typed come to, for the page's script; saves nothing."""
    editor = _editor_from_form()
    lines = {str(place): presenting.line_preview(line, editor.currency) for place, line in editor.priced.items()}
    html = render_template("offers/_totals.html", editor=editor)
    chart = editor.chart
    legend = render_template("offers/_legend.html", chart=chart)
    proposal = render_template("offers/_proposal.html", editor=editor)
    packages = any(waiting_packages(editor.form, editor.book))
    return {
        "lines": lines, "totals": html, "chart": chart.tones(), "legend": legend, "proposal": proposal,
        "packages": packages,
    }  # fmt: skip


@blueprint.get("/<uuid:offer_id>")
@access(Permission.OFFERS_READ, reads="offer_id")
def show(offer_id: UUID) -> ResponseReturnValue:
    """Show an offer, where it may go from here, and what was done."""
    return _show_page(offer_id, AssignForm(formdata=None))


@blueprint.post("/<uuid:offer_id>/status")
@access(Permission.OFFERS_WRITE)
def move(offer_id: UUID) -> ResponseReturnValue:
    """Give an offer another status."""
    offer, form = queries.get_offer(offer_id), MoveForm()
    status = next((row for row in queries.list_statuses() if row.id == form.status_id.data), None)
    if status is None:
        raise NotFoundError
    try:
        services.move_offer(request_actor(), offer, status=status)
        flash(_("The status is now: %(status)s.", status=status_label(status)), "success")
    except RuleError as error:
        flash(error.message, "warning")
    return redirect(url_for("offers.show", offer_id=offer_id))


@blueprint.post("/<uuid:offer_id>/patients")
@access(Permission.OFFERS_WRITE, resumable=True, reads="offer_id")
def assign(offer_id: UUID) -> ResponseReturnValue:
    """Assign an offer to one more patient, by her number."""
    offer, form = queries.get_offer(offer_id), AssignForm()
    if form.submitted():
        patient = queries.find_patient_by_number(form.patient_no.data)
        try:
            if patient is None:
                raise RuleError(_("No patient has this number."))
            services.assign_offer(request_actor(), offer, patient=patient)
        except RuleError as error:
            form.patient_no.errors = [error.message]
        else:
            flash(_("The offer is assigned to %(name)s as well.", name=patient.full_name), "success")
            return redirect(url_for("offers.show", offer_id=offer_id))
    return _show_page(offer_id, form), 422


@blueprint.post("/<uuid:offer_id>/patients/<uuid:recipient_id>/visibility")
@access(Permission.OFFERS_WRITE)
def set_visibility(offer_id: UUID, recipient_id: UUID) -> ResponseReturnValue:
    """Let a patient see an offer, or hide it from her."""
    form = VisibilityForm()
    if form.submitted():
        offer, recipient = queries.get_offer(offer_id), queries.get_recipient(offer_id, recipient_id)
        services.set_visibility(request_actor(), offer, recipient, visible=form.visible.data == "yes")
        flash(_("Saved."), "success")
    return redirect(url_for("offers.show", offer_id=offer_id))


def _create(editor: Editor) -> Offer:
    return services.create_offer(
        request_actor(),
        editor.patient,
        form_key=editor.form.form_key.data,
        year=today(current_clinic().timezone).year,
        prices_include_vat=editor.book.prices_include_vat,
        values=editor.values(),
        lines=editor.lines,
        options=editor.options,
        visits=editor.visits,
    )


def _update(editor: Editor, offer: Offer) -> ResponseReturnValue:
    """Save a draft; the page's script, which saves now and then, is told the version to go on from."""
    version, values = editor.form.version.data, editor.values()
    services.update_offer(
        request_actor(), offer, version=version, values=values, lines=editor.lines, options=editor.options,
        visits=editor.visits,
    )  # fmt: skip
    if "autosave" in request.form:
        return {"version": offer.version}
    flash(_("Saved."), "success")
    return redirect(url_for("offers.show", offer_id=offer.id))


def _editor_from_form(*, entry: bool = False, step: str = "") -> Editor:
    form = OfferForm()
    if form.patient_id.data is None:
        raise NotFoundError
    patient = get_patient(form.patient_id.data)
    offer = queries.get_offer(form.offer_id.data) if form.offer_id.data else None
    editor = open_editor(form, patient, offer, expand=entry)
    form.lines.validate(form)
    if entry:
        editor.take_entry(picked(request.form.get("entry_pick", "")))
    take_step(editor, step)
    editor.compute()
    return editor


def _editor_page(
    editor: Editor, status: int, *, more: int = 2, differing: Sequence[Conflict] = ()
) -> ResponseReturnValue:
    editor.compute()
    editor.add_empty_lines(more)
    editor.show_defaults()
    overtaken, blank = status == 409, blank_line(editor.book, editor.options)
    page = render_template("offers/edit.html", editor=editor, overtaken=overtaken, conflicts=differing, blank=blank)
    return page, status


def _conflict_page(editor: Editor, offer_id: UUID) -> ResponseReturnValue:
    """Show both versions; the form may then be saved over the other one."""
    offer = queries.get_offer(offer_id)
    editor.form.version.data = offer.version
    return _editor_page(editor, 409, differing=conflicts(editor, offer))


def _show_page(offer_id: UUID, form: AssignForm) -> str:
    offer = queries.get_offer(offer_id)
    return render_template("offers/show.html", view=presenting.OfferView(offer, queries.list_statuses()), form=form)
