"""Pages of those who look after offers: coordinator and doctor, the doctors' queue, and the sign-off."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.errors import RuleError
from portal.core.identity import current_identity, request_actor
from portal.offers import people, queries
from portal.offers.people_forms import PeopleForm, RequireForm, SignForm
from portal.offers.sealing import signoff_required

blueprint = Blueprint("offer_signoff", __name__, url_prefix="/offers")


@blueprint.get("/signoff")
@access(Permission.OFFERS_READ)
def queue() -> ResponseReturnValue:
    """List the drafts that wait for a dentist: one's own and nobody's, or all."""
    everybody = request.args.get("of") == "all" or not current_identity().can(Permission.OFFERS_SIGN)
    rows = people.list_waiting(None if everybody else current_identity().id)
    return render_template("offers/signoff.html", rows=rows, everybody=everybody, required=signoff_required())


@blueprint.post("/signoff/required")
@access(Permission.CATALOG_WRITE)
def require() -> ResponseReturnValue:
    """Decide whether sending an offer needs a sign-off."""
    form = RequireForm()
    if form.submitted():
        people.require_signoff(request_actor(), required=form.required.data == "yes")
        flash(_("Saved."), "success")
    return redirect(url_for("offer_signoff.queue"))


@blueprint.post("/<uuid:offer_id>/people")
@access(Permission.OFFERS_WRITE)
def set_people(offer_id: UUID) -> ResponseReturnValue:
    """Say who looks after an offer."""
    form = PeopleForm()
    offer = queries.get_offer(offer_id)

    def change() -> None:
        chosen = _uuid(form.doctor_id.data), _uuid(form.coordinator_id.data)
        people.set_people(request_actor(), offer, doctor_id=chosen[0], coordinator_id=chosen[1])

    return _after(offer_id, change, _("Saved."))


@blueprint.post("/<uuid:offer_id>/signoff/ask")
@access(Permission.OFFERS_WRITE)
def ask(offer_id: UUID) -> ResponseReturnValue:
    """Ask the dentists to sign a draft off."""
    offer = queries.get_offer(offer_id)
    return _after(
        offer_id, lambda: people.ask_signoff(request_actor(), offer), _("The offer waits for a dentist's sign-off.")
    )  # fmt: skip


@blueprint.post("/<uuid:offer_id>/signoff")
@access(Permission.OFFERS_SIGN)
def sign(offer_id: UUID) -> ResponseReturnValue:
    """Sign a draft off, or send it back with a word on why."""
    offer, form = queries.get_offer(offer_id), SignForm()
    note = (form.note.data or "").strip()
    if not form.submitted() or (form.answer.data == "back" and not note):
        flash(_("Write what is to be changed, in 1,000 letters at most, then send the offer back."), "warning")
        return redirect(url_for("offers.show", offer_id=offer_id))
    if form.answer.data == "back":
        return _after(offer_id, lambda: people.send_back(request_actor(), offer, note=note), _("Sent back."))
    return _after(offer_id, lambda: people.sign_off(request_actor(), offer, note=note or None), _("Signed off."))


def _after(offer_id: UUID, change: Callable[[], None], message: str) -> ResponseReturnValue:
    try:
        change()
        flash(message, "success")
    except RuleError as error:
        flash(error.message, "warning")
    return redirect(url_for("offers.show", offer_id=offer_id))


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return UUID(int=0)  # nobody's: refused where it is looked up
