"""The database goes away and comes back; the portal answers clearly and recovers unaided."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from portal.app import create_app
from portal.core.bootstrap import prepare_embedded
from portal.core.database import db
from portal.core.embedded import EmbeddedServer
from tests.support.data import build_template, settings_for
from tests.support.people import Person

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def outage_server() -> Iterator[EmbeddedServer]:
    home = Path(tempfile.mkdtemp(prefix="clinikoop-outage-"))
    home.chmod(0o755)
    server = EmbeddedServer(home / "postgres", {"fsync": "off"})
    server.start()
    build_template(prepare_embedded(server, "outage"))
    yield server
    server.destroy()
    shutil.rmtree(home)


@pytest.fixture
def live(outage_server: EmbeddedServer) -> Iterator[Flask]:
    if not outage_server.running():
        outage_server.start()
    app = create_app(settings_for(prepare_embedded(outage_server, "outage")))
    yield app
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def test_a_page_during_an_outage_is_a_503_with_a_retry_and_the_request_id(
    live: Flask, outage_server: EmbeddedServer
) -> None:
    person = Person(live, "papatya").sign_in("coordinator")
    assert person.get("/patients/").status_code == 200
    outage_server.stop("immediate")
    page = person.get("/patients/", headers={"X-Request-Id": "outage-request-1"})
    assert page.status_code == 503
    assert page.headers["Retry-After"] == "5"
    assert "outage-request-1" in page.text
    assert "Ayşe" not in page.text


def test_the_portal_recovers_without_a_restart_and_the_person_is_still_signed_in(
    live: Flask, outage_server: EmbeddedServer
) -> None:
    person = Person(live, "papatya").sign_in("coordinator")
    outage_server.stop("immediate")
    assert person.get("/patients/").status_code == 503
    outage_server.start()
    page = person.get("/patients/")
    assert page.status_code == 200
    assert "Ayşe" in page.text


def test_a_restart_between_two_pages_is_not_even_noticed(live: Flask, outage_server: EmbeddedServer) -> None:
    person = Person(live, "papatya").sign_in("coordinator")
    assert person.get("/patients/").status_code == 200
    outage_server.stop()
    outage_server.start()
    assert person.get("/patients/").status_code == 200


def test_a_form_sent_during_an_outage_saves_nothing_and_says_so(live: Flask, outage_server: EmbeddedServer) -> None:
    person = Person(live, "papatya").sign_in("coordinator")
    person.get("/patients/new")
    token = person._token()
    outage_server.stop("immediate")
    answer = person.post("/patients/new", {"first_name": "Yarım", "last_name": "Kalan", "csrf_token": token})
    assert answer.status_code == 503
    outage_server.start()
    assert "Yarım" not in person.get("/patients/?q=yarim").text


def test_health_says_alive_and_readiness_says_not_ready(live: Flask, outage_server: EmbeddedServer) -> None:
    visitor = Person(live, "papatya")
    assert visitor.get("/readyz").status_code == 200
    outage_server.stop("immediate")
    assert visitor.get("/healthz").status_code == 200
    assert visitor.get("/readyz").status_code == 503
    assert Person(live, "10.0.0.7:8000").get("/healthz").status_code == 200


def test_a_statement_cut_off_in_the_middle_of_a_get_is_tried_once_more(
    live: Flask, outage_server: EmbeddedServer
) -> None:
    person = Person(live, "papatya").sign_in("coordinator")
    cut: list[int] = []

    def cut_off(connection: sa.Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM patients" in statement and not cut:
            cut.append(1)
            with outage_connection(outage_server) as killer:
                pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
                killer.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    with live.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", cut_off)
    page = person.get("/patients/")
    assert cut == [1]
    assert page.status_code == 200
    assert "Ayşe" in page.text


def outage_connection(server: EmbeddedServer) -> sa.Connection:
    engine = sa.create_engine(server.url("outage", "postgres"), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    return engine.connect()


def test_a_statement_that_took_too_long_is_not_asked_again(live: Flask) -> None:
    person = Person(live, "papatya").sign_in("coordinator")
    asked: list[str] = []

    def stall(_connection: object, cursor: psycopg.Cursor, statement: str, parameters: object, *_rest: object) -> Any:
        if "FROM patients" not in statement:
            return statement, parameters
        asked.append(statement)
        cursor.execute("SET LOCAL statement_timeout = 20")
        return "SELECT pg_sleep(2)", {}

    with live.app_context():
        sa.event.listen(db.engine, "before_cursor_execute", stall, retval=True)
    assert person.get("/patients/").status_code == 503
    assert len(asked) == 1
