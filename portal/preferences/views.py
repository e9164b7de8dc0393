"""Picking a language and a theme."""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, redirect, request
from flask.typing import ResponseReturnValue

from portal.auth import services
from portal.auth.resume import local_path
from portal.core.access import PUBLIC, Site, access
from portal.core.i18n import LANGUAGE_COOKIE, LANGUAGES
from portal.core.identity import request_actor
from portal.core.settings import settings
from portal.core.templating import THEME_COOKIE, THEMES

blueprint = Blueprint("preferences", __name__, url_prefix="/preferences")
_YEAR = 365 * 24 * 3600


@blueprint.post("/language")
@access(PUBLIC, Site.BOTH)
def language() -> ResponseReturnValue:
    """Remember a language, in the browser and on the account."""
    choice = _choice("language", LANGUAGES)
    if g.identity:
        services.set_language(request_actor(), language=choice)
    return _back(LANGUAGE_COOKIE, choice)


@blueprint.post("/theme")
@access(PUBLIC, Site.BOTH)
def theme() -> ResponseReturnValue:
    """Remember a theme in the browser."""
    return _back(THEME_COOKIE, _choice("theme", THEMES))


def _choice(field: str, allowed: tuple[str, ...]) -> str:
    value = request.form.get(field, "")
    if value not in allowed:
        abort(400)
    return value


def _back(cookie: str, value: str) -> Response:
    response = redirect(local_path(request.form.get("next")) or "/")
    response.set_cookie(cookie, value, max_age=_YEAR, samesite="Lax", secure=settings().secure, httponly=True)
    assert isinstance(response, Response)
    return response
