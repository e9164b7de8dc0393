"""One's own calendar and morning mail; and the calendar itself, which a phone reads without a login."""

from __future__ import annotations

import secrets

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from portal.auth import limits
from portal.core.access import PUBLIC, Permission, access
from portal.core.errors import NotFoundError
from portal.core.identity import current_clinic, current_identity, request_actor
from portal.core.settings import settings
from portal.reminders import feeds
from portal.reminders.views import blueprint

feed = Blueprint("reminder_feed", __name__)
_GUESSES = limits.Limit("calendar", 30, 10.0)


@blueprint.get("/mine")
@access(Permission.PATIENTS_READ)
def mine() -> ResponseReturnValue:
    """Show whether there is a calendar address, and whether the mail is sent."""
    return _page(None)


@blueprint.post("/mine/calendar")
@access(Permission.PATIENTS_READ)
def renew_feed() -> ResponseReturnValue:
    """Make a new address and show it this once."""
    token = secrets.token_urlsafe(32)
    feeds.renew_feed(request_actor(), user_id=current_identity().id, token=token)
    clinic_url = settings().url_for_host(current_clinic().subdomain)
    return _page(f"{clinic_url}{url_for('reminder_feed.calendar', feed_token=token)}")


@blueprint.post("/mine/calendar/end")
@access(Permission.PATIENTS_READ)
def end_feed() -> ResponseReturnValue:
    """End the address."""
    if feeds.revoke_feed(request_actor(), user_id=current_identity().id):
        flash(_("The calendar's address opens nothing any more."), "success")
    return redirect(url_for("reminders.mine"))


@blueprint.post("/mine/mail")
@access(Permission.PATIENTS_READ)
def set_digest() -> ResponseReturnValue:
    """Send the morning's mail, or do not."""
    feeds.set_digest(request_actor(), user_id=current_identity().id, wanted=request.form.get("wanted") == "yes")
    flash(_("Saved."), "success")
    return redirect(url_for("reminders.mine"))


@feed.get("/calendar/<feed_token>")
@access(PUBLIC)
def calendar(feed_token: str) -> ResponseReturnValue:
    """Return a person's calendar; an unknown secret is no page, and guessing is limited by address."""
    reader = feeds.find_reader(feed_token.removesuffix(".ics"))
    if reader is None:
        if not limits.take([(_GUESSES, request.remote_addr or "")]):
            return Response(status=429, headers={"Retry-After": "60"})
        raise NotFoundError
    clinic = current_clinic()
    with force_locale(reader.locale or clinic.default_locale):
        content = feeds.write_calendar(
            reader, clinic_url=settings().url_for_host(clinic.subdomain), zone=clinic.timezone
        )
    answer = make_response(content)
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _page(address: str | None) -> ResponseReturnValue:
    identity = current_identity()
    return render_template(
        "reminders/mine.html", address=address, feed=feeds.find_feed(identity.id),
        is_mailed=feeds.wants_digest(identity.id),
    )  # fmt: skip
