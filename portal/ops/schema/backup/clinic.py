"""One clinic's rows back from a backup, and not one row of anybody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.ops.evolve.errors import DivergedError, EvolveError, MigrationDataError
from portal.ops.schema.backup.catalogue import Catalogue, Table, quoted
from portal.ops.schema.backup.history import record
from portal.ops.schema.backup.info import BackupInfo
from portal.ops.schema.backup.merge import Merge, refusals_told
from portal.ops.schema.backup.rows import Source, find_clinic
from portal.ops.schema.backup.tools import Counter, Tell, nobody
from portal.ops.schema.place import Place
from portal.ops.schema.snapshot import Rows, hash_table, list_tables
from portal.ops.schema.tables import ensure_tables

LOCK_TIMEOUT = "10s"
# A login that ended stays ended: bringing its row back would let its cookie in again.
LEFT_OUT = ("login_sessions",)


@dataclass
class TableResult:
    """What became of one table's rows; of a mere look, what would."""

    table: str
    backup: int
    inserted: int = 0
    different: int = 0  # from the backup, before anything was put back
    put_back: int = 0
    extra: int = 0  # made since the backup
    removed: int = 0
    kept: str | None = None  # the table that holds what was replaced and removed

    def as_json(self) -> dict[str, Any]:
        """Return it as it is printed."""
        return dict(vars(self))


@dataclass
class ClinicResult:
    """What became of a clinic's rows."""

    clinic: str
    tables: list[TableResult] = field(default_factory=list)
    others: int = 0  # rows that belong to nobody or to other clinics, compared before and after

    @property
    def changes(self) -> int:
        """How many rows are other ones now."""
        return sum(one.inserted + one.put_back + one.removed for one in self.tables)


