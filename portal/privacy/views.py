"""Pages of privacy: the log of reads."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.core.access import Permission, access
from portal.core.identity import request_actor
from portal.core.tables import csv_download
from portal.patients.queries import get_patient, staff_names
from portal.privacy import queries, services
from portal.privacy.listing import ReadsView, read_filter, reads_table
from portal.privacy.words import READS

blueprint = Blueprint("privacy", __name__, url_prefix="/privacy")


@blueprint.get("/reads")
@access(Permission.PRIVACY_MANAGE)
def list_reads() -> ResponseReturnValue:
    """Show who read which patient's record."""
    wanted, patient_id = read_filter(request.args)
    page = queries.list_reads(wanted, request.args.get("at"))
    patient = get_patient(patient_id) if patient_id else None
    view = ReadsView(wanted, patient_id, page, staff_names())
    return render_template("privacy/reads.html", view=view, patient=patient, words=READS)


@blueprint.post("/reads/export")
@access(Permission.PRIVACY_MANAGE)
def export_reads() -> ResponseReturnValue:
    """Download the log as CSV; that is logged in its turn."""
    wanted, _patient_id = read_filter(request.form)
    rows = list(queries.all_reads(wanted))
    services.record_export(request_actor(), count=len(rows))
    return csv_download(_("reads"), reads_table(rows))
