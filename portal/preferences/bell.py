"""The bell: what the portal told the person who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import SIGNED_IN, access
from portal.core.identity import current_identity
from portal.core.notifications import (
    Told,
    get_notification,
    list_notifications,
    mark_read,
    tell,
)
from portal.core.templating import moment

blueprint = Blueprint("bell", __name__, url_prefix="/notifications")


@dataclass(frozen=True)
class Row:
    """One notification as the page lists it; ``told`` is None where what it is about is gone."""

    id: UUID
    told: Told | None
    when: str
    is_new: bool


@blueprint.get("")
@access(SIGNED_IN)
def index() -> ResponseReturnValue:
    """List what one was told, the newest first; reading the list marks nothing."""
    page = list_notifications(current_identity().id, request.args.get("at"))
    told = tell(page.items)
    rows = [Row(each.id, told.get(each.id), moment(each.created_at), each.read_at is None) for each in page.items]
    return render_template("preferences/notifications.html", page=page, rows=rows)


@blueprint.post("/<uuid:notification_id>/open")
@access(SIGNED_IN)
def open_one(notification_id: UUID) -> ResponseReturnValue:
    """Mark one as read and go where it leads."""
    row = get_notification(current_identity().id, notification_id)
    told = tell([row]).get(row.id)
    mark_read(current_identity().id, [row.id])
    if told is None:
        flash(_("What this was about is no longer there."), "info")
    return redirect(told.url if told else url_for("bell.index"))


@blueprint.post("/read")
@access(SIGNED_IN)
def read_all() -> ResponseReturnValue:
    """Mark everything as read."""
    mark_read(current_identity().id)
    flash(_("Everything is marked as read."), "success")
    return redirect(url_for("bell.index"))
