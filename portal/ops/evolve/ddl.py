"""Schema changes that lock briefly and can be run again after an interruption.

Everything here but ``add_columns`` belongs inside ``online()``: an index built CONCURRENTLY cannot be in
a transaction, and a constraint is validated in another transaction than the one that adds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from portal.ops.evolve.catalog import has_constraint, index_state, primary_key
from portal.ops.evolve.retry import LOCK_TIMEOUT
from portal.ops.evolve.run import query, run


def add_columns(table: str, *definitions: str) -> None:
    """Add columns, each as ``name type ...``, where they are missing."""
    for definition in definitions:
        run(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {definition}")


def add_check(table: str, name: str, condition: str) -> None:
    """Add the check ``name`` without holding writers up while old rows are looked at."""
    if not has_constraint(table, name):
        run(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    run(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def replace_check(table: str, name: str, condition: str) -> None:
    """Put another condition under the name of a check; no moment is without one, and old rows are looked at after."""
    run(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    run(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def add_not_null(table: str, column: str) -> None:
    """Make ``column`` NOT NULL without a scan under an exclusive lock."""
    name = f"ck_{table}_{column}_present"
    if _is_not_null(table, column):
        drop_constraint(table, name)
        return
    add_check(table, name, f"{column} IS NOT NULL")
    run(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
    drop_constraint(table, name)


def add_foreign_key(
    table: str, columns: Sequence[str], target: str, target_columns: Sequence[str] = ("id",), *, ondelete: str = ""
) -> None:
    """Add a foreign key named as the models name it: NOT VALID first, then validated."""
    name = f"fk_{table}_{'_'.join(columns)}"
    if not has_constraint(table, name):
        action = f" ON DELETE {ondelete}" if ondelete else ""
        run(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({', '.join(columns)})"
            f" REFERENCES {target} ({', '.join(target_columns)}){action} NOT VALID"
        )
    run(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def create_index(name: str, table: str, columns: str, *, unique: bool = False, where: str = "") -> None:
    """Build an index beside running writes; one left invalid by an interruption is dropped and rebuilt."""
    state = index_state(name)
    if state:
        return
    if state is False:
        drop_index(name)
    kind = "UNIQUE INDEX" if unique else "INDEX"
    condition = f" WHERE {where}" if where else ""
    # It only waits for older transactions and blocks nobody meanwhile, so the short lock wait would be wrong.
    with _patient_index_builds():
        run(f"CREATE {kind} CONCURRENTLY {name} ON {table} ({columns}){condition}")


def drop_index(name: str) -> None:
    """Drop an index beside running queries, if it is there."""
    with _patient_index_builds():
        run(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def add_unique(table: str, columns: Sequence[str]) -> None:
    """Add a unique constraint named as the models name it, on an index built beside running writes."""
    name = f"uq_{table}_{'_'.join(columns)}"
    if has_constraint(table, name):
        return
    create_index(name, table, ", ".join(columns), unique=True)
    run(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


def drop_constraint(table: str, name: str) -> None:
    """Drop a constraint, if it is there."""
    run(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")


def replace_primary_key(table: str, columns: Sequence[str]) -> None:
    """Swap the primary key for ``columns`` in one statement, on the unique index built beforehand.

    The index is ``uq_<table>_<columns>``; foreign keys may refer to it already and stay in force.
    """
    current = primary_key(table)
    if current and current[1] == list(columns):
        return
    drop = f"DROP CONSTRAINT {current[0]}, " if current else ""
    index = f"uq_{table}_{'_'.join(columns)}"
    run(f"ALTER TABLE {table} {drop}ADD CONSTRAINT pk_{table} PRIMARY KEY USING INDEX {index}")


def _is_not_null(table: str, column: str) -> bool:
    statement = (
        "SELECT attnotnull FROM pg_attribute WHERE attname = :column"
        " AND attrelid = to_regclass('public.' || quote_ident(:table))"
    )
    return bool(query(statement, {"table": table, "column": column}).scalar_one())


@contextmanager
def _patient_index_builds() -> Iterator[None]:
    run("SET lock_timeout = 0")
    try:
        yield
    finally:
        run(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
