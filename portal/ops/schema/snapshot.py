"""What a database holds, in a form that can be compared: its schema as lines of text, its rows as counts and hashes."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY (:schemas) ORDER BY 1
"""
_COLUMNS = r"""
SELECT 'column ' || c.table_name || '.' || c.column_name || ' ' || concat_ws(' ', c.udt_name,
       c.character_maximum_length, c.numeric_precision || ',' || c.numeric_scale, c.is_nullable, c.collation_name,
       regexp_replace(c.column_default, '^''(\d+)''::\w+$', '\1'))
  FROM information_schema.columns c JOIN pg_class t ON t.oid = to_regclass('public.' || quote_ident(c.table_name))
 WHERE c.table_schema = 'public' AND t.relkind IN ('r', 'p')
"""
_CONSTRAINTS = """
SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid, true)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
"""
_OTHERS = r"""
SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'policy ' || concat_ws(' ', tablename, policyname, permissive, roles, cmd, qual, with_check)
  FROM pg_policies WHERE schemaname = 'public'
UNION ALL SELECT 'security ' || relname || ' ' || concat_ws(' ', relrowsecurity, relforcerowsecurity) FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
UNION ALL SELECT 'rights ' || relname || ' ' || acl FROM pg_class, unnest(relacl) AS acl
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')
   AND acl::text NOT LIKE 'clinikoop_owner=%%'
UNION ALL SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function ' || oid::regprocedure || ' ' || md5(prosrc) FROM pg_proc
 WHERE pronamespace = 'public'::regnamespace
"""
# A restored check is written another way than the one it was made from, and is the same: without needless brackets
# ("true" above) the casts of a list are what is left.
_RESTORED_ITEM = re.compile(r"('(?:[^']|'')*'::character varying)::text")
_FRESH_LIST = re.compile(r"(ARRAY\[[^\]]*\])::text\[\]")
# What migrations put aside belongs to the past, and the view to the history.
_ASIDE = ("keep_", "alembic_version", "_quarantine", "_prisma_migrations")


class Rows(NamedTuple):
    """How many rows a table has, and a hash of all their values by column name, whatever their order."""

    rows: int
    digest: str


def schema_lines(connection: sa.Connection) -> set[str]:
    """Return every column, constraint, index, policy, right, trigger and function of ``public`` as a line of text."""
    found = {
        line for query in (_COLUMNS, _CONSTRAINTS, _OTHERS) for line in connection.execute(sa.text(query)).scalars()
    }
    return {_as_written(line) for line in found if line and not is_aside(line)}


def _as_written(line: str) -> str:
    return _FRESH_LIST.sub(r"\1", _RESTORED_ITEM.sub(r"\1", line))


def is_aside(name: str) -> bool:
    """Tell whether a table, or a line about one, is what migrations put aside."""
    return any(part in name for part in _ASIDE)


def list_tables(connection: sa.Connection, *schemas: str) -> list[str]:
    """Return the tables of ``schemas`` (``public``), as SQL writes them, those put aside included."""
    return list(connection.execute(sa.text(_TABLES), {"schemas": list(schemas or ("public",))}).scalars())


def count_rows(connection: sa.Connection) -> dict[str, int]:
    """Return, per table of ``public``, its number of rows, all of one moment."""
    tables = [name for name in list_tables(connection) if not name.startswith("alembic_version")]
    if not tables:
        return {}
    query = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in tables)
    return {name: int(count) for name, count in connection.exec_driver_sql(query)}


def hash_rows(connection: sa.Connection, *, ignoring: Collection[str] = (), aside: bool = False) -> dict[str, Rows]:
    """Return, per table of ``public``, count and hash of its rows without the columns of ``ignoring``.

    With ``aside`` also of what migrations put aside.
    """
    result = {}
    for table in list_tables(connection):
        if aside or not is_aside(table):
            result[table] = hash_table(connection, table, ignoring)
    return result


def hash_table(connection: sa.Connection, table: str, ignoring: Collection[str] = (), where: str = "true") -> Rows:
    """Return count and hash of the rows of ``table`` (as ``t``) that ``where`` finds."""
    columns = connection.execute(
        sa.text(
            "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = to_regclass(:table)"
            " AND attnum > 0 AND NOT attisdropped ORDER BY attname"
        ),
        {"table": table},
    ).scalars()
    # Values as text, by name: a column that went and came back may stand elsewhere and still be equal.
    listed = ", ".join(f"t.{name}" for name in columns if name.strip('"') not in ignoring) or "0"
    count, digest = connection.execute(
        sa.text(
            f"SELECT count(*), coalesce(sum(hashtextextended(ROW({listed})::text, 0)::numeric), 0)::text"
            f" FROM {table} AS t WHERE {where}"
        )
    ).one()
    return Rows(int(count), digest)
