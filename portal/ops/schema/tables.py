"""The tables of the schema ``ops``: what happened to the database, and what was found.

They are not the portal's own metadata: no revision makes them, ``ensure_tables`` does. The platform's role may read
them, nobody but the owner writes.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from portal.core.roles import BACKUP_ROLE, PLATFORM_ROLE

SCHEMA = "ops"


class OpsBase(orm.DeclarativeBase):
    """Base of the tables in the schema ``ops``."""

    metadata = sa.MetaData(schema=SCHEMA)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: sa.Uuid(),
        datetime: sa.DateTime(timezone=True),
        dict[str, Any]: JSONB(none_as_null=True),
        list[Any]: JSONB(none_as_null=True),
        str: sa.Text(),
        int: sa.BigInteger(),
    }

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)


class Direction(StrEnum):
    """Which way a row of the history went."""

    UP = "up"
    DOWN = "down"
    STAMP = "stamp"  # recorded without running: adopt, resolve --applied, stamp
    RESTORE = "restore"


class RunStatus(StrEnum):
    """What became of a row of the history."""

    RUNNING = "running"
    APPLIED = "applied"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    ROLLED_BACK = "rolled_back"


class MigrationLog(OpsBase):
    """One revision's run in one direction. "running" is committed before it, "applied" together with the version."""

    __tablename__ = "migration_log"

    run_id: Mapped[UUID]
    revision: Mapped[str]
    name: Mapped[str]
    direction: Mapped[str]
    phase: Mapped[str | None]
    status: Mapped[str] = mapped_column(index=True)
    from_heads: Mapped[str]
    to_heads: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp(), index=True)
    finished_at: Mapped[datetime | None]
    rolled_back_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    applied_steps_count: Mapped[int] = mapped_column(server_default="0")
    migration_steps_count: Mapped[int] = mapped_column(server_default="1")
    retries: Mapped[int] = mapped_column(server_default="0")
    checksum: Mapped[str | None]
    ast_checksum: Mapped[str | None]
    rows_before: Mapped[dict[str, Any] | None]  # table -> rows
    rows_after: Mapped[dict[str, Any] | None]
    error_class: Mapped[str | None]
    sqlstate: Mapped[str | None]
    error: Mapped[str | None]
    statement: Mapped[str | None]
    logs: Mapped[str | None]
    os_user: Mapped[str | None]
    app_user: Mapped[str | None]
    host: Mapped[str | None]
    pid: Mapped[int | None]
    backend_pid: Mapped[int | None]
    git_sha: Mapped[str | None]
    versions: Mapped[dict[str, Any] | None]
    backup_id: Mapped[UUID | None]
    rehearsal_id: Mapped[UUID | None]
    locks: Mapped[list[Any] | None]  # {"relation", "mode", "ms"}, what stood in others' way
    longest_lock_ms: Mapped[int | None]


class MigrationStep(OpsBase):
    """How far a backfill is; ``cursor`` is the key of the last row done."""

    __tablename__ = "migration_step"
    __table_args__ = (sa.UniqueConstraint("revision", "direction", "name"),)

    revision: Mapped[str]
    direction: Mapped[str]
    name: Mapped[str]
    table_name: Mapped[str]
    cursor: Mapped[dict[str, Any] | None]
    rows_done: Mapped[int] = mapped_column(server_default="0")
    rows_total: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    finished_at: Mapped[datetime | None]


class Plan(OpsBase):
    """What the pending revisions will do, seen on an empty copy: the newest one is shown to people."""

    __tablename__ = "migration_plan"

    made_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    from_heads: Mapped[str]
    to_heads: Mapped[str]
    checksums: Mapped[dict[str, Any]]  # revision -> AST checksum
    # {"revision", "statements": n, "findings": [{"rule", "message", "allowed"}], "locks": [{...}], "rewrites": []}
    revisions: Mapped[list[Any]]


class WorkStatus(StrEnum):
    """What became of a backup, a rehearsal or a verification."""

    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"


class Backup(OpsBase):
    """One backup: a dump of the whole database, or one clinic's rows."""

    __tablename__ = "migration_backup"

    kind: Mapped[str]  # database | clinic
    clinic: Mapped[str | None]  # its subdomain
    status: Mapped[str]
    reason: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    finished_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    heads: Mapped[str]
    file: Mapped[str | None]  # its name below the backups' folder
    bytes: Mapped[int | None]
    sha256: Mapped[str | None]
    encrypted: Mapped[bool] = mapped_column(server_default="false")
    counts: Mapped[dict[str, Any] | None]  # table -> rows, in the dump's own snapshot
    proven_at: Mapped[datetime | None]  # restored into a scratch database and compared
    error: Mapped[str | None]
    pruned_at: Mapped[datetime | None]
    by: Mapped[str | None]


