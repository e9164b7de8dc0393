"""Visitors and signed-in people, as tests use them: a browser's worth of client for one host."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

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

    def sign_in(self, role: str, password: str = PASSWORD) -> Person:
        """Log in as the holder of ``role`` at this host."""
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
        if self.token is None:
            page = self.get("/account")
            page = self.get("/login") if page.status_code != 200 else page
            self.token = _TOKEN.search(page.text).group(1)  # type: ignore[union-attr]
        return self.token


def hidden_fields(page: str) -> dict[str, str]:
    """Return names and values of a page's hidden fields; of several with one name, the last."""
    found = {}
    for tag in _HIDDEN.findall(page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            found[name.group(1)] = value.group(1) if value else ""
    return found
