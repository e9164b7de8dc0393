"""Visitors and signed-in people, as tests use them: a browser's worth of client for one host."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from flask import Flask
from flask.sessions import SessionMixin
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from portal.auth.queries import current_realm, find_account, token_hash
from portal.core.clock import now
from portal.core.database import db
from portal.core.hosts import Host, HostKind
from portal.core.work import clinic_work, platform_work
from tests.support.data import PASSWORD

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')


class _Answer:
    """An answer whose text can be looked at whatever it is, a PDF or a picture too."""

    @property
    def text(self) -> str:
        return self.get_data().decode(errors="replace")  # type: ignore[attr-defined]


class Person:
    """Somebody at one host, with cookies of their own and the pages' tokens at hand."""

    def __init__(self, app: Flask, host: str) -> None:
        self.app = app
        self.host = host if "." in host else f"{host}.localhost"
        self.client = app.test_client()
        self.client.response_wrapper = type("Answer", (_Answer, self.client.response_wrapper), {})
        if host == "admin":  # an address of its own: both hosts count logins, in transactions that stay open here
            self.client.environ_base["REMOTE_ADDR"] = "127.0.0.9"
        self.token: str | None = None

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, base_url=f"http://{self.host}", **options)

    def post(self, path: str, data: Any = None, *, token: bool = True, **options: Any) -> TestResponse:
        """Send a form with the page's token."""
        fields: Any = data if data is not None else {}
        if token:
            fields = {**fields, "csrf_token": self._token()} if isinstance(fields, dict) else fields
        return self.client.post(path, data=fields, base_url=f"http://{self.host}", **options)

    def sign_in(self, role: str) -> Person:
        """Become the holder of ``role`` at this host, by a session as a login makes it; the form costs a hash."""
        name = self.host.partition(".")[0]
        token, lifetime = secrets.token_urlsafe(32), self.app.extensions["portal_settings"].session_lifetime
        with self._work(name):
            person, login = find_account(f"{role}@{name}.example.com"), current_realm().login
            db.session.add(
                login(
                    user_id=person.id, token_hash=token_hash(token), expires_at=now() + lifetime,  # type: ignore[union-attr]
                    ip="127.0.0.1", user_agent="tests",
                )
            )  # fmt: skip
        with self._cookies() as cookies:
            cookies.clear()
            cookies.update(_user_id=token, _fresh=True)
        self.token = None
        return self

    def log_in(self, role: str, password: str = PASSWORD) -> Person:
        """Log in by the form, as the holder of ``role`` at this host."""
        name = self.host.partition(".")[0]
        answer = self.post("/login", {"email": f"{role}@{name}.example.com", "password": password})
        assert answer.status_code == 302, answer.text
        self.token = None
        return self

    def sign_out(self) -> TestResponse:
        """Log out."""
        answer = self.post("/logout")
        self.token = None
        return answer

    def cookie(self) -> str:
        """Return the session cookie's value."""
        cookie = self.client.get_cookie("clinikoop", domain=self.host)
        assert cookie is not None
        return cookie.value

    def _token(self) -> str:
        """Return the token of this browser's pages, as Flask-WTF signs it."""
        if self.token is None:
            with self._cookies() as cookies:
                raw = cookies.setdefault("csrf_token", secrets.token_hex(20))
            self.token = str(URLSafeTimedSerializer(self.app.secret_key, salt="wtf-csrf-token").dumps(raw))  # type: ignore[arg-type]
        return self.token

    @contextmanager
    def _cookies(self) -> Iterator[SessionMixin]:
        with self.client.session_transaction("/", base_url=f"http://{self.host}") as cookies:
            cookies.permanent = True
            yield cookies

    def _work(self, name: str) -> AbstractContextManager[Any]:
        if name == "admin":
            return platform_work(self.app, "tests")
        with self.app.app_context():
            clinic = self.app.extensions["clinic_directory"].find(db.engine, Host(HostKind.SUBDOMAIN, name))
        return clinic_work(self.app, clinic.id)


def hidden_fields(page: str) -> dict[str, str]:
    """Return names and values of a page's hidden fields; of several with one name, the last."""
    found = {}
    for tag in _HIDDEN.findall(page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            found[name.group(1)] = value.group(1) if value else ""
    return found
