from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.pagination import PAGE_SIZE
from portal.core.work import clinic_work
from portal.referrals.queries import list_sources
from tests.support.data import add_patient
from tests.support.pages import link, row_links, row_names
from tests.support.people import Person

Add = Callable[..., list[str]]


@pytest.fixture
def add(portal: Flask, papatya: ClinicInfo) -> Add:
    """Register patients by name, "First Last", with further columns in common; return their ids."""

    def register(*names: str, **columns: Any) -> list[str]:
        with clinic_work(portal, papatya.id):
            made = []
            for name in names:
                first, _, last = name.rpartition(" ")
                made.append(str(add_patient(first_name=first, last_name=last, **columns).id))
            return made

    return register


@pytest.fixture
def sources(portal: Flask, papatya: ClinicInfo) -> list[Any]:
    """The referral sources of papatya."""
    with clinic_work(portal, papatya.id):
        return list(list_sources())


def names(person: Person, **query: Any) -> list[str]:
    return row_names(person.get("/patients/", query_string=query))


def walk(person: Person, first: str, rel: str) -> list[list[str]]:
    pages, path = [], first
    while True:
        page = person.get(path)
        pages.append(row_links(page))
        following = link(page, rel)
        if following is None:
            return pages
        path = following


def test_the_newest_patient_stands_first(add: Add, coordinator: Person) -> None:
    add("Bir Önce", "İki Sonra")
    assert names(coordinator)[:2] == ["İki Sonra", "Bir Önce"]


def test_names_are_in_the_order_of_the_turkish_alphabet(add: Add, coordinator: Person) -> None:
    ordered = ["Cemal Ak", "Çağlar Ak", "Dilek Ak", "Irmak Ak", "Işıl Ak", "İbrahim Ak", "Öykü Ak", "Suna Ak",
               "Şule Ak", "Ümit Ak", "Zeki Ak"]  # fmt: skip
    add(*reversed(ordered))
    shown = [name for name in names(coordinator, sort="name") if name.endswith(" Ak")]
    assert shown == ordered


@pytest.mark.parametrize("sort", ["name", "newest"])
def test_pages_over_sixty_patients_of_one_name_show_each_once_in_both_directions(
    add: Add, coordinator: Person, sort: str
) -> None:
    made = add(*["Ayşe Aynı"] * 60)
    onward = walk(coordinator, f"/patients/?sort={sort}&q=aynı", "next")
    assert [len(page) for page in onward] == [PAGE_SIZE, PAGE_SIZE, 60 - 2 * PAGE_SIZE]
    shown = [url for page in onward for url in page]
    assert shown == [f"/patients/{made_id}" for made_id in (made if sort == "name" else reversed(made))]
    last = coordinator.get(f"/patients/?sort={sort}&q=aynı")
    for _ in onward[1:]:
        last = coordinator.get(link(last, "next") or "")
    back = walk(coordinator, link(last, "prev") or "", "prev")
    assert back == [onward[1], onward[0]]


def test_a_patient_registered_meanwhile_moves_nobody_from_page_to_page(add: Add, coordinator: Person) -> None:
    add(*["Ayşe Aynı"] * 30)
    first = coordinator.get("/patients/?q=aynı")
    add("Ayşe Aynı")
    second = coordinator.get(link(first, "next") or "")
    assert not set(row_links(first)) & set(row_links(second))
    assert len(row_links(second)) == 5


def _cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


_ID = "0193c000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "%%%", "ş", "A" * 5000, "W10", _cursor(), _cursor("f"), _cursor("x", _ID), _cursor("f", "no-id"),
        _cursor("f", 5), _cursor("f", None), _cursor("f", [_ID]), _cursor("f", {"a": 1}), _cursor("f", _ID, _ID),
        _cursor("f", "\x00"), _cursor("f", "\ud800"), _cursor(["f"], _ID), base64.b64encode(b"[" * 700).decode(),
        base64.b64encode(b'"fa"').decode(), base64.b64encode(b"\xff\xfe").decode(), base64.b64encode(b"7").decode(),
    ],
)  # fmt: skip
@pytest.mark.parametrize("sort", ["newest", "name"])
def test_a_mangled_cursor_shows_the_first_page(coordinator: Person, sort: str, cursor: str) -> None:
    page = coordinator.get("/patients/", query_string={"sort": sort, "at": cursor})
    assert page.status_code == 200
    assert row_links(page) == row_links(coordinator.get(f"/patients/?sort={sort}"))


