"""Patients moved from one source to another: shown first, moved once, and undone for whom nobody has moved since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.database import PortalSession
from portal.core.errors import RuleError, StaleVersionError
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.patients import moving
from portal.patients.models import Patient
from portal.patients.queries import get_patient
from portal.patients.services import update_patient
from portal.referrals.models import ReferralTransfer
from portal.referrals.queries import get_source, list_sources
from portal.referrals.services import archive_source, create_source
from tests.support.data import add_patient
from tests.support.pages import flashes, form_values, row_names, told
from tests.support.people import Person


def sources() -> tuple[UUID, UUID]:
    """Add two sources, the first with three patients."""
    first, second = (create_source(SYSTEM, values={"name": name, "kind": "online"}).id for name in ("Eski", "Yeni"))
    for name in ("Ada", "Bora", "Can"):
        add_patient(first_name=name, last_name="Taşınır", referral_source_id=first)
    return first, second


def names_of(session: PortalSession, source_id: UUID) -> list[str]:
    statement = sa.select(Patient.first_name).where(Patient.referral_source_id == source_id)
    return sorted(session.scalars(statement))


def move(first: UUID, second: UUID, *, archive: bool = True) -> ReferralTransfer:
    return moving.move_patients(
        SYSTEM, source_id=first, target_id=second, expected=moving.count_moving(first), archive=archive
    )


@pytest.fixture
def owner(sign_in: Callable[..., Person]) -> Person:
    return sign_in("owner")


def test_who_is_moved_is_shown_first_and_comes_back_by_one_button(
    portal: Flask, papatya: ClinicInfo, owner: Person
) -> None:
    with clinic_work(portal, papatya.id):
        first, second = sources()
    path = f"/sources/{first}/move"
    page = owner.get(path)
    assert row_names(page) == ["Ada Taşınır", "Bora Taşınır", "Can Taşınır"]
    form = {**form_values(page), "target": str(second)}
    assert owner.post(path, form).status_code == 302
    said = owner.get("/sources/")
    assert flashes(said)[0].startswith("3 patients are moved.") and "Eski" not in row_names(said)
    with clinic_work(portal, papatya.id) as session:
        assert names_of(session, second) == ["Ada", "Bora", "Can"]
        transfer_id = session.scalars(sa.select(ReferralTransfer.id)).one()
    answer = owner.post(f"/sources/moves/{transfer_id}/undo")
    assert "3 patients are back." in flashes(owner.get(answer.location))
    assert "Undone" in told(owner.get(f"/sources/{second}/edit"))
    with clinic_work(portal, papatya.id) as session:
        assert names_of(session, first) == ["Ada", "Bora", "Can"] and get_source(first).is_active
        with pytest.raises(RuleError):
            moving.undo_transfer(SYSTEM, moving.get_transfer(transfer_id))


def test_a_move_is_refused_where_it_would_take_others_than_were_shown(
    portal: Flask, papatya: ClinicInfo, owner: Person
) -> None:
    with clinic_work(portal, papatya.id):
        first, second = sources()
    path = f"/sources/{first}/move"
    form = {**form_values(owner.get(path)), "target": str(second)}
    with clinic_work(portal, papatya.id):
        add_patient(first_name="Deniz", last_name="Taşınır", referral_source_id=first)
    late = owner.post(path, form)
    assert late.status_code == 409 and "Deniz Taşınır" in row_names(late)
    with clinic_work(portal, papatya.id) as session:
        assert names_of(session, second) == []
    assert owner.post(path, {**form_values(late), "target": str(second)}).status_code == 302


def test_undo_leaves_alone_whom_somebody_has_moved_since(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id) as session:
        first, second = sources()
        third = create_source(SYSTEM, values={"name": "Üçüncü", "kind": "other"}).id
        transfer = move(first, second)
        session.execute(sa.update(ReferralTransfer).values(moved_at=sa.func.now() - timedelta(hours=1)))
        by_name = {row.first_name: row.id for row in session.scalars(sa.select(Patient))}
        for name, way in (("Ada", [third]), ("Bora", [third, second])):  # Bora's is the same again, but chosen
            for source_id in way:
                patient = get_patient(by_name[name])
                update_patient(SYSTEM, patient, version=patient.version, values={"referral_source_id": source_id})
        session.flush()
        assert moving.undo_transfer(SYSTEM, transfer) == 1
        assert (names_of(session, first), names_of(session, second)) == (["Can"], ["Bora"])


def test_undo_leaves_alone_whom_a_later_move_took_unless_that_one_was_undone(
    portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id) as session:
        first, second = sources()
        third = create_source(SYSTEM, values={"name": "Üçüncü", "kind": "other"}).id
        early = move(first, second, archive=False)
        session.execute(sa.update(ReferralTransfer).values(moved_at=sa.func.now() - timedelta(hours=1)))
        session.expire_all()
        later = move(second, third, archive=False)
        back = move(third, second, archive=False)
        assert moving._moved_since(early) == {UUID(row) for row in early.patient_ids}
        moving.undo_transfer(SYSTEM, back)
        moving.undo_transfer(SYSTEM, later)
        assert moving.undo_transfer(SYSTEM, early) == 3
        assert names_of(session, first) == ["Ada", "Bora", "Can"]


def test_no_move_goes_to_the_source_itself_or_to_an_archived_one(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        first, second = sources()
        archive_source(SYSTEM, get_source(second))
        for target in (first, second):
            with pytest.raises(RuleError):
                move(first, target)


def test_a_move_and_the_move_back_at_once_wait_for_each_other(app: Flask, papatya: ClinicInfo) -> None:
    """Two connections: the second sees what the first did, or is told; nobody is lost or counted twice."""
    with clinic_work(app, papatya.id):
        first, second = (row.id for row in list_sources()[:2])
    with clinic_work(app, papatya.id) as one:
        add_patient(first_name="Ada", last_name="Bekler", referral_source_id=first)
        move(first, second, archive=False)
        with clinic_work(app, papatya.id) as two:
            two.execute(sa.text("SET LOCAL lock_timeout = '100ms'"), execution_options={"scope_checked": True})
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                move(second, first)
            two.rollback()
        with pytest.raises(StaleVersionError):  # what the other one saw before: nobody there
            moving.move_patients(SYSTEM, source_id=second, target_id=first, expected=0, archive=False)
        one.rollback()


def test_an_open_form_of_a_moved_patient_shows_the_conflict(portal: Flask, papatya: ClinicInfo, owner: Person) -> None:
    with clinic_work(portal, papatya.id) as session:
        first, second = sources()
        patient_id = session.scalars(sa.select(Patient.id).where(Patient.first_name == "Ada")).one()
    path = f"/patients/{patient_id}/edit"
    opened = form_values(owner.get(path))
    with clinic_work(portal, papatya.id):
        move(first, second, archive=False)
    assert owner.post(path, {**opened, "city": "Ankara"}).status_code == 409
