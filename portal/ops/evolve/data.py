"""Filling columns of tables that are in use: small batches, each committed, resumable by what is still empty."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from portal.ops.evolve.catalog import column_type, primary_key
from portal.ops.evolve.errors import MigrationDataError
from portal.ops.evolve.run import bind, query
from portal.ops.evolve.watch import Batches, watching

SMALLEST, FIRST, LARGEST = 200, 2000, 20000
GOAL_SECONDS = 0.1
# A new column has no statistics: the planner expects next to no row to be empty yet, and would read and sort the
# whole table for every batch instead of going along the key.
_ALONG_THE_KEY = ("enable_seqscan", "enable_sort")
# A batch that a crash of the server loses takes its cursor along and is done again: no need to wait for the disk.
_UNHURRIED = "synchronous_commit"

_BATCH = """
WITH batch AS (
    SELECT {key}, ctid AS place, xmin AS version, ROW({unchanged}) AS before FROM {table}
     WHERE ({where}) {beyond} ORDER BY {key} LIMIT :size {locked}
), changed AS (
    UPDATE {table} AS t SET {assignments} FROM {sources} WHERE {same} {joins}
    RETURNING batch.before *= ROW({unchanged_after}) AS whole
), last AS (SELECT {key} FROM batch ORDER BY {descending} LIMIT 1){noting}
SELECT (SELECT to_jsonb(last) FROM last) AS last, count(*) AS changed, count(*) FILTER (WHERE NOT whole) AS broken
  FROM changed
"""


@dataclass(frozen=True)
class Source:
    """A table a backfill takes values from, as ``FROM {tables} WHERE {condition}``; the filled row is ``t``."""

    tables: str
    condition: str


def backfill(
    table: str, assignments: str, *, where: str, source: Source | None = None, unchanged: Sequence[str] = ("id",)
) -> int:
    """Set ``assignments`` on the rows that ``where`` finds, in key order; return how many changed.

    An interrupted run goes on behind the last row it committed, then looks for rows that came in before it.
    ``where`` must no longer find a row that is done. Raises MigrationDataError where a column of ``unchanged``
    came out different.
    """
    key = _key(table)
    change = f"{assignments} from {source.tables}" if source else assignments
    progress = watching().batches(bind(), table, change, where)
    names = {
        "key": ", ".join(key),
        "descending": ", ".join(f"{column} DESC" for column in key),
        "table": table,
        "assignments": assignments,
        "where": where,
        "sources": f"batch, {source.tables}" if source else "batch",
        "joins": f"AND ({source.condition})" if source else "",
        "unchanged": ", ".join(unchanged),
        "unchanged_after": ", ".join(f"t.{column}" for column in unchanged),
        "noting": progress.noting,
    }
    # The first round passes over rows that somebody changes meanwhile; the next one locks before it looks. Servers
    # from before September 2025 go from an old place to the new row, and do not look at the place again: hence xmin.
    quick = {"same": "t.ctid = batch.place AND t.xmin = batch.version", "locked": ""}
    sure = {"same": " AND ".join(f"t.{column} = batch.{column}" for column in key), "locked": "FOR NO KEY UPDATE"}
    with _switched_off(*_ALONG_THE_KEY, _UNHURRIED):
        changed = _fill({**names, **quick}, key, progress)
    while query("SELECT EXISTS (SELECT FROM {table} WHERE {where})", None, **names).scalar_one():
        progress.restart()
        with _switched_off(*_ALONG_THE_KEY, _UNHURRIED):
            again = _fill({**names, **sure}, key, progress)
        if not again:
            break  # rows that the assignments leave as they are: the constraint that follows will tell
        changed += again
    progress.finish()
    return changed


def _fill(names: Mapping[str, str], key: Mapping[str, str], progress: Batches) -> int:
    """Fill from the cursor to the last row; return how many rows changed."""
    after, size, changed = dict(progress.cursor), FIRST, 0
    while True:
        started = time.monotonic()
        row = query(_BATCH, {**after, **progress.parameters, "size": size}, **names, beyond=_beyond(key, after)).one()
        if row.broken:
            raise MigrationDataError(
                f"{row.broken} rows of {names['table']} came out of the backfill with old columns changed."
            )
        if row.last is None:
            return changed
        after, changed = row.last, changed + int(row.changed)
        progress.done(int(row.changed))
        size = _next_size(size, time.monotonic() - started)


def batches(table: str, columns: str, *, where: str = "true") -> Iterator[list[Mapping[str, Any]]]:
    """Yield rows of ``columns``, the key's included, in key order, for values only Python can compute.

    A batch counts as done when the next one is asked for. An interrupted run goes on behind the last one done,
    then looks once more at what ``where`` finds before it.
    """
    progress = watching().batches(bind(), table, columns, where)
    resumed = bool(progress.cursor)
    yield from _rows(table, columns, where, progress)
    if resumed:
        progress.restart()
        yield from _rows(table, columns, where, progress)
    progress.finish()


def _rows(table: str, columns: str, where: str, progress: Batches) -> Iterator[list[Mapping[str, Any]]]:
    key = _key(table)
    after = dict(progress.cursor)
    while True:
        with _switched_off(*_ALONG_THE_KEY):
            rows = query(
                "SELECT {columns} FROM {table} AS t WHERE ({where}) {beyond} ORDER BY {order} LIMIT :size",
                {**after, "size": FIRST},
                columns=columns,
                table=table,
                where=where,
                beyond=_beyond(key, after),
                order=", ".join(f"t.{column}" for column in key),
            )
        batch: list[Mapping[str, Any]] = [dict(row) for row in rows.mappings()]
        if not batch:
            return
        yield batch
        after = {column: str(batch[-1][column]) for column in key}
        progress.note(after, len(batch))


def update_rows(table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write whole batches back: each row is (clinic_id, id) and new values of the same columns."""
    if rows:
        assignments = ", ".join(f"{name} = v.{name}" for name in rows[0] if name not in ("clinic_id", "id"))
        query(
            "UPDATE {table} AS t SET {assignments} FROM jsonb_populate_recordset(CAST(NULL AS {table}), :rows) AS v"
            " WHERE t.clinic_id = v.clinic_id AND t.id = v.id",
            {"rows": _as_json(rows)},
            table=table,
            assignments=assignments,
        )


