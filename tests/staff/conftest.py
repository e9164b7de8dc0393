"""What tests of staff ask for: a clinic's people by role, and their work in her scope."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.auth.models import User
from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work


@pytest.fixture
def id_of(portal: Flask, papatya: ClinicInfo) -> Callable[[str], UUID]:
    """Return the id of papatya's holder of a role."""

    def find(role: str) -> UUID:
        with clinic_work(portal, papatya.id) as session:
            return session.scalars(sa.select(User.id).where(User.email == f"{role}@papatya.example.com")).one()

    return find


@pytest.fixture
def person(portal: Flask, papatya: ClinicInfo, id_of: Callable[[str], UUID]) -> Callable[[str], User]:
    """Return papatya's holder of a role as the database has her now."""

    def find(role: str) -> User:
        user_id = id_of(role)
        with clinic_work(portal, papatya.id) as session:
            return session.scalars(sa.select(User).where(User.id == user_id)).one()

    return find


@pytest.fixture
def at_papatya(portal: Flask, papatya: ClinicInfo) -> Callable[[], AbstractContextManager[Any]]:
    """Open papatya's scope."""
    return lambda: clinic_work(portal, papatya.id)
