"""The history: one row a revision and direction, "running" before it, "applied" in the transaction of the version.

``migrations/env.py`` puts a recorder around every command that moves revisions, whoever started it.
"""

from __future__ import annotations

import getpass
import os
import platform
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
import structlog
from alembic.runtime.migration import MigrationContext, RevisionStep
from uuid_utils.compat import uuid7

from config import ROOT
from portal.ops.evolve.errors import without_values
from portal.ops.evolve.retry import is_autocommit, patiently
from portal.ops.evolve.watch import Batches, Watch, watched_by
from portal.ops.schema.observe import Observer, Seen, is_question
from portal.ops.schema.scripts import Revision, read_revisions
from portal.ops.schema.snapshot import count_rows
from portal.ops.schema.tables import Direction, MigrationLog, RunStatus, ensure_tables
from portal.ops.schema.tables import MigrationStep as StepRow

log = structlog.get_logger("portal.migrations")
_BATCH = "UPDATE ops.migration_step"  # a batch notes its cursor; a backfill counts as one step, not each batch
_VERSION = "alembic_version"  # Alembic moves its own row along the same way
_NOTING = """
, noted AS (
    UPDATE ops.migration_step SET cursor = (SELECT to_jsonb(last) FROM last), updated_at = clock_timestamp(),
           rows_done = rows_done + (SELECT count(*) FROM changed)
     WHERE id = :step_id AND EXISTS (SELECT FROM last)
)"""


@dataclass
class Run:
    """What a command tells about the run it starts, and whom it wants told about its progress.

    ``tell(event, facts)`` gets "revision", "statement", "batch", "retry" and "done".
    """

    id: UUID = field(default_factory=uuid7)
    backup_id: UUID | None = None
    rehearsal_id: UUID | None = None
    app_user: str | None = None
    notes: str | None = None
    rewrites: bool = False
    tell: Callable[[str, Mapping[str, Any]], None] = lambda _event, _facts: None
    seen: dict[str, list[Seen]] = field(default_factory=dict)  # revision -> its statements


