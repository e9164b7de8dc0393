"""Pages of a clinic's offer statuses: names, colours, order, the usual one of each kind."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.access import Permission, access
from portal.core.activity import Writers, list_entries
from portal.core.conflicts import Conflict, column_conflicts
from portal.core.errors import RuleError, StaleVersionError
from portal.core.identity import request_actor
from portal.offers import statuses
from portal.offers.listing import KINDS, status_label
from portal.offers.models import OfferKind, OfferStatus
from portal.offers.queries import count_by_status, list_statuses
from portal.offers.status_forms import COLOURS, LABELS, NewStatusForm, StatusForm, status_form
from portal.settings.index import SettingsPage, add_page

blueprint = Blueprint("offer_statuses", __name__, url_prefix="/settings/statuses")
ACTIONS = {
    "status.added": _l("added this status"), "status.changed": _l("changed this status"),
    "status.made_usual": _l("made this the usual status of its kind"), "status.moved": _l("moved this status"),
}  # fmt: skip
add_page(
    SettingsPage(
        "offer_statuses.index", _l("Offer statuses"), _l("What they are called, their colours and their order."),
        "palette",
    )
)  # fmt: skip


@blueprint.get("")
@access(Permission.SETTINGS_WRITE)
def index() -> ResponseReturnValue:
    """List the statuses in the clinic's order."""
    rows = list_statuses()
    return render_template(
        "offers/statuses.html", rows=rows, labels={row.id: status_label(row) for row in rows}, kinds=KINDS,
        counts=count_by_status(),
    )  # fmt: skip


@blueprint.route("/new", methods=["GET", "POST"])
@access(Permission.SETTINGS_WRITE)
def new() -> ResponseReturnValue:
    """Add a status of a kind."""
    form = NewStatusForm()
    if form.submitted():
        try:
            statuses.add_status(
                request_actor(), kind=OfferKind(form.kind.data), label_tr=form.label_tr.data,
                label_en=form.label_en.data, colour=form.colour.data or None,
            )  # fmt: skip
            flash(_("The status is added."), "success")
            return redirect(url_for("offer_statuses.index"))
        except RuleError as error:
            form.form_errors.append(error.message)
    return render_template("offers/new_status.html", form=form), 422 if form.errors else 200


@blueprint.route("/<uuid:status_id>", methods=["GET", "POST"])
@access(Permission.SETTINGS_WRITE)
def edit(status_id: UUID) -> ResponseReturnValue:
    """Rename a status, colour it, put it out of use."""
    status = statuses.get_status(status_id)
    form = status_form(status)
    conflicts: list[Conflict] = []
    if form.submitted():
        try:
            statuses.change_status(request_actor(), status, seen=form.seen.data, **form.values())
            flash(_("Saved."), "success")
            return redirect(url_for("offer_statuses.index"))
        except RuleError as error:
            form.form_errors.append(error.message)
        except StaleVersionError:
            conflicts = _conflicts(form, status)
    return _page(form, status, conflicts), 409 if conflicts else 422 if form.errors else 200


@blueprint.post("/<uuid:status_id>/move")
@access(Permission.SETTINGS_WRITE)
def move(status_id: UUID) -> ResponseReturnValue:
    """Put a status one place up or down."""
    statuses.move_status(request_actor(), statuses.get_status(status_id), up=request.form.get("to") == "up")
    return redirect(url_for("offer_statuses.index"))


@blueprint.post("/<uuid:status_id>/usual")
@access(Permission.SETTINGS_WRITE)
def make_usual(status_id: UUID) -> ResponseReturnValue:
    """Make a status the usual one of its kind."""
    try:
        statuses.make_usual(request_actor(), statuses.get_status(status_id))
        flash(_("Saved."), "success")
    except RuleError as error:
        flash(error.message, "warning")
    return redirect(url_for("offer_statuses.index"))


def _conflicts(form: StatusForm, status: OfferStatus) -> list[Conflict]:
    """Return what somebody else saved meanwhile; saving again replaces it."""
    form.seen.data = statuses.shown_state(status)
    labels = {name: label for name, label in LABELS.items() if name in form.values()}
    return column_conflicts(form, status, form.values(), labels)


def _page(form: StatusForm, status: OfferStatus, conflicts: list[Conflict]) -> str:
    colours: Writers = {"colour": lambda value: str(COLOURS.get(value, value))}
    entries = list_entries("offer_statuses", status.id, actions=ACTIONS, fields=LABELS, values=colours)
    return render_template(
        "offers/status.html", form=form, status_row=status, label=status_label(status),
        kind=KINDS[OfferKind(status.kind)], count=statuses.count_offers(status.id), entries=entries,
        conflicts=conflicts,
    )  # fmt: skip
