"""The register of what data subjects ask for, with the day by which each must be answered."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.auth.models import User
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import NotFoundError, StaleVersionError
from portal.core.pagination import Order, Page, keyset_page
from portal.patients.models import Patient
from portal.privacy.models import RequestKind, RequestStatus, SubjectRequest

MOST_OPEN = 200
_ROWS = (
    sa.select(
        SubjectRequest.id, SubjectRequest.kind, SubjectRequest.status, SubjectRequest.received_on,
        SubjectRequest.due_on, SubjectRequest.handled_at, SubjectRequest.patient_id, Patient.first_name,
        Patient.last_name, Patient.patient_no, User.name.label("handled_by"),
    )
    .outerjoin(Patient, sa.and_(Patient.clinic_id == SubjectRequest.clinic_id, Patient.id == SubjectRequest.patient_id))
    .outerjoin(User, sa.and_(User.clinic_id == SubjectRequest.clinic_id, User.id == SubjectRequest.handled_by_id))
)  # fmt: skip


def due_day(received_on: date) -> date:
    """Return the last day for an answer: within thirty days (law 6698, art. 13) and a month (GDPR, art. 12/3) alike."""
    year, month = received_on.year + received_on.month // 12, received_on.month % 12 + 1
    month_later = date(year, month, min(received_on.day, calendar.monthrange(year, month)[1]))
    return min(received_on + timedelta(days=30), month_later)


def list_open(patient_id: UUID | None = None) -> Sequence[Any]:
    """Return the requests that wait for an answer, the most urgent first."""
    statement = _ROWS.where(SubjectRequest.status == RequestStatus.OPEN)
    if patient_id is not None:
        statement = statement.where(SubjectRequest.patient_id == patient_id)
    urgent = statement.order_by(SubjectRequest.due_on, SubjectRequest.id).limit(sa.literal_column(str(MOST_OPEN)))
    return current_session().execute(urgent).all()


def list_answered(cursor: str | None) -> Page[Any]:
    """Return one page of the requests that were answered, the newest first."""
    statement = _ROWS.where(SubjectRequest.status != RequestStatus.OPEN)
    return keyset_page(statement, Order((SubjectRequest.id,), descending=True), cursor)


def get_request(request_id: UUID) -> SubjectRequest:
    """Return a request; raises NotFoundError."""
    statement = sa.select(SubjectRequest).where(SubjectRequest.id == request_id)
    found = current_session().scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def register_request(
    actor: Actor, *, kind: RequestKind, received_on: date, patient_id: UUID | None, detail: str | None
) -> SubjectRequest:
    """Note a request, due from the day it arrived; the same one noted again while it is open is the first."""
    same = sa.select(SubjectRequest).where(
        SubjectRequest.kind == kind, SubjectRequest.received_on == received_on,
        SubjectRequest.patient_id.is_not_distinct_from(patient_id), SubjectRequest.status == RequestStatus.OPEN,
        SubjectRequest.detail.is_not_distinct_from(detail),
    )  # fmt: skip
    known = current_session().scalars(same).first()
    if known is not None:
        return known
    asked = SubjectRequest(
        kind=kind, received_on=received_on, due_on=due_day(received_on), patient_id=patient_id, detail=detail
    )
    current_session().add(asked)
    current_session().flush()
    audit.record(actor, "request.received", asked, changes={"kind": [None, kind]})
    return asked


def answer_request(
    actor: Actor, asked: SubjectRequest, *, version: int, status: RequestStatus, outcome: str
) -> None:  # fmt: skip
    """Note how a request was answered; raises StaleVersionError where a colleague answered it meanwhile."""
    if asked.version != version or asked.status != RequestStatus.OPEN:
        raise StaleVersionError
    asked.status, asked.outcome, asked.handled_by_id, asked.handled_at = status, outcome, actor.id, now()
    audit.record(actor, "request.answered", asked, changes={"status": [RequestStatus.OPEN, status]})
