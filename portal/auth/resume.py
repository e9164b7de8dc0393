"""A form sent after the session had ended, carried over the login so that nothing typed is lost.

It is never saved unseen: after the login it is sent to its own page marked as resumed, which shows
it filled in. So only forms that have such a page are carried: a single button, such as archiving,
would act at once, and another site could have pressed it. Passwords are not carried.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from portal.core.forms import RESUMED
from portal.core.gate import declared_access

_NOT_CARRIED = frozenset({"csrf_token", RESUMED, "resume", "next"})
LIMIT = 200_000


@dataclass(frozen=True)
class CarriedForm:
    """Where a form was going, and its fields in order."""

    path: str
    fields: tuple[tuple[str, str], ...]

    def dump(self) -> str:
        """Return the form as text for a hidden field; empty where it is too large to carry."""
        text = json.dumps({"path": self.path, "fields": self.fields}, ensure_ascii=False)
        return text if len(text) <= LIMIT else ""


def carried_from_request() -> CarriedForm | None:
    """Return the form of the present request; None where no page would show it again."""
    path = request.full_path.rstrip("?")
    if not _is_resumable(path):
        return None
    fields = tuple(
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in _NOT_CARRIED and "password" not in name
    )
    return CarriedForm(path, fields)


def page_before() -> str | None:
    """Return the path of this site's page that the present request came from, where the browser tells."""
    origin = urlsplit(request.referrer or "")
    return local_path(origin.path) if origin.netloc == request.host else None


def load_carried(text: str | None) -> CarriedForm | None:
    """Read a dumped form again; None where the text is empty or was tampered with."""
    if not text or len(text) > LIMIT:
        return None
    try:
        raw = json.loads(text)
        carried = CarriedForm(str(raw["path"]), tuple((str(name), str(value)) for name, value in raw["fields"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return carried if local_path(carried.path) and _is_resumable(carried.path) else None


def local_path(target: str | None) -> str | None:
    """Return ``target`` where it is a path of this very site, else None (no open redirect)."""
    if not target or len(target) > 2000 or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return None
    if any(ord(character) < 32 or character == "\\" for character in target):
        return None
    return target


def _is_resumable(path: str) -> bool:
    try:
        adapter = current_app.create_url_adapter(request)
        assert adapter is not None
        rule, _values = adapter.match(urlsplit(path).path, method="POST", return_rule=True)
    except (HTTPException, RequestRedirect, ValueError):
        return False
    return "GET" in (rule.methods or ()) or declared_access(current_app, rule.endpoint).resumable
