"""Composing a package: its parts with their teeth, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.catalog import queries
from portal.catalog.packages import Component, components_of
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from tests.support.pages import field_errors, form_values
from tests.support.people import Person

SignIn = Callable[..., Person]
Ids = Callable[[str], UUID]
Parts = Callable[[], list[Component]]


@pytest.fixture
def owner(sign_in: SignIn) -> Person:
    return sign_in("owner")


@pytest.fixture
def ids(portal: Flask, papatya: ClinicInfo) -> Ids:
    def find(code: str) -> UUID:
        with clinic_work(portal, papatya.id):
            treatment = queries.find_by_code(code)
            assert treatment is not None
            return treatment.id

    return find


@pytest.fixture
def path(ids: Ids) -> str:
    return f"/catalog/{ids('all-on-4')}/parts"


@pytest.fixture
def parts(portal: Flask, papatya: ClinicInfo, ids: Ids) -> Parts:
    def read() -> list[Component]:
        with clinic_work(portal, papatya.id):
            return components_of(ids("all-on-4"))

    return read


@pytest.fixture
def logged(portal: Flask, papatya: ClinicInfo) -> Callable[[], int]:
    """Count what the log says of changed parts."""

    def count() -> int:
        statement = sa.select(sa.func.count(ActivityLog.id)).where(ActivityLog.action == "treatment.composed")
        with clinic_work(portal, papatya.id) as session:
            return session.scalars(statement).one()

    return count


def test_a_part_is_added_changed_and_taken_away(
    owner: Person, logged: Callable[[], int], path: str, ids: Ids, parts: Parts
) -> None:
    form = form_values(owner.get(path))
    assert form["parts-1-upper_teeth"] == "15, 12, 22, 25"
    changed = {
        "parts-0-component_id": "", "parts-1-upper_teeth": "11 21", "parts-5-component_id": str(ids("kemik-grefti")),
        "parts-5-quantity": "2",
    }  # fmt: skip
    assert owner.post(path, {**form, **changed}).status_code == 302
    found = parts()
    assert [part.code for part in found] == ["implant", "dayanak", "gecici-kopru", "kopru", "kemik-grefti"]
    assert (found[0].upper_teeth, found[4].quantity) == ((11, 21), Decimal(2))
    assert logged() == 1
    assert "changed the parts" in owner.get(path.replace("parts", "edit")).text


def test_saving_what_is_stored_changes_nothing(owner: Person, path: str, parts: Parts) -> None:
    before = parts()
    form = form_values(owner.get(path))
    assert owner.post(path, form).status_code == 302
    assert parts() == before
    assert form_values(owner.get(path))["version"] == form["version"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("parts-1-upper_teeth", "36"), ("parts-1-lower_teeth", "11"), ("parts-1-upper_teeth", "55"),
        ("parts-1-upper_teeth", "99"), ("parts-1-quantity", "0"), ("parts-1-quantity", "x"),
        ("parts-1-component_id", "00000000-0000-0000-0000-000000000000"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_beside_its_field(
    owner: Person, path: str, parts: Parts, field: str, value: str
) -> None:
    before = parts()
    page = owner.post(path, {**form_values(owner.get(path)), field: value})
    assert page.status_code == 422 and field in field_errors(page)
    assert parts() == before


def test_a_package_does_not_hold_itself_nor_a_part_twice(owner: Person, path: str, ids: Ids) -> None:
    form = form_values(owner.get(path))
    assert owner.post(path, {**form, "parts-5-component_id": str(ids("all-on-4"))}).status_code == 422
    assert owner.post(path, {**form, "parts-5-component_id": str(ids("implant"))}).status_code == 422


def test_who_saves_second_is_told(owner: Person, sign_in: SignIn, path: str, parts: Parts) -> None:
    form = form_values(owner.get(path))
    assert owner.post(path, {**form, "parts-0-component_id": ""}).status_code == 302
    page = sign_in("admin").post(path, {**form, "parts-1-component_id": ""})
    assert page.status_code == 409 and len(parts()) == 4
    assert owner.post(path, form_values(page)).status_code == 302
    assert parts()[0].code == "cbct"


@pytest.mark.parametrize(("role", "host", "status"), [("coordinator", "papatya", 403), ("owner", "lale", 404)])
def test_others_do_not_compose(sign_in: SignIn, path: str, role: str, host: str, status: int) -> None:
    assert sign_in(role, host).get(path).status_code == status
