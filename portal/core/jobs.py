"""Background jobs: procrastinate over the same PostgreSQL, in its own schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import procrastinate
import structlog
from flask import Flask

from portal.core.audit import Actor, ActorKind
from portal.core.bootstrap import conninfo
from portal.core.clinics import open_clinic_ids
from portal.core.work import clinic_work, platform_work

log = structlog.get_logger("portal.jobs")
queue = procrastinate.App(connector=procrastinate.PsycopgConnector())
SYSTEM = Actor(ActorKind.SYSTEM, "Clinikoop")
_portal: list[Flask] = []


def configure_jobs(app: Flask) -> None:
    """Remember the portal that jobs of this process work for."""
    _portal[:] = [app]


def portal_app() -> Flask:
    """Return the portal that this process's jobs work for."""
    return _portal[0]


def run_worker(app: Flask, *, wait: bool = True) -> None:
    """Run jobs until the process is told to stop, a job in hand finished first; without ``wait``, until none is due."""
    with queue.replace_connector(connector(app)) as working:
        working.run_worker(concurrency=2, wait=wait)


def connector(app: Flask) -> procrastinate.PsycopgConnector:
    """Return procrastinate's way to the job tables of ``app``'s database."""
    return procrastinate.PsycopgConnector(
        conninfo=conninfo(app.config["SQLALCHEMY_DATABASE_URI"]), kwargs={"options": "-c search_path=jobs"}
    )


def for_each_clinic(reason: str, work: Callable[[], Any]) -> None:
    """Do ``work`` once in every open clinic's scope; a clinic where it fails does not stop the others."""
    app = portal_app()
    with platform_work(app, reason):
        clinics = open_clinic_ids()
    for clinic_id in clinics:
        try:
            with clinic_work(app, clinic_id):
                work()
        except Exception:  # logged, and the next run tries again
            log.exception("job.failed", reason=reason, clinic_id=str(clinic_id))
