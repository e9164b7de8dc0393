"""Patients who may be one and the same: by phone, by e-mail address, by name and birth date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.auth.models import User
from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.patients.models import Patient, PatientMerge
from portal.patients.numbering import possible_numbers

GROUPS = 50  # of each kind; who joins these sees the next


class Likeness(StrEnum):
    """What two patients have in common."""

    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True)
class Group:
    """Patients with something in common, the one registered first in front."""

    likeness: Likeness
    patients: Sequence[Any]


_KEYS: dict[Likeness, tuple[Any, ...]] = {
    Likeness.NAME: (Patient.name_key, Patient.birth_date),
    Likeness.EMAIL: (sa.func.lower(Patient.email),),
    Likeness.PHONE: (Patient.phone_e164,),
}
_LIVE = (Patient.merged_into_id.is_(None), Patient.anonymised_at.is_(None))
_COLUMNS = (
    Patient.id, Patient.patient_no, Patient.first_name, Patient.last_name, Patient.phone_e164, Patient.phone_raw,
    Patient.email, Patient.birth_date, Patient.city, Patient.archived_at, Patient.created_at,
)  # fmt: skip


def list_duplicates(likeness: Likeness) -> list[Group]:
    """Return the first GROUPS groups of patients who have this in common."""
    keys = _KEYS[likeness]
    shared = (
        sa.select(*keys).where(*_LIVE, *(key.is_not(None) for key in keys), *_filled(likeness)).group_by(*keys)
        .having(sa.func.count() > 1).order_by(*keys).limit(sa.literal_column(str(GROUPS)))
    )  # fmt: skip
    labelled = [key.label(f"key_{place}") for place, key in enumerate(keys)]
    statement = (
        sa.select(*_COLUMNS, *labelled).where(*_LIVE, sa.tuple_(*keys).in_(shared)).order_by(*keys, Patient.id)
    )  # fmt: skip
    rows = current_session().execute(statement).all()
    return [Group(likeness, list(group)) for _key, group in groupby(rows, key=lambda row: tuple(row[len(_COLUMNS) :]))]


def list_like(patient: Patient) -> Sequence[Any]:
    """Return up to five patients who may be this one."""
    same: list[sa.ColumnElement[bool]] = []
    if patient.birth_date:
        same.append(sa.and_(Patient.name_key == patient.name_key, Patient.birth_date == patient.birth_date))
    if patient.email:
        same.append(sa.func.lower(Patient.email) == patient.email.lower())
    if patient.phone_e164:
        same.append(Patient.phone_e164 == patient.phone_e164)
    if not same:
        return []
    statement = sa.select(*_COLUMNS).where(*_LIVE, Patient.id != patient.id, sa.or_(*same))
    return current_session().execute(statement.order_by(Patient.id).limit(sa.literal_column("5"))).all()


def find_number(number: str) -> UUID | None:
    """Return the id of the patient with this number, leading zeros aside; None where there is none to join."""
    wanted = Patient.patient_no.in_(possible_numbers(number))
    return current_session().scalars(sa.select(Patient.id).where(wanted, *_LIVE).limit(1)).one_or_none()


def find_kept(patient_id: UUID) -> UUID | None:
    """Return the patient this duplicate was joined to, None for one who is no duplicate."""
    statement = sa.select(Patient.merged_into_id).where(Patient.id == patient_id)
    return current_session().scalars(statement).one_or_none()


def list_merges(kept_id: UUID) -> Sequence[Any]:
    """Return the joins into a patient that stand, newest first, as (id, patient_no, name parts, merged_at, who)."""
    statement = (
        sa.select(
            PatientMerge.id, PatientMerge.merged_at, Patient.patient_no, Patient.first_name, Patient.last_name,
            User.name.label("actor_name"),
        )
        .join(Patient, sa.and_(Patient.clinic_id == PatientMerge.clinic_id, Patient.id == PatientMerge.merged_id))
        .outerjoin(User, sa.and_(User.clinic_id == PatientMerge.clinic_id, User.id == PatientMerge.actor_id))
        .where(PatientMerge.kept_id == kept_id, PatientMerge.undone_at.is_(None))
        .order_by(PatientMerge.id.desc())
    )  # fmt: skip
    return current_session().execute(statement).all()


def merged_ids(patient_id: UUID) -> list[UUID]:
    """Return a patient's id and those of the duplicates joined to her, directly or through one another."""
    found, latest = [patient_id], [patient_id]
    while latest:
        statement = sa.select(Patient.id).where(Patient.merged_into_id.in_(latest))
        latest = [known for known in current_session().scalars(statement) if known not in found]
        found += latest
    return found


def get_merge(merge_id: UUID, *, lock: bool = False) -> PatientMerge:
    """Return a merge; raises NotFoundError."""
    statement = sa.select(PatientMerge).where(PatientMerge.id == merge_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = current_session().scalars(statement).one_or_none()
    if found is None:
        raise NotFoundError
    return found


def _filled(likeness: Likeness) -> list[sa.ColumnElement[bool]]:
    """Return the condition that leaves out empty texts, which have nothing in common."""
    return [Patient.name_key != ""] if likeness is Likeness.NAME else [_KEYS[likeness][0] != ""]
