"""Every page, as its reader's browser gets it: structure, security headers, cost, and that reading writes nothing."""

# ruff: noqa: PLR0917 - a test asks for its fixtures by name, as many as it needs

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import orm
from werkzeug.test import TestResponse

from portal.core.access import Site
from portal.core.clinics import ClinicInfo
from portal.core.database import PortalSession
from portal.core.errors import ClinicClosed, NotFoundError
from portal.core.headers import CONTENT_POLICY
from tests.architecture.conftest import Door
from tests.architecture.markup import Document, read
from tests.support.people import Person

Ids = Callable[[ClinicInfo], dict[str, UUID]]
PARTS = {
    "patients.similar",
    "ops.now",
    "link.logo",
    "offer_documents.pdf",
    "settings.logo",
    "files.show",
    "files.thumbnail",
    "reminder_feed.calendar",
}  # no pages of their own

# Most statements a list page may send: finding the clinic is remembered, so who is asking, and what is listed.
BUDGETS = [
    ("papatya", "owner", "/patients/", 6), ("papatya", "owner", "/patients/?q=yilmaz", 6),
    ("papatya", "owner", "/patients/?q=ayse+yilmaz&state=active&sort=name", 6),
    ("papatya", "owner", "/patients/?state=archived", 6), ("papatya", "owner", "/offers/", 6),
    ("papatya", "owner", "/offers/board/", 6), ("papatya", "doctor", "/offers/signoff", 6),
    ("papatya", "owner", "/offers/?q=yilmaz&kind=draft&currency=TRY", 6), ("papatya", "owner", "/catalog/", 6),
    ("papatya", "owner", "/staff/?q=doctor", 6), ("papatya", "owner", "/catalog/?q=kron", 6),
    ("admin", "ops", "/clinics/", 6),
    ("admin", "ops", "/clinics/?q=pap", 6), ("admin", "ops", "/ops/migrations/history?show=up", 6),
    ("admin", "ops", "/ops/sizes", 6), ("admin", "ops", "/ops/backups", 16), ("admin", "ops", "/ops/migrations", 20),
]  # fmt: skip


def pages(doors: list[Door], ids: dict[str, UUID], site: Site) -> list[str]:
    """Return the addresses of all whole pages of a site."""
    found = [
        door.path(ids) for door in doors
        if door.method == "GET" and door.access.site in (site, Site.BOTH) and door.endpoint not in PARTS
    ]  # fmt: skip
    if site is Site.CLINIC:
        found += [f"/offers/new?patient={ids['patient_id']}", "/patients/?q=nobody-at-all", "/offers/?q=nobody-at-all"]
    return found


@pytest.fixture
def opened(
    doors: list[Door], ids_of: Ids, papatya: ClinicInfo, visit: Callable[..., Person]
) -> list[tuple[str, TestResponse, Document]]:
    """Every page of both hosts as those who may see most of it see it, and the pages of errors and of forms refused."""
    ids, found = ids_of(papatya), []
    owner, ops, visitor = visit("papatya"), visit("admin"), visit("papatya")
    owner.sign_in("owner")
    ops.client.environ_base["REMOTE_ADDR"] = "192.0.2.9"  # tests hold their locks: an address of its own
    ops.sign_in("ops")
    for person, site in ((owner, Site.CLINIC), (ops, Site.PLATFORM)):
        for path in pages(doors, ids, site):
            answer = person.get(path, follow_redirects=True)
            found.append((f"{person.host}{path}", answer, read(answer.text, path)))
    more = [
        ("login", visitor.get("/login")), ("login refused", visitor.post("/login", {"email": "", "password": ""})),
        ("404", owner.get("/nowhere")), ("405", owner.get("/logout")), ("another host", visit("nobody").get("/")),
        ("patient refused", owner.post("/patients/new", {"first_name": ""})),
        ("treatment refused", owner.post("/catalog/new", {"code": "?"})),
        ("offer refused", owner.post(f"/offers/new?patient={ids['patient_id']}", {"title": ""})),
        ("offer preview", owner.post("/offers/preview", {"patient_id": str(ids["patient_id"])})),
        ("stale", owner.post("/patients/new", {"first_name": "x"}, token=False)),
        ("403", visit("papatya").sign_in("readonly").get("/patients/new")),
    ]  # fmt: skip
    return found + [(name, answer, read(answer.text, "/")) for name, answer in more]


