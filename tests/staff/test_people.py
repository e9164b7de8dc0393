"""The list of staff and a colleague's page: who may change whom, and what single permissions do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.auth.models import User, UserPermission
from portal.auth.passwords import hash_password
from portal.core import audit
from portal.core.access import GRANTABLE, ClinicRole, Permission, effective_permissions
from portal.core.audit import ActivityLog, Actor, ActorKind
from portal.core.clinics import ClinicInfo
from portal.core.database import OWNER_BIND, db
from portal.core.errors import RuleError
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.staff import services
from portal.staff.labels import PERMISSION_LABELS
from portal.staff.queries import get_person, list_overrides
from tests.support.pages import field_errors, flashes, form_values, row_names, summary, told
from tests.support.people import Person

Id = Callable[[str], UUID]
Work = Callable[[], AbstractContextManager[Any]]


def change(who: Person, user_id: UUID, **fields: str) -> Any:
    values = form_values(who.get(f"/staff/{user_id}/edit"))
    return who.post(f"/staff/{user_id}/edit", {**values, **fields})


def allow(who: Person, user_id: UUID, *names: str, taken: tuple[str, ...] = ()) -> Any:
    page = who.get(f"/staff/{user_id}/permissions")
    ticked = set(_ticked(page.text)) | set(names)
    return who.post(
        f"/staff/{user_id}/permissions",
        {"version": form_values(page)["version"], "permissions": sorted(ticked - set(taken))},
    )


def _forced(who: Person, user_id: UUID, *names: str) -> Any:
    """Send what no page of ours offers."""
    return who.post(f"/staff/{user_id}/permissions", {"version": "1", "permissions": list(names)})


def _ticked(page: str) -> list[str]:
    return [
        tag.split('value="')[1].split('"')[0] for tag in page.split("<input")[1:] if " checked" in tag.split(">")[0]
    ]


def test_every_permission_a_clinic_can_grant_has_a_name() -> None:
    assert set(PERMISSION_LABELS) == GRANTABLE


def test_staff_are_found_by_name_title_and_address_in_turkish_order(
    sign_in: Callable[..., Person], at_papatya: Work
) -> None:
    with at_papatya() as session:
        for name, title in (("Çiğdem Işık", "Dt."), ("Cem Ünal", None), ("Şule Ak", "Hemşire")):
            row = User(email=f"{len(name)}{name[-1]}@papatya.example.com", name=name, title=title, role="assistant")
            session.add(row)
            audit.record(SYSTEM, "account.created", row, changes={})
    admin = sign_in("admin")
    names = row_names(admin.get("/staff/?role=assistant"))
    assert names == ["Cem Ünal", "Çiğdem Işık", "Papatya assistant", "Şule Ak"]
    assert row_names(admin.get("/staff/?q=CIGDEM+isik")) == ["Çiğdem Işık"]
    assert row_names(admin.get("/staff/?q=hemsire")) == ["Şule Ak"]
    assert row_names(admin.get("/staff/?q=doctor@papatya")) == ["Papatya doctor"]
    assert row_names(admin.get("/staff/?state=invited")) == ["Cem Ünal", "Çiğdem Işık", "Şule Ak"]
    assert row_names(admin.get("/staff/?q=%00!")) == []


def test_a_colleagues_data_is_changed_and_logged_without_her_phone(
    sign_in: Callable[..., Person], id_of: Id, person: Callable[[str], User]
) -> None:
    admin, doctor = sign_in("admin"), id_of("doctor")
    answer = change(admin, doctor, name="Dr. Deniz", title="Implantologist", phone_e164="0532 123 45 67", locale="tr")
    assert answer.status_code == 302
    row = person("doctor")
    assert (row.name, row.title, row.phone_e164, row.locale) == ("Dr. Deniz", "Implantologist", "+905321234567", "tr")
    page = admin.get(f"/staff/{doctor}")
    assert "Dr. Deniz" in told(page)
    assert "Papatya doctor" in told(page)  # the log tells the name before
    assert "+905321234567" not in page.text.partition("What happened")[2]


def test_a_phone_that_is_none_is_told_beside_the_field(sign_in: Callable[..., Person], id_of: Id) -> None:
    answer = change(sign_in("admin"), id_of("doctor"), phone_e164="twelve")
    assert answer.status_code == 422
    assert "phone number" in field_errors(answer)["phone_e164"]


def test_who_saves_second_sees_both_versions(sign_in: Callable[..., Person], id_of: Id) -> None:
    admin, doctor = sign_in("admin"), id_of("doctor")
    opened = form_values(admin.get(f"/staff/{doctor}/edit"))
    assert change(sign_in("owner"), doctor, name="First").status_code == 302
    answer = admin.post(f"/staff/{doctor}/edit", {**opened, "name": "Second"})
    assert answer.status_code == 409
    assert "First" in answer.text


def test_a_single_permission_works_with_the_next_request_and_goes_as_it_came(
    sign_in: Callable[..., Person], id_of: Id
) -> None:
    owner, coordinator, user_id = sign_in("owner"), sign_in("coordinator"), id_of("coordinator")
    assert coordinator.get("/catalog/new").status_code == 403
    assert allow(owner, user_id, "catalog.write").status_code == 302
    assert coordinator.get("/catalog/new").status_code == 200
    page = told(owner.get(f"/staff/{user_id}"))
    assert "granted" in page
    assert allow(owner, user_id, taken=("catalog.write", "patients.write")).status_code == 302
    assert coordinator.get("/catalog/new").status_code == 403
    assert coordinator.get("/patients/new").status_code == 403
    assert "taken away" in told(owner.get(f"/staff/{user_id}"))


def test_nobody_grants_what_she_lacks(sign_in: Callable[..., Person], id_of: Id) -> None:
    admin, user_id = sign_in("admin"), id_of("coordinator")
    answer = allow(admin, user_id, "offers.sign")
    assert answer.status_code == 422
    assert "only what you may do yourself" in summary(answer)
    assert allow(admin, user_id, "sources.write").status_code == 302
    assert _forced(admin, id_of("admin"), "offers.sign").status_code == 422


def test_what_was_taken_from_somebody_she_cannot_take_back(sign_in: Callable[..., Person], id_of: Id) -> None:
    owner, admin = sign_in("owner"), sign_in("admin")
    assert allow(owner, id_of("admin"), taken=("privacy.manage",)).status_code == 302
    assert _forced(admin, id_of("admin"), "privacy.manage").status_code == 422
    assert allow(admin, id_of("coordinator"), "privacy.manage").status_code == 422
    with_more = change(admin, id_of("coordinator"), role="admin")
    assert with_more.status_code == 422, "a role must not give what single permissions do not"


def test_permissions_no_clinic_can_grant_count_for_nothing() -> None:
    assert effective_permissions(ClinicRole.READONLY, {"ops.run": True, "of an older release": True}) == (
        effective_permissions(ClinicRole.READONLY, {})
    )
    assert Permission.PATIENTS_READ in effective_permissions(ClinicRole.OWNER, {"patients.read": False})


def test_a_permission_of_another_release_is_cleared_away_with_the_next_change(
    sign_in: Callable[..., Person], id_of: Id, at_papatya: Work
) -> None:
    owner, user_id = sign_in("owner"), id_of("readonly")
    with at_papatya() as session:
        row = UserPermission(user_id=user_id, permission="of.another.release", is_granted=True)
        session.add(row)
        audit.record(SYSTEM, "account.permissions", row, changes={})
    assert owner.get(f"/staff/{user_id}").status_code == 200
    assert allow(owner, user_id, "patients.write").status_code == 302
    with at_papatya():
        assert [row.permission for row in list_overrides(user_id)] == ["patients.write"]


def test_a_permission_ticked_twice_in_two_windows_is_told(sign_in: Callable[..., Person], id_of: Id) -> None:
    owner, user_id = sign_in("owner"), id_of("readonly")
    assert allow(owner, user_id, "patients.write").status_code == 302
    answer = owner.post(f"/staff/{user_id}/permissions", {"version": "1", "permissions": ["patients.read"]})
    assert answer.status_code == 422
    assert "how it stands now" in summary(answer)


def test_a_manager_cannot_touch_an_owner(
    sign_in: Callable[..., Person], id_of: Id, person: Callable[[str], User]
) -> None:
    admin, owner = sign_in("admin"), id_of("owner")
    assert "only an owner" in told(admin.get(f"/staff/{owner}"))
    values = {"version": "1", "name": "Mallory", "role": "owner"}
    assert admin.post(f"/staff/{owner}/edit", values).status_code == 422
    assert admin.post(f"/staff/{owner}/permissions", {"version": "1"}).status_code == 422
    assert person("owner").name == "Papatya owner"


@pytest.mark.parametrize(("target", "role"), [("admin", "owner"), ("coordinator", "owner"), ("admin", "doctor")])
def test_a_manager_makes_nobody_an_owner_and_himself_nothing_else(
    target: str, role: str, sign_in: Callable[..., Person], id_of: Id, person: Callable[[str], User]
) -> None:
    answer = sign_in("admin").post(f"/staff/{id_of(target)}/edit", {"version": "1", "name": "x", "role": role})
    assert answer.status_code == 422
    assert person(target).role == target


def test_a_manager_appoints_a_dentist(sign_in: Callable[..., Person], id_of: Id, person: Callable[[str], User]) -> None:
    assert change(sign_in("admin"), id_of("assistant"), role="doctor").status_code == 302
    assert person("assistant").role == "doctor"


def test_a_new_role_leaves_no_exception_behind_that_it_says_itself(
    sign_in: Callable[..., Person], id_of: Id, at_papatya: Work
) -> None:
    owner, user_id = sign_in("owner"), id_of("readonly")
    assert allow(owner, user_id, "patients.write", "sources.write").status_code == 302
    assert change(owner, user_id, role="coordinator").status_code == 302
    assert change(owner, user_id, role="readonly").status_code == 302
    with at_papatya():
        effective = services.authority_of(get_person(user_id)).permissions
    assert Permission.SOURCES_WRITE in effective
    assert Permission.PATIENTS_WRITE not in effective


def test_the_last_owner_cannot_demote_himself(
    sign_in: Callable[..., Person], id_of: Id, person: Callable[[str], User], at_papatya: Work
) -> None:
    owner = sign_in("owner")
    answer = change(owner, id_of("owner"), role="doctor")
    assert answer.status_code == 422
    assert "needs an owner" in summary(answer)
    with at_papatya() as session:  # one who was invited and never came does not count
        invited = User(email="second@papatya.example.com", name="Second", role="owner")
        session.add(invited)
        audit.record(SYSTEM, "account.created", invited, changes={})
    assert change(owner, id_of("owner"), role="doctor").status_code == 422
    assert change(owner, id_of("admin"), role="owner").status_code == 302
    answer = change(owner, id_of("owner"), role="doctor")
    assert answer.status_code == 302
    assert person("owner").role == "doctor"


def test_a_colleague_of_another_clinic_is_nobody(sign_in: Callable[..., Person], id_of: Id) -> None:
    stranger = sign_in("owner", "lale")
    for path in ("", "/edit", "/permissions"):
        assert stranger.get(f"/staff/{id_of('doctor')}{path}").status_code == 404


def test_saving_says_so(sign_in: Callable[..., Person], id_of: Id) -> None:
    admin = sign_in("admin")
    change(admin, id_of("doctor"), title="Dt.")
    assert flashes(admin.get(f"/staff/{id_of('doctor')}")) == ["Saved."]


@pytest.fixture
def two_owners(app: Flask, lale: ClinicInfo) -> Iterator[list[UUID]]:
    """Two owners of lale that every connection sees; as before after the test."""
    with clinic_work(app, lale.id) as session:
        first = session.scalars(sa.select(User.id).where(User.role == "owner")).one()
        second = User(email="second@lale.example.com", name="Second", role="owner", password_hash=hash_password("x"))
        session.add(second)
        audit.record(SYSTEM, "account.created", second, changes={})
        session.flush()
        ids = [first, second.id]
    yield ids
    with app.app_context(), db.engines[OWNER_BIND].begin() as connection:
        connection.execute(sa.update(User).where(User.id == first).values(role="owner", version=1))
        connection.execute(sa.delete(ActivityLog).where(ActivityLog.object_id.in_(ids)))
        connection.execute(sa.delete(User).where(User.id == ids[1]))


def test_of_two_owners_who_demote_each_other_at_once_one_stays(
    app: Flask, lale: ClinicInfo, two_owners: list[UUID]
) -> None:
    start, refused = threading.Barrier(2), []

    def demote(by: UUID, whom: UUID) -> None:
        try:
            with clinic_work(app, lale.id):
                person = get_person(whom)
                start.wait()
                values = {"name": person.name, "role": "doctor"}
                services.update_person(Actor(ActorKind.USER, "x", by), person, version=1, values=values)
        except RuleError as error:
            refused.append(error.message)

    threads = [threading.Thread(target=demote, args=pair) for pair in (two_owners, two_owners[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with clinic_work(app, lale.id) as session:
        roles = list(session.scalars(sa.select(User.role).where(User.id.in_(two_owners))))
    assert sorted(roles) == ["doctor", "owner"]
    assert len(refused) == 1
