"""What can go wrong, and the page for it: clear, in the reader's language, with nothing lost."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
import sqlalchemy.exc
import structlog
from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import HTTPException

from portal.core.database import current_session, db
from portal.core.sealing import SealError

log = structlog.get_logger("portal.errors")


class NotFoundError(Exception):
    """No such row in this clinic; another clinic's row looks the same."""


class ClinicClosed(Exception):  # noqa: N818 - a state, not a fault
    """The clinic's portal is suspended or closed."""


class RuleError(Exception):
    """A rule of the product refuses this; ``message`` says why in the reader's language."""

    def __init__(self, message: str | LazyString) -> None:
        super().__init__(str(message))
        self.message = str(message)


class StaleVersionError(Exception):
    """Somebody else saved this row after the form was opened."""


PAGES: Mapping[int, tuple[LazyString, LazyString]] = {
    400: (_l("This request cannot be understood"), _l("Go back and try again. Nothing was changed.")),
    403: (
        _l("You may not do this"),
        _l("Your role does not include this page. Ask a manager of your clinic if you need it."),
    ),
    404: (_l("There is nothing here"), _l("The address may be mistyped, or what was here has been removed.")),
    405: (_l("This cannot be done here"), _l("Go back and use the page's own buttons.")),
    409: (
        _l("Somebody else was faster"),
        _l("This was changed while you had it open. Open it again to see how it stands now."),
    ),
    413: (_l("That is too large"), _l("Send less at a time. Nothing was changed.")),
    429: (_l("Too many attempts"), _l("Wait a few minutes, then try again.")),
    500: (
        _l("Something went wrong on our side"),
        _l("Nothing was saved. Try again; if it happens once more, tell us the number below."),
    ),
    503: (
        _l("We will be back in a moment"),
        _l("The database does not answer right now. Nothing was lost; try again in a few seconds."),
    ),
}
CLOSED_PAGE = (
    _l("This clinic's portal is closed"),
    _l("Its data is kept. Ask the clinic's owner to get in touch with Clinikoop."),
)
SEALED_PAGE = (
    _l("This cannot be opened right now"),
    _l("It is sealed with a key that this server does not have. Nothing was lost or changed; please tell Clinikoop."),
)
# The database is there, but busy: asking again at once would only add to it.
_BUSY = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
_OUTAGES = (sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError, sqlalchemy.exc.TimeoutError)


def configure_errors(app: Flask) -> None:
    """Register the error pages."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(NotFoundError, lambda _error: error_page(404))
    app.register_error_handler(StaleVersionError, lambda _error: error_page(409))
    app.register_error_handler(SealError, _sealed)
    app.register_error_handler(ClinicClosed, lambda _error: error_page(403, page=CLOSED_PAGE))
    for outage in _OUTAGES:
        app.register_error_handler(outage, _outage)
    app.register_error_handler(Exception, _crash)


def error_page(code: int, *, page: tuple[LazyString, LazyString] | None = None) -> Response:
    """Render the page for ``code``; whatever the request had written is rolled back first."""
    _roll_back()
    title, text = page or PAGES.get(code, PAGES[500 if code >= 500 else 400])
    html = render_template(
        "errors/error.html",
        code=code, title=title, text=text, home_url="/", show_request_id=code >= 500,
    )  # fmt: skip
    response = make_response(html, code)
    response.headers["Cache-Control"] = "no-store"
    if code == 503:
        response.headers["Retry-After"] = "5"
    return response


def _roll_back() -> None:
    try:
        current_session().rollback()
    except sqlalchemy.exc.SQLAlchemyError:  # the connection is gone, and with it the transaction
        current_session().invalidate()


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error
    response = error_page(error.code or 500)
    if error.code == 405 and getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
    return response


def _outage(error: Exception) -> ResponseReturnValue:
    """Answer 503; a GET is tried once more first, since nothing it does can happen twice."""
    log.error("database.unavailable", error=str(getattr(error, "orig", error)).strip(), endpoint=request.endpoint)
    if request.method in ("GET", "HEAD") and not g.get("retried") and not isinstance(_cause(error), _BUSY):
        g.retried = True
        _start_over()
        try:
            answer = current_app.preprocess_request()
            return current_app.dispatch_request() if answer is None else answer
        except _OUTAGES:
            pass
        except Exception as other:  # no such row, a closed clinic, a fault: each has its own page
            return current_app.handle_user_exception(other)
    return error_page(503)


def _cause(error: Exception) -> object:
    return getattr(error, "orig", None)


def _start_over() -> None:
    """Drop the session and what it brought: the host and the login are looked up again."""
    _roll_back()
    db.session.remove()
    g.pop("_login_user", None)


def _sealed(error: SealError) -> ResponseReturnValue:
    log.error("seal.failed", error=str(error), endpoint=request.endpoint)
    return error_page(503, page=SEALED_PAGE)


def _crash(error: Exception) -> ResponseReturnValue:
    log.exception("request.failed", endpoint=request.endpoint, error_class=type(error).__name__)
    if current_app.config["TESTING"] and current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise error
    return error_page(500)