class Recorder(Watch):
    """Writes the history of one run, on the migration's own connection."""

    def __init__(self, context: MigrationContext, run: Run) -> None:
        assert context.connection is not None
        assert context.script is not None
        self._context, self._run = context, run
        self._connection = context.connection
        ensure_tables(self._connection)
        self._interrupt_the_dead()
        self._files = {revision.id: revision for revision in read_revisions(context.script)}
        self._row: UUID | None = None
        self._statement: str | None = None
        self._revision, self._direction = "", Direction.UP
        self._observer = Observer(self._connection)
        self._steps, self._retries, self._started = 0, 0, 0.0
        self._rows: dict[str, int] | None = None

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record every revision that runs inside, and what stopped the run."""
        plan = self._context._migrations_fn  # Alembic has no other place between two revisions
        assert plan is not None
        self._context._migrations_fn = lambda heads, context: self._walk(plan(heads, context))
        self._context.on_version_apply_callbacks = (*self._context.on_version_apply_callbacks, self._applied)
        try:
            with watched_by(self):
                yield
        except BaseException as error:
            self._stopped(error)
            raise
        finally:
            self._context._migrations_fn = plan

    # What revisions report (evolve.watch)

    @contextmanager
    def statement(self, connection: sa.Connection, statement: str) -> Iterator[None]:
        """Time a statement, see what it locks, and count it as a step."""
        if is_question(statement) or _VERSION in statement:
            yield
            return
        if _BATCH in statement:
            with self._observer.batch(statement):
                yield
            return
        self._statement = statement
        self._run.tell("statement", {"statement": statement})
        with self._observer.statement(connection, statement):
            yield
        self._steps += 1
        if is_autocommit(connection):
            self._set(connection, applied_steps_count=self._steps, migration_steps_count=self._steps + 1)

    def retried(self) -> None:
        """Count an attempt that got no lock."""
        self._retries += 1
        self._run.tell("retry", {"retries": self._retries})

    def batches(self, connection: sa.Connection, table: str, change: str, where: str) -> Batches:
        """Return the step's row, with the cursor an interrupted run left."""
        return RecordedBatches.begin(
            self._run, connection, (self._revision, self._direction), table=table, change=change, where=where
        )

    # Between revisions

    def _walk(self, plan: Iterable[Any]) -> Iterator[Any]:
        for step in plan:
            self._begin(step)
            yield step
            self._finish()
        self._run.tell("done", {})

    def _begin(self, step: Any) -> None:
        ran = isinstance(step, RevisionStep)
        moved = step.to_revisions if step.is_upgrade or not ran else step.from_revisions
        self._revision = next(iter(moved), "base")
        self._direction = (Direction.UP if step.is_upgrade else Direction.DOWN) if ran else Direction.STAMP
        file = self._files.get(self._revision)
        self._run.tell(
            "revision", {"revision": self._revision, "name": file.name if file else "", "direction": self._direction}
        )
        self._row, self._steps, self._retries, self._started = uuid7(), 0, 0, time.perf_counter()
        self._rows = _counted(self._connection) if self._rows is None else self._rows
        values = {**_facts(self._connection), **_about(file), **self._about_run()}
        self._connection.execute(sa.insert(MigrationLog).values(
            id=self._row, revision=self._revision, direction=self._direction, status=RunStatus.RUNNING,
            from_heads=_joined(step.from_revisions), to_heads=_joined(step.to_revisions), rows_before=self._rows,
            **values,
        ))  # fmt: skip
        self._connection.commit()
        self._statement = None
        self._observer = Observer(self._connection, rewrites=self._run.rewrites)
        self._connection.commit()

    def _applied(self, *, ctx: MigrationContext, **_rest: Any) -> None:
        """Mark the row applied, in the transaction that moves the version."""
        assert ctx.connection is not None
        self._set(
            ctx.connection, status=RunStatus.APPLIED, finished_at=sa.func.clock_timestamp(),
            applied_steps_count=self._steps, migration_steps_count=self._steps, retries=self._retries,
            duration_ms=self._elapsed(),
        )  # fmt: skip
        if self._direction is Direction.DOWN:
            ctx.connection.execute(
                sa.update(MigrationLog)
                .where(
                    MigrationLog.revision == self._revision, MigrationLog.direction.in_((Direction.UP, Direction.STAMP))
                )
                .where(MigrationLog.status == RunStatus.APPLIED)
                .values(status=RunStatus.ROLLED_BACK, rolled_back_at=sa.func.clock_timestamp())
            )

    def _finish(self) -> None:
        """Add what is known only after the commit."""
        self._observer.end_transaction()
        self._run.seen.setdefault(self._revision, []).extend(self._observer.statements)
        self._rows = _counted(self._connection)
        self._set(self._connection, duration_ms=self._elapsed(), rows_after=self._rows, **self._lock_values())
        self._connection.commit()
        self._row = None

    def _stopped(self, error: BaseException) -> None:
        """Write down what stopped the run; where even that fails, the row stays "running" and is found dead later."""
        if self._row is None:
            return
        self._observer.end_transaction()
        status = RunStatus.FAILED if isinstance(error, Exception) else RunStatus.INTERRUPTED
        try:
            if not self._connection.invalidated:
                self._connection.rollback()
            with _usable(self._connection) as connection:
                self._set(
                    connection, status=status, finished_at=sa.func.clock_timestamp(), duration_ms=self._elapsed(),
                    applied_steps_count=self._steps, migration_steps_count=self._steps + 1, retries=self._retries,
                    statement=self._statement, **_of_error(error), **self._lock_values(),
                )  # fmt: skip
                connection.commit()
        except sa.exc.SQLAlchemyError as second:
            log.warning("history.unwritten", revision=self._revision, error=type(second).__name__)

    def _interrupt_the_dead(self) -> None:
        """Mark rows left running: under the lock nobody else can be at it."""
        self._connection.execute(
            sa.update(MigrationLog)
            .where(MigrationLog.status == RunStatus.RUNNING)
            .values(status=RunStatus.INTERRUPTED, error="The process ended without a word.")
        )
        self._connection.commit()

    def _set(self, connection: sa.Connection, **values: Any) -> None:
        connection.execute(sa.update(MigrationLog).where(MigrationLog.id == self._row).values(**values))

    def _lock_values(self) -> dict[str, Any]:
        locks = [
            {"relation": relation, "mode": mode, "ms": round(ms, 1)}
            for (relation, mode), ms in self._observer.locks.items()
        ]
        return {"locks": locks, "longest_lock_ms": round(self._observer.longest())}

    def _elapsed(self) -> int:
        return round((time.perf_counter() - self._started) * 1000)

    def _about_run(self) -> dict[str, Any]:
        run = self._run
        return {
            "run_id": run.id, "backup_id": run.backup_id, "rehearsal_id": run.rehearsal_id,
            "app_user": run.app_user, "logs": run.notes,
        }  # fmt: skip


