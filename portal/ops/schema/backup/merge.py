"""A backup's rows of one table beside the live ones: what is missing, what differs, and how it comes back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import sqlalchemy as sa

from portal.ops.evolve.errors import EvolveError, MigrationDataError
from portal.ops.schema.backup.catalogue import Reference, Table, listed, quoted
from portal.ops.schema.backup.rows import driver_connection, write_csv

# A number given out once is never given out again, whatever the backup says.
NEVER_DOWN = {"counters": ("last_no",)}


@dataclass
class Merge:
    """The rows of ``table`` in a backup, copied into a temporary table of the live database's transaction."""

    connection: sa.Connection
    table: Table
    shared: tuple[str, ...]
    rows: int = 0
    kept: int = field(default=0, init=False)

    @classmethod
    def load(cls, connection: sa.Connection, table: Table, columns: tuple[str, ...], chunks: Iterable[bytes]) -> Merge:
        """Copy the backup's rows in; columns that the live table does not have any more come as text."""
        shared = tuple(name for name in table.columns if name in columns)
        lacking = [name for name in table.key if name not in shared]
        if lacking:
            raise EvolveError(f"The backup's {table.name} has no {', '.join(lacking)}: its rows cannot be told apart.")
        merge = cls(connection, table, shared)
        selected = ", ".join(quoted(name) if name in shared else f"NULL::text AS {quoted(name)}" for name in columns)
        merge._run(f"CREATE TEMP TABLE {merge.copy} ON COMMIT DROP AS SELECT {selected} FROM {table.sql} WITH NO DATA")
        merge.rows = write_csv(connection, merge.copy, columns, iter(chunks))
        merge._run(f"CREATE INDEX ON {merge.copy} ({listed(table.key)})")
        merge._run(f"ANALYZE {merge.copy}")
        return merge

    @property
    def copy(self) -> str:
        """The temporary table."""
        return f"pg_temp.{quoted('copy_' + self.table.name[:55])}"

    def only(self, where: str) -> None:
        """Forget the backup's rows that ``where``, SQL over the row ``t``, does not find.

        It is written by hand: sent as one statement, so that a bracket and a semicolon in it begin no second one.
        """
        self.rows -= self._run(f"DELETE FROM {self.copy} AS t WHERE ({where}) IS NOT TRUE", alone=True)

    @property
    def lacking(self) -> list[str]:
        """The columns that have to be written and that the backup does not have."""
        return sorted(self.table.required - set(self.shared))

    def count_missing(self) -> int:
        """Return how many rows of the backup are not in the table."""
        return self._count(f"{self.copy} AS b WHERE {self._is_missing}")

    def count_different(self) -> int:
        """Return how many rows have other values than in the backup."""
        return self._count(f"{self.table.sql} AS t JOIN {self.copy} AS b ON {self._same} WHERE {self._differs}")

    def orphans(self, *, overwriting: bool) -> Iterator[tuple[Reference, int]]:
        """Yield the foreign keys that could not hold, with the number of the backup's rows whose parent is gone."""
        todo = self._is_missing
        if overwriting:
            todo += f" OR EXISTS (SELECT FROM {self.table.sql} AS t WHERE {self._same} AND {self._differs})"
        for reference in self.table.parents:
            if not set(reference.own) <= set(self.shared):
                continue
            named = " AND ".join(f"b.{quoted(column)} IS NOT NULL" for column in reference.own)
            parents = [f"public.{quoted(reference.parent)}"]
            if reference.parent == self.table.name:
                parents.append(self.copy)
            absent = " AND ".join(
                f"NOT EXISTS (SELECT FROM {parent} AS p WHERE {reference.condition('b', 'p')})" for parent in parents
            )
            found = self._count(f"{self.copy} AS b WHERE ({todo}) AND {named} AND {absent}")
            if found:
                yield reference, found

    def insert_missing(self) -> int:
        """Insert the rows that are not there; raises MigrationDataError where the table does not take them."""
        columns = listed(self.shared)
        return self._write(
            f"INSERT INTO {self.table.sql} ({columns}) OVERRIDING SYSTEM VALUE"
            f" SELECT {listed(self.shared, 'b')} FROM {self.copy} AS b WHERE {self._is_missing}"
        )

    def put_back(self, keep: str) -> int:
        """Give rows that differ the backup's values, after keeping what they have in the table ``keep``."""
        if not self.count_different():
            return 0
        self._keep(
            keep, "replaced", f"{self.table.sql} AS t JOIN {self.copy} AS b ON {self._same} WHERE {self._differs}"
        )
        values = ", ".join(f"{quoted(column)} = {self._value(column)}" for column in self._compared)
        return self._write(
            f"UPDATE {self.table.sql} AS t SET {values} FROM {self.copy} AS b WHERE {self._same} AND {self._differs}"
        )

    def raise_numbers(self) -> int:
        """Bring numbers that never go down up to the backup's."""
        columns = NEVER_DOWN.get(self.table.name, ())
        if not columns:
            return 0
        values = ", ".join(f"{quoted(column)} = {self._value(column)}" for column in columns)
        lower = " OR ".join(f"t.{quoted(column)} < b.{quoted(column)}" for column in columns)
        return self._write(
            f"UPDATE {self.table.sql} AS t SET {values} FROM {self.copy} AS b WHERE {self._same} AND ({lower})"
        )

    def remove_extra(self, keep: str, whose: str, children: Iterable[tuple[Table, Reference]]) -> int:
        """Delete the rows of ``whose`` that the backup does not have, after keeping them in the table ``keep``.

        A row that another one still names stays: nothing is deleted by cascade.
        """
        conditions = [whose, f"NOT EXISTS (SELECT FROM {self.copy} AS b WHERE {self._same})"] + [
            f"NOT EXISTS (SELECT FROM {child.sql} AS c WHERE {reference.condition('c', 't')})"
            for child, reference in children
        ]
        found = f"{self.table.sql} AS t WHERE {' AND '.join(conditions)}"
        if not self._count(found):
            return 0
        self._keep(keep, "removed", found)
        return self._write(f"DELETE FROM {found}")

    def count_extra(self, whose: str) -> int:
        """Return how many rows of ``whose`` the backup does not have."""
        return self._count(
            f"{self.table.sql} AS t WHERE {whose} AND NOT EXISTS (SELECT FROM {self.copy} AS b WHERE {self._same})"
        )

    @property
    def _same(self) -> str:
        return " AND ".join(f"t.{quoted(column)} = b.{quoted(column)}" for column in self.table.key)

    @property
    def _compared(self) -> list[str]:
        return [column for column in self.shared if column not in self.table.key]

    @property
    def _is_missing(self) -> str:
        return f"NOT EXISTS (SELECT FROM {self.table.sql} AS t WHERE {self._same})"

    @property
    def _differs(self) -> str:
        if not self._compared:
            return "false"
        values = ", ".join(self._value(column) for column in self._compared)
        # As text: not every type can be compared, and what looks the same is the same.
        return f"ROW({listed(self._compared, 't')})::text IS DISTINCT FROM ROW({values})::text"

    def _value(self, column: str) -> str:
        value = f"b.{quoted(column)}"
        return f"GREATEST(t.{quoted(column)}, {value})" if column in NEVER_DOWN.get(self.table.name, ()) else value

    def _keep(self, keep: str, why: str, found: str) -> None:
        if not self.kept:
            columns = "t.*, ''::text AS kept_why"
            self._run(f"CREATE TABLE public.{quoted(keep)} AS SELECT {columns} FROM {self.table.sql} AS t WITH NO DATA")
        self.kept += self._run(f"INSERT INTO public.{quoted(keep)} SELECT t.*, '{why}' FROM {found}")

    def _write(self, statement: str) -> int:
        with refusals_told(self.table.name):
            return self._run(statement)

    def _count(self, found: str) -> int:
        row = driver_connection(self.connection).execute(f"SELECT count(*) FROM {found}".encode()).fetchone()
        assert row is not None
        return int(row[0])

    def _run(self, statement: str, *, alone: bool = False) -> int:
        """Run a statement as it stands, per cent signs and all, and return how many rows it was about.

        ``alone``: the server refuses a second one behind it.
        """
        # Asking for binary results makes psycopg use the protocol that takes one statement only.
        return driver_connection(self.connection).execute(statement.encode(), binary=alone).rowcount


@contextmanager
def refusals_told(table: str) -> Iterator[None]:
    """Turn the database's refusal of rows into MigrationDataError, without the rows' values."""
    try:
        yield
    except psycopg.IntegrityError as error:
        raise MigrationDataError(
            f"{table} does not take rows of the backup: {error.diag.message_primary}. Nothing was changed."
        ) from error
    except psycopg.errors.SerializationFailure as error:
        raise MigrationDataError(
            f"Somebody changed {table} at the same time. Nothing was changed; run the command again."
        ) from error
