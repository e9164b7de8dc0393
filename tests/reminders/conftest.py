"""Shared by the tests of reminders: reminders of papatya's people, and what is stored of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.auth.models import User
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.reminders.models import Reminder
from portal.reminders.services import create_reminder


@pytest.fixture
def person_id(portal: Flask, papatya: ClinicInfo) -> Callable[[str], UUID]:
    """Return the id of papatya's person with a role."""

    def find(role: str) -> UUID:
        with clinic_work(portal, papatya.id) as session:
            return session.scalars(sa.select(User.id).where(User.email == f"{role}@papatya.example.com")).one()

    return find


@pytest.fixture
def remind(portal: Flask, papatya: ClinicInfo, person_id: Callable[[str], UUID]) -> Callable[..., UUID]:
    """Make a reminder of the coordinator, an hour overdue unless told otherwise; return its id."""

    def make(clinic: ClinicInfo = papatya, **values: Any) -> UUID:
        mine = {"assigned_to_id": person_id("coordinator")} if clinic is papatya else {}
        columns = {"title": "Call back", "due_at": now() - timedelta(hours=1), **mine, **values}
        with clinic_work(portal, clinic.id):
            return create_reminder(SYSTEM, form_key=uuid4(), values=columns).id

    return make


@pytest.fixture
def stored(portal: Flask, papatya: ClinicInfo) -> Callable[..., list[Reminder]]:
    """Read papatya's reminders by columns, the oldest first."""

    def read(**columns: Any) -> list[Reminder]:
        with clinic_work(portal, papatya.id) as session:
            return list(session.scalars(sa.select(Reminder).filter_by(**columns).order_by(Reminder.id)))

    return read
