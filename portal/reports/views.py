"""Pages of reports."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.core.access import Permission, access
from portal.core.identity import current_clinic
from portal.reports.drawing import draw_sources
from portal.reports.sources import SourcesReport

blueprint = Blueprint("reports", __name__, url_prefix="/reports")


@blueprint.get("/sources")
@access(Permission.SOURCES_WRITE)
def sources() -> ResponseReturnValue:
    """Show whom each referral source brought in some days, and what an accepted offer cost."""
    report = SourcesReport(request.args, current_clinic().timezone)
    return render_template("reports/sources.html", report=report, charts=draw_sources(report))
