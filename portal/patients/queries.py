"""Reading patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.auth.models import User
from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.core.pagination import Order, Page, every_row, keyset_page
from portal.core.periods import Days
from portal.core.search import matches
from portal.core.text import sort_key
from portal.patients.models import Patient, PatientTerm

COUNT_CAP = 1000


class PatientState(StrEnum):
    """Which patients a list shows."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ARCHIVED = "archived"


class PatientSort(StrEnum):
    """How a list is ordered."""

    NEWEST = "newest"
    NAME = "name"


@dataclass(frozen=True)
class PatientFilter:
    """What a list of patients is limited to; without a state, all but the archived."""

    query: str = ""
    state: PatientState | None = None
    source_id: UUID | None = None
    unsourced: bool = False  # only those of whom no source is known
    registered: Days | None = None
    sort: PatientSort = PatientSort.NEWEST


_ROWS = sa.select(
    Patient.id, Patient.patient_no, Patient.first_name, Patient.last_name, Patient.name_key, Patient.phone_e164,
    Patient.phone_raw, Patient.email, Patient.city, Patient.residence_country, Patient.referral_source_id,
    Patient.is_active, Patient.archived_at, Patient.created_at,
)  # fmt: skip
_ORDERS = {
    PatientSort.NEWEST: Order((Patient.id,), descending=True),
    PatientSort.NAME: Order((Patient.name_key, Patient.id)),
}
_NO_DUPLICATE = Patient.merged_into_id.is_(None)
_STATES: dict[PatientState | None, list[sa.ColumnElement[bool]]] = {
    None: [Patient.archived_at.is_(None)],
    PatientState.ACTIVE: [Patient.archived_at.is_(None), Patient.is_active.is_(True)],
    PatientState.INACTIVE: [Patient.archived_at.is_(None), sa.not_(Patient.is_active)],
    PatientState.ARCHIVED: [Patient.archived_at.is_not(None)],
}


def list_patients(wanted: PatientFilter, cursor: str | None) -> Page[Any]:
    """Return one page of patients."""
    statement = _ROWS.where(*_conditions(wanted))
    return keyset_page(statement, _ORDERS[wanted.sort], cursor)


def count_patients(wanted: PatientFilter) -> int:
    """Return how many there are, counting no further than COUNT_CAP + 1: an exact count costs ten times the page."""
    some = sa.select(Patient.id).where(*_conditions(wanted)).limit(sa.literal_column(str(COUNT_CAP + 1)))
    return current_session().execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one()


def count_by_source(registered: Days) -> dict[UUID | None, int]:
    """Return source -> number of patients who registered in some days, as the list of each would show."""
    column = Patient.referral_source_id
    statement = sa.select(column, sa.func.count()).where(*_conditions(PatientFilter(registered=registered)))
    return {row[0]: row[1] for row in current_session().execute(statement.group_by(column))}


def all_patients(wanted: PatientFilter) -> Iterator[Any]:
    """Return every patient of a list, in its order."""
    return every_row(_ROWS.where(*_conditions(wanted)), _ORDERS[wanted.sort])


def get_patient(patient_id: UUID) -> Patient:
    """Return a patient with her referral source; raises NotFoundError, also for another clinic's and a duplicate."""
    statement = (
        sa.select(Patient).where(Patient.id == patient_id, _NO_DUPLICATE).options(joinedload(Patient.referral_source))
    )
    patient = current_session().scalars(statement).one_or_none()
    if patient is None:
        raise NotFoundError
    return patient


def get_editable(patient_id: UUID) -> Patient:
    """Return a patient whose data may be changed; raises NotFoundError for one who is anonymous, too."""
    patient = get_patient(patient_id)
    if patient.anonymised_at is not None:
        raise NotFoundError
    return patient


def find_by_form_key(form_key: UUID | None) -> Patient | None:
    """Return the patient whom this very form has already made, or None."""
    if form_key is None:
        return None
    return current_session().scalars(sa.select(Patient).where(Patient.form_key == form_key)).one_or_none()


def find_similar(first_name: str, last_name: str, phone_e164: str | None) -> Sequence[Any]:
    """Return up to five patients with the same phone or the same name, spelling of case aside."""
    same: list[sa.ColumnElement[bool]] = []
    if first_name and last_name and (key := sort_key(f"{first_name} {last_name}")):
        same.append(Patient.name_key == key)
    if phone_e164:
        same.append(Patient.phone_e164 == phone_e164)
    if not same:
        return []
    statement = _ROWS.where(_NO_DUPLICATE, sa.or_(*same)).order_by(Patient.id.desc()).limit(sa.literal_column("5"))
    return current_session().execute(statement).all()


def staff_names() -> dict[UUID, str]:
    """Return the names of the clinic's people, those who have left included."""
    return {row.id: row.name for row in current_session().execute(sa.select(User.id, User.name))}


def _conditions(wanted: PatientFilter) -> list[sa.ColumnElement[bool]]:
    conditions = [
        _NO_DUPLICATE,
        *_STATES[wanted.state],
        *matches(PatientTerm, PatientTerm.patient_id, Patient.id, wanted.query),
    ]
    if wanted.source_id is not None:
        conditions.append(Patient.referral_source_id == wanted.source_id)
    if wanted.unsourced:
        conditions.append(Patient.referral_source_id.is_(None))
    if wanted.registered is not None:
        conditions.append(wanted.registered.during(Patient.created_at))
    return conditions
