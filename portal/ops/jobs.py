"""Jobs of the operators. They need the owner's rights, so only a worker that has them takes the queue "ops"."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Flask

from portal.core.database import OWNER_BIND, db
from portal.core.jobs import DEFAULT_QUEUE, portal_app, queue
from portal.core.work import platform_work
from portal.ops.queries import find_person
from portal.ops.schema.backup import current_vault
from portal.ops.schema.place import Place, current_place
from portal.ops.schema.rehearse import rehearse
from portal.ops.schema.sizes import record_sizes
from portal.ops.schema.verify import verify
from portal.ops.services import OPS_QUEUE, Work

REASON = "asked for on the admin host"


def queues_of(app: Flask) -> list[str]:
    """Return the queues a worker of ``app`` takes: the operators' only where the owner's database is configured."""
    with app.app_context():
        return [DEFAULT_QUEUE, OPS_QUEUE] if OWNER_BIND in db.engines else [DEFAULT_QUEUE]


@queue.task(name=Work.BACKUP.value, queue=OPS_QUEUE, queueing_lock=Work.BACKUP.value, pass_context=False)
def backup_now(asked_by: str | None) -> None:
    """Back the database up."""
    _work(asked_by, lambda place, by: current_vault(place).make(reason=REASON, by=by))


@queue.task(name=Work.REHEARSAL.value, queue=OPS_QUEUE, queueing_lock=Work.REHEARSAL.value, pass_context=False)
def rehearse_now(asked_by: str | None) -> None:
    """Rehearse the pending migrations on a copy."""
    _work(asked_by, lambda place, by: rehearse(place, current_vault(place), by=by))


@queue.task(name=Work.VERIFICATION.value, queue=OPS_QUEUE, queueing_lock=Work.VERIFICATION.value, pass_context=False)
def verify_now(asked_by: str | None) -> None:
    """Check the data."""
    _work(asked_by, lambda place, by: verify(place, by=by))


@queue.periodic(cron="51 3 * * *")
@queue.task(name="ops.prune", queue=OPS_QUEUE, queueing_lock="ops.prune", pass_context=False)
def prune(timestamp: int) -> None:
    """Delete the backups that the rule lets go, every night."""
    with portal_app().app_context():
        current_vault(current_place()).prune()


@queue.periodic(cron="41 3 * * *")
@queue.task(name="ops.sizes", queue=OPS_QUEUE, queueing_lock="ops.sizes", pass_context=False)
def sizes(timestamp: int) -> None:
    """Note how large the tables are, every night."""
    with portal_app().app_context(), current_place().engine.connect() as connection:
        record_sizes(connection)
        connection.commit()


def _work(asked_by: str | None, work: Callable[[Place, str | None], object]) -> None:
    """Do ``work`` as the owner, and say who asked for it; the job itself carries an id only."""
    app, name = portal_app(), None
    if asked_by is not None:
        with platform_work(app, "who asked for this"):
            name = find_person(UUID(asked_by))
    with app.app_context():
        work(current_place(), name)
