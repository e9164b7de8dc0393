"""The bell: told once, to one person, read by her alone."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.auth.queries import find_account
from portal.core import notifications
from portal.core.clinics import ClinicInfo
from portal.core.clock import days_ago
from portal.core.errors import NotFoundError
from portal.core.notifications import (
    Notification,
    Told,
    get_notification,
    list_notifications,
    notify,
    purge_notifications,
    tell_by,
)
from portal.core.scope import ScopeError
from portal.core.work import clinic_work, platform_work
from tests.support.people import Person

ABOUT = uuid4()


@pytest.fixture(autouse=True)
def _kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "_tellers", {})
    tell_by(
        "test.told", lambda rows: {row.id: Told("Ring ring", "/patients/") for row in rows if row.object_id == ABOUT}
    )


@pytest.fixture
def doctor_id(portal: Flask, papatya: ClinicInfo) -> UUID:
    """The person who is told."""
    with clinic_work(portal, papatya.id):
        person = find_account("doctor@papatya.example.com")
    return person.id  # type: ignore[union-attr]


def tell_doctor(
    portal: Flask, clinic: ClinicInfo, doctor_id: UUID, object_id: UUID = ABOUT, key: str | None = None
) -> None:
    with clinic_work(portal, clinic.id):
        notify(doctor_id, kind="test.told", object_type="patients", object_id=object_id, dedupe_key=key)


def ids_of(portal: Flask, clinic: ClinicInfo, doctor_id: UUID) -> list[UUID]:
    with clinic_work(portal, clinic.id) as session:
        return list(session.scalars(sa.select(Notification.id).where(Notification.user_id == doctor_id)))


def test_the_bell_counts_and_opening_one_marks_it_read(
    portal: Flask, papatya: ClinicInfo, doctor_id: UUID, sign_in: Callable[..., Person]
) -> None:
    doctor, other = sign_in("doctor"), sign_in("coordinator")
    tell_doctor(portal, papatya, doctor_id)
    assert 'class="bar-count">1<' in doctor.get("/notifications").text
    assert "bar-count" not in other.get("/").text
    (row_id,) = ids_of(portal, papatya, doctor_id)
    assert other.post(f"/notifications/{row_id}/open").status_code == 404
    answer = doctor.post(f"/notifications/{row_id}/open")
    assert answer.location == "/patients/"
    assert "bar-count" not in doctor.get("/notifications").text
    assert "Ring ring" in doctor.get("/notifications").text


def test_all_are_marked_at_once_and_only_ones_own(
    portal: Flask, papatya: ClinicInfo, doctor_id: UUID, sign_in: Callable[..., Person]
) -> None:
    for _number in range(3):
        tell_doctor(portal, papatya, doctor_id)
    sign_in("coordinator").post("/notifications/read")
    doctor = sign_in("doctor")
    assert 'class="bar-count">3<' in doctor.get("/").text
    doctor.post("/notifications/read")
    assert "bar-count" not in doctor.get("/").text


def test_one_thing_is_told_once(portal: Flask, papatya: ClinicInfo, doctor_id: UUID) -> None:
    for key in ("offer:1", "offer:1", "offer:2", None, None):
        tell_doctor(portal, papatya, doctor_id, key=key)
    assert len(ids_of(portal, papatya, doctor_id)) == 4


def test_what_is_gone_leads_nowhere_and_harms_no_page(
    portal: Flask, papatya: ClinicInfo, doctor_id: UUID, sign_in: Callable[..., Person]
) -> None:
    doctor = sign_in("doctor")
    tell_doctor(portal, papatya, doctor_id, uuid4())
    assert doctor.get("/notifications").status_code == 200
    (row_id,) = ids_of(portal, papatya, doctor_id)
    assert doctor.post(f"/notifications/{row_id}/open").location == "/notifications"


def test_notifications_stay_in_their_clinic(
    portal: Flask, papatya: ClinicInfo, lale: ClinicInfo, doctor_id: UUID
) -> None:
    tell_doctor(portal, papatya, doctor_id)
    (row_id,) = ids_of(portal, papatya, doctor_id)
    with clinic_work(portal, lale.id):
        assert list_notifications(doctor_id, None).items == []
        with pytest.raises(NotFoundError):
            get_notification(doctor_id, row_id)
    with platform_work(portal, "tests"), pytest.raises(ScopeError):
        notify(doctor_id, kind="test.told", object_type="patients", object_id=ABOUT)


def test_what_was_read_long_ago_goes_and_what_is_unread_stays(
    portal: Flask, papatya: ClinicInfo, doctor_id: UUID
) -> None:
    for _number in range(3):
        tell_doctor(portal, papatya, doctor_id)
    first, second, _third = ids_of(portal, papatya, doctor_id)
    with clinic_work(portal, papatya.id) as session:
        for row_id, days in ((first, 91), (second, 89)):
            session.get_one(Notification, (papatya.id, row_id)).read_at = days_ago(days)
        session.flush()
        purge_notifications()
    assert first not in ids_of(portal, papatya, doctor_id)
    assert len(ids_of(portal, papatya, doctor_id)) == 2
