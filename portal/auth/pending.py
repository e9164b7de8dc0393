"""Between the two steps of a login: a signed cookie says who gave her password, for ten minutes."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from flask import Response, g, make_response, render_template, session

from portal.auth.forms import CodeForm, LoginForm
from portal.auth.queries import get_account
from portal.core.clock import now
from portal.core.errors import NotFoundError

_KEY = "second_step"
_SECONDS = 600


def ask_for_code(person: Any, form: LoginForm) -> Response:
    """Note in a fresh cookie who gave her password, and ask for the second step."""
    session.clear()
    g.pop("csrf_token", None)
    session.permanent = True
    session[_KEY] = {"id": str(person.id), "at": int(now().timestamp()), "password": _print_of(person)}
    return code_page(CodeForm(formdata=None, next=form.next.data or "", resume=form.resume.data or ""))


def noted_id() -> UUID | None:
    """Return the id in the cookie, unchecked; it asks no database."""
    noted = session.get(_KEY)
    if not isinstance(noted, dict) or noted["at"] + _SECONDS < now().timestamp():
        return None
    return UUID(noted["id"])


def find_pending() -> Any | None:
    """Return whose second step is awaited; None after a while, or where the password has changed meanwhile.

    The cookie is one host's, and an account is looked for in the scope of this host only.
    """
    user_id = noted_id()
    if user_id is None:
        return None
    try:
        person = get_account(user_id)
    except NotFoundError:
        return None
    noted = session[_KEY]
    waits = person.is_active and person.totp_confirmed_at is not None and noted["password"] == _print_of(person)
    return person if waits else None


def code_page(form: CodeForm, status: int = 200) -> Response:
    """Render the page of the second step."""
    response = make_response(render_template("auth/code.html", form=form), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _print_of(person: Any) -> str:
    return hashlib.sha256((person.password_hash or "").encode()).hexdigest()[:16]
