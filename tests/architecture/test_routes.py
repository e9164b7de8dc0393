"""Every endpoint, every kind of visitor: who gets in, and that nothing of another clinic ever shows.

Generated from the address map: a new endpoint is swept without a change here.
"""

# ruff: noqa: PLR0917 - a test asks for its fixtures by name, as many as it needs

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.app import create_app
from portal.core.access import CLINIC_PERMISSIONS, PUBLIC, ClinicRole, Permission, Site
from portal.core.clinics import ClinicInfo
from portal.core.gate import UndeclaredAccessError, check_declarations
from portal.core.jobs import configure_jobs
from tests.architecture.conftest import SAFE, Door, filled
from tests.architecture.markup import Form, read
from tests.support.people import Person

Ids = Callable[[ClinicInfo], dict[str, UUID]]
UUID_TEXT = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
KEPT = frozenset({"csrf_token", "form_key", "version"})
OTHERS = 5

# Values no browser sends, and somebody will: NUL, half a surrogate pair, digits that are no number, far too much.
HOSTILE = ("a\x00b", "\ud800", "²", "-1", "9" * 5000, "'; DROP TABLE patients; --%00{{7*7}}")


def opened(person: Person, door: Door, path: str, data: Any = None) -> TestResponse:
    return person.get(path) if door.method == "GET" else person.post(path, data or {})


def complain(door: Door, path: str, answer: TestResponse, why: str) -> str:
    return f"{door} {path}: {answer.status_code} {why}"


def test_the_sweep_sees_every_page_and_button(doors: list[Door]) -> None:
    assert len(doors) > 30
    assert {door.access.site for door in doors} == set(Site)


def test_without_a_login_every_page_asks_for_one(
    doors: list[Door],
    visit: Callable[..., Person],
    ids_of: Ids,
    papatya: ClinicInfo,
    secrets_of: Callable[..., list[str]],
) -> None:
    ids, wrong = ids_of(papatya), []
    names = [name for name in secrets_of(papatya) if name != papatya.name]  # the login page greets with the clinic's
    for door in doors:
        path = door.path(ids)
        answer = opened(visit(), door, path)
        if door.access.site is Site.PLATFORM:
            expected = answer.status_code == 404
        elif door.access.rule is PUBLIC:
            expected = answer.status_code < 500
        elif door.method in SAFE:
            expected = answer.status_code == 302 and answer.location.startswith("/login")
        else:
            expected = answer.status_code == 401
        if not expected or any(name in answer.text for name in names):
            wrong.append(complain(door, path, answer, "to a visitor without a login"))
    assert wrong == []


@pytest.mark.parametrize("role", ClinicRole)
def test_a_role_without_the_permission_is_refused_and_one_with_it_is_not(
    role: ClinicRole, doors: list[Door], sign_in: Callable[..., Person], ids_of: Ids, papatya: ClinicInfo
) -> None:
    person, ids, wrong, refused = sign_in(role), ids_of(papatya), [], 0
    for door in doors:
        if door.endpoint == "auth.logout" or door.access.site is not Site.CLINIC:
            continue
        path = door.path(ids)
        answer = opened(person, door, path)
        allowed = not isinstance(door.access.rule, Permission) or door.access.rule in CLINIC_PERMISSIONS[role]
        refused += not allowed
        if (answer.status_code == 403) is allowed or answer.status_code in (401, 500, 503):
            wrong.append(complain(door, path, answer, f"to {role}, who {'may' if allowed else 'may not'}"))
    assert wrong == []
    assert refused or role in (ClinicRole.OWNER, ClinicRole.ADMIN)


@pytest.mark.parametrize("role", ["agent", "ops", "owner"])
def test_the_platforms_people_find_no_page_of_a_clinic_at_their_host(
    role: str, doors: list[Door], sign_in: Callable[..., Person], ids_of: Ids, papatya: ClinicInfo,
    secrets_of: Callable[..., list[str]],
) -> None:  # fmt: skip
    person, ids, wrong = sign_in(role, "admin"), ids_of(papatya), []
    names = [name for name in secrets_of(papatya) if name != papatya.name]  # the list of clinics names it
    for door in doors:
        if door.endpoint == "auth.logout":
            continue
        path = door.path(ids)
        answer = opened(person, door, path)
        expected = answer.status_code == 404 if door.access.site is Site.CLINIC else answer.status_code < 500
        if not expected or any(name in answer.text for name in names):
            wrong.append(complain(door, path, answer, f"to the platform's {role}"))
    assert wrong == []


def test_the_platforms_pages_do_not_exist_at_a_clinics_host(
    doors: list[Door], sign_in: Callable[..., Person], ids_of: Ids, papatya: ClinicInfo
) -> None:
    person, ids = sign_in("owner"), ids_of(papatya)
    platform = [door for door in doors if door.access.site is Site.PLATFORM]
    assert platform
    assert [opened(person, door, door.path(ids)).status_code for door in platform] == [404] * len(platform)


