"""How large the tables are: the guide's two queries as they stand, and samples in ``ops.table_size``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from portal.ops.schema.tables import TableSize, has_tables

# The guide's size query.
SIZES = """
SELECT 
    schemaname,
    tablename,
    pg_size_pretty(pg_total_relation_size(schemaname||'.'||tablename)) as size
FROM pg_tables
WHERE schemaname = 'public'
ORDER BY pg_total_relation_size(schemaname||'.'||tablename) DESC;
"""  # noqa: W291 - as it stands in the guide
# The guide's foreign-key query.
FOREIGN_KEYS = """
SELECT 
    tc.table_name, 
    kcu.column_name, 
    ccu.table_name AS foreign_table_name,
    ccu.column_name AS foreign_column_name 
FROM 
    information_schema.table_constraints AS tc 
    JOIN information_schema.key_column_usage AS kcu
      ON tc.constraint_name = kcu.constraint_name
      AND tc.table_schema = kcu.table_schema
    JOIN information_schema.constraint_column_usage AS ccu
      ON ccu.constraint_name = tc.constraint_name
      AND ccu.table_schema = tc.table_schema
WHERE tc.constraint_type = 'FOREIGN KEY';
"""  # noqa: W291
# A table that was never analysed has no estimate; the statistics count what was written since.
_NOW = """
SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, pg_total_relation_size(c.oid) AS bytes,
       (CASE WHEN c.reltuples >= 0 THEN c.reltuples
             ELSE coalesce(pg_stat_get_live_tuples(c.oid), 0) END)::bigint AS rows
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname = ANY (:schemas) ORDER BY 3 DESC, 1, 2
"""
SAMPLED = ("public", "jobs", "ops")
_SAMPLE = sa.select(TableSize.schema_name, TableSize.table_name, TableSize.bytes, TableSize.rows, TableSize.at).where(
    TableSize.at == sa.select(sa.func.max(TableSize.at)).scalar_subquery()
)


@dataclass(frozen=True)
class Size:
    """A table's size now, indexes and all; ``rows`` is the planner's estimate, ``growth`` in bytes since a sample."""

    table: str
    shown: str
    bytes: int
    rows: int
    growth: int | None
    more_rows: int | None


@dataclass(frozen=True)
class Sizes:
    """The tables, the largest first, and the moment of the sample they are compared with."""

    since: datetime | None
    tables: list[Size]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is printed."""
        return {"since": self.since, "tables": [vars(size) for size in self.tables]}


def read_sizes(connection: sa.Connection) -> Sizes:
    """Ask the guide's query, and add rows and growth since the newest sample."""
    sample = list(connection.execute(_SAMPLE)) if has_tables(connection) else []
    earlier = {(row.schema_name, row.table_name): row for row in sample}
    now = {(row.schema_name, row.table_name): row for row in _measure(connection)}
    tables = []
    for schema, table, shown in connection.exec_driver_sql(SIZES):
        row, before = now[schema, table], earlier.get((schema, table))
        growth = row.bytes - before.bytes if before else None
        more = row.rows - before.rows if before else None
        tables.append(Size(table, shown, row.bytes, row.rows, growth, more))
    return Sizes(sample[0].at if sample else None, tables)


def record_sizes(connection: sa.Connection) -> int:
    """Store a sample of every table in ``ops.table_size``, all of one moment; the caller commits. Return how many."""
    at = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    rows = [{"id": uuid7(), "at": at, **row._mapping} for row in _measure(connection)]
    connection.execute(sa.insert(TableSize), rows)
    return len(rows)


def _measure(connection: sa.Connection) -> list[Any]:
    return list(connection.execute(sa.text(_NOW), {"schemas": list(SAMPLED)}))
