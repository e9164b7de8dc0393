"""A form sent after the session had ended, carried over the login so that nothing typed is lost.

It is never saved unseen: after the login it is sent to its own page marked as resumed, which shows
it filled in. Passwords are not carried.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import request

from portal.core.forms import RESUMED

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


def carried_from_request() -> CarriedForm:
    """Return the form of the present request."""
    fields = tuple(
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in _NOT_CARRIED and "password" not in name
    )
    return CarriedForm(request.full_path.rstrip("?"), fields)


def load_carried(text: str | None) -> CarriedForm | None:
    """Read a dumped form again; None where the text is empty or was tampered with."""
    if not text or len(text) > LIMIT:
        return None
    try:
        raw = json.loads(text)
        carried = CarriedForm(str(raw["path"]), tuple((str(name), str(value)) for name, value in raw["fields"]))
    except (ValueError, KeyError, TypeError):
        return None
    return carried if local_path(carried.path) else None


def local_path(target: str | None) -> str | None:
    """Return ``target`` where it is a path of this very site, else None (no open redirect)."""
    if not target or len(target) > 2000 or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return None
    if any(ord(character) < 32 or character == "\\" for character in target):
        return None
    return target
