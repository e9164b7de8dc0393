"""Forged and resumed forms: what comes without the page's own token, or over a login, changes nothing."""

# ruff: noqa: PLR0917 - a test asks for its fixtures by name, as many as it needs

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from portal.core.access import PUBLIC, Site
from portal.core.clinics import ClinicInfo
from tests.architecture.conftest import SAFE, Door, filled
from tests.support.people import Person

Rows = Callable[..., dict[str, list[str]]]
Ids = Callable[[ClinicInfo], dict[str, UUID]]


def posts(doors: list[Door]) -> list[Door]:
    """Return what takes forms; a patient's link is itself the secret (see portal.sharing.forms.PatientForm)."""
    return [
        door for door in doors
        if door.method not in SAFE and door.access.site in (Site.CLINIC, Site.BOTH) and "<token>" not in door.rule.rule
    ]  # fmt: skip


@pytest.mark.parametrize("token", [None, "", "x", "foreign"])
def test_a_form_without_its_pages_own_token_changes_nothing(
    token: str | None,
    doors: list[Door],
    sign_in: Callable[..., Person],
    ids_of: Ids,
    papatya: ClinicInfo,
    rows_of: Rows,
) -> None:
    person, ids, wrong = sign_in("owner"), ids_of(papatya), []
    extra = {} if token is None else {"csrf_token": other_token(sign_in) if token == "foreign" else token}
    before = rows_of(papatya)
    for door in posts(doors):
        path = door.path(ids)
        data: dict[str, Any] = {**filled(person, door, path), "first_name": "x", "last_name": "y", "status_id": "x"}
        data.pop("csrf_token", None)
        answer = person.post(path, {**data, **extra}, token=False)
        if answer.status_code not in (302, 400) or "Content-Disposition" in answer.headers:
            wrong.append((str(door), answer.status_code))
    assert wrong == []
    assert rows_of(papatya) == before
    assert person.get("/account").status_code == 200, "not even the logout went through"


def other_token(sign_in: Callable[..., Person]) -> str:
    """Return a token that is good in somebody else's session."""
    stranger = sign_in("owner", "lale")
    return stranger._token()


def test_the_same_forms_with_the_token_do_reach_their_views(
    doors: list[Door], sign_in: Callable[..., Person], ids_of: Ids, papatya: ClinicInfo
) -> None:
    """Were the forms above refused for another reason, they would prove nothing."""
    person, ids = sign_in("owner"), ids_of(papatya)
    answers = {}
    for door in posts(doors):
        if door.endpoint == "auth.logout":
            continue
        path = door.path(ids)
        answers[str(door)] = person.post(path, filled(person, door, path)).status_code
    assert [door for door, status in answers.items() if status in (200, 302)] != []
    refused = {door: status for door, status in answers.items() if status == 400}
    assert set(refused) <= {"POST preferences.language", "POST preferences.theme"}, refused


def test_visitors_need_the_token_as_well(doors: list[Door], visit: Callable[..., Person]) -> None:
    for door in posts(doors):
        if door.access.rule is PUBLIC:
            answer = visit().post(
                door.rule.rule, {"email": "x", "password": "x", "theme": "dark", "language": "en"}, token=False
            )
            assert answer.status_code in (302, 400), door
            assert not any(cookie.startswith(("theme", "language")) for cookie in answer.headers.getlist("Set-Cookie"))


def test_a_form_carried_over_a_login_is_shown_and_never_acted_upon(
    doors: list[Door], sign_in: Callable[..., Person], ids_of: Ids, papatya: ClinicInfo, rows_of: Rows
) -> None:
    """Every endpoint that a carried form may be sent to: those with a page of their own, and those that say so."""
    person, ids, seen = sign_in("owner"), ids_of(papatya), 0
    before = rows_of(papatya)
    pages = {door.rule.rule for door in doors if door.method == "GET"}
    for door in posts(doors):
        path = door.path(ids)
        if (not door.access.resumable and door.rule.rule not in pages) or door.rule.rule == "/login":
            continue
        address = f"{path}?patient={ids['patient_id']}"
        answer = person.post(
            address, {"patient_id": str(ids["patient_id"]), **filled(person, door, path), "_resumed": "1"}
        )
        assert answer.status_code in (200, 422), (door, answer.status_code)
        assert "<form" in answer.text
        seen += 1
    assert seen >= 7
    assert rows_of(papatya) == before