@pytest.mark.parametrize("text", ["\x00", "\ud800", "a\x00b"])
def test_a_cursor_with_text_that_no_database_takes_shows_the_first_page(coordinator: Person, text: str) -> None:
    page = coordinator.get("/patients/", query_string={"sort": "name", "at": _cursor("f", text, _ID)})
    assert page.status_code == 200
    assert len(row_links(page)) == 3


def test_the_cursor_of_another_order_shows_the_first_page(add: Add, coordinator: Person) -> None:
    add(*[f"Ali No{place}" for place in range(30)])
    by_name = link(coordinator.get("/patients/?sort=name"), "next") or ""
    page = coordinator.get(by_name.replace("sort=name", "sort=newest"))
    assert row_links(page) == row_links(coordinator.get("/patients/"))


def test_the_states_show_active_inactive_and_archived_patients(add: Add, coordinator: Person) -> None:
    add("Aktif Kişi")
    add("Pasif Kişi", is_active=False)
    (archived,) = add("Eski Kişi")
    coordinator.post(f"/patients/{archived}/archive")
    assert names(coordinator, q="kişi") == ["Pasif Kişi", "Aktif Kişi"]
    assert names(coordinator, q="kişi", state="active") == ["Aktif Kişi"]
    assert names(coordinator, q="kişi", state="inactive") == ["Pasif Kişi"]
    assert names(coordinator, q="kişi", state="archived") == ["Eski Kişi"]
    assert names(coordinator, q="kişi", state="nonsense") == ["Pasif Kişi", "Aktif Kişi"]


def test_a_referral_source_limits_the_list_and_another_clinics_finds_nobody(
    add: Add, coordinator: Person, sources: list[Any], portal: Flask, lale: ClinicInfo
) -> None:
    add("Kaynaklı Kişi", referral_source_id=sources[1].id)
    assert names(coordinator, source=sources[1].id) == ["Kaynaklı Kişi"]
    with clinic_work(portal, lale.id):
        foreign = list_sources()[1].id
    assert names(coordinator, source=foreign) == []
    assert len(names(coordinator, source="no-id")) == 4


def test_filters_keep_the_search_and_the_pages_keep_both(add: Add, coordinator: Person) -> None:
    add(*["Ayşe Aynı"] * 30)
    page = coordinator.get("/patients/?q=aynı&state=active&sort=name")
    following = link(page, "next") or ""
    for part in ("q=ayn", "state=active", "sort=name", "at="):
        assert part in following


def test_an_empty_result_says_how_to_get_out_of_it(coordinator: Person) -> None:
    page = coordinator.get("/patients/?q=nobodyhasthisname")
    assert "Nobody found" in page.text and 'href="/patients/"' in page.text


def test_the_count_is_written_as_people_count(add: Add, coordinator: Person) -> None:
    assert "3 patients" in coordinator.get("/patients/").text
    add("Tek Kişi")
    page = coordinator.get("/patients/?q=tek")
    assert "1 patient" in page.text and "1 patients" not in page.text


def _download(person: Person, **fields: Any) -> list[list[str]]:
    answer = person.post("/patients/export", {name: str(value) for name, value in fields.items()})
    assert answer.status_code == 200 and answer.mimetype == "text/csv"
    assert ".csv" in answer.headers["Content-Disposition"]
    text = answer.data.decode("utf-8-sig")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(text), delimiter=";" if ";" in text.splitlines()[0] else ","))


