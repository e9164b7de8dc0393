"""What every request passes before its view: host, scope, login, permission. Closed by default."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.core.access import PUBLIC, SIGNED_IN, Access, Permission, Site
from portal.core.clinics import ClinicDirectory, ClinicInfo
from portal.core.database import current_session, engine_for
from portal.core.errors import ClinicClosed
from portal.core.hosts import HostKind, parse_host
from portal.core.identity import Identity
from portal.core.scope import ClinicScope, PlatformScope, Scope
from portal.core.settings import settings

STATIC = Access(PUBLIC, Site.ANY)
_NOBODY = UUID(int=0)  # finding a clinic needs the application role, not yet a clinic


class UndeclaredAccessError(RuntimeError):
    """An endpoint does not say whom it lets in."""


def configure_gate(app: Flask) -> None:
    """Put the gate before every request of ``app``."""
    app.extensions["clinic_directory"] = ClinicDirectory()
    app.before_request(_resolve_host)
    app.before_request(_check_access)
    app.before_request(_allow_files)


def check_declarations(app: Flask) -> None:
    """Raise UndeclaredAccessError unless every endpoint declares its access. Run at start."""
    open_ends = sorted(rule.endpoint for rule in app.url_map.iter_rules() if _declared(app, rule.endpoint) is None)
    if open_ends:
        raise UndeclaredAccessError(f"Endpoints without @access(...): {', '.join(open_ends)}")


def current_identity_or_none() -> Identity | None:
    """Return who is signed in, or None; asks the database at most once a request."""
    user = current_user._get_current_object()  # the person, not the proxy: logging out must not change who acted
    return cast(Identity | None, user if user.is_authenticated else None)


def declared_access(app: Flask, endpoint: str) -> Access:
    """Return what ``endpoint`` declares; raises UndeclaredAccessError where it declares nothing."""
    declared = _declared(app, endpoint)
    if declared is None:
        raise UndeclaredAccessError(endpoint)
    return declared


def _declared(app: Flask, endpoint: str) -> Access | None:
    if endpoint == "static" or endpoint.endswith(".static"):
        return STATIC
    return cast("Access | None", getattr(app.view_functions[endpoint], "__access__", None))


def _resolve_host() -> None:
    g.clinic, g.site = None, None
    if request.endpoint and declared_access(current_app, request.endpoint).site is Site.ANY:
        return
    host = parse_host(request.headers.get("Host"), settings().base_domain)
    scope: Scope
    if host.kind is HostKind.PLATFORM:
        g.site, scope = Site.PLATFORM, PlatformScope("admin host")
    else:
        directory: ClinicDirectory = current_app.extensions["clinic_directory"]
        clinic = directory.find(engine_for(ClinicScope(_NOBODY)), host)
        if clinic is None:
            abort(404)
        g.clinic, g.site, scope = clinic, Site.CLINIC, ClinicScope(clinic.id)
    current_session().pin(scope)


def _check_access() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # Flask answers 404 or 405 itself
    declared = declared_access(current_app, request.endpoint)
    if declared.site is Site.ANY:
        return None
    if declared.site not in (Site.BOTH, g.site):
        abort(404)
    if g.clinic and not cast(ClinicInfo, g.clinic).status.is_open:
        raise ClinicClosed
    identity = g.identity = current_identity_or_none()
    if declared.rule is PUBLIC:
        return None
    if identity is None:
        return cast(ResponseReturnValue, current_app.login_manager.unauthorized())  # type: ignore[attr-defined]
    return _check_person(identity, declared)


def _check_person(identity: Identity, declared: Access) -> ResponseReturnValue | None:
    """Refuse whoever lacks the permission, and lead whoever has a duty to it first."""
    if declared.rule is not SIGNED_IN and cast(Permission, declared.rule) not in identity.permissions:
        abort(403)
    if identity.duty is not None and not declared.during_duty:
        return redirect(url_for(identity.duty), 303)
    return None


def _allow_files() -> None:
    """Let whoever came this far send as much as the endpoint takes."""
    if request.endpoint is not None:
        declared = declared_access(current_app, request.endpoint)
        if declared.max_bytes is not None:
            request.max_content_length = declared.max_bytes
