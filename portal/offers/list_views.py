"""What can be done from the list of offers: hand many over, and save filters."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.core.access import Permission, access
from portal.core.errors import RuleError
from portal.core.identity import current_identity, request_actor
from portal.offers import people, saved_filters
from portal.offers.listing import PARAMETERS

blueprint = Blueprint("offer_lists", __name__, url_prefix="/offers")


@blueprint.post("/reassign")
@access(Permission.OFFERS_WRITE)
def reassign() -> ResponseReturnValue:
    """Give the marked offers another coordinator, with an undo."""
    marked = request.form.getlist("offer_id", type=UUID)
    chosen = request.form.get("coordinator_id", type=UUID)
    if not marked or chosen is None:
        flash(_("Mark at least one offer first.") if chosen else _("Choose a colleague of this clinic."), "warning")
        return redirect(_list_url())
    try:
        before = people.reassign_offers(request_actor(), dict.fromkeys(marked, chosen))
    except RuleError as error:
        flash(error.message, "warning")
        return redirect(_list_url())
    if before:
        saved_filters.keep_handover(request_actor(), before)
    text = ngettext("%(num)s offer is handed over.", "%(num)s offers are handed over.", len(before))
    flash({"text": text, "undo_url": before and url_for("offer_lists.undo_reassign")}, "success")  # type: ignore[arg-type]
    return redirect(_list_url())


@blueprint.post("/reassign/undo")
@access(Permission.OFFERS_WRITE)
def undo_reassign() -> ResponseReturnValue:
    """Give the offers that were handed over last back to whom they belonged."""
    before = saved_filters.last_handover(current_identity().id)
    try:
        people.reassign_offers(request_actor(), before)
        flash(_("The change is taken back."), "success")
    except RuleError as error:
        flash(error.message, "warning")
    return redirect(url_for("offers.index"))


@blueprint.post("/filters")
@access(Permission.OFFERS_READ)
def save_filter() -> ResponseReturnValue:
    """Save the filter in force under a name of one's own."""
    try:
        saved_filters.save_filter(request_actor(), request.form.get("name", "").strip(), _filter())
        flash(_("The filter is saved."), "success")
    except RuleError as error:
        flash(error.message, "warning")
    return redirect(_list_url())


@blueprint.post("/filters/delete")
@access(Permission.OFFERS_READ)
def delete_filter() -> ResponseReturnValue:
    """Forget one of one's saved filters."""
    saved_filters.delete_filter(request_actor(), request.form.get("name", ""))
    flash(_("The filter is deleted."), "success")
    return redirect(url_for("offers.index"))


def _list_url() -> str:
    query = urlencode(_filter())
    return f"{url_for('offers.index')}?{query}" if query else url_for("offers.index")


def _filter() -> dict[str, str]:
    return {name: request.form[name][:200] for name in PARAMETERS if request.form.get(name)}
