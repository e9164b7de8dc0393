"""Pages of revisions: make the next version of a sent offer, and see what it changed."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.errors import NotFoundError, RuleError
from portal.core.identity import request_actor
from portal.offers import queries
from portal.offers.comparing import ChangesView
from portal.offers.revising import revise_offer

blueprint = Blueprint("offer_revisions", __name__, url_prefix="/offers")


@blueprint.post("/<uuid:offer_id>/revise")
@access(Permission.OFFERS_WRITE)
def revise(offer_id: UUID) -> ResponseReturnValue:
    """Make the next version of a sent offer, and open it to be changed."""
    try:
        revision = revise_offer(request_actor(), queries.get_offer(offer_id))
    except RuleError as error:
        flash(error.message, "warning")
        return redirect(url_for("offers.show", offer_id=offer_id))
    flash(_("Revision %(number)s is a draft. The patient sees it once it is sent.", number=revision.offer_no), "info")
    return redirect(url_for("offers.edit" if revision.primary_patient_id else "offers.show", offer_id=revision.id))


@blueprint.get("/<uuid:offer_id>/changes")
@access(Permission.OFFERS_READ, reads="offer_id")
def changes(offer_id: UUID) -> ResponseReturnValue:
    """Show what a version changed against another, the one before unless told otherwise."""
    offer = queries.get_offer(offer_id)
    revisions = queries.list_revisions(offer)
    earlier = [row.id for row in revisions if row.revision_no < offer.revision_no]
    wanted = request.args.get("from", type=UUID) or (earlier[-1] if earlier else None)
    if wanted is None:
        flash(_("There is no earlier version to compare with."), "info")
        return redirect(url_for("offers.show", offer_id=offer_id))
    if wanted not in [row.id for row in revisions if row.id != offer.id]:
        raise NotFoundError
    view = ChangesView(queries.get_offer(wanted), offer, revisions)
    return render_template("offers/changes.html", view=view)
