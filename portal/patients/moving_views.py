"""Pages that move all patients of a referral source to another, and back."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.core.access import Permission, access
from portal.core.errors import RuleError, StaleVersionError
from portal.core.identity import request_actor
from portal.core.links import ListLinks
from portal.patients import moving
from portal.patients.moving_forms import MoveForm
from portal.referrals.models import ReferralSource
from portal.referrals.queries import get_source, list_sources

blueprint = Blueprint("source_moves", __name__, url_prefix="/sources")


@blueprint.route("/<uuid:source_id>/move", methods=["GET", "POST"])
@access(Permission.SOURCES_WRITE)
def move(source_id: UUID) -> ResponseReturnValue:
    """Show whom a move would take, page by page, and move them."""
    source = get_source(source_id)
    form = MoveForm(sources=[row for row in list_sources() if row.is_active and row.id != source_id])
    status = 200
    if form.submitted():
        try:
            return _moved(form, source)
        except StaleVersionError:
            flash(_("Patients came or went while you looked. Look again, then move them."), "warning")
            status = 409
    return _page(form, source, 422 if form.errors else status)


@blueprint.post("/moves/<uuid:transfer_id>/undo")
@access(Permission.SOURCES_WRITE)
def undo(transfer_id: UUID) -> ResponseReturnValue:
    """Move patients back whom nobody has moved since."""
    transfer = moving.get_transfer(transfer_id)
    try:
        back = moving.undo_transfer(request_actor(), transfer)
    except RuleError as error:
        flash(error.message, "warning")
    else:
        stayed = len(transfer.patient_ids) - back
        text = ngettext("%(num)d patient is back.", "%(num)d patients are back.", back)
        if stayed:
            text += " " + ngettext(
                "%(num)d stays: somebody has changed her source since.",
                "%(num)d stay: somebody has changed their source since.", stayed,
            )  # fmt: skip
        flash(text, "success")
    return redirect(url_for("referrals.edit", source_id=transfer.from_id))


def _moved(form: MoveForm, source: ReferralSource) -> ResponseReturnValue:
    made = moving.move_patients(
        request_actor(), source_id=source.id, target_id=form.target_id(), expected=form.expected.data,
        archive=bool(form.archive.data),
    )  # fmt: skip
    text = ngettext("%(num)d patient is moved.", "%(num)d patients are moved.", len(made.patient_ids))
    flash({"text": text, "undo_url": url_for("source_moves.undo", transfer_id=made.id)}, "success")  # type: ignore[arg-type]
    return redirect(url_for("referrals.index"))


def _page(form: MoveForm, source: ReferralSource, status: int) -> ResponseReturnValue:
    count, page = moving.count_moving(source.id), moving.list_moving(source.id, request.args.get("at"))
    form.expected.data = count
    links = ListLinks(url_for("source_moves.move", source_id=source.id), {})
    text = render_template(
        "patients/move_source.html", form=form, source=source, count=count, page=page, links=links,
        neighbours=links.pages(page),
    )  # fmt: skip
    return text, status
