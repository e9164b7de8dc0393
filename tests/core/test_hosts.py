"""The first wall: which Host header leads to which clinic, and that nothing else decides it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.app import create_app
from portal.core.clinics import ClinicDirectory, ClinicInfo
from portal.core.database import OWNER_BIND, db
from portal.core.hosts import PLATFORM_LABEL, RESERVED, Host, HostKind, is_subdomain, parse_host
from portal.core.jobs import configure_jobs
from tests.support.people import Person

NOBODY = Host(HostKind.UNKNOWN)
ADMIN = Host(HostKind.PLATFORM)
LABEL_63, LABEL_64 = "a" * 63, "a" * 64


def clinic(label: str) -> Host:
    return Host(HostKind.SUBDOMAIN, label)


def domain(name: str) -> Host:
    return Host(HostKind.DOMAIN, name)


TABLE: list[tuple[str | None, Host]] = [
    ("demo.localhost", clinic("demo")),
    ("DEMO.LocalHost", clinic("demo")),
    ("demo.localhost.", clinic("demo")),
    ("demo.localhost:8000", clinic("demo")),
    ("demo.localhost.:8000", clinic("demo")),
    ("demo.localhost:1", clinic("demo")),
    ("demo.localhost:65535", clinic("demo")),
    ("demo.localhost:00080", clinic("demo")),
    ("d.localhost", clinic("d")),
    ("7.localhost", clinic("7")),
    ("de-mo.localhost", clinic("de-mo")),
    (f"{LABEL_63}.localhost", clinic(LABEL_63)),
    ("admin.localhost", ADMIN),
    ("ADMIN.LOCALHOST.:8000", ADMIN),
    # Ports
    ("demo.localhost:0", NOBODY),
    ("demo.localhost:65536", NOBODY),
    ("demo.localhost:99999", NOBODY),
    ("demo.localhost:", NOBODY),
    ("demo.localhost:80a", NOBODY),
    ("demo.localhost:-1", NOBODY),
    ("demo.localhost:+80", NOBODY),
    ("demo.localhost: 80", NOBODY),
    ("demo.localhost:80:80", NOBODY),
    ("demo.localhost:000080", NOBODY),
    ("demo.localhost:٨٠", NOBODY),
    ("demo.localhost:8_0", NOBODY),
    # Dots and labels
    ("demo.localhost..", NOBODY),
    (".demo.localhost", NOBODY),
    ("demo..localhost", NOBODY),
    ("a.demo.localhost", NOBODY),
    ("www.demo.localhost", NOBODY),
    ("localhost", NOBODY),
    ("localhost.", NOBODY),
    (".localhost", NOBODY),
    (".", NOBODY),
    ("demo", NOBODY),
    ("demolocalhost", NOBODY),
    ("xdemo.notlocalhost", domain("xdemo.notlocalhost")),
    # Names
    ("-demo.localhost", NOBODY),
    ("demo-.localhost", NOBODY),
    ("de_mo.localhost", NOBODY),
    ("_.localhost", NOBODY),
    ("xn--dmo-bma.localhost", NOBODY),
    ("ab--cd.localhost", NOBODY),
    (f"{LABEL_64}.localhost", NOBODY),
    ("dəmo.localhost", NOBODY),
    ("DEMİ.localhost", NOBODY),
    ("*.localhost", NOBODY),
    ("%64emo.localhost", NOBODY),
    *((f"{label}.localhost", NOBODY) for label in sorted(RESERVED - {PLATFORM_LABEL})),
    # Addresses
    ("127.0.0.1", NOBODY),
    ("127.0.0.1:8000", NOBODY),
    ("2130706433", NOBODY),
    ("0x7f.0.0.1", NOBODY),
    ("1.2.3", NOBODY),
    ("[::1]", NOBODY),
    ("[::1]:8000", NOBODY),
    ("::1", NOBODY),
    ("fe80::1%eth0", NOBODY),
    ("[demo.localhost]", NOBODY),
    # Nothing and too much
    (None, NOBODY),
    ("", NOBODY),
    (" ", NOBODY),
    ("a." * 126 + "localhost", NOBODY),
    ("a" * 301, NOBODY),
    ("a.b" * 100, NOBODY),
    # What does not belong there
    ("demo.localhost\x00", NOBODY),
    ("demo\x00.localhost", NOBODY),
    ("demo.localhost ", NOBODY),
    (" demo.localhost", NOBODY),
    ("demo .localhost", NOBODY),
    ("demo.localhost\r\nX: y", NOBODY),
    ("demo.localhost\n", NOBODY),
    ("demo\t.localhost", NOBODY),
    ("demo@evil.com", NOBODY),
    ("evil.com@demo.localhost", NOBODY),
    ("user:pw@demo.localhost", NOBODY),
    ("demo.localhost/", NOBODY),
    ("demo.localhost/x", NOBODY),
    ("demo.localhost?x", NOBODY),
    ("demo.localhost#x", NOBODY),
    ("http://demo.localhost", NOBODY),
    ("demo.localhost,lale.localhost", NOBODY),
    ("demo.localhost, x", NOBODY),
    ("demo.localhost;x", NOBODY),
    ("demo\\.localhost", NOBODY),
    ("'demo'.localhost", NOBODY),
    # Other domains are looked up whole
    ("demo.localhost.evil.com", domain("demo.localhost.evil.com")),
    ("evil.com", domain("evil.com")),
    ("LALE-Dis.Example.:443", domain("lale-dis.example")),
    ("a.b.c.example", domain("a.b.c.example")),
    ("xn--lle-xta.example", domain("xn--lle-xta.example")),
    ("demo.localhost.1", NOBODY),
]


@pytest.mark.parametrize(("header", "host"), TABLE)
def test_a_header_names_exactly_this(header: str | None, host: Host) -> None:
    assert parse_host(header, "localhost") == host


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("demo.clinikoop.com.tr", clinic("demo")), ("admin.clinikoop.com.tr", ADMIN), ("clinikoop.com.tr", NOBODY),
        ("www.clinikoop.com.tr", NOBODY), ("demo.clinikoop.com", domain("demo.clinikoop.com")),
        ("xclinikoop.com.tr", domain("xclinikoop.com.tr")),
        ("demo.xclinikoop.com.tr", domain("demo.xclinikoop.com.tr")),
        ("a.demo.clinikoop.com.tr", NOBODY), ("demo.localhost", domain("demo.localhost")), ("com.tr", domain("com.tr")),
    ],
)  # fmt: skip
def test_the_base_domain_may_have_dots(header: str, host: Host) -> None:
    assert parse_host(header, "clinikoop.com.tr") == host


def test_the_table_is_long_enough_and_every_kind_is_in_it() -> None:
    assert len(TABLE) > 90
    assert {host.kind for _header, host in TABLE} == set(HostKind)


@pytest.mark.parametrize("label", [*sorted(RESERVED), "", "a.b", "A", "ö", "a b", "-a", LABEL_64, "xn--a"])
def test_a_clinic_cannot_have_a_reserved_or_malformed_subdomain(label: str) -> None:
    assert not is_subdomain(label)


def test_a_name_is_found_in_both_spellings_of_the_same_host(
    visit: Callable[..., Person], sign_in: Callable[..., Person]
) -> None:
    person = sign_in("owner")
    for spelling in ("PAPATYA.localhost", "papatya.localhost.", "Papatya.LocalHost:8000"):
        page = person.client.get("/login", headers={"Host": spelling})
        assert page.status_code == 200
        assert "Papatya Diş Kliniği" in page.text


@pytest.mark.parametrize(
    "host",
    ["nobody.localhost", "localhost", "127.0.0.1", "evil.com", "papatya.localhost.evil.com", "www.papatya.localhost",
     "papatya@evil.com", "papatya.localhost:99999", "[::1]", "", "papatya_.localhost", "papatya.localhost..",
     "www.localhost",
     ".", "..", "[::1", "a b", "papatya.localhost,x", "*",
     "a" * 64 + ".localhost", "\u00fc.localhost", "papatya.localhost:x", "<script>", "\x7f", "xn--\u00ff.localhost"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/login", "/patients/", "/nowhere"])
def test_an_unknown_host_gets_the_portals_own_404(host: str, path: str, visit: Callable[..., Person]) -> None:
    answer = visit().client.get(path, headers={"Host": host})
    assert answer.status_code == 404
    assert "Papatya" not in answer.text
    assert "Clinikoop" in answer.text
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Security-Policy"]


def test_an_unknown_host_is_told_nothing_by_a_form_either(visit: Callable[..., Person]) -> None:
    answer = visit().client.post("/login", data={"email": "x", "password": "y"}, headers={"Host": "nobody.localhost"})
    assert answer.status_code == 404


def test_a_clinics_own_domain_leads_to_it(visit: Callable[..., Person]) -> None:
    page = visit("lale-dis.example").get("/login")
    assert page.status_code == 200
    assert "Lale Ağız ve Diş Sağlığı" in page.text
    person = visit("lale-dis.example")
    answer = person.post("/login", {"email": "owner@lale.example.com", "password": "tulip meadow window seat"})
    assert (answer.status_code, answer.location) == (302, "/")
    assert "Gizlioğlu" in person.get("/patients/").text


FORWARDED = {
    "X-Forwarded-Host": "lale.localhost", "Forwarded": "host=lale.localhost;proto=https;for=192.0.2.1",
    "X-Host": "lale.localhost", "X-Original-Host": "lale.localhost", "X-Forwarded-Server": "lale.localhost",
    "X-HTTP-Host-Override": "lale.localhost", "X-Original-URL": "http://lale.localhost/", "X-Rewrite-URL": "/clinics/",
    "X-Forwarded-Prefix": "/clinics", "X-Forwarded-Port": "1", "X-HTTP-Method-Override": "DELETE",
}  # fmt: skip


@pytest.mark.parametrize("name", FORWARDED)
def test_a_forwarded_host_is_not_believed(name: str, coordinator: Person) -> None:
    page = coordinator.get("/patients/", headers={name: FORWARDED[name]})
    assert page.status_code == 200
    assert "Çağlar" in page.text
    assert "Gizlioğlu" not in page.text


@pytest.fixture(scope="module")
def proxied(app: Flask) -> Iterator[Flask]:
    """The portal as it runs behind two proxies."""
    yield create_app(replace(app.extensions["portal_settings"], proxies=2))
    configure_jobs(app)  # jobs work for the portal made last


@pytest.mark.parametrize("name", FORWARDED)
def test_behind_proxies_neither(name: str, proxied: Flask) -> None:
    headers = {name: FORWARDED[name], "X-Forwarded-For": "192.0.2.1, 192.0.2.2", "X-Forwarded-Proto": "http, http"}
    page = proxied.test_client().get("/login", base_url="http://papatya.localhost", headers=headers)
    assert page.status_code == 200
    assert "Papatya Diş Kliniği" in page.text
    assert "Lale" not in page.text
    unknown = proxied.test_client().get("/login", base_url="http://nobody.localhost", headers=headers)
    assert unknown.status_code == 404


def test_a_request_line_with_a_whole_address_is_served_by_its_header(coordinator: Person) -> None:
    page = coordinator.client.get("http://papatya.localhost/patients/", headers={"Host": "lale.localhost"})
    assert "Gizlioğlu" not in page.text
    assert page.status_code == 302, "papatya's cookie is nobody's at lale"


@pytest.fixture
def suspended(app: Flask, lale: ClinicInfo) -> Iterator[ClinicInfo]:
    """The other clinic, suspended; committed, as the platform's change comes from elsewhere."""
    with app.app_context():
        owner = db.engines[OWNER_BIND]
    statement = sa.text("UPDATE clinics SET status = :status WHERE id = :id")
    with owner.begin() as connection:
        connection.execute(statement, {"status": "suspended", "id": lale.id})
    app.extensions["clinic_directory"].forget()
    yield lale
    with owner.begin() as connection:
        connection.execute(statement, {"status": "active", "id": lale.id})
    app.extensions["clinic_directory"].forget()


