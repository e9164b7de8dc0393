"""Pages of the board: offers by where they stand, moved by a button or by dragging."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.errors import NotFoundError, RuleError
from portal.core.identity import current_identity, request_actor
from portal.offers import board, queries, services
from portal.offers.boarding import BoardView
from portal.offers.forms import MoveForm
from portal.offers.listing import status_label

blueprint = Blueprint("offer_board", __name__, url_prefix="/offers/board")


@blueprint.get("/")
@access(Permission.OFFERS_READ)
def show() -> ResponseReturnValue:
    """Show the columns, of all offers or of one's own."""
    mine = request.args.get("of") == "mine"
    who = current_identity().id if mine else None
    view = BoardView(board.sum_by_kind(who), board.list_cards(who), queries.list_statuses(), mine=mine)
    return render_template("offers/board.html", view=view)


@blueprint.post("/<uuid:offer_id>")
@access(Permission.OFFERS_WRITE)
def move(offer_id: UUID) -> ResponseReturnValue:
    """Give an offer another status and show the board again."""
    offer, form = queries.get_offer(offer_id), MoveForm()
    status = next((row for row in queries.list_statuses() if row.id == form.status_id.data), None)
    if status is None:
        raise NotFoundError
    try:
        services.move_offer(request_actor(), offer, status=status)
        words = {"number": offer.offer_no, "status": status_label(status)}
        flash(_("%(number)s is now: %(status)s.", **words), "success")
    except RuleError as error:
        flash(f"{offer.offer_no}: {error.message}", "warning")
    return redirect(url_for("offer_board.show", of="mine" if request.form.get("of") == "mine" else None))
