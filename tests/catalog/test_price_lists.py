"""Price lists: made, changed, ended, and copied with every price moved after a look at the result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.catalog.enums import Audience
from portal.catalog.models import CatalogTreatment, PriceList
from portal.catalog.price_lists import Move
from portal.catalog.pricing import choose_price_list, prices_of_list, variants_of_list
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from tests.support.pages import field_errors, form_values, told
from tests.support.people import Person

SignIn = Callable[..., Person]
INDEX, NEW = "/catalog/price-lists/", "/catalog/price-lists/new"


@pytest.fixture
def owner(sign_in: SignIn) -> Person:
    return sign_in("owner")


@pytest.fixture
def lists(portal: Flask, papatya: ClinicInfo) -> Callable[[], dict[str, PriceList]]:
    def read() -> dict[str, PriceList]:
        with clinic_work(portal, papatya.id) as session:
            return {row.name: row for row in session.scalars(sa.select(PriceList))}

    return read


Lists = Callable[[], dict[str, PriceList]]


def euro(lists: Lists) -> PriceList:
    return next(row for row in lists().values() if row.currency == "EUR")


def prices(portal: Flask, clinic: ClinicInfo, price_list_id: UUID) -> list[Decimal]:
    with clinic_work(portal, clinic.id):
        return sorted([*prices_of_list(price_list_id).values(), *variants_of_list(price_list_id).values()])


@given(
    st.decimals("0", "9999999", places=2), st.decimals("-100", "500", places=2), st.sampled_from(["0.01", "5", "100"])
)
def test_a_moved_price_is_a_multiple_of_the_step_and_never_below_nothing(
    price: Decimal, percent: Decimal, step: str
) -> None:
    moved = Move(percent, Decimal(step)).moved(price)
    assert moved >= 0 and moved % Decimal(step) == 0
    assert abs(moved - price * (100 + percent) / 100) <= Decimal(step) / 2


def test_a_list_is_made_changed_and_ended(owner: Person, portal: Flask, papatya: ClinicInfo, lists: Lists) -> None:
    form = {**form_values(owner.get(NEW)), "name": "Acente", "currency": "GBP", "audience": "partner"}
    assert owner.post(NEW, form).location == INDEX
    made = lists()["Acente"]
    assert (made.currency, made.audience, made.valid_to) == ("GBP", "partner", None)
    path = f"{INDEX}{made.id}/edit"
    changed = {**form_values(owner.get(path)), "currency": "TRY", "valid_to": "31.12.2099", "name": "Acente 2"}
    assert owner.post(path, changed).status_code == 302
    row = lists()["Acente 2"]
    assert (row.id, row.currency, row.valid_to) == (made.id, "GBP", date(2099, 12, 31)), "the currency stays"
    assert "Acente 2" in told(owner.get(INDEX))
    with clinic_work(portal, papatya.id) as session:
        actions = list(session.scalars(sa.select(ActivityLog.action).where(ActivityLog.object_id == made.id)))
    assert sorted(actions) == ["price_list.changed", "price_list.created"]


def test_an_ended_list_stays_and_prices_nothing_new(
    owner: Person, portal: Flask, papatya: ClinicInfo, lists: Lists
) -> None:
    row, yesterday = euro(lists), date.today() - timedelta(days=1)
    path = f"{INDEX}{row.id}/edit"
    ended = {**form_values(owner.get(path)), "valid_from": "2020-01-01", "valid_to": yesterday.isoformat()}
    assert owner.post(path, ended).status_code == 302
    assert "Ended" in told(owner.get(INDEX))
    with clinic_work(portal, papatya.id):
        assert choose_price_list(Audience.INTERNATIONAL, "EUR", date.today()) is None
        assert choose_price_list(Audience.INTERNATIONAL, "EUR", yesterday) == row.id


def test_a_copy_is_shown_before_it_is_made(owner: Person, portal: Flask, papatya: ClinicInfo, lists: Lists) -> None:
    source = euro(lists)
    path = f"{INDEX}{source.id}/copy"
    form = {**form_values(owner.get(path)), "name": "2027", "percent": "10", "step": "5", "valid_from": "2027-01-01"}
    page = told(owner.post(path, form))
    assert "Zirconia crown €200.00 €220.00" in page and "Make the copy" in page
    assert "2027" not in lists(), "only shown"
    assert owner.post(path, {**form, "save": "y"}).location == INDEX
    made = lists()["2027"]
    assert (made.currency, made.audience, made.valid_from) == ("EUR", "international", date(2027, 1, 1))
    expected = sorted(Move(Decimal(10), Decimal(5)).moved(price) for price in prices(portal, papatya, source.id))
    assert prices(portal, papatya, made.id) == expected
    again = owner.post(path, {**form, "save": "y"})
    assert (again.status_code, set(field_errors(again))) == (422, {"name"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "), ("name", "x" * 121), ("currency", "CHF"), ("audience", "everybody"), ("valid_from", ""),
        ("valid_from", "31.02.2026"), ("valid_to", "1999-01-01"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(owner: Person, lists: Lists, field: str, value: str) -> None:
    before = set(lists())
    page = owner.post(NEW, {**form_values(owner.get(NEW)), "name": "Yeni", field: value})
    assert (page.status_code, set(field_errors(page))) == (422, {field})
    assert set(lists()) == before


def test_a_taken_name_is_told_beside_the_field(owner: Person, lists: Lists) -> None:
    taken = euro(lists).name
    page = owner.post(NEW, {**form_values(owner.get(NEW)), "name": taken})
    assert field_errors(page) == {"name": "Another price list has this name."}
    other = next(row for row in lists().values() if row.name != taken)
    path = f"{INDEX}{other.id}/edit"
    assert owner.post(path, {**form_values(owner.get(path)), "name": taken}).status_code == 422


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"percent": "101", "direction": "down"}, "percent"), ({"percent": "501"}, "percent"),
        ({"percent": "x"}, "percent"), ({"step": "3"}, "step"), ({"name": ""}, "name"),
    ],
)  # fmt: skip
def test_a_copy_that_makes_no_sense_is_refused(
    owner: Person, lists: Lists, changed: dict[str, str], field: str
) -> None:
    path = f"{INDEX}{euro(lists).id}/copy"
    form = {**form_values(owner.get(path)), "name": "Yeni", "percent": "10", **changed, "save": "y"}
    page = owner.post(path, form)
    assert (page.status_code, set(field_errors(page))) == (422, {field})
    assert "Yeni" not in lists()


@pytest.mark.parametrize("role", ["coordinator", "doctor", "readonly"])
def test_only_managers_change_price_lists(sign_in: SignIn, lists: Lists, role: str) -> None:
    person, one = sign_in(role), euro(lists).id
    assert person.get(INDEX).status_code == 200
    assert "New price list" not in person.get(INDEX).text
    paths = (NEW, f"{INDEX}{one}/edit", f"{INDEX}{one}/copy")
    assert {answer.status_code for path in paths for answer in (person.get(path), person.post(path))} == {403}


def test_another_clinics_lists_are_not_there(sign_in: SignIn, lists: Lists) -> None:
    stranger, one = sign_in("owner", "lale"), euro(lists).id
    assert {stranger.get(f"{INDEX}{one}/{page}").status_code for page in ("edit", "copy")} == {404}


def test_prices_of_one_heading_rise_from_a_day_on_and_the_list_before_ends(
    owner: Person, portal: Flask, papatya: ClinicInfo, lists: Lists
) -> None:
    source = euro(lists)
    path, begins = f"{INDEX}{source.id}/copy", date.today() + timedelta(days=40)
    with clinic_work(portal, papatya.id) as session:
        crown = session.scalars(sa.select(CatalogTreatment).where(CatalogTreatment.code == "zirkonyum-kron")).one()
        before = prices_of_list(source.id)
    form = {
        **form_values(owner.get(path)), "name": "Bahar", "percent": "12,5", "step": "1",
        "category": str(crown.category_id), "valid_from": begins.isoformat(), "save": "y",
    }  # fmt: skip
    shown = told(owner.post(path, {**form, "save": ""}))
    assert "Zirconia crown €200.00 €225.00" in shown and "Panoramic" not in shown.partition("New price")[2]
    assert owner.post(path, form).status_code == 302
    made, ended = lists()["Bahar"], lists()[source.name]
    assert (made.valid_from, ended.valid_to) == (begins, begins - timedelta(days=1))
    with clinic_work(portal, papatya.id) as session:
        mine = set(
            session.scalars(sa.select(CatalogTreatment.id).where(CatalogTreatment.category_id == crown.category_id))
        )
        after, move = prices_of_list(made.id), Move(Decimal("12.5"), Decimal(1))
        assert after == {key: move.moved(price) if key in mine else price for key, price in before.items()}
        for day, expected in ((begins, made.id), (begins - timedelta(days=1), source.id)):
            assert choose_price_list(Audience.INTERNATIONAL, "EUR", day) == expected


def test_a_list_cannot_follow_one_that_begins_no_sooner(owner: Person, lists: Lists) -> None:
    source = euro(lists)
    path = f"{INDEX}{source.id}/copy"
    form = {
        **form_values(owner.get(path)),
        "name": "Yeni",
        "percent": "10",
        "valid_from": source.valid_from.isoformat(),
    }
    page = owner.post(path, {**form, "save": "y"})
    assert (page.status_code, set(field_errors(page))) == (422, {"valid_from"})
    assert set(lists()) == {row.name for row in lists().values()} - {"Yeni"}
    assert lists()[source.name].valid_to is None
    beside = {name: value for name, value in form.items() if name != "follows"}
    assert owner.post(path, {**beside, "save": "y"}).status_code == 302
    assert lists()[source.name].valid_to is None
