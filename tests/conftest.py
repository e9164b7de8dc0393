"""One embedded PostgreSQL a run; each test in transactions of its own, as the application's own roles."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from portal.app import create_app
from portal.core.bootstrap import conninfo, prepare_embedded
from portal.core.clinics import ClinicInfo
from portal.core.database import PLATFORM_BIND, db
from portal.core.embedded import EmbeddedServer
from portal.core.hosts import Host, HostKind
from portal.core.jobs import configure_jobs
from tests.support.data import CLINICS, build_template, settings_for
from tests.support.people import Person

HOME = "CLINIKOOP_TEST_SERVER"
TEMPLATE = "clinikoop_template"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


def pytest_configure(config: pytest.Config) -> None:
    """Start the server in the process that hands out the tests, with a database ready to be copied."""
    if hasattr(config, "workerinput") or HOME in os.environ:
        return
    home = Path(tempfile.mkdtemp(prefix="clinikoop-tests-")) / "postgres"
    home.parent.chmod(0o755)
    server = EmbeddedServer(home, FAST)
    server.start()
    os.environ[HOME] = str(home)
    config.stash[_SERVER] = server
    build_template(prepare_embedded(server, TEMPLATE))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and delete its folder."""
    server = config.stash.get(_SERVER, None)
    if server is not None:
        server.destroy()
        server.home.parent.rmdir()
        os.environ.pop(HOME)


_SERVER = pytest.StashKey[EmbeddedServer]()


@pytest.fixture(scope="session")
def server() -> EmbeddedServer:
    """The run's database server."""
    return EmbeddedServer(Path(os.environ[HOME]), FAST)


@pytest.fixture(scope="session")
def app(server: EmbeddedServer) -> Iterator[Flask]:
    """The portal over this worker's copy of the template database."""
    yield from _portal_over_a_copy(server, "test")


@pytest.fixture
def own(server: EmbeddedServer) -> Iterator[Flask]:
    """A portal over a copy of the database for this test alone, where commits are real."""
    yield from _portal_over_a_copy(server, "own")


def _portal_over_a_copy(server: EmbeddedServer, kind: str) -> Iterator[Flask]:
    name = f"{kind}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with psycopg.connect(conninfo(server.url("postgres", "postgres")), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER clinikoop_owner")
    app = create_app(settings_for(prepare_embedded(server, name)))
    yield app
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def portal(app: Flask) -> Iterator[Flask]:
    """The portal with every commit undone after the test."""
    with app.app_context():
        engines = {None: db.engine, PLATFORM_BIND: db.engines[PLATFORM_BIND]}
    connections = {bind: engine.connect() for bind, engine in engines.items()}
    transactions = [connection.begin() for connection in connections.values()]
    app.extensions["portal_connections"] = connections
    app.extensions["clinic_directory"].forget()
    configure_jobs(app)  # tests with a portal of their own have taken the queue over
    yield app
    app.extensions["portal_connections"] = {}
    for transaction in transactions:
        transaction.rollback()
    for connection in connections.values():
        connection.close()


@pytest.fixture(scope="session")
def clinics(app: Flask) -> dict[str, ClinicInfo]:
    """The clinics of the template database, by subdomain."""
    with app.app_context():
        return {
            name: app.extensions["clinic_directory"].find(db.engine, Host(HostKind.SUBDOMAIN, name)) for name in CLINICS
        }


@pytest.fixture
def papatya(clinics: dict[str, ClinicInfo]) -> ClinicInfo:
    """The clinic most tests are about."""
    return clinics["papatya"]


@pytest.fixture
def lale(clinics: dict[str, ClinicInfo]) -> ClinicInfo:
    """The other clinic: nothing of it may ever show in papatya."""
    return clinics["lale"]


@pytest.fixture
def visit(portal: Flask) -> Callable[..., Person]:
    """Make a visitor of a host: ``visit("papatya")``, not signed in."""

    def make(host: str = "papatya") -> Person:
        return Person(portal, host)

    return make


@pytest.fixture
def sign_in(portal: Flask) -> Callable[..., Person]:
    """Make somebody signed in: ``sign_in("doctor")``, ``sign_in("owner", "lale")``, ``sign_in("agent", "admin")``."""

    def make(role: str, host: str = "papatya") -> Person:
        return Person(portal, host).sign_in(role)

    return make


@pytest.fixture
def coordinator(sign_in: Callable[..., Person]) -> Person:
    """A coordinator of papatya, signed in."""
    return sign_in("coordinator")


@pytest.fixture
def statements(portal: Flask) -> Iterator[list[str]]:
    """The SQL statements sent while the test runs, savepoints aside."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            sent.append(statement)

    connections = list(portal.extensions["portal_connections"].values())
    for connection in connections:
        sa.event.listen(connection, "before_cursor_execute", note)
    yield sent
    for connection in connections:
        sa.event.remove(connection, "before_cursor_execute", note)
