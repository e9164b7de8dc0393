"""The tables of ``public`` as the catalogue tells them: columns, keys, parents, and the order to put rows in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import sqlalchemy as sa

from portal.core.roles import APP_ROLE
from portal.ops.evolve.errors import EvolveError
from portal.ops.schema.snapshot import is_aside

SCHEMA, CLINICS, CLINIC_ID = "public", "clinics", "clinic_id"
_RIGHTS = """
SELECT c.relname::text, has_table_privilege(r.oid, c.oid, 'DELETE'), has_any_column_privilege(r.oid, c.oid, 'UPDATE')
  FROM pg_roles r CROSS JOIN pg_class c
 WHERE r.rolname = :role AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
"""


@dataclass(frozen=True)
class Reference:
    """A foreign key: ``own`` columns name ``other`` columns of ``parent``."""

    name: str
    parent: str
    own: tuple[str, ...]
    other: tuple[str, ...]

    def condition(self, child: str, parent: str) -> str:
        """Return the SQL that says a row ``child`` names the row ``parent``."""
        pairs = zip(self.own, self.other, strict=True)
        return " AND ".join(f"{child}.{quoted(own)} = {parent}.{quoted(other)}" for own, other in pairs)


@dataclass(frozen=True)
class Table:
    """One table. ``columns`` are those that can be written; ``required`` have to be."""

    name: str
    columns: tuple[str, ...]
    required: frozenset[str]
    key: tuple[str, ...]
    parents: tuple[Reference, ...]
    app_deletes: bool = False
    app_updates: bool = False

    @property
    def sql(self) -> str:
        """Its name as SQL writes it."""
        return f"{SCHEMA}.{quoted(self.name)}"

    @property
    def is_tenant(self) -> bool:
        """Whether it holds clinics' rows; the clinics themselves among them."""
        return self.name == CLINICS or CLINIC_ID in self.columns

    @property
    def clinic_column(self) -> str:
        """The column that says whose row it is."""
        return "id" if self.name == CLINICS else CLINIC_ID


class Catalogue:
    """All tables of ``public`` of one database, at one moment."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.tables = tables

    @classmethod
    def read(cls, connection: sa.Connection) -> Catalogue:
        """Ask the database."""
        inspector = sa.inspect(connection)
        columns = inspector.get_multi_columns(schema=SCHEMA)
        keys = inspector.get_multi_pk_constraint(schema=SCHEMA)
        references = inspector.get_multi_foreign_keys(schema=SCHEMA)
        rights = {name: flags for name, *flags in connection.execute(sa.text(_RIGHTS), {"role": APP_ROLE})}
        tables = {}
        for place in columns:
            name = place[1]
            written = [column for column in columns[place] if not column.get("computed")]
            deletes, updates = rights.get(name, (True, True))
            tables[name] = Table(
                name=name,
                columns=tuple(column["name"] for column in written),
                required=frozenset(
                    column["name"]
                    for column in written
                    if not column["nullable"] and column["default"] is None and not column.get("identity")
                ),
                key=tuple(keys[place]["constrained_columns"]),
                parents=tuple(
                    Reference(
                        str(one["name"]), one["referred_table"], tuple(one["constrained_columns"]),
                        tuple(one["referred_columns"]),
                    )
                    for one in references[place]
                ),
                app_deletes=deletes, app_updates=updates,
            )  # fmt: skip
        return cls(tables)

    def get(self, name: str) -> Table:
        """Return one table; raises EvolveError where there is none, or where its rows have no key to know them by."""
        table = self.tables.get(name.removeprefix(f"{SCHEMA}."))
        if table is None:
            raise EvolveError(f"There is no table {name} in the database.")
        if not table.key:
            raise EvolveError(f"{name} has no primary key, so its rows cannot be compared.")
        return table

    def clinic_tables(self) -> list[Table]:
        """Return the tables with clinics' rows, parents first; without what migrations put aside."""
        return self.ordered(table for table in self.tables.values() if table.is_tenant and not is_aside(table.name))

    def ordered(self, tables: Iterable[Table]) -> list[Table]:
        """Return tables with parents before their children; raises EvolveError where they name each other."""
        chosen = {table.name: table for table in tables}
        graph = {
            name: [one.parent for one in table.parents if one.parent in chosen and one.parent != name]
            for name, table in sorted(chosen.items())
        }
        try:
            return [chosen[name] for name in TopologicalSorter(graph).static_order()]
        except CycleError as error:
            raise EvolveError(f"These tables name each other in a circle: {', '.join(error.args[1])}.") from error

    def children(self, table: Table) -> Iterator[tuple[Table, Reference]]:
        """Yield who names rows of ``table``, and by which key."""
        for other in self.tables.values():
            for reference in other.parents:
                if reference.parent == table.name:
                    yield other, reference


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Sequence[str], alias: str | None = None) -> str:
    """Return columns as SQL lists them."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + quoted(name) for name in names)
