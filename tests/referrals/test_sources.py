"""Referral sources: added, changed, put in order, archived, and edited by two at once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.referrals import services
from portal.referrals.models import ReferralGroup, ReferralSource
from portal.referrals.queries import list_sources
from tests.support.pages import field_errors, flashes, form_values, row_names, text_of
from tests.support.people import Person

INDEX, NEW = "/sources/", "/sources/new"
Stored = Callable[[str], ReferralSource]


@pytest.fixture
def owner(sign_in: Callable[..., Person]) -> Person:
    return sign_in("owner")


@pytest.fixture
def stored(portal: Flask, papatya: ClinicInfo) -> Stored:
    def read(name: str) -> ReferralSource:
        with clinic_work(portal, papatya.id) as session:
            return session.scalars(sa.select(ReferralSource).where(ReferralSource.name == name)).one()

    return read


def add(owner: Person, **fields: str) -> None:
    answer = owner.post(NEW, {**form_values(owner.get(NEW)), **fields})
    assert answer.status_code == 302, answer.text


def test_a_source_is_added_with_its_group_and_cost_at_the_end_of_the_list(owner: Person, stored: Stored) -> None:
    add(
        owner,
        name="Harita",
        kind="online",
        group="Arama",
        monthly_cost="1.250,5",
        cost_currency="EUR",
        colour="#aa3355",
    )
    row = stored("Harita")
    assert (row.kind, row.monthly_cost, row.cost_currency, row.colour) == (
        "online",
        Decimal("1250.50"),
        "EUR",
        "#aa3355",
    )
    page = owner.get(INDEX)
    assert "Arama" in page.text and "€1,250.50" in page.text
    assert row_names(page)[0] == "Harita", "groups come before sources of none"


def test_a_name_is_taken_once_and_nothing_typed_is_lost(owner: Person) -> None:
    add(owner, name="Harita")
    answer = owner.post(NEW, {**form_values(owner.get(NEW)), "name": "Harita", "group": "Arama"})
    assert answer.status_code == 422
    assert field_errors(answer) == {"name": "Another source has this name."}
    assert form_values(answer)["group"] == "Arama"


@pytest.mark.parametrize(
    ("field", "value"),
    [("monthly_cost", "-5"), ("monthly_cost", "many"), ("colour", "red;}"), ("kind", "spam"), ("name", " ")],
)
def test_what_makes_no_sense_is_said_beside_its_field(owner: Person, field: str, value: str) -> None:
    answer = owner.post(NEW, {**form_values(owner.get(NEW)), "name": "Harita", field: value})
    assert answer.status_code == 422 and field in field_errors(answer)


def test_a_source_without_a_cost_keeps_no_currency(owner: Person, stored: Stored) -> None:
    add(owner, name="Afiş", monthly_cost="", cost_currency="USD")
    assert (stored("Afiş").monthly_cost, stored("Afiş").cost_currency) == (None, None)


def test_of_two_editors_the_second_sees_both_versions_and_can_save(owner: Person, stored: Stored) -> None:
    add(owner, name="Harita", group="Arama", monthly_cost="100")
    path = f"{INDEX}{stored('Harita').id}/edit"
    first, second = form_values(owner.get(path)), form_values(owner.get(path))
    assert owner.post(path, {**first, "monthly_cost": "300"}).status_code == 302
    late = owner.post(path, {**second, "monthly_cost": "200", "group": ""})
    assert late.status_code == 409
    assert "300.00 200" in text_of(late.text) and "Arama —" in text_of(late.text)
    assert stored("Harita").monthly_cost == 300
    assert owner.post(path, form_values(late)).status_code == 302
    assert (str(stored("Harita").monthly_cost), stored("Harita").group_id) == ("200.00", None)


def test_a_group_is_gone_with_its_last_source(
    owner: Person, stored: Stored, portal: Flask, papatya: ClinicInfo
) -> None:
    add(owner, name="Harita", group="Arama")
    path = f"{INDEX}{stored('Harita').id}/edit"
    owner.post(path, {**form_values(owner.get(path)), "group": ""})
    with clinic_work(portal, papatya.id) as session:
        assert session.scalars(sa.select(ReferralGroup.name)).all() == []


def test_the_order_is_changed_by_buttons_and_leaves_open_forms_alone(owner: Person, stored: Stored) -> None:
    names = row_names(owner.get(INDEX))
    second = stored(names[1])
    owner.post(f"{INDEX}{second.id}/up")
    assert row_names(owner.get(INDEX)) == [names[1], names[0], *names[2:]]
    owner.post(f"{INDEX}{second.id}/up")  # it is the first already
    owner.post(f"{INDEX}{second.id}/down")
    assert row_names(owner.get(INDEX)) == names
    assert stored(names[1]).version == second.version


def test_an_archived_source_leaves_the_forms_and_comes_back(owner: Person, stored: Stored) -> None:
    name = row_names(owner.get(INDEX))[0]
    owner.post(f"{INDEX}{stored(name).id}/archive")
    page = owner.get(INDEX)
    assert flashes(page)[0].startswith(f"{name} is archived.")
    assert name not in row_names(page)
    assert f">{name}</option>" not in owner.get("/patients/new").text
    assert name in row_names(owner.get(f"{INDEX}?state=archived"))
    owner.post(f"{INDEX}{stored(name).id}/restore")
    assert name in row_names(owner.get(INDEX)) and stored(name).archived_at is None


def test_who_may_not_manage_sources_sees_none_of_their_costs(sign_in: Callable[..., Person]) -> None:
    for role in ("coordinator", "doctor", "readonly"):
        assert sign_in(role).get(INDEX).status_code == 403


def test_shifting_is_within_a_group(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        made = [
            services.create_source(SYSTEM, values={"name": name, "kind": "online"}, group=group)
            for name, group in (("A", "One"), ("B", "Two"), ("C", "One"))
        ]
        services.shift_source(SYSTEM, made[2], by=services.UP)
        order = [row.name for row in list_sources() if row.name in "ABC"]
        assert order.index("C") < order.index("A"), order
