"""What happened since a backup was made is still history after it was restored: rows of ``ops`` are carried over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from portal.ops.schema.place import Place
from portal.ops.schema.recorder import git_sha
from portal.ops.schema.state import read_state
from portal.ops.schema.tables import (
    Backup,
    Direction,
    MigrationLog,
    MigrationStep,
    OpsBase,
    Rehearsal,
    RunStatus,
    Verification,
    ensure_tables,
    has_tables,
)

_BATCH = 500
# The newer row wins: in the backup it may still be running. Of revisions the backup's word holds, as its data does.
_NEWER_WINS = (Backup.__table__, Rehearsal.__table__, Verification.__table__)


def carry_over(old: sa.Connection, restored: Place, *, backup_id: UUID, by: str | None) -> None:
    """Bring the history of the database ``old`` into the ``restored`` one, and record that it was restored.

    Revisions applied since are marked as rolled back, failures as settled; cursors of backfills stay as the backup
    has them, as its rows do.
    """
    with restored.engine.connect() as new:
        ensure_tables(new)
        before = _heads(old)
        came = [row for (row,) in new.execute(sa.select(MigrationLog.id))]
        if has_tables(old):
            ensure_tables(old)
            for table in OpsBase.metadata.sorted_tables:
                if table is not MigrationStep.__table__:
                    _copy(old, new, table)
        state = read_state(new, restored.revisions())
        _settle(new, came, [revision.id for revision in state.applied])
        note = f"Restored from the backup {backup_id}; what was here before is kept beside."
        heads = ", ".join(state.current)
        record(new, note, name="restored", heads=heads, from_heads=before, backup_id=backup_id, by=by)
        new.commit()


def record(
    connection: sa.Connection, note: str, *, name: str, heads: str, backup_id: UUID, by: str | None,
    from_heads: str | None = None, rows: dict[str, int] | None = None,
) -> None:  # fmt: skip
    """Write into the history that rows came back; it is about no revision, as each keeps its own last word."""
    connection.execute(sa.insert(MigrationLog).values(
        run_id=uuid7(), revision="", name=name, direction=Direction.RESTORE, status=RunStatus.APPLIED,
        from_heads=heads if from_heads is None else from_heads, to_heads=heads,
        finished_at=sa.func.clock_timestamp(), applied_steps_count=1,
        migration_steps_count=1, logs=note, app_user=by, backup_id=backup_id, git_sha=git_sha(), rows_after=rows,
    ))  # fmt: skip


def _heads(old: sa.Connection) -> str:
    if not has_tables(old):
        return ""
    return ", ".join(old.exec_driver_sql("SELECT unnest(ops.current_heads()) ORDER BY 1").scalars())


def _copy(old: sa.Connection, new: sa.Connection, table: sa.Table) -> None:
    """Copy a table's rows by their columns' names, whichever release made the two."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    conflict = "DO NOTHING"
    if table in _NEWER_WINS:
        conflict = "DO UPDATE SET " + ", ".join(f'"{c.name}" = excluded."{c.name}"' for c in table.columns)
    for rows in _batches(old, table.fullname):
        new.execute(
            sa.text(
                f"INSERT INTO {table.fullname} ({names}) SELECT {names}"
                f" FROM jsonb_populate_recordset(NULL::{table.fullname}, CAST(:rows AS jsonb))"
                f" ON CONFLICT (id) {conflict}"
            ),
            {"rows": json.dumps(rows)},
        )


def _batches(old: sa.Connection, table: str) -> Iterator[list[Any]]:
    query = sa.text(f"SELECT to_jsonb(t) FROM {table} AS t").execution_options(yield_per=_BATCH)
    for part in old.execute(query).scalars().partitions(_BATCH):
        yield list(part)


def _settle(new: sa.Connection, came: list[UUID], applied: list[str]) -> None:
    """Close what the rows that were carried over leave open: in this database it never happened."""
    carried = sa.update(MigrationLog).where(MigrationLog.id.not_in(came)) if came else sa.update(MigrationLog)
    undone = {"status": RunStatus.ROLLED_BACK, "rolled_back_at": datetime.now(UTC)}
    taken_back = carried.where(
        MigrationLog.direction.in_((Direction.UP, Direction.STAMP)), MigrationLog.status == RunStatus.APPLIED,
        MigrationLog.revision.not_in(applied),
    )  # fmt: skip
    new.execute(taken_back.values(undone))
    unfinished = (RunStatus.RUNNING, RunStatus.FAILED, RunStatus.INTERRUPTED)
    new.execute(carried.where(MigrationLog.status.in_(unfinished)).values(undone))