def test_a_suspended_clinics_people_see_that_it_is_closed_and_nothing_else(
    suspended: ClinicInfo, visit: Callable[..., Person]
) -> None:
    person = visit("lale")
    for path in ("/", "/login", "/patients/", "/account"):
        answer = person.get(path, headers={"Accept-Language": "en"})
        assert answer.status_code == 403, path
        assert "portal is closed" in answer.text or "portalı kapalı" in answer.text, path
    assert person.post("/login", {"email": "owner@lale.example.com", "password": "x"}, token=False).status_code == 403
    assert visit("lale-dis.example").get("/login").status_code == 403
    assert visit("papatya").get("/login").status_code == 200


def test_a_session_open_when_the_clinic_is_suspended_is_worth_nothing(
    app: Flask, sign_in: Callable[..., Person], request: pytest.FixtureRequest
) -> None:
    person = sign_in("owner", "lale")
    assert person.get("/patients/").status_code == 200
    request.getfixturevalue("suspended")
    assert person.get("/patients/").status_code == 403


def test_the_directory_remembers_for_a_while_and_never_more_than_it_may(app: Flask) -> None:
    directory = ClinicDirectory(seconds=60, size=3)
    with app.app_context():
        engine = db.engine
    asked: list[str] = []

    def note(*_args: object) -> None:
        asked.append("x")

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        for _round in range(3):
            assert directory.find(engine, clinic("papatya")) is not None
            assert directory.find(engine, clinic("nobody")) is None
        assert len(asked) == 2, "an unknown host is remembered too, or it could be asked for at will"
        for number in range(10):
            directory.find(engine, clinic(f"nobody{number}"))
        assert len(directory._known) <= 3
        directory.forget()
        directory.find(engine, clinic("papatya"))
        assert len(asked) == 13
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("host", [Host(HostKind.UNKNOWN), Host(HostKind.PLATFORM), Host(HostKind.UNKNOWN, "papatya")])
def test_only_names_are_looked_up(host: Host, app: Flask) -> None:
    with app.app_context():
        assert ClinicDirectory().find(db.engine, host) is None


@pytest.mark.parametrize("name", ["papatya", "papatya.localhost", "' OR true --", "%", "lale-dis.example%"])
def test_a_domain_is_compared_whole(name: str, app: Flask) -> None:
    with app.app_context():
        assert ClinicDirectory().find(db.engine, domain(name)) is None
