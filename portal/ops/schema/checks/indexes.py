"""Indexes that a failed or interrupted build left behind: they cost every write and serve no read."""

from __future__ import annotations

import re
from typing import Any

from portal.ops.schema.checks.base import Check, Look, counted

SCHEMAS = ("public", "jobs", "ops")
_LEFTOVER = re.compile(r"_cc(new|old)\d*\"?$")
_COUNT = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'i' AND n.nspname = ANY (:schemas)
"""
# One that is being built right now is invalid, too, and no fault.
_INVALID = """
SELECT i.indexrelid::regclass::text AS index, i.indrelid::regclass::text AS table, i.indisunique AS is_unique,
       i.indnullsnotdistinct AS nulls_count, pg_get_expr(i.indpred, i.indrelid) AS condition,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnkeyatts) AS k) AS keys
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'i' AND n.nspname = ANY (:schemas) AND NOT (i.indisvalid AND i.indisready AND i.indislive)
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index s WHERE s.index_relid = i.indexrelid)
 ORDER BY 1
"""


def check_indexes(look: Look, check: Check) -> None:
    """Look for indexes that are not valid; those of an unfinished REINDEX are dropped, others built again."""
    for row in look.ask(_INVALID, schemas=list(SCHEMAS)):
        if _LEFTOVER.search(row.index):
            fix = f"DROP INDEX CONCURRENTLY IF EXISTS {row.index}"
            check.find(f"{row.index} on {row.table} is left of an unfinished REINDEX.", None, fix)
            continue
        double = _count_doubles(look, row) if row.is_unique else 0
        if double:
            keys = ", ".join(row.keys)
            check.find(
                f"The unique index {row.index} on {row.table} is not valid and cannot be built: "
                f"{counted(double, 'value')} of ({keys}) stand more than once.",
                double,
            )
        else:
            fix = f"REINDEX INDEX CONCURRENTLY {row.index}"
            check.find(f"The index {row.index} on {row.table} is not valid.", None, fix)
    check.looked_at = int(look.ask_one(_COUNT, schemas=list(SCHEMAS)))


def _count_doubles(look: Look, index: Any) -> int:
    """Return how many values a unique index would refuse."""
    conditions = [] if index.condition is None else [f"({index.condition})"]
    if not index.nulls_count:
        conditions += [f"({key}) IS NOT NULL" for key in index.keys]
    found = f"SELECT FROM {index.table} WHERE {' AND '.join(conditions) or 'true'}"
    return int(
        look.ask_one(f"SELECT count(*) FROM ({found} GROUP BY {', '.join(index.keys)} HAVING count(*) > 1) AS d")
    )
