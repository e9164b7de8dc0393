"""What the operators start from a page. It is queued here; a worker that has the owner's rights does it."""

from __future__ import annotations

from enum import StrEnum

from portal.core import audit
from portal.core.audit import Actor, Audited
from portal.core.database import current_session
from portal.core.jobs import enqueue
from portal.ops.queries import history_read, is_at_work

OPS_QUEUE = "ops"


class Work(StrEnum):
    """A piece of work, by the name of its task."""

    BACKUP = "ops.backup"
    REHEARSAL = "ops.rehearse"
    VERIFICATION = "ops.verify"


class OpsJob(Audited):
    """What the platform's log calls a piece of work that somebody asked for."""

    __tablename__ = "ops_jobs"


@history_read()
def start_work(actor: Actor, work: Work) -> bool:
    """Queue ``work``; return False, changing nothing, where it is queued or being done already.

    Raises HistoryMissingError where the database has no queue to put it in.
    """
    attempt = current_session().begin_nested()
    # Queued first and looked around after: a job that left the queue in between is then seen at work.
    if not enqueue(work.value, asked_by=str(actor.id) if actor.id else None) or is_at_work(work):
        attempt.rollback()
        return False
    attempt.commit()
    audit.record(actor, f"{work}.asked", OpsJob, changes={})
    return True