def test_every_page_is_one_a_reader_can_find_her_way_in(opened: list[tuple[str, TestResponse, Document]]) -> None:
    assert len(opened) >= 25
    for name, answer, page in opened:
        assert answer.mimetype == "text/html", name
        assert answer.text.startswith("<!doctype html>"), name
        assert page.lang in ("tr", "en"), name
        assert re.fullmatch(r"\S.* · Clinikoop", page.title), (name, page.title)
        assert len(page.headings) == 1, (name, page.headings)
        assert page.headings[0], name
        assert len(page.ids) == len(set(page.ids)), (name, sorted(key for key in page.ids if page.ids.count(key) > 1))


def test_no_page_holds_inline_script_or_style_or_loads_from_elsewhere(
    opened: list[tuple[str, TestResponse, Document]],
) -> None:
    assert {name: page.inline for name, _answer, page in opened if page.inline} == {}
    assert {name: page.outside for name, _answer, page in opened if page.outside} == {}


def test_every_form_that_changes_something_carries_a_token(opened: list[tuple[str, TestResponse, Document]]) -> None:
    posted = [(name, form) for name, _answer, page in opened for form in page.forms if form.method == "post"]
    assert len(posted) > 40
    for name, form in posted:
        tokens = [value for field, value in form.fields if field == "csrf_token"]
        if form.action.startswith("/o/"):  # its address is the secret: see portal.sharing.forms.PatientForm
            continue
        assert len(tokens) == 1, (name, form.action, tokens)
        assert tokens[0], (name, form.action)
        assert form.action.startswith("/"), (name, form.action)
    assert [
        form for _name, _answer, page in opened for form in page.forms if form.method not in ("get", "post", "dialog")
    ] == []


def test_no_form_sends_its_token_in_an_address(opened: list[tuple[str, TestResponse, Document]]) -> None:
    for name, _answer, page in opened:
        for form in page.forms:
            assert form.method == "post" or "csrf_token" not in dict(form.fields), (name, form.action)
        assert not [link for link in page.links if "csrf_token" in link], name


def test_every_answer_has_the_security_headers(
    opened: list[tuple[str, TestResponse, Document]], visit: Callable[..., Person]
) -> None:
    assets = [("static", visit().get("/static/css/theme.css"), None), ("health", visit().get("/healthz"), None)]
    for name, answer, _page in [*opened, *assets]:
        assert answer.headers["Content-Security-Policy"] == CONTENT_POLICY, name
        assert answer.headers["X-Content-Type-Options"] == "nosniff", name
        referrer = "no-referrer" if "/o/" in name else "same-origin"  # a patient's link is a secret
        assert answer.headers["Referrer-Policy"] == referrer, name
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert "Strict-Transport-Security" not in answer.headers, "over plain HTTP it would be ignored or a lie"
        assert name == "static" or answer.headers["Cache-Control"] == "no-store", name
    assert "unsafe-inline" not in CONTENT_POLICY
    assert "frame-ancestors 'none'" in CONTENT_POLICY


def test_every_link_of_every_page_leads_somewhere(
    opened: list[tuple[str, TestResponse, Document]], sign_in: Callable[..., Person]
) -> None:
    owner = sign_in("owner")
    links = {
        link for name, _answer, page in opened if name.startswith("papatya.") for link in page.links
        if link.startswith("/") and not link.startswith("/static")
    }  # fmt: skip
    assert len(links) > 20
    broken = {link: status for link in links if (status := owner.get(link).status_code) not in (200, 302)}
    assert broken == {}
    outside = {
        link
        for _n, _a, page in opened
        for link in page.links
        if urlsplit(link).scheme in ("http", "javascript", "data")
    }
    assert {link for link in outside if ".localhost" not in link} == set()


