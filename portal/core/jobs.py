"""Background jobs: procrastinate over the same PostgreSQL, in its own schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import procrastinate
import structlog
from flask import Flask
from procrastinate.exceptions import AlreadyEnqueued

from portal.core.audit import Actor, ActorKind
from portal.core.bootstrap import conninfo
from portal.core.clinics import open_clinic_ids
from portal.core.database import current_session
from portal.core.work import clinic_work, platform_work

log = structlog.get_logger("portal.jobs")
queue = procrastinate.App(connector=procrastinate.PsycopgConnector())
DEFAULT_QUEUE = "default"
SYSTEM = Actor(ActorKind.SYSTEM, "Clinikoop")
_portal: list[Flask] = []


def configure_jobs(app: Flask) -> None:
    """Remember the portal that jobs of this process work for."""
    _portal[:] = [app]


def portal_app() -> Flask:
    """Return the portal that this process's jobs work for."""
    return _portal[0]


def run_worker(app: Flask, *, queues: Sequence[str] = (DEFAULT_QUEUE,), wait: bool = True) -> None:
    """Run jobs of ``queues`` until the process is told to stop, a job in hand finished first.

    Without ``wait``, until none is due.
    """
    with queue.replace_connector(connector(app)) as working:
        working.run_worker(queues=list(queues), concurrency=2, wait=wait)


def enqueue(name: str, **arguments: Any) -> bool:
    """Queue the task ``name`` in the session's own transaction: it is there once that commits.

    Return False where a job with the same queueing lock waits already.
    """
    session = current_session()
    try:
        with session.begin_nested():
            connection = session.connection()
            before = connection.exec_driver_sql("SELECT current_setting('search_path')").scalar_one()
            connection.exec_driver_sql("SET LOCAL search_path = jobs, public")
            job = queue.configure_task(
                name, allow_unknown=False, connection=connection.connection.driver_connection
            )  # fmt: skip
            job.defer(**arguments)
            connection.exec_driver_sql("SELECT set_config('search_path', %s, true)", (before,))
    except AlreadyEnqueued:
        return False
    return True


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
