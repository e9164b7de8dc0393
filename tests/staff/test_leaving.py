"""Somebody leaves: nothing she looked after is left behind, and she is out at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.auth.models import User
from portal.core import audit
from portal.core.clock import now
from portal.core.jobs import SYSTEM
from portal.offers import services as offers
from portal.offers.models import Offer, OfferKind
from portal.offers.queries import default_status, get_offer
from portal.patients.models import Patient
from portal.reminders.models import Reminder
from portal.settings.registry import set_setting
from portal.staff.limits import STAFF_LIMIT, count_people
from tests.support.pages import field_errors, summary, told
from tests.support.people import Person

Id = Callable[[str], UUID]
Work = Callable[[], AbstractContextManager[Any]]


@pytest.fixture
def busy(at_papatya: Work, id_of: Id) -> UUID:
    """A dentist with an open offer and one that was cancelled, two patients, and a reminder that waits."""
    doctor = id_of("doctor")
    with at_papatya() as session:
        open_offer, closed = (
            get_offer(row) for row in session.scalars(sa.select(Offer.id).order_by(Offer.id)).all()[:2]
        )
        open_offer.doctor_id = closed.doctor_id = doctor
        offers.move_offer(SYSTEM, closed, status=default_status(OfferKind.CANCELLED))
        for patient in session.scalars(sa.select(Patient).order_by(Patient.id)).all()[:2]:
            patient.doctor_id = doctor
        for status in ("open", "done"):
            session.add(
                Reminder(title="Call", due_at=now() + timedelta(days=1), status=status, assigned_to_id=doctor)
            )  # fmt: skip
        audit.record(SYSTEM, "tests.changed", Offer)
    return doctor


def holders(work: Work, model: Any, column: str) -> list[UUID | None]:
    with work() as session:
        return list(session.scalars(sa.select(getattr(model, column)).order_by(model.id)))


def test_work_goes_to_colleagues_first_and_what_is_closed_stays(
    sign_in: Callable[..., Person], at_papatya: Work, id_of: Id, busy: UUID, person: Callable[[str], User]
) -> None:
    admin, owner = sign_in("admin"), id_of("owner")
    page = admin.get(f"/staff/{busy}/deactivate")
    assert "Open offers as dentist (1)" in page.text
    assert "Patients as dentist (2)" in page.text
    assert "Open reminders (1)" in page.text
    assert admin.post(f"/staff/{busy}/deactivate").status_code == 422
    assert person("doctor").is_active
    takers = {"offers_doctor": owner, "patients_doctor": "nobody", "reminders": id_of("assistant")}
    answer = admin.post(f"/staff/{busy}/deactivate", takers)
    assert answer.status_code == 302, summary(answer)
    assert not person("doctor").is_active
    assert holders(at_papatya, Offer, "doctor_id")[:2] == [owner, busy]
    assert holders(at_papatya, Patient, "doctor_id")[:2] == [None, None]
    assert holders(at_papatya, Reminder, "assigned_to_id") == [id_of("assistant"), busy]
    assert "Papatya owner" in told(admin.get(f"/staff/{busy}")).partition("What happened")[2]


def test_work_goes_to_nobody_who_may_not_do_it(sign_in: Callable[..., Person], id_of: Id, busy: UUID) -> None:
    takers = {"offers_doctor": id_of("assistant"), "patients_doctor": "nobody", "reminders": id_of("assistant")}
    answer = sign_in("admin").post(f"/staff/{busy}/deactivate", takers)
    assert answer.status_code == 422
    assert set(field_errors(answer)) == {"offers_doctor"}


def test_a_deactivated_colleague_is_out_at_once_and_cannot_come_in(
    sign_in: Callable[..., Person], visit: Callable[..., Person], id_of: Id
) -> None:
    coordinator, admin = sign_in("coordinator"), sign_in("admin")
    assert admin.post(f"/staff/{id_of('coordinator')}/deactivate").status_code == 302
    assert coordinator.get("/patients/").status_code == 302
    answer = visit().post(
        "/login", {"email": "coordinator@papatya.example.com", "password": "tulip meadow window seat"}
    )
    assert answer.status_code == 422
    assert admin.post(f"/staff/{id_of('coordinator')}/reactivate").status_code == 302
    assert coordinator.get("/patients/").status_code == 302, "the old session stays ended"
    visit().log_in("coordinator")


def test_coming_back_needs_a_place_in_the_package(
    sign_in: Callable[..., Person], id_of: Id, at_papatya: Work, person: Callable[[str], User]
) -> None:
    admin, user_id = sign_in("admin"), id_of("readonly")
    admin.post(f"/staff/{user_id}/deactivate")
    with at_papatya():
        set_setting(SYSTEM, STAFF_LIMIT, count_people())
    assert admin.post(f"/staff/{user_id}/reactivate").status_code == 302
    assert not person("readonly").is_active


def test_the_last_owner_and_oneself_are_not_deactivated(
    sign_in: Callable[..., Person], id_of: Id, person: Callable[[str], User]
) -> None:
    owner, admin = sign_in("owner"), sign_in("admin")
    assert "her own account" in summary(owner.post(f"/staff/{id_of('owner')}/deactivate"))
    assert admin.post(f"/staff/{id_of('owner')}/deactivate").status_code == 422
    assert person("owner").is_active


def test_another_clinics_colleague_takes_nothing_over(
    sign_in: Callable[..., Person], busy: UUID, portal: Any, lale: Any
) -> None:
    stranger = sign_in("owner", "lale")
    assert stranger.get(f"/staff/{busy}/deactivate").status_code == 404
    answer = sign_in("admin").post(
        f"/staff/{busy}/deactivate", {"offers_doctor": "01a213d4-a518-7599-8b97-a2aa25d39e6d"}
    )
    assert answer.status_code == 422
