"""The cookie of a patient who has opened her link: signed, short-lived, and sent to that link's own path only."""

from __future__ import annotations

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from portal.core.settings import settings
from portal.offers.models import PatientOffer

COOKIE = "offer_pass"
LANGUAGE = "offer_language"
SECONDS = 2 * 3600


def give_pass(response: Response, recipient: PatientOffer, path: str) -> None:
    """Let the browser open this link again for a while; another link made for her ends it."""
    _set(response, COOKIE, _signer().dumps(_value(recipient)), path)


def has_pass(recipient: PatientOffer) -> bool:
    """Tell whether the visitor has opened this very link a short while ago."""
    try:
        value = _signer().loads(request.cookies.get(COOKIE, ""), max_age=SECONDS)
    except BadSignature:
        return False
    return bool(value == _value(recipient))


def keep_language(response: Response, language: str, path: str) -> None:
    """Remember the language she chose, for this link."""
    _set(response, LANGUAGE, language, path)


def _set(response: Response, name: str, value: str, path: str) -> None:
    response.set_cookie(
        name, value, max_age=SECONDS, path=path, secure=settings().secure, httponly=True, samesite="Lax"
    )  # fmt: skip


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="a patient's link")


def _value(recipient: PatientOffer) -> list[str]:
    return [str(recipient.id), (recipient.token_hash or b"").hex()]
