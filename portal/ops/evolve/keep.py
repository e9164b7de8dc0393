"""Downgrades that lose nothing: what the older schema cannot hold waits in ``keep_<revision>_<table>``.

Going up again brings it back. A row that cannot come back, because its parent was deleted meanwhile,
stays in its keep table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portal.ops.evolve.catalog import has_table, table_columns
from portal.ops.evolve.retry import is_autocommit
from portal.ops.evolve.run import bind, filled, query, run


def keep_name(revision: str, table: str) -> str:
    """Return the name of the keep table of ``table`` for ``revision``."""
    return f"keep_{revision}_{table}"


def keep_rows(revision: str, table: str, select: str) -> None:
    """Put the rows of ``select`` into the keep table of ``table``, making it if it is not there.

    Writers of ``table`` wait until the transaction ends: what was written after the copy would be lost.
    """
    name = keep_name(revision, table)
    if has_table(table) and not is_autocommit(bind()):
        run(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
    if has_table(name):
        # By name: the columns of a table that came and went are not in the order they were in.
        columns = ", ".join(table_columns(name))
        statement = "INSERT INTO {name} ({columns}) SELECT {columns} FROM ({select}) AS s"
        run(statement, name=name, columns=columns, select=select)
    else:
        run(f"CREATE TABLE {name} AS {select}")


def keep_table(revision: str, table: str) -> None:
    """Keep all rows of ``table`` and drop it."""
    keep_rows(revision, table, f"TABLE {table}")
    run(f"DROP TABLE {table}")


def keep_columns(revision: str, table: str, columns: Sequence[str], key: Sequence[str] = ("clinic_id", "id")) -> None:
    """Keep ``columns`` of every row of ``table`` and drop them."""
    keep_rows(
        revision, table, filled("SELECT {names} FROM {table}", {"names": ", ".join([*key, *columns]), "table": table})
    )
    for column in columns:
        run(f"ALTER TABLE {table} DROP COLUMN {column}")


def restore_table(revision: str, table: str) -> None:
    """Bring kept rows back into the newly made ``table``, those whose parents still exist."""
    name = keep_name(revision, table)
    if not has_table(name):
        return
    columns = ", ".join(table_columns(name))
    run(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM {name} AS k WHERE {parents} ON CONFLICT DO NOTHING",
        table=table,
        name=name,
        columns=columns,
        parents=_parents(table),
    )
    _forget(name, table, _key(table))


def restore_columns(
    revision: str, table: str, columns: Sequence[str] | Mapping[str, str], key: Sequence[str] = ("clinic_id", "id")
) -> None:
    """Bring kept values back into ``columns`` of the rows they were taken from.

    A mapping gives each column's expression, over the row ``t`` and the kept row ``k``.
    """
    restore_values(keep_name(revision, table), table, columns, key)


def restore_values(
    name: str, table: str, columns: Sequence[str] | Mapping[str, str], key: Sequence[str] = ("clinic_id", "id")
) -> None:
    """As ``restore_columns``, from the keep table called ``name``."""
    if not has_table(name):
        return
    values = columns if isinstance(columns, Mapping) else {column: f"k.{column}" for column in columns}
    assignments = ", ".join(f"{column} = {value}" for column, value in values.items())
    run(
        "UPDATE {table} AS t SET {assignments} FROM {name} AS k WHERE {same}",
        table=table,
        assignments=assignments,
        name=name,
        same=_same(key),
    )
    _forget(name, table, key)


def _forget(name: str, table: str, key: Sequence[str]) -> None:
    """Delete from the keep table what is in ``table`` again; drop it when nothing is left."""
    run("DELETE FROM {name} AS k USING {table} AS t WHERE {same}", name=name, table=table, same=_same(key))
    if not query("SELECT EXISTS (SELECT FROM {name})", name=name).scalar_one():
        run(f"DROP TABLE {name}")


def _same(key: Sequence[str]) -> str:
    return " AND ".join(f"t.{column} = k.{column}" for column in key)


_KEY = """
SELECT a.attname::text FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (number, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
 WHERE i.indisprimary AND i.indrelid = to_regclass('public.' || quote_ident(:table)) ORDER BY k.place
"""

_PARENTS = """
SELECT c.confrelid::regclass::text AS parent,
       array_agg(own.attname::text ORDER BY k.place) AS own, array_agg(other.attname::text ORDER BY k.place) AS other
  FROM pg_constraint c CROSS JOIN unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, other, place)
  JOIN pg_attribute own ON own.attrelid = c.conrelid AND own.attnum = k.own
  JOIN pg_attribute other ON other.attrelid = c.confrelid AND other.attnum = k.other
 WHERE c.contype = 'f' AND c.conrelid = to_regclass('public.' || quote_ident(:table)) GROUP BY c.oid
"""


def _key(table: str) -> list[str]:
    return list(query(_KEY, {"table": table}).scalars())


def _parents(table: str) -> str:
    """Return the condition that every parent a kept row ``k`` names exists."""
    conditions = ["true"]
    for parent, own, other in query(_PARENTS, {"table": table}):
        absent = " OR ".join(f"k.{column} IS NULL" for column in own)
        same = " AND ".join(f"p.{there} = k.{here}" for here, there in zip(own, other, strict=True))
        conditions.append(f"({absent} OR EXISTS (SELECT FROM {parent} AS p WHERE {same}))")
    return " AND ".join(conditions)
