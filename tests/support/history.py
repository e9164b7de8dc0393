"""Rows of the schema ``ops``, written as the owner: only the runner and its commands write them otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from uuid_utils.compat import uuid7

from portal.core.clock import now
from portal.core.database import db
from portal.ops.schema.tables import (
    Backup,
    MigrationLog,
    MigrationStep,
    OpsBase,
    Plan,
    Rehearsal,
    TableSize,
    Verification,
)
from tests.support.chain import BELOW_HEAD, HEAD

Add = Callable[..., UUID]
NEWEST = HEAD
STATEMENT = "ALTER TABLE patient_offers ADD CONSTRAINT fk_offers FOREIGN KEY (clinic_id, offer_id) REFERENCES offers"
DEFAULTS: dict[type[OpsBase], Callable[[], dict[str, Any]]] = {
    MigrationLog: lambda: {
        "run_id": uuid7(), "revision": NEWEST, "name": "roles_and_policies", "direction": "up", "phase": "both",
        "status": "applied", "from_heads": BELOW_HEAD, "to_heads": NEWEST, "duration_ms": 1234,
        "rows_before": {"patients": 3, "offers": 4}, "rows_after": {"patients": 3, "offers": 6},
        "locks": [{"relation": "offers", "mode": "AccessExclusiveLock", "ms": 12.5},
                  {"relation": "patients", "mode": "ShareRowExclusiveLock", "ms": 80.1}],
        "longest_lock_ms": 80, "host": "db-1.example", "pid": 4711, "backend_pid": 815, "os_user": "deploy",
        "git_sha": "4e40c46", "versions": {"alembic": "1.20", "postgresql": "15.4"}, "applied_steps_count": 7,
        "migration_steps_count": 7,
    },
    MigrationStep: lambda: {"revision": NEWEST, "direction": "up", "name": str(uuid7()), "table_name": "offers"},
    Backup: lambda: {
        "kind": "database", "status": "ok", "reason": "before an upgrade", "heads": NEWEST, "bytes": 5_000_000,
        "encrypted": True, "proven_at": now(), "finished_at": now(), "by": "deploy",
    },
    Rehearsal: lambda: {
        "status": "ok", "from_heads": BELOW_HEAD, "to_heads": NEWEST, "checksums": {}, "upgrade_ms": 61_000,
        "downgrade_ms": 20_000, "again_ms": 59_000, "expected_ms": 75_000, "longest_lock_ms": 40, "findings": [],
        "duration_ms": 200_000, "statements": [statement(number) for number in range(14)], "by": "deploy",
    },
    Verification: lambda: {"status": "ok", "heads": NEWEST, "duration_ms": 900, "checks": [check()], "by": "deploy"},
    Plan: lambda: {"from_heads": "", "to_heads": NEWEST, "checksums": {}, "revisions": []},
    TableSize: lambda: {"schema_name": "public", "table_name": "offers", "bytes": 81_920, "rows": 120},
}  # fmt: skip


def statement(number: int, **values: Any) -> dict[str, Any]:
    """Return a rehearsed statement; the higher its number, the slower."""
    lock = {"relation": "patient_offers", "mode": "ShareRowExclusiveLock", "ms": number + 0.5}
    return {
        "revision": NEWEST, "sql": f"{STATEMENT} -- {number}", "times": 1 + number % 3, "ms": 10.0 * number,
        "longest_ms": 9.0 * number, "locks": [lock] if number % 2 else [], "rewrites": [], **values,
    }  # fmt: skip


def check(**values: Any) -> dict[str, Any]:
    """Return a check that found nothing."""
    return {"name": "orphans", "title": "Every reference leads to a row", "looked_at": 1200, "ms": 41.2, "findings": [],
            **values}  # fmt: skip


def add(app: Flask, kind: type[OpsBase], /, **values: Any) -> UUID:
    """Write one row and commit; return its id."""
    row = {"id": uuid7(), **DEFAULTS[kind](), **values}
    with app.app_context(), db.engines["owner"].begin() as connection:
        connection.execute(sa.insert(kind).values(**row))
    return UUID(str(row["id"]))


@contextmanager
def written(app: Flask) -> Iterator[Add]:
    """Yield a function that writes rows for a while: at the end all history is as it was."""
    made: list[tuple[type[OpsBase], UUID]] = []

    def remember(kind: type[OpsBase], /, **values: Any) -> UUID:
        made.append((kind, add(app, kind, **values)))
        return made[-1][1]

    yield remember
    with app.app_context(), db.engines["owner"].begin() as connection:
        for kind, row_id in made:
            connection.execute(sa.delete(kind).where(kind.id == row_id))


def add_sizes(add_row: Add, days: int, tables: dict[str, int]) -> None:
    """Write a sample of each table for each of the last days; each grows by a hundredth a day."""
    for back in range(days):
        at = datetime.combine(date.today() - timedelta(days=back), time(3, 41), now().tzinfo)
        for name, size in tables.items():
            add_row(TableSize, at=at, table_name=name, bytes=round(size * (1 - back / 100)), rows=size // 100)
