"""Required columns of tables in use: a value for the old rows, and a trigger for the release that knows no such column.

The value is an SQL expression over the row ``t``, written once, as the revision's constant ``FILL``.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

from portal.ops.evolve.catalog import primary_key
from portal.ops.evolve.checks import refuse_rows
from portal.ops.evolve.data import Source, backfill
from portal.ops.evolve.errors import EvolveError
from portal.ops.evolve.run import run

UNWRITTEN = "<only a person knows this value>"
_FUNCTION = """
CREATE OR REPLACE FUNCTION fill_{table}_{column}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT {expression} INTO NEW.{column} FROM (SELECT NEW.*) AS t;
    RETURN NEW;
END $$
"""


def require_written(file: str, **expressions: str) -> None:
    """Raise EvolveError where the author of the revision ``file`` has not written one of its ``expressions`` yet."""
    missing = [name for name, expression in expressions.items() if expression.strip() in ("", UNWRITTEN)]
    if missing:
        raise EvolveError(
            f"{Path(file).name} is not finished: write {', '.join(missing)} in it, an SQL expression over the row t, "
            "for example \"'normal'\". Nothing was changed."
        )


def written(revision: str, name: str) -> str:
    """Return the expression that ``revision`` holds as its constant ``name``; raises EvolveError where it has none."""
    scripts = op.get_context().script
    script = scripts.get_revision(revision) if scripts else None
    expression = getattr(script.module, name, None) if script else None
    if not isinstance(expression, str):
        raise EvolveError(f"The revision {revision} has no constant {name}.")
    return expression


def add_filler(table: str, column: str, expression: str) -> None:
    """Let a trigger give ``column`` its value where an insert brings none: the old release knows no such column."""
    run(_FUNCTION, table=table, column=column, expression=expression)
    run(
        f"CREATE OR REPLACE TRIGGER fill_{column} BEFORE INSERT ON {table} FOR EACH ROW"
        f" WHEN (NEW.{column} IS NULL) EXECUTE FUNCTION fill_{table}_{column}()"
    )


def drop_filler(table: str, column: str) -> None:
    """Drop the trigger that filled ``column``."""
    run(f"DROP TRIGGER IF EXISTS fill_{column} ON {table}")
    run(f"DROP FUNCTION IF EXISTS fill_{table}_{column}()")


def fill_column(table: str, column: str, expression: str) -> None:
    """Give ``column`` its value in every row that has none, in batches. Inside ``online()``.

    Raises MigrationDataError, listing their keys, where the expression gives rows no value either.
    """
    found = primary_key(table)
    key = found[1] if found else ["id"]
    backfill(
        table,
        f"{column} = {expression}",
        where=f"{column} IS NULL",
        source=Source("(SELECT) AS one", f"({expression}) IS NOT NULL"),  # else the backfill would never end
        unchanged=key,
    )
    refuse_rows(
        "SELECT {key} FROM {table} WHERE {column} IS NULL ORDER BY {key}",
        f"The expression gives these rows of {table} no {column}:",
        key=", ".join(key),
        table=table,
        column=column,
    )
