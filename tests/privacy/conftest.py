"""Shared by the tests of privacy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.work import clinic_work
from portal.patients.models import Patient
from portal.privacy.models import PatientAccess
from tests.support.data import add_patient


@pytest.fixture
def patient(portal: Flask, papatya: ClinicInfo) -> Patient:
    """A patient of papatya of whom much is known."""
    with clinic_work(portal, papatya.id):
        return add_patient(
            first_name="Gizem", last_name="Saklıoğlu", email="gizem@example.com", phone_raw="0532 000 11 22",
            phone_e164="+905320001122", city="Bodrum", notes="Kahve sever",
        )  # fmt: skip


@pytest.fixture
def reads(portal: Flask, papatya: ClinicInfo) -> Callable[[], list[Any]]:
    """Return papatya's log of reads as (patient_id, actor_name, action, page), oldest first."""

    def read() -> list[Any]:
        columns = PatientAccess.patient_id, PatientAccess.actor_name, PatientAccess.action, PatientAccess.page
        with clinic_work(portal, papatya.id):
            return list(map(tuple, current_session().execute(sa.select(*columns).order_by(PatientAccess.id))))

    return read