class Rehearsal(OpsBase):
    """One rehearsal on a copy of the real data, kept as evidence."""

    __tablename__ = "migration_rehearsal"

    status: Mapped[str]
    from_heads: Mapped[str]
    to_heads: Mapped[str]
    checksums: Mapped[dict[str, Any]]  # revision -> AST checksum of what was rehearsed
    backup_id: Mapped[UUID | None]
    started_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    finished_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    upgrade_ms: Mapped[int | None]
    downgrade_ms: Mapped[int | None]
    again_ms: Mapped[int | None]
    expected_ms: Mapped[int | None]  # of the upgrade on the real database
    longest_lock_ms: Mapped[int | None]
    # {"revision", "sql", "times", "ms", "longest_ms", "locks": [{"relation", "mode", "ms"}], "rewrites": []}
    statements: Mapped[list[Any] | None]
    findings: Mapped[list[Any] | None]  # what was wrong, as lines of text
    error: Mapped[str | None]
    by: Mapped[str | None]


class Verification(OpsBase):
    """One look at whether the data and the database are whole."""

    __tablename__ = "migration_verify"

    status: Mapped[str]
    heads: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    finished_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    checks: Mapped[list[Any] | None]  # {"name", "title", "looked_at", "ms", "findings": [{"what", "rows", "fixable"}]}
    error: Mapped[str | None]
    by: Mapped[str | None]


class Signature(OpsBase):
    """An item of a checklist that a person vouches for."""

    __tablename__ = "migration_checklist"

    checklist: Mapped[str]  # before | after
    item: Mapped[str]
    heads: Mapped[str]  # the revision the upgrade leads to
    signed_by: Mapped[str]
    note: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class TableSize(OpsBase):
    """How large a table was, indexes and all."""

    __tablename__ = "table_size"
    __table_args__ = (sa.Index("ix_table_size_at", "at"),)

    at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    schema_name: Mapped[str]
    table_name: Mapped[str]
    bytes: Mapped[int]
    rows: Mapped[int]  # the planner's estimate


# The guide's two queries run against this as they stand.
_PRISMA_VIEW = """
CREATE OR REPLACE VIEW public._prisma_migrations WITH (security_invoker = true) AS
SELECT id, checksum, finished_at, revision || '_' || name AS migration_name, coalesce(error, logs) AS logs,
       rolled_back_at, started_at, applied_steps_count, migration_steps_count
  FROM ops.migration_log WHERE direction IN ('up', 'stamp')
"""
# The admin host may not read alembic_version itself. The function looks when it is called: the table may be missing.
_HEADS_FUNCTION = """
CREATE OR REPLACE FUNCTION ops.current_heads() RETURNS text[] LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(version_num::text ORDER BY version_num), '{}') FROM public.alembic_version);
EXCEPTION WHEN undefined_table THEN
    RETURN '{}';
END $$
"""


def has_tables(connection: sa.Connection) -> bool:
    """Tell whether the schema ``ops`` stands."""
    return bool(connection.exec_driver_sql("SELECT to_regclass('ops.migration_log') IS NOT NULL").scalar_one())


def ensure_tables(connection: sa.Connection) -> None:
    """Make what is missing of the schema ``ops``, and commit. Call it under the migration lock, as the owner."""
    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    OpsBase.metadata.create_all(connection)
    _add_new_columns(connection)
    for statement in (_PRISMA_VIEW, _HEADS_FUNCTION):
        connection.exec_driver_sql(statement)
    known = set(connection.exec_driver_sql("SELECT rolname::text FROM pg_roles").scalars())
    for role in {PLATFORM_ROLE, BACKUP_ROLE} & known:
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role}")
        connection.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {role}")
    connection.exec_driver_sql("REVOKE ALL ON FUNCTION ops.current_heads() FROM PUBLIC")
    if PLATFORM_ROLE in known:
        connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION ops.current_heads() TO {PLATFORM_ROLE}")
    connection.commit()


def _add_new_columns(connection: sa.Connection) -> None:
    """Add the columns a newer release brings; all of them may be empty, so old rows stay as they are."""
    there: dict[str, set[str]] = {}
    for table, column in connection.exec_driver_sql(
        "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'ops'"
    ):
        there.setdefault(table, set()).add(column)
    for table in OpsBase.metadata.tables.values():
        for column in table.columns:
            if column.name not in there[table.name]:
                kind = column.type.compile(connection.dialect)
                default = f" DEFAULT {column.server_default.arg}" if column.server_default is not None else ""  # type: ignore[attr-defined]
                connection.exec_driver_sql(f'ALTER TABLE {table.fullname} ADD COLUMN "{column.name}" {kind}{default}')
