"""Units of work outside a request: what commands and jobs open, one scope and one commit each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from flask import Flask

from portal.core.database import PortalSession, current_session
from portal.core.scope import ClinicScope, PlatformScope, Scope

log = structlog.get_logger("portal.work")


@contextmanager
def clinic_work(app: Flask, clinic_id: UUID) -> Iterator[PortalSession]:
    """Work inside one clinic, in an application context of its own: commits at the end, rolls back on an error."""
    with _work(app, ClinicScope(clinic_id)) as session:
        yield session


@contextmanager
def platform_work(app: Flask, reason: str) -> Iterator[PortalSession]:
    """Work as the platform's role, which cannot read patients; ``reason`` goes into the log.

    Commits at the end, rolls back on an error.
    """
    log.info("platform.work", reason=reason)
    with _work(app, PlatformScope(reason)) as session:
        yield session


@contextmanager
def _work(app: Flask, scope: Scope) -> Iterator[PortalSession]:
    with app.app_context():
        session = current_session()
        session.pin(scope)
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