def insert_rows(table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert a batch; rows that are there already stay as they are."""
    if rows:
        query(
            "INSERT INTO {table} ({columns}) SELECT {columns}"
            " FROM jsonb_populate_recordset(CAST(NULL AS {table}), :rows) ON CONFLICT DO NOTHING",
            {"rows": _as_json(rows)},
            table=table,
            columns=", ".join(rows[0]),
        )


def _as_json(rows: Sequence[Mapping[str, Any]]) -> Jsonb:
    return Jsonb(
        [{name: str(value) if isinstance(value, UUID) else value for name, value in row.items()} for row in rows]
    )


def _key(table: str) -> dict[str, str]:
    """Return the columns batches go along, with their types: the primary key's, whose index a batch must use."""
    found = primary_key(table)
    columns = found[1] if found else ["id"]
    return {column: column_type(table, column) for column in columns}


def _beyond(key: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the condition that a row comes after the last one done; nothing before the first batch."""
    if not after:
        return ""
    return f"AND ({', '.join(key)}) > ({', '.join(f'CAST(:{column} AS {kind})' for column, kind in key.items())})"


@contextmanager
def _switched_off(*settings: str) -> Iterator[None]:
    """Switch settings of the session off inside; where the transaction or the connection is lost, so are they."""
    connection = bind()
    read = ", ".join(f"current_setting('{name}') AS {name}" for name in settings)
    write = ", ".join(f"set_config('{name}', :{name}, false)" for name in settings)
    before = connection.exec_driver_sql(f"SELECT {read}").mappings().one()
    connection.execute(sa.text(f"SELECT {write}"), dict.fromkeys(settings, "off"))
    try:
        yield
    finally:
        with suppress(sa.exc.SQLAlchemyError):
            connection.execute(sa.text(f"SELECT {write}"), dict(before))


def _next_size(size: int, seconds: float) -> int:
    """Aim at a tenth of a second a batch, at most doubling or halving at once."""
    ratio = min(2.0, max(0.5, GOAL_SECONDS / max(seconds, 0.001)))
    return max(SMALLEST, min(LARGEST, int(size * ratio)))
