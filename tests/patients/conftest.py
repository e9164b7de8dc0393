"""Shared by the tests of patients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.work import clinic_work
from portal.patients.models import Patient
from tests.support.people import Person

Register = Callable[..., TestResponse]


@pytest.fixture
def register(coordinator: Person) -> Register:
    """Send the form of a new patient: ``register(first_name="Işıl")``."""

    def send(by: Person = coordinator, **fields: Any) -> TestResponse:
        typed = {"first_name": "Deniz", "last_name": "Ada", "is_active": "y", "form_key": str(uuid4()), **fields}
        return by.post("/patients/new", {name: value for name, value in typed.items() if value is not None})

    return send


@pytest.fixture
def stored(portal: Flask, papatya: ClinicInfo) -> Callable[..., list[Patient]]:
    """Read the stored patients of papatya by columns: ``stored(last_name="Ada")``."""

    def read(**columns: Any) -> list[Patient]:
        with clinic_work(portal, papatya.id):
            return list(current_session().scalars(sa.select(Patient).filter_by(**columns).order_by(Patient.id)))

    return read