@dataclass
class RecordedBatches(Batches):
    """A backfill whose cursor stands in ``ops.migration_step``."""

    connection: sa.Connection | None = None
    run: Run = field(default_factory=Run)
    table: str = ""
    total: int = 0
    rows: int = 0

    @classmethod
    def begin(
        cls, run: Run, connection: sa.Connection, place: tuple[str, str], *, table: str, change: str, where: str
    ) -> RecordedBatches:
        """Return the unfinished step of this name where there is one, else a new one."""
        revision, direction = place
        name = f"{table}: {' '.join(change.split())}"
        found = connection.execute(
            sa.select(StepRow.id, StepRow.cursor, StepRow.rows_done, StepRow.rows_total).where(
                StepRow.revision == revision, StepRow.direction == direction, StepRow.name == name,
                StepRow.finished_at.is_(None),
            )
        ).one_or_none()  # fmt: skip
        if found:
            step, cursor, done, total = found
        else:
            total = connection.exec_driver_sql(
                f"SELECT count(*) FROM {table} AS t WHERE {where}".replace("%", "%%")
            ).scalar_one()
            step, cursor, done = uuid7(), None, 0
            connection.execute(
                sa.delete(StepRow).where(
                    StepRow.revision == revision, StepRow.direction == direction, StepRow.name == name
                )
            )
            connection.execute(sa.insert(StepRow).values(
                id=step, revision=revision, direction=direction, name=name, table_name=table, rows_total=total,
            ))  # fmt: skip
        batches = cls(dict(cursor or {}), _NOTING, {"step_id": step}, connection, run, table, int(total), int(done))
        batches.done(0)
        return batches

    def done(self, rows: int) -> None:
        """Tell about a batch; its statement has noted the cursor."""
        self.rows += rows
        self.run.tell("batch", {"table": self.table, "done": self.rows, "total": max(self.total, self.rows)})

    def note(self, cursor: Mapping[str, str], rows: int) -> None:
        """Note the cursor in a statement of its own."""
        self._update(cursor=dict(cursor), rows_done=StepRow.rows_done + rows, updated_at=sa.func.clock_timestamp())
        self.done(rows)

    def restart(self) -> None:
        """Forget the cursor."""
        self.cursor = {}
        self._update(cursor=None)

    def finish(self) -> None:
        """Mark the step finished, so that a later run begins at the first row."""
        self._update(finished_at=sa.func.clock_timestamp())

    def _update(self, **values: Any) -> None:
        assert self.connection is not None
        self.connection.execute(sa.update(StepRow).where(StepRow.id == self.parameters["step_id"]).values(**values))


def _counted(connection: sa.Connection) -> dict[str, int]:
    """Count all rows; somebody may hold a table for a moment."""
    return patiently(connection, "SELECT", lambda: count_rows(connection))


def _about(file: Revision | None) -> dict[str, Any]:
    if file is None:
        return {"name": "", "phase": None}
    return {"name": file.name, "phase": file.phase, "checksum": file.checksum, "ast_checksum": file.ast_checksum}


def _facts(connection: sa.Connection) -> dict[str, Any]:
    """Return who runs this, where, and with what."""
    backend, server = connection.exec_driver_sql("SELECT pg_backend_pid(), current_setting('server_version')").one()
    return {
        "os_user": _os_user(), "host": socket.gethostname(), "pid": os.getpid(), "backend_pid": backend,
        "git_sha": git_sha(), "versions": {**_versions(), "postgresql": server},
    }  # fmt: skip


@cache
def _os_user() -> str | None:
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return None


@cache
def _versions() -> dict[str, str]:
    packages = ("alembic", "sqlalchemy", "psycopg", "flask-migrate")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


@cache
def git_sha() -> str | None:
    """Return the release: what CLINIKOOP_RELEASE names, else the commit of the working tree, else None."""
    named = os.environ.get("CLINIKOOP_RELEASE")
    if named or not (ROOT / ".git").exists():
        return named
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
        return done.stdout.strip()
    return None


def _joined(revisions: Iterable[str]) -> str:
    return ", ".join(revisions)


def _of_error(error: BaseException) -> dict[str, str | None]:
    """Return what the history keeps of an error: never row values, which may be a person's."""
    original = getattr(error, "orig", None)
    if isinstance(original, psycopg.Error):
        return {
            "error_class": type(original).__name__, "sqlstate": original.sqlstate,
            "error": without_values(original),
        }  # fmt: skip
    return {"error_class": type(error).__name__, "sqlstate": None, "error": str(error).partition("\n")[0]}


@contextmanager
def _usable(connection: sa.Connection) -> Iterator[sa.Connection]:
    """Yield the connection where it still answers, else a new one to the same database."""
    try:
        connection.exec_driver_sql("SELECT 1")
    except sa.exc.SQLAlchemyError:
        with connection.engine.connect() as other:
            yield other
    else:
        yield connection
