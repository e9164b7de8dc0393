"""What the database says about itself."""

from __future__ import annotations

from collections.abc import Sequence

from portal.core.roles import ROLES
from portal.ops.evolve.errors import MissingRolesError
from portal.ops.evolve.run import query


def has_table(table: str) -> bool:
    """Tell whether ``table`` exists in the public schema."""
    found = query("SELECT to_regclass('public.' || quote_ident(:table)) IS NOT NULL", {"table": table})
    return bool(found.scalar_one())


def table_columns(table: str) -> list[str]:
    """Return the columns of ``table`` in their order."""
    statement = (
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = :table ORDER BY ordinal_position"
    )
    return list(query(statement, {"table": table}).scalars())


def has_column(table: str, column: str) -> bool:
    """Tell whether ``table`` has ``column``."""
    return column in table_columns(table)


def column_type(table: str, column: str) -> str:
    """Return the type of a column, as SQL writes it."""
    statement = (
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = :column"
        " AND attrelid = to_regclass('public.' || quote_ident(:table))"
    )
    return str(query(statement, {"table": table, "column": column}).scalar_one())


def has_constraint(table: str, name: str) -> bool:
    """Tell whether ``table`` has a constraint called ``name``."""
    statement = (
        "SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = :name"
        " AND conrelid = to_regclass('public.' || quote_ident(:table)))"
    )
    return bool(query(statement, {"name": name, "table": table}).scalar_one())


def primary_key(table: str) -> tuple[str, list[str]] | None:
    """Return the name and the columns of the primary key of ``table``, or None."""
    statement = (
        "SELECT c.conname, array_agg(a.attname::text ORDER BY k.place)"
        " FROM pg_constraint c CROSS JOIN unnest(c.conkey) WITH ORDINALITY AS k (number, place)"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number"
        " WHERE c.contype = 'p' AND c.conrelid = to_regclass('public.' || quote_ident(:table)) GROUP BY c.conname"
    )
    row = query(statement, {"table": table}).one_or_none()
    return (row[0], list(row[1])) if row else None


def index_state(name: str) -> bool | None:
    """Return whether the index ``name`` is valid; None where there is none."""
    statement = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('public.' || quote_ident(:name))"
    state = query(statement, {"name": name}).scalar_one_or_none()
    return None if state is None else bool(state)


def require_roles() -> None:
    """Raise MissingRolesError where one of the four database roles does not exist."""
    known = set(query("SELECT rolname::text FROM pg_roles").scalars())
    missing = [role for role in ROLES if role not in known]
    if missing:
        raise MissingRolesError(
            f"The database roles {', '.join(missing)} do not exist. Run `flask db roles` first; it needs a "
            "connection that may create roles."
        )


def has_key(table: str, columns: Sequence[str]) -> bool:
    """Tell whether ``columns`` are the primary key of ``table``."""
    key = primary_key(table)
    return key is not None and key[1] == list(columns)
