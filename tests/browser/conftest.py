"""The portal over HTTP with a committed database, and Chromium windows that note everything that goes wrong in them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import Any

import psycopg
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from portal.app import create_app
from portal.core.bootstrap import conninfo, prepare_embedded
from portal.core.database import db
from portal.core.embedded import EmbeddedServer
from portal.core.i18n import LANGUAGE_COOKIE
from tests.browser.seeding import Seeded, seed
from tests.conftest import TEMPLATE
from tests.support.data import settings_for
from tests.support.people import Person

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic",
]  # fmt: skip
TOLD_BY_THE_ANSWER = "Failed to load resource: the server responded with a status"


class QuietHandler(WSGIRequestHandler):
    """A request handler that writes no access log between the tests' dots."""

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@dataclass
class Served:
    """The portal as it is served: its address, the rows put into it, and logins made once for every role."""

    app: Flask
    port: int
    seeded: Seeded
    logins: dict[tuple[str, str], Any] = field(default_factory=dict)

    def url(self, host: str) -> str:
        return f"http://{host}.localhost:{self.port}"

    def sign_in(self, role: str, host: str) -> tuple[Person, Any]:
        """Log somebody in afresh; return the person and the browser state that holds her session."""
        person = Person(self.app, host).sign_in(role)
        cookie = {
            "name": "clinikoop", "value": person.cookie(), "domain": person.host, "path": "/", "expires": -1,
            "httpOnly": True, "secure": False, "sameSite": "Lax",
        }  # fmt: skip
        return person, {"cookies": [cookie], "origins": []}

    def state(self, role: str, host: str) -> Any:
        """Return the browser state of ``role``, who is logged in once a run."""
        if (role, host) not in self.logins:
            self.logins[role, host] = self.sign_in(role, host)[1]
        return self.logins[role, host]


@pytest.fixture(scope="session")
def served(server: EmbeddedServer) -> Iterator[Served]:
    """Serve the portal on a free port over this worker's own copy of the template database."""
    name = f"browser_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with psycopg.connect(conninfo(server.url("postgres", "postgres")), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER clinikoop_owner")
    httpd = make_server("127.0.0.1", 0, Flask("placeholder"), threaded=True, request_handler=QuietHandler)
    app = create_app(replace(settings_for(prepare_embedded(server, name)), port=httpd.server_port))
    httpd.app = app
    seeded = seed(app)
    thread = Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield Served(app, httpd.server_port, seeded)
    httpd.shutdown()
    thread.join()
    httpd.server_close()
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium, one a module: Playwright's event loop must be gone before another test runs one of its own."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.fail(
            "The browser tests need Chromium: run .ci/browser, or `sudo apt-get install chromium`.", pytrace=False
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=SWITCHES)
        yield browser
        browser.close()


class Watch:
    """What went wrong in a test's windows, and what was expected to."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.expected: dict[str, str] = {}
        self.tolerated: dict[str, str] = {}

    def follow(self, context: BrowserContext) -> None:
        context.on("console", self._written)
        context.on("weberror", lambda error: self.problems.append(f"script error: {error.error}"))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def unexpected(self) -> list[str]:
        known = [*self.expected, *self.tolerated]
        return [problem for problem in self.problems if not any(re.search(part, problem) for part in known)]

    def unseen(self) -> list[str]:
        """Return what was expected and never happened: a test that allows too much says too little."""
        return [part for part in self.expected if not any(re.search(part, problem) for problem in self.problems)]

    def _written(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(TOLD_BY_THE_ANSWER):
            self.problems.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        # Leaving a page ends what it was still loading, its script's questions and its icon; that is no fault of it.
        if request.failure != "net::ERR_ABORTED" or request.resource_type == "document":
            self.problems.append(f"{request.failure} {request.method} {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status} {response.request.method} {response.url}")


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fail the test for every console message, script error, refused or failed request that it did not expect."""
    watch = Watch()
    yield watch
    assert watch.unexpected() == []
    assert watch.unseen() == []


@pytest.fixture
def expect_problem(watch: Watch) -> Callable[..., None]:
    """Expect a problem, by a pattern of its text and with the reason: ``expect_problem("^422 ", "a refused form")``.

    ``sometimes`` is for a race that may go either way.
    """

    def allow(pattern: str, reason: str, *, sometimes: bool = False) -> None:
        (watch.tolerated if sometimes else watch.expected)[pattern] = reason

    return allow


@pytest.fixture
def browse(chromium: Browser, served: Served, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Open a window of its own: ``browse("owner")``, ``browse(None)`` for a visitor, ``browse("agent", "admin")``."""
    contexts: list[BrowserContext] = []

    def open_window(role: str | None = "coordinator", host: str = "papatya", **options: Any) -> Page:
        if role:
            options.setdefault("storage_state", served.state(role, host))
        options.setdefault("viewport", {"width": 1440, "height": 900})
        context = chromium.new_context(base_url=served.url(host), reduced_motion="reduce", **options)
        context.add_cookies([{"name": LANGUAGE_COOKIE, "value": "en", "url": served.url(host)}])
        context.set_default_timeout(15_000)
        watch.follow(context)
        contexts.append(context)
        return context.new_page()

    yield open_window
    for context in contexts:
        context.close()
