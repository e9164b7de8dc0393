"""What the platform's operators ask of the system: does it answer, where do the migrations stand, what was done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import psycopg.errors
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import distinct_on

from portal.auth.models import PlatformUser
from portal.core.clock import now
from portal.core.database import PLATFORM_BIND, current_session, db
from portal.core.errors import NotFoundError
from portal.core.pagination import Order, Page, keyset_page
from portal.ops.schema.scripts import Revision
from portal.ops.schema.state import State, read_state
from portal.ops.schema.tables import (
    Backup,
    MigrationStep,
    OpsBase,
    Plan,
    Rehearsal,
    TableSize,
    Verification,
    WorkStatus,
    has_tables,
)

log = structlog.get_logger("portal.ops")
Row = TypeVar("Row", bound=OpsBase)
ALIVE = timedelta(seconds=60)  # a worker at work says so every ten
BELIEVED = timedelta(hours=6)  # how long something is taken to run that says nothing any more
SIZE_DAYS = 90
_MISSING = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.InvalidSchemaName,
)
_LIVING = "w.last_heartbeat > now() - make_interval(secs => :alive)"
_JOBS = sa.text(f"""
    SELECT j.task_name, j.status::text AS status, coalesce(max(e.at), now()) AS since,
           coalesce({_LIVING}, false) AS alive
      FROM jobs.procrastinate_jobs AS j
      LEFT JOIN jobs.procrastinate_workers AS w ON w.id = j.worker_id
      LEFT JOIN jobs.procrastinate_events AS e ON e.job_id = j.id
     WHERE j.status IN ('todo', 'doing') AND j.task_name IN :names
     GROUP BY j.id, w.last_heartbeat ORDER BY j.id
""").bindparams(sa.bindparam("names", expanding=True), alive=ALIVE.total_seconds())  # fmt: skip
_WORKERS = sa.text(f"SELECT EXISTS (SELECT FROM jobs.procrastinate_workers AS w WHERE {_LIVING})").bindparams(
    alive=ALIVE.total_seconds()
)


class HistoryMissingError(Exception):
    """The database has no schema ``ops``, or one of an older release: the next upgrade makes it."""


@dataclass(frozen=True)
class Job:
    """A job of the operators that waits or is being done."""

    name: str
    is_waiting: bool
    since: datetime


@contextmanager
def history_read() -> Iterator[None]:
    """Turn what PostgreSQL says of a missing table, column or function into HistoryMissingError."""
    try:
        yield
    except sa.exc.ProgrammingError as error:
        if not isinstance(error.orig, _MISSING):
            raise
        log.warning("ops.history_missing", error=type(error.orig).__name__)
        raise HistoryMissingError from error


def database_answers() -> bool:
    """Tell whether the database answers the application's and the platform's role."""
    try:
        for bind in (None, PLATFORM_BIND):
            with db.engines[bind].connect() as connection:
                connection.execute(sa.text("SELECT 1"))
    except sa.exc.SQLAlchemyError:
        return False
    return True


@history_read()
def get_state(revisions: Sequence[Revision]) -> State:
    """Return where the database stands; raises HistoryMissingError where it has no history."""
    connection = current_session().connection()
    if not has_tables(connection):
        raise HistoryMissingError
    return read_state(connection, revisions)


@history_read()
def find_plan(state: State) -> Plan | None:
    """Return the newest plan made for where the database stands, None where there is none for it."""
    found = current_session().scalars(sa.select(Plan).order_by(Plan.id.desc()).limit(sa.literal_column("1"))).first()
    return found if found is not None and found.from_heads == ", ".join(state.current) else None


@history_read()
def find_newest(kind: type[Row], *conditions: sa.ColumnElement[bool]) -> Row | None:
    """Return the newest row of a history table, or None."""
    statement = sa.select(kind).where(*conditions).order_by(kind.id.desc()).limit(sa.literal_column("1"))
    return current_session().scalars(statement).first()


@history_read()
def list_rows(kind: type[OpsBase], conditions: Sequence[sa.ColumnElement[bool]], cursor: str | None) -> Page[Any]:
    """Return a page of a history table, newest first; rows carry what a list shows, never the bulky columns."""
    columns = [column for column in kind.__table__.columns if column.key not in _BULKY]
    attributes = [getattr(kind, column.key) for column in columns]
    return keyset_page(sa.select(*attributes).where(*conditions), Order((kind.id,), descending=True), cursor)


_BULKY = {"statements", "counts", "rows_before", "rows_after", "statement", "locks", "versions", "checksums"}


@history_read()
def get_row(kind: type[Row], row_id: UUID) -> Row:
    """Return a row of a history table; raises NotFoundError where there is none."""
    found = current_session().scalars(sa.select(kind).where(kind.id == row_id)).one_or_none()
    if found is None:
        raise NotFoundError
    return found


@history_read()
def find_backup(backup_id: UUID | None) -> Backup | None:
    """Return the backup a run was preceded by, or None."""
    return None if backup_id is None else current_session().get(Backup, backup_id)


@history_read()
def list_steps(revisions: Sequence[str]) -> Sequence[MigrationStep]:
    """Return the backfills of ``revisions`` that have not ended, in the order they began."""
    if not revisions:
        return []
    statement = sa.select(MigrationStep).where(
        MigrationStep.revision.in_(revisions), MigrationStep.finished_at.is_(None)
    )
    return current_session().scalars(statement.order_by(MigrationStep.started_at)).all()


@history_read()
def list_jobs(names: Sequence[str]) -> list[Job]:
    """Return the jobs of these names that wait or are being done; one whose worker died is neither."""
    rows = current_session().connection().execute(_JOBS, {"names": list(names)})
    return [
        Job(row.task_name, row.status == "todo", row.since) for row in rows if row.status == "todo" or row.alive
    ]  # fmt: skip


def is_at_work(name: str) -> bool:
    """Tell whether a worker does a job of this name right now."""
    return any(not job.is_waiting for job in list_jobs([name]))


@history_read()
def has_worker() -> bool:
    """Tell whether any worker has said within a minute that it lives."""
    return bool(current_session().connection().execute(_WORKERS).scalar_one())


@history_read()
def list_running(kind: type[Backup | Rehearsal | Verification]) -> Sequence[Any]:
    """Return when and by whom those were started that run, and may be believed to."""
    statement = sa.select(kind.started_at, kind.by).where(
        kind.status == WorkStatus.RUNNING, kind.started_at > now() - BELIEVED
    )
    return current_session().execute(statement.order_by(kind.id)).all()


@history_read()
def list_sizes() -> Sequence[Any]:
    """Return (day, table, bytes, rows) of every table, the last sample of each day, oldest day first."""
    day = sa.cast(TableSize.at, sa.Date)
    statement = (
        sa.select(day.label("day"), TableSize.schema_name, TableSize.table_name, TableSize.bytes, TableSize.rows)
        .ext(distinct_on(day, TableSize.schema_name, TableSize.table_name))
        .where(TableSize.at > now() - timedelta(days=SIZE_DAYS))
        .order_by(day, TableSize.schema_name, TableSize.table_name, TableSize.at.desc())
    )  # fmt: skip
    return current_session().execute(statement).all()


def find_person(user_id: UUID) -> str | None:
    """Return the name of one of the platform's own people, or None."""
    return current_session().scalars(sa.select(PlatformUser.name).where(PlatformUser.id == user_id)).one_or_none()