def test_the_export_holds_every_row_of_the_list_in_its_order(add: Add, coordinator: Person, sources: list[Any]) -> None:
    add(*["Ayşe Aynı"] * 60)
    add(
        "Işıl Öz", phone_e164="+905321234567", email="isil@example.com", city='Köln; "Mitte"',
        residence_country="DE", referral_source_id=sources[0].id,
    )  # fmt: skip
    heading, first, *rest = _download(coordinator)
    assert heading[:4] == ["Number", "First name", "Last name", "Phone"]
    assert first[1:9] == ["Işıl", "Öz", "'+90 532 123 45 67", "isil@example.com", 'Köln; "Mitte"', "Germany",
                          sources[0].name, "yes"]  # fmt: skip
    assert len(rest) == 63
    by_name = _download(coordinator, sort="name", q="aynı")
    assert len(by_name) == 61 and {row[2] for row in by_name[1:]} == {"Aynı"}


def test_the_turkish_export_has_semicolons_and_turkish_headings(coordinator: Person) -> None:
    coordinator.post("/preferences/language", {"language": "tr", "next": "/"})
    answer = coordinator.post("/patients/export")
    heading, *rows = answer.data.decode("utf-8-sig").splitlines()
    assert heading.count(";") == 9 and "," not in heading
    assert len(rows) == 3


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_cell_of_the_export_is_run_as_a_formula(add: Add, coordinator: Person, name: str) -> None:
    add(f"{name} Formül")
    (_, row) = _download(coordinator, q="formül")
    assert row[1] == f"'{name}"


def test_an_export_respects_the_filters_and_is_logged_with_them(
    add: Add, coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    add("Pasif Kişi", is_active=False)
    assert [row[1] for row in _download(coordinator, state="inactive", q="kişi")[1:]] == ["Pasif"]
    with clinic_work(portal, papatya.id):
        statement = sa.select(ActivityLog).where(ActivityLog.action == "patients.exported")
        (entry,) = current_session().scalars(statement)
    assert entry.changes == {"rows": [None, 1], "state": [None, "inactive"], "searched": [None, True]}
    assert entry.actor_name == "Papatya coordinator"


@pytest.mark.parametrize("role", ["doctor", "assistant", "readonly"])
def test_a_role_without_the_permission_exports_nothing(sign_in: Callable[..., Person], role: str) -> None:
    person = sign_in(role)
    answer = person.post("/patients/export")
    assert answer.status_code == 403
    assert b"Ay\xc5\x9fe" not in answer.data
    assert "/patients/export" not in person.get("/patients/").text


def test_an_export_holds_nobody_of_another_clinic(coordinator: Person, sign_in: Callable[..., Person]) -> None:
    ours = {row[2] for row in _download(coordinator)[1:]}
    theirs = {row[2] for row in _download(sign_in("owner", "lale"))[1:]}
    assert ours == {"Yılmaz", "Çağlar", "Öztürk"}
    assert theirs == {"Gizlioğlu", "Geheim", "Saklı"}


def test_reading_the_list_takes_the_same_few_statements_whatever_its_length(
    add: Add, coordinator: Person, statements: list[str]
) -> None:
    add(*["Ayşe Aynı"] * 30)
    statements.clear()
    coordinator.get("/patients/")
    longer = len(statements)
    add(*["Ayşe Aynı"] * 40)
    statements.clear()
    coordinator.get("/patients/")
    assert len(statements) == longer


def test_a_list_that_fits_one_page_is_not_counted_by_the_database(coordinator: Person, statements: list[str]) -> None:
    assert "3 patients" in coordinator.get("/patients/").text
    counted = [statement for statement in statements if "count(" in statement and "login_sessions" not in statement]
    assert counted == []


def test_a_renamed_patient_moves_to_the_place_of_the_new_name(add: Add, coordinator: Person) -> None:
    (patient_id,) = add("Zeki Ak")
    coordinator.post(f"/patients/{patient_id}/edit", {"first_name": "Abidin", "last_name": "Ak", "version": "1"})
    assert names(coordinator, sort="name")[0] == "Abidin Ak"