@pytest.mark.parametrize(("host", "role", "path", "most"), BUDGETS)
def test_a_list_page_sends_few_statements(
    host: str, role: str, path: str, most: int, sign_in: Callable[..., Person], statements: list[str]
) -> None:
    person = sign_in(role, host)
    assert person.get(path).status_code == 200
    statements.clear()
    assert person.get(path).status_code == 200
    sent = [statement for statement in statements if "set_config" not in statement]
    assert 1 <= len(sent) <= most, "\n".join(sent)


@contextmanager
def commits(portal: Flask) -> Iterator[list[str]]:
    """Note what would be committed: sessions that commit, and transactions that engines of their own commit."""
    noted: list[str] = []

    def session_commits(session: orm.Session) -> None:
        noted.append(f"session in {session.info}")

    def engine_commits(_connection: sa.Connection) -> None:
        noted.append("connection")

    sa.event.listen(PortalSession, "before_commit", session_commits)
    sa.event.listen(sa.Engine, "commit", engine_commits)
    yield noted
    sa.event.remove(PortalSession, "before_commit", session_commits)
    sa.event.remove(sa.Engine, "commit", engine_commits)


def test_reading_never_commits_and_changes_no_row(
    portal: Flask, doors: list[Door], sign_in: Callable[..., Person], ids_of: Ids, papatya: ClinicInfo,
    rows_of: Callable[..., dict[str, list[str]]],
) -> None:  # fmt: skip
    owner, ids = sign_in("owner"), ids_of(papatya)
    before = rows_of(papatya)
    with commits(portal) as noted:
        for path in pages(doors, ids, Site.CLINIC):
            owner.get(path)
            assert noted == [], path
            assert owner.client.head(path, base_url=f"http://{owner.host}").status_code < 400, path
            assert noted == [], path
        assert owner.post(f"/patients/{ids['patient_id']}/archive").status_code == 302
        assert noted, "a change must be seen here, or this test sees nothing"
    assert rows_of(papatya) != before


@pytest.mark.parametrize(("then", "status"), [(NotFoundError(), 404), (ClinicClosed(), 403), (ValueError(), 500)])
def test_a_page_read_again_after_an_outage_gives_the_answer_it_would_have_given(
    then: Exception, status: int, portal: Flask, coordinator: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[Exception] = [sa.exc.OperationalError("", {}, Exception("gone")), then]

    def failing(**_values: object) -> object:
        raise faults.pop(0)

    failing.__access__ = portal.view_functions["patients.index"].__access__  # type: ignore[attr-defined]
    monkeypatch.setitem(portal.view_functions, "patients.index", failing)
    assert coordinator.get("/patients/").status_code == status
    assert faults == []


def test_a_refused_change_is_rolled_back(
    portal: Flask, sign_in: Callable[..., Person], ids_of: Ids, papatya: ClinicInfo, monkeypatch: pytest.MonkeyPatch,
    rows_of: Callable[..., dict[str, list[str]]],
) -> None:  # fmt: skip
    """What a view wrote before it failed, in whatever way, is gone."""
    owner, ids = sign_in("owner"), ids_of(papatya)
    before = rows_of(papatya)
    path = f"/patients/{ids['patient_id']}/archive"
    endings: list[tuple[int, Callable[..., object]]] = [
        (500, lambda *_a, **_k: 1 / 0),
        (422, lambda *_a, **_k: ("no", 422)),
        (404, lambda *_a, **_k: ("no", 404)),
    ]
    for status, ending in endings:
        view = portal.view_functions["patients.archive"]

        def failing(
            _view: Callable[..., object] = view, _end: Callable[..., object] = ending, **values: object
        ) -> object:
            _view(**values)
            return _end()

        failing.__access__ = view.__access__  # type: ignore[attr-defined]
        with monkeypatch.context() as patch:
            patch.setitem(portal.view_functions, "patients.archive", failing)
            assert owner.post(path).status_code == status
        assert rows_of(papatya) == before
    assert owner.post(path).status_code == 302
    assert rows_of(papatya) != before
