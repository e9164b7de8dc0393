"""Rows that cannot stay: moved whole, with the reason, to ``<table>_quarantine``, and moved back on a downgrade."""

from __future__ import annotations

from collections.abc import Sequence

from portal.ops.evolve.catalog import has_table
from portal.ops.evolve.errors import MigrationDataError
from portal.ops.evolve.run import query, run


def quarantine_rows(table: str, columns: Sequence[str], condition: str, reason: str) -> int:
    """Move the rows of ``table`` (as ``t``) that ``condition`` finds; return how many.

    Raises MigrationDataError where not every row taken out arrived.
    """
    name = f"{table}_quarantine"
    run(
        "CREATE TABLE IF NOT EXISTS {name} AS SELECT *, CAST(NULL AS text) AS reason,"
        " CAST(NULL AS timestamptz) AS quarantined_at FROM {table} WITH NO DATA",
        name=name,
        table=table,
    )
    taken, arrived = query(
        """
        WITH taken AS (DELETE FROM {table} AS t WHERE {condition} RETURNING {columns}),
        arrived AS (
            INSERT INTO {name} ({columns}, reason, quarantined_at)
            SELECT {columns}, :reason, now() FROM taken RETURNING 1
        )
        SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM arrived)
        """,
        {"reason": reason},
        table=table,
        name=name,
        condition=condition,
        columns=", ".join(columns),
    ).one()
    if taken != arrived:
        raise MigrationDataError(f"{taken} rows left {table} but {arrived} reached {name}.")
    return int(taken)


def release_rows(table: str, columns: Sequence[str], condition: str = "true") -> None:
    """Move quarantined rows (as ``q``) that ``condition`` finds back into ``table``; drop an empty quarantine."""
    name = f"{table}_quarantine"
    if not has_table(name):
        return
    listed = ", ".join(columns)
    run(
        "WITH freed AS (DELETE FROM {name} AS q WHERE {condition} RETURNING {listed})"
        " INSERT INTO {table} ({listed}) SELECT {listed} FROM freed",
        name=name,
        condition=condition,
        listed=listed,
        table=table,
    )
    if not query("SELECT EXISTS (SELECT FROM {name})", name=name).scalar_one():
        run(f"DROP TABLE {name}")
