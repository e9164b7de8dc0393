"""The whole difference between models and database: what each of its parts must know of the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from alembic.operations import ops

from portal.core.roles import APP_ROLE, PLATFORM_ROLE
from portal.ops.evolve.errors import EvolveError

_RIGHTS = """
SELECT string_agg(DISTINCT a.privilege_type, ', ' ORDER BY a.privilege_type) FROM pg_class c, aclexplode(c.relacl) AS a
 WHERE c.oid = to_regclass('public.' || quote_ident(:table)) AND a.grantee = to_regrole(:role)
"""
_OTHER_POLICIES = """
SELECT string_agg(policyname, ', ' ORDER BY policyname) FROM pg_policies
 WHERE schemaname = 'public' AND tablename = :table AND policyname NOT IN ('clinic', 'migrator', 'backup')
"""
_COLUMN_RIGHTS = """
SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('public.' || quote_ident(:table))
   AND attacl::text LIKE '%' || :role || '=%')
"""


@dataclass
class Difference:
    """Alembic's operations, flat, with the models and the database they were found between."""

    operations: list[Any]
    metadata: sa.MetaData
    connection: sa.Connection

    @cached_property
    def dropped_tables(self) -> dict[str, sa.Table]:
        """Tables that go, as the database has them, by name."""
        return {op.table_name: op.to_table() for op in self._of(ops.DropTableOp)}

    @property
    def created_tables(self) -> list[sa.Table]:
        """New tables, parents first."""
        return [self.metadata.tables[op.table_name] for op in self._of(ops.CreateTableOp)]

    def added(self, table: str) -> set[str]:
        """Return the columns that ``table`` gets."""
        return {op.column.name for op in self._of(ops.AddColumnOp) if op.table_name == table}

    def dropped(self, table: str) -> set[str]:
        """Return the columns that ``table`` loses."""
        return {op.column_name for op in self._of(ops.DropColumnOp) if op.table_name == table}

    def is_new(self, table: str) -> bool:
        """Tell whether ``table`` is created here."""
        return any(op.table_name == table for op in self._of(ops.CreateTableOp))

    def loses(self, table: str, text: str) -> bool:
        """Tell whether SQL over ``table`` names a column that goes, or the table goes itself."""
        return table in self.dropped_tables or bool(set(re.findall(r"\w+", text)) & self.dropped(table))

    def table(self, name: str) -> sa.Table:
        """Return a table as the models have it, or as the database had it."""
        found = self.metadata.tables.get(name)
        return self.dropped_tables[name] if found is None else found

    def key(self, table: str) -> list[str]:
        """Return the key's columns; raises EvolveError where there are none to keep and fill rows by."""
        key = [column.name for column in self.table(table).primary_key]
        if not key:
            raise EvolveError(f"{table} has no primary key: its rows could not be kept. Write the revision by hand.")
        return key

    def model_column(self, table: str, name: str) -> sa.Column[Any]:
        """Return a column as the models have it."""
        return self.metadata.tables[table].columns[name]

    def references(self, table: str, kind: type[Any]) -> Iterable[sa.ForeignKeyConstraint]:
        """Yield the foreign keys that ``table`` gets (CreateForeignKeyOp) or loses (DropConstraintOp)."""
        for op in self._of(kind):
            constraint = op.to_constraint()
            if isinstance(constraint, sa.ForeignKeyConstraint) and constraint.table.name == table:
                yield constraint

    def rights(self, table: str, role: str) -> str:
        """Return what ``role`` may do with the whole of ``table`` now."""
        found = self.connection.execute(sa.text(_RIGHTS), {"table": table, "role": role}).scalar()
        return str(found or "")

    def app_rights(self, table: str) -> str:
        """Return the application's rights."""
        return self.rights(table, APP_ROLE)

    def platform_rights(self, table: str) -> str:
        """Return the admin host's rights."""
        return self.rights(table, PLATFORM_ROLE)

    def grants_columns(self, table: str) -> bool:
        """Tell whether the application has its rights on some columns of ``table`` only."""
        return bool(self.connection.execute(sa.text(_COLUMN_RIGHTS), {"table": table, "role": APP_ROLE}).scalar())

    def other_policies(self, table: str) -> str:
        """Return the names of the policies that are not the standard ones."""
        return str(self.connection.execute(sa.text(_OTHER_POLICIES), {"table": table}).scalar() or "")

    def _of(self, kind: type[Any]) -> list[Any]:
        return [op for op in self.operations if isinstance(op, kind)]


def flat(operations: Iterable[Any]) -> list[Any]:
    """Return the operations without the containers Alembic puts them in."""
    result: list[Any] = []
    for op in operations:
        result.extend(flat(op.ops) if isinstance(op, ops.OpContainer) else [op])
    return result


def named_columns(constraint: sa.Constraint) -> Sequence[str]:
    """Return the names of a constraint's columns."""
    return [column.name for column in getattr(constraint, "columns", ())]
