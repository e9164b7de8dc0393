"""Reading the log of reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.core.pagination import Order, Page, every_row, keyset_page
from portal.patients.models import Patient
from portal.privacy.models import PatientAccess


@dataclass(frozen=True)
class ReadFilter:
    """Whose record was read, and by whom; None: anybody's, by anybody."""

    patient_ids: Sequence[UUID] | None = None
    actor_id: UUID | None = None


_ORDER = Order((PatientAccess.id,), descending=True)
_ROWS = sa.select(
    PatientAccess.id, PatientAccess.at, PatientAccess.action, PatientAccess.page, PatientAccess.ip,
    PatientAccess.actor_id, PatientAccess.actor_name, PatientAccess.patient_id, Patient.patient_no,
    Patient.first_name, Patient.last_name,
).join(
    Patient, sa.and_(Patient.clinic_id == PatientAccess.clinic_id, Patient.id == PatientAccess.patient_id)
)  # fmt: skip


def list_reads(wanted: ReadFilter, cursor: str | None) -> Page[Any]:
    """Return one page of the log, newest first."""
    return keyset_page(_ROWS.where(*_conditions(wanted)), _ORDER, cursor)


def all_reads(wanted: ReadFilter) -> Iterator[Any]:
    """Return the whole log, newest first."""
    return every_row(_ROWS.where(*_conditions(wanted)), _ORDER)


def _conditions(wanted: ReadFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.patient_ids is not None:
        found.append(PatientAccess.patient_id.in_(wanted.patient_ids))
    if wanted.actor_id is not None:
        found.append(PatientAccess.actor_id == wanted.actor_id)
    return found