@dataclass(frozen=True)
class ClinicRestore:
    """Bringing ``subdomain``'s rows back from ``backup``, as the owner.

    Missing rows are inserted. With ``exact`` the rows become what the backup holds: what differs is put back and what
    was made since is removed, both after being kept in ``keep_restore_<moment>_<table>``. Where the application may
    not change or delete rows, as in logs, they stay; so does what such a row names.
    """

    place: Place
    backup: BackupInfo
    subdomain: str
    exact: bool = False
    by: str | None = None
    tell: Tell = nobody

    def run(self, source: Source, *, apply: bool) -> ClinicResult:
        """Do it in one transaction, under the migration lock; without ``apply`` take it back again and only tell.

        Raises MigrationDataError where rows cannot come back, or where another clinic's would change; DivergedError
        where backup and database stand at different revisions; EvolveError where there is no such clinic. Then
        nothing was changed.
        """
        with self.place.locked() as holder:
            ensure_tables(holder)
            with working(self.place) as connection, refusals_told(self.subdomain):
                result = self._restore(connection, source)
                if apply:
                    self._record(connection, source.heads, result)
                    connection.commit()
        return result

    def _restore(self, connection: sa.Connection, source: Source) -> ClinicResult:
        self._require_revision(connection, source)
        clinic = self._clinic(connection, source)
        catalogue = Catalogue.read(connection)
        tables = [one for one in catalogue.clinic_tables() if one.name not in LEFT_OUT and source.columns(one.name)]
        before = _others(connection, catalogue, clinic)
        counter = Counter(self.tell, "tables compared", len(tables))
        pairs = []
        for table in tables:
            merge = Merge.load(connection, table, source.columns(table.name), source.rows(table, clinic))
            merge.only(f"t.{quoted(table.clinic_column)} = '{clinic}'")
            result = TableResult(table.name, merge.rows, different=merge.count_different())
            result.extra = merge.count_extra(_whose(table, clinic))
            pairs.append((merge, result))
            counter.add()
        counter.finish()
        self._write(catalogue, clinic, pairs)
        after = _others(connection, catalogue, clinic)
        changed = [table for table in before if before[table] != after.get(table)]
        if changed:
            raise MigrationDataError(
                f"Rows of others would have changed in {', '.join(changed)}. Everything was taken back."
            )
        return ClinicResult(self.subdomain, [result for _, result in pairs], sum(rows.rows for rows in before.values()))

    def _write(self, catalogue: Catalogue, clinic: UUID, pairs: list[tuple[Merge, TableResult]]) -> None:
        stamp = f"{datetime.now(UTC):%Y%m%d%H%M%S}"
        if self.exact:  # first, as what was made since may hold a name that a row to be brought back needs
            self._remove(catalogue, clinic, pairs, stamp)
        for merge, result in pairs:
            lost = [f"  {count} name a row of {one.parent} that is gone ({one.name})" for one, count in
                    merge.orphans(overwriting=self.exact and merge.table.app_updates)]  # fmt: skip
            if lost:
                raise MigrationDataError("\n".join([f"Rows of {result.table} cannot come back:", *lost]))
            result.inserted = merge.insert_missing()
        for merge, result in pairs:
            if self.exact and merge.table.app_updates:
                result.put_back = merge.put_back(_keep(stamp, result.table))
            else:
                result.put_back = merge.raise_numbers()
        if self.exact:  # once more, as rows that were put back may have let go of some
            self._remove(catalogue, clinic, pairs, stamp)
        for merge, result in pairs:
            result.kept = _keep(stamp, result.table) if merge.kept else None

    def _remove(self, catalogue: Catalogue, clinic: UUID, pairs: list[tuple[Merge, TableResult]], stamp: str) -> None:
        for merge, result in reversed(pairs):
            if merge.table.app_deletes:
                children = [pair for pair in catalogue.children(merge.table) if pair[0].name not in LEFT_OUT]
                keep = _keep(stamp, result.table)
                result.removed += merge.remove_extra(keep, _whose(merge.table, clinic), children)

    def _require_revision(self, connection: sa.Connection, source: Source) -> None:
        heads = current_heads(connection)
        if source.heads != heads:
            raise DivergedError(
                f"The backup's rows are of the revision {source.heads or 'nothing'}, the database stands at "
                f"{heads or 'nothing'}. One clinic's file cannot be taken along; use a backup of the whole database."
            )

    def _clinic(self, connection: sa.Connection, source: Source) -> UUID:
        found = source.find_clinic(self.subdomain)
        if found is None:
            raise EvolveError(f"The backup {self.backup.id} has no clinic {self.subdomain!r}.")
        here = find_clinic(connection, self.subdomain)
        if here not in (None, found):
            raise MigrationDataError(f"{self.subdomain!r} is another clinic now than it was in the backup.")
        return found

    def _record(self, connection: sa.Connection, heads: str, result: ClinicResult) -> None:
        note = f"Rows of the clinic {self.subdomain} from the backup {self.backup.id}" + (
            ", exact." if self.exact else "."
        )
        rows = {one.table: one.inserted + one.put_back for one in result.tables}
        record(connection, note, name="clinic", heads=heads, backup_id=self.backup.id, by=self.by, rows=rows)


@contextmanager
def working(place: Place) -> Iterator[sa.Connection]:
    """Yield a transaction that sees one moment; what is not committed at the end is taken back."""
    with place.engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        yield connection
        connection.rollback()


def current_heads(connection: sa.Connection) -> str:
    """Return the revisions a database stands at, as backups write them."""
    return ", ".join(connection.exec_driver_sql("SELECT unnest(ops.current_heads()) ORDER BY 1").scalars())


def _others(connection: sa.Connection, catalogue: Catalogue, clinic: UUID) -> dict[str, Rows]:
    """Return count and hash of every row that is not the clinic's, by table."""
    found = {}
    for name in list_tables(connection):
        table = catalogue.tables.get(name.strip('"'))
        where = f"(t.{quoted(table.clinic_column)} = '{clinic}') IS NOT TRUE" if table and table.is_tenant else "true"
        if not name.startswith("keep_restore_"):
            found[name] = hash_table(connection, name, (), where)
    return found


def _whose(table: Table, clinic: UUID) -> str:
    return f"t.{quoted(table.clinic_column)} = '{clinic}'"


def _keep(stamp: str, table: str) -> str:
    return f"keep_restore_{stamp}_{table}"
