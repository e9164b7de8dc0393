"""Questions to the data before and after it moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from portal.ops.evolve.catalog import has_table
from portal.ops.evolve.errors import MigrationDataError
from portal.ops.evolve.run import query

LISTED = 20


class RowFingerprint(NamedTuple):
    """How many rows a table has, and a sum over their hashes that does not depend on their order."""

    rows: int
    digest: Decimal


NOTHING = RowFingerprint(0, Decimal(0))


def fingerprint(table: str, columns: Sequence[str]) -> RowFingerprint:
    """Return the fingerprint of ``columns`` over all rows of ``table``; of nothing where it does not exist."""
    if not has_table(table):
        return NOTHING
    row = query(
        "SELECT count(*), coalesce(sum(hashtextextended(ROW({columns})::text, 0)::numeric), 0) FROM {table}",
        columns=", ".join(columns),
        table=table,
    ).one()
    return RowFingerprint(int(row[0]), Decimal(row[1]))


def combined(parts: Iterable[RowFingerprint]) -> RowFingerprint:
    """Return the fingerprint of several tables' rows together."""
    listed = list(parts)
    return RowFingerprint(sum(part.rows for part in listed), sum((part.digest for part in listed), Decimal(0)))


def refuse_rows(statement: str, why: str, **names: str) -> None:
    """Raise MigrationDataError, listing them, where ``statement`` returns rows; ``why`` leads the message."""
    rows = query(statement, None, **names).mappings().fetchmany(LISTED + 1)
    if not rows:
        return
    listed = "\n".join("  " + ", ".join(f"{name}={value}" for name, value in row.items()) for row in rows[:LISTED])
    more = "\n  and more" if len(rows) > LISTED else ""
    raise MigrationDataError(f"{why}\n{listed}{more}")


def refuse_collisions(table: str, columns: Sequence[str]) -> None:
    """Raise MigrationDataError where rows of ``table`` share ``columns``, which must become unique again."""
    key = ", ".join(columns)
    refuse_rows(
        "SELECT {key}, count(*) AS rows, array_agg(id::text ORDER BY id) AS ids"
        " FROM {table} WHERE ({key}) IS NOT NULL GROUP BY {key} HAVING count(*) > 1 ORDER BY {key}",
        f"Rows of {table} share {key}, which is unique across all clinics before this revision. "
        "Rename or remove them first:",
        table=table,
        key=key,
    )