def test_an_unknown_host_has_no_page_at_all(
    doors: list[Door], visit: Callable[..., Person], ids_of: Ids, papatya: ClinicInfo
) -> None:
    ids = ids_of(papatya)
    for host in ("unknown.localhost", "localhost", "127.0.0.1", "papatya.localhost.evil.example"):
        person = visit(host)
        person.token = "none"
        answers = [(door, opened(person, door, door.path(ids))) for door in doors if door.access.site is not Site.ANY]
        assert {str(door): answer.status_code for door, answer in answers if answer.status_code != 404} == {}


def test_another_clinics_ids_in_the_address_are_the_same_as_no_row(
    doors: list[Door], sign_in: Callable[..., Person], ids_of: Ids, papatya: ClinicInfo, lale: ClinicInfo,
    secrets_of: Callable[..., list[str]], rows_of: Callable[..., dict[str, list[str]]],
) -> None:  # fmt: skip
    stranger, theirs, own = sign_in("owner", "lale"), ids_of(papatya), ids_of(lale)
    before, wrong, swept = rows_of(papatya), [], 0
    for door in doors:
        for foreign in door.rule.arguments:
            path = door.path({**own, foreign: theirs[foreign]})
            data = filled(stranger, door, door.path(own))
            answer = opened(stranger, door, path, data)
            swept += 1
            if answer.status_code != 404 or any(name in answer.text for name in secrets_of(papatya)):
                wrong.append(complain(door, path, answer, f"with another clinic's {foreign}"))
    assert wrong == []
    assert swept >= 10
    assert rows_of(papatya) == before


def test_another_clinics_ids_in_queries_and_forms_show_nothing_and_reach_no_row(
    doors: list[Door], sign_in: Callable[..., Person], ids_of: Ids, papatya: ClinicInfo, lale: ClinicInfo,
    secrets_of: Callable[..., list[str]], rows_of: Callable[..., dict[str, list[str]]],
) -> None:  # fmt: skip
    """Every id a page of one's own clinic carries is replaced by ids of the other clinic, one field at a time."""
    stranger, own, theirs = sign_in("owner", "lale"), ids_of(lale), ids_of(papatya)
    foreign = foreign_ids(sign_in("owner"), theirs)
    turns = cycle(foreign)
    before = rows_of(papatya)
    wrong, swept = [], 0
    for door in doors:
        if door.endpoint == "auth.logout" or door.access.site is Site.ANY or door.access.site is Site.PLATFORM:
            continue
        path = door.path(own)
        for data in swapped(filled(stranger, door, path), theirs, turns) or [{}]:
            query = "&".join(f"{name}={value}" for name in ("patient", "source", "q", "at") for value in foreign[:1])
            address = f"{path}?patient={own['patient_id']}" if data else f"{path}?{query}"
            answer = opened(stranger, door, address, data)
            swept += 1
            if answer.status_code >= 500 or any(name in answer.text for name in secrets_of(papatya)):
                wrong.append(complain(door, address, answer, f"with {data}"))
    assert wrong == []
    assert swept > 60
    assert rows_of(papatya) == before
    reached = [row for rows in rows_of(lale).values() for row in rows if any(key in row for key in foreign)]
    assert reached == []


def foreign_ids(owner: Person, ids: dict[str, UUID]) -> list[str]:
    """Return ids of a clinic's rows, as its own pages write them: patients, statuses, sources, treatments and more."""
    found: dict[str, None] = dict.fromkeys(str(value) for value in ids.values())
    pages = (
        "/patients/", f"/patients/{ids['patient_id']}/edit", f"/offers/{ids['offer_id']}",
        f"/catalog/{ids['treatment_id']}/edit", f"/offers/new?patient={ids['patient_id']}",
    )  # fmt: skip
    for page in pages:
        answer = owner.get(page)
        assert answer.status_code == 200, page
        text = re.sub(r'<input[^>]*name="(?:form_key|csrf_token)"[^>]*>', "", answer.text)
        found |= dict.fromkeys(UUID_TEXT.findall(text)[:12])
    return list(found)


def swapped(data: dict[str, list[str]], ids: dict[str, UUID], turns: Iterator[str]) -> list[dict[str, list[str]]]:
    """Return ``data`` with another clinic's id in each field that carries one (or names one), a few times a field.

    The id of the field's own kind where there is one, and the next few of all: every field with every id would be
    some ten thousand forms.
    """
    carriers = [
        name for name, values in data.items()
        if name not in KEPT and (name.endswith("_id") or any(UUID_TEXT.fullmatch(value) for value in values))
    ]  # fmt: skip
    return [
        {**data, name: [key]}
        for name in carriers
        for key in {str(ids.get(name.rpartition("-")[2], "")), *islice(turns, OTHERS)} - {""}
    ]


