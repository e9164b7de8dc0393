"""The log of reads: who looked at which patient's record, when, and on which page.

It is written when the answer is complete, in a short transaction of its own: a GET's own transaction never commits.
Where the row cannot be written, the page is shown all the same and the failure is logged as an error with the ids that
the row would have held. A dentist must see a severe allergy also while the log cannot be written, and a page refused
after the answer was made would protect nobody: the law asks for a complete log (law 6698, art. 12), and the error is
what completes it by hand. What leaves the portal as a file has its row in the activity log besides, in the
transaction of the request itself, and without that row it does not leave.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from uuid_utils.compat import uuid7

from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import independent
from portal.core.identity import request_actor
from portal.core.reads import requested_reads, shows_records
from portal.core.scope import ClinicScope
from portal.privacy.models import AccessAction, PatientAccess

FOLD = timedelta(minutes=5)  # looking again within this time is the same look, whatever the page
_NEVER_FOLDED = AccessAction.EXPORT  # what leaves twice has left twice
_CHUNK = 2000
_SET_CLINIC = sa.text("SELECT set_config('app.clinic_id', :clinic, true)")
log = structlog.get_logger("portal.privacy")


def configure_reading(app: Flask) -> None:
    """Log every read of a patient's record that ``app`` answers."""
    app.after_request(_log_reads)


def _log_reads(response: Response) -> Response:
    if g.get("clinic") is None or g.get("identity") is None or not _shows_something(response) or not shows_records():
        return response
    actor, reads = request_actor(), []
    try:
        with independent(ClinicScope(g.clinic.id)) as connection:
            connection.execute(_SET_CLINIC, {"clinic": str(g.clinic.id)})
            reads = requested_reads(connection)
            for action, patient_ids in reads:
                write_reads(connection, actor, clinic_id=g.clinic.id, action=action, patient_ids=patient_ids,
                            page=request.endpoint)  # fmt: skip
    except SQLAlchemyError as error:
        told = [str(patient_id) for _action, patient_ids in reads for patient_id in patient_ids[:20]]
        log.error(
            "reads.not_logged", error_class=type(error).__name__, endpoint=request.endpoint, actor_id=str(actor.id),
            patient_ids=told or {name: str(value) for name, value in (request.view_args or {}).items()},
        )  # fmt: skip
    return response


def _shows_something(response: Response) -> bool:
    """Tell whether an answer shows what was asked for; a form that is shown again with its errors does too."""
    return request.method != "HEAD" and (response.status_code < 300 or response.status_code in (409, 422))


def write_reads(
    connection: sa.Connection, actor: Actor, *, clinic_id: UUID, action: str, patient_ids: list[UUID],
    page: str | None,
) -> None:  # fmt: skip
    """Write one row for each patient whom this person has not looked at in the same way a moment ago."""
    for start in range(0, len(patient_ids), _CHUNK):
        asked = patient_ids[start : start + _CHUNK]
        recent = sa.select(PatientAccess.patient_id).where(
            PatientAccess.patient_id.in_(asked), PatientAccess.actor_id == actor.id, PatientAccess.action == action,
            PatientAccess.at > now() - FOLD, sa.literal(action) != _NEVER_FOLDED,
        )  # fmt: skip
        known = set(connection.scalars(recent))
        rows = [_row(actor, clinic_id, action, patient_id, page) for patient_id in dict.fromkeys(asked)
                if patient_id not in known]  # fmt: skip
        if rows:
            connection.execute(sa.insert(PatientAccess), rows)


def _row(actor: Actor, clinic_id: UUID, action: str, patient_id: UUID, page: str | None) -> dict[str, Any]:
    return {
        "clinic_id": clinic_id, "id": uuid7(), "patient_id": patient_id, "actor_kind": actor.kind, "at": now(),
        "actor_id": actor.id, "actor_name": actor.name, "action": action, "page": page, "ip": actor.ip,
        "request_id": actor.request_id,
    }  # fmt: skip
