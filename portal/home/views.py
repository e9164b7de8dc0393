"""The first page, at a clinic's host and at the admin host."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.core.access import SIGNED_IN, Site, access
from portal.core.identity import current_clinic
from portal.home.queries import overview
from portal.offers.listing import status_label

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@access(SIGNED_IN, Site.BOTH)
def index() -> ResponseReturnValue:
    """Show a clinic what is due and what is new; take the platform's people to the clinics."""
    if g.site is Site.PLATFORM:
        return redirect(url_for("platform.index"))
    view = overview(current_clinic())
    labels = {key: status_label(status) for key, status in view.statuses.items()}
    return render_template("home/index.html", view=view, labels=labels)