def test_hostile_values_are_an_answer_and_never_a_crash(
    doors: list[Door], sign_in: Callable[..., Person], visit: Callable[..., Person], ids_of: Ids, papatya: ClinicInfo
) -> None:
    person, ids, wrong, turns = sign_in("owner"), ids_of(papatya), [], cycle(HOSTILE)
    platform = visit("admin")
    platform.client.environ_base["REMOTE_ADDR"] = "192.0.2.9"  # tests hold their locks: an address of its own
    platform.sign_in("ops")
    for door in doors:
        if door.endpoint == "auth.logout":
            continue
        platform.get("/account")  # so that its connection is not ended for idling through the clinic's doors
        who = platform if door.access.site is Site.PLATFORM else person
        path = door.path(ids)
        fields = list(filled(who, door, path))
        for value in islice(turns, 4):  # four of the six at each door, in turn: there are many doors
            for answer in hostile_requests(who, door, path, value, fields, str(ids["patient_id"])):
                if answer.status_code >= 500:
                    wrong.append(complain(door, path, answer, f"for {value[:20]!r}"))
    assert wrong == []


def test_a_file_sent_under_a_text_fields_name_is_no_fault_of_ours(
    doors: list[Door], ids_of: Ids, sign_in: Callable[..., Person], papatya: ClinicInfo
) -> None:
    owner, ids, wrong = sign_in("owner"), ids_of(papatya), []
    for door in doors:
        if door.method != "POST" or door.endpoint in ("auth.logout", "platform.index"):
            continue
        path = door.path(ids)
        answer = owner.post(path, {name: (io.BytesIO(b"x"), "x.txt") for name in filled(owner, door, path)})
        if answer.status_code >= 500:
            wrong.append(complain(door, path, answer, "for files in place of texts"))
    assert wrong == []


def hostile_requests(
    who: Person, door: Door, path: str, value: str, fields: list[str], patient_id: str
) -> list[TestResponse]:
    names = (
        "q",
        "at",
        "source",
        "state",
        "sort",
        "kind",
        "currency",
        "category",
        "patient",
        "first_name",
        "next",
        value,
    )
    query = [*((name, value) for name in names), ("last_name", "x"), ("phone_raw", value)]
    encoded = [(name.encode("utf-8", "surrogatepass"), text.encode("utf-8", "surrogatepass")) for name, text in query]
    if door.method == "GET":
        return [who.get(path, query_string=encoded)]
    data = dict.fromkeys(fields, value) or dict(query)
    lines = {f"lines-{value}-name": "x", "patient_id": patient_id, f"lines-0-{value}": "x", value: "x"}
    return [who.post(f"{path}?patient={patient_id}", wire({**data, **lines}))]


def wire(data: dict[str, Any]) -> dict[str, Any]:
    """Return fields as far as the test client can encode them: half a surrogate pair has no UTF-8."""
    safe = {name: value if isinstance(value, list) else [value] for name, value in data.items()}
    return {
        name.replace("\ud800", "?"): [text.replace("\ud800", "?") for text in texts] for name, texts in safe.items()
    }


@pytest.fixture
def own_jobs(app: Flask) -> Iterator[None]:
    """Give jobs back to the tests' own portal: they work for the one made last."""
    yield
    configure_jobs(app)


@pytest.mark.usefixtures("own_jobs")
def test_an_endpoint_that_declares_no_access_keeps_the_portal_from_starting(app: Flask) -> None:
    fresh = create_app(app.extensions["portal_settings"])
    check_declarations(fresh)
    fresh.add_url_rule("/undeclared", "undeclared", lambda: "x")
    with pytest.raises(UndeclaredAccessError, match="undeclared"):
        check_declarations(fresh)


@pytest.mark.usefixtures("own_jobs")
def test_the_factory_itself_runs_that_check(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "portal.app.configure_commands", lambda made: made.add_url_rule("/x", "undeclared", lambda: "x")
    )
    with pytest.raises(UndeclaredAccessError, match="undeclared"):
        create_app(app.extensions["portal_settings"])


def test_a_new_parameter_without_an_id_is_reported(doors: list[Door]) -> None:
    door = next(door for door in doors if door.rule.arguments)
    with pytest.raises(AssertionError, match="ids_of"):
        door.path({})


def test_a_form_knows_what_a_browser_would_send() -> None:
    page = (
        '<form method="post"><input name="a" value="1"><input type="checkbox" name="c">'
        '<select name="s"><option value="x"><option value="y" selected></select>'
        '<textarea name="t">\nZ</textarea></form>'
    )
    assert read(page, "/here").forms == [Form("/here", "post", [("a", "1"), ("s", "y"), ("t", "Z")])]
