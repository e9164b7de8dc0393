"""Patients who are not archived are the work of their coordinator and their dentist."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from portal.core.access import Permission
from portal.patients.models import Patient
from portal.staff.handover import Holding, register


def _present() -> list[sa.ColumnElement[bool]]:
    return [Patient.archived_at.is_(None)]


register(
    Holding(
        "patients_coordinator", _l("Patients as coordinator"), Patient, "coordinator_id", Permission.PATIENTS_WRITE,
        _present,
    )
)  # fmt: skip
register(Holding("patients_doctor", _l("Patients as dentist"), Patient, "doctor_id", Permission.OFFERS_SIGN, _present))
