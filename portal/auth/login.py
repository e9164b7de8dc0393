"""Flask-Login over our own sessions: the cookie carries a random token, the database decides."""

from __future__ import annotations

from flask import Flask, Response, flash, make_response, redirect, render_template, request, url_for
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import LoginManager
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.wrappers import Response as BaseResponse

from portal.auth.forms import LoginForm
from portal.auth.queries import find_identity
from portal.auth.resume import carried_from_request, local_path, page_before
from portal.core.gate import current_identity_or_none
from portal.core.web import SAFE_METHODS

login_manager = LoginManager()
csrf = CSRFProtect()


class PageSessionInterface(SecureCookieSessionInterface):
    """Flask's signed cookie, host-only. Its age is the idle limit; assets neither renew nor carry it."""

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Tell whether a response carries the cookie: pages do, static files do not."""
        if request.endpoint is None or request.endpoint.endswith("static"):
            return False
        return super().should_set_cookie(app, session)


def configure_login(app: Flask) -> None:
    """Set up cookies, Flask-Login and protection against forged requests."""
    secure = app.extensions["portal_settings"].secure
    app.session_interface = PageSessionInterface()
    app.config.update(
        SESSION_COOKIE_NAME="__Host-clinikoop" if secure else "clinikoop",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_DOMAIN=None,
        PERMANENT_SESSION_LIFETIME=app.extensions["portal_settings"].session_idle,
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session
        WTF_CSRF_SSL_STRICT=secure,
    )
    login_manager.session_protection = None  # addresses change on phones; the database ends sessions
    login_manager.user_loader(find_identity)
    login_manager.unauthorized_handler(_ask_to_log_in)
    login_manager.init_app(app, add_context_processor=False)  # it would ask the database on error pages, too
    csrf.init_app(app)
    app.register_error_handler(CSRFError, _stale_token)


def login_page(form: LoginForm, status: int = 200) -> Response:
    """Render the login page."""
    response = make_response(render_template("auth/login.html", form=form), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def resume_page(path: str, fields: tuple[tuple[str, str], ...], status: int = 200) -> Response:
    """Render the page that takes a carried form back to where it was going."""
    response = make_response(render_template("auth/resume.html", path=path, fields=fields), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _ask_to_log_in() -> ResponseReturnValue:
    """Send a visitor to the login page; a form sent meanwhile is carried along."""
    if request.method in SAFE_METHODS:
        target = request.full_path.rstrip("?")
        return redirect(url_for("auth.login", next=None if target == "/" else target))
    carried = carried_from_request()
    form = LoginForm(formdata=None, next=page_before() or "", resume=carried.dump() if carried else "")
    return login_page(form, 401)


def _stale_token(_error: CSRFError) -> ResponseReturnValue | BaseResponse:
    """Show a form again whose page was open for too long, or that another site forged."""
    if current_identity_or_none() is None:
        if request.endpoint != "auth.start_session":
            return redirect(url_for("auth.login", stale=1))
        kept = {name: request.form.get(name, "") for name in ("email", "resume")}
        flash(_("The page was open for too long. Please log in again."), "info")
        return login_page(LoginForm(formdata=None, next=local_path(request.form.get("next")) or "", **kept), 400)
    carried = carried_from_request()
    if carried is None:
        flash(_("The page was open for too long, so nothing was done. Please try again."), "warning")
        return redirect(page_before() or "/")
    return resume_page(carried.path, carried.fields, 400)
