"""The admin host: the clinics of the platform. No page here can read a patient's record."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.core.access import Permission, Site, access
from portal.platform.listing import ClinicListView
from portal.platform.queries import list_clinics

blueprint = Blueprint("platform", __name__, url_prefix="/clinics")


@blueprint.get("/")
@access(Permission.CLINICS_READ, Site.PLATFORM)
def index() -> ResponseReturnValue:
    """List the clinics."""
    query = request.args.get("q", "").replace("\x00", "").strip()[:200]
    view = ClinicListView(query, list_clinics(query, request.args.get("at")))
    return render_template("platform/index.html", view=view)
