"""Structured logs: one line a request, with its id and clinic, and never a person's data."""

from __future__ import annotations

import logging
import re
import sys
import time
from typing import Literal
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("portal.request")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,40}")


def configure_logs(app: Flask, style: Literal["json", "console"]) -> None:
    """Set up structlog for the process and log every request of ``app``."""
    # The default traceback of the console prints local variables, and with them patients' data.
    console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderer = structlog.processors.JSONRenderer() if style == "json" else console
    chain: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if style == "json":
        chain.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*chain, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if request.endpoint and request.endpoint.endswith("static"):
        return response
    clinic = g.get("clinic")
    log.info(
        "request",
        method=request.method,
        endpoint=request.endpoint,  # the path may carry a token; the endpoint does not
        status=response.status_code,
        ms=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
        clinic=clinic.subdomain if clinic else None,
    )
    return response
