"""Filling columns of tables that are in use: small batches, each committed, resumable by what is still empty."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from portal.ops.evolve.run import query

SMALLEST, FIRST, LARGEST = 200, 2000, 20000
GOAL_SECONDS = 0.1

_BATCH = """
WITH batch AS (
    SELECT id FROM {table} WHERE ({where}) AND (CAST(:after AS uuid) IS NULL OR id > :after)
     ORDER BY id LIMIT :size FOR NO KEY UPDATE
), changed AS (
    UPDATE {table} AS t SET {assignments} FROM {sources} WHERE t.id = batch.id {joins} RETURNING t.id
)
SELECT (SELECT id FROM batch ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM changed)
"""


def backfill(table: str, assignments: str, *, where: str, source: str = "", join: str = "") -> int:
    """Set ``assignments`` on the rows that ``where`` finds, in key order; return how many changed.

    The row is ``t``; ``source`` and ``join`` add tables to take values from. ``where`` must no longer
    find a row that is done: that is what makes an interrupted run resume.
    """
    after, size, changed = None, FIRST, 0
    while True:
        started = time.monotonic()
        row = query(
            _BATCH,
            {"after": after, "size": size},
            table=table,
            assignments=assignments,
            where=where,
            sources=f"batch, {source}" if source else "batch",
            joins=f"AND ({join})" if join else "",
        ).one()
        if row[0] is None:
            return changed
        after, changed = row[0], changed + int(row[1])
        size = _next_size(size, time.monotonic() - started)


def backfill_rows(
    table: str, columns: str, compute: Callable[[Mapping[str, Any]], Mapping[str, Any]], *, where: str
) -> int:
    """As ``backfill``, for values only Python can compute: ``compute`` gets a row of ``columns``.

    It returns the same columns for every row; an empty mapping leaves the row alone.
    """
    after, changed = None, 0
    while True:
        rows = query(
            "SELECT id, {columns} FROM {table} WHERE ({where}) AND (CAST(:after AS uuid) IS NULL OR id > :after)"
            " ORDER BY id LIMIT :size",
            {"after": after, "size": FIRST},
            columns=columns,
            table=table,
            where=where,
        ).mappings()
        batch = list(rows)
        if not batch:
            return changed
        for row in batch:
            values = compute(row)
            if values:
                assignments = ", ".join(f"{name} = :{name}" for name in values)
                query("UPDATE {table} SET {set} WHERE id = :id", {**values, "id": row["id"]}, table=table, set=assignments)
                changed += 1
        after = batch[-1]["id"]


def _next_size(size: int, seconds: float) -> int:
    """Aim at a tenth of a second a batch, at most doubling or halving at once."""
    ratio = min(2.0, max(0.5, GOAL_SECONDS / max(seconds, 0.001)))
    return max(SMALLEST, min(LARGEST, int(size * ratio)))
