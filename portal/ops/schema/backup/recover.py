"""Rows of one table back from a backup: the guide's `patient_offers_backup`, without writing the SQL by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from portal.ops.evolve.errors import MigrationDataError
from portal.ops.schema.backup.catalogue import Catalogue
from portal.ops.schema.backup.clinic import current_heads, working
from portal.ops.schema.backup.history import record
from portal.ops.schema.backup.info import BackupInfo
from portal.ops.schema.backup.merge import Merge, refusals_told
from portal.ops.schema.backup.rows import Source
from portal.ops.schema.place import Place
from portal.ops.schema.tables import ensure_tables


@dataclass
class Recovered:
    """How a table compares with a backup, and what came back of it."""

    table: str
    backup: int  # the backup's rows that were looked at
    missing: int = 0
    different: int = 0
    inserted: int = 0
    put_back: int = 0
    kept: str | None = None  # the table that holds what was replaced
    obstacles: list[str] = field(default_factory=list)

    @property
    def same(self) -> int:
        """How many rows are what they were."""
        return self.backup - self.missing - self.different

    def as_json(self) -> dict[str, Any]:
        """Return it as it is printed."""
        return {**vars(self), "same": self.same}


@dataclass(frozen=True)
class Recovery:
    """Bringing rows of ``table`` back from ``backup``, as the owner; ``where`` is SQL over the backup's row ``t``.

    Missing rows are inserted, with the columns both have. With ``overwrite`` rows that differ are put back, after
    what they are now is kept in ``keep_recover_<moment>_<table>``.
    """

    place: Place
    backup: BackupInfo
    table: str
    where: str | None = None
    overwrite: bool = False
    by: str | None = None

    def run(self, source: Source, *, apply: bool) -> Recovered:
        """Do it in one transaction, under the migration lock; without ``apply`` only compare.

        Raises MigrationDataError, with what to do first, where rows cannot come back; EvolveError where there is no
        such table. Then nothing was changed.
        """
        with self.place.locked() as holder:
            ensure_tables(holder)
            with working(self.place) as connection, refusals_told(self.table):
                table = Catalogue.read(connection).get(self.table)
                merge = Merge.load(connection, table, source.columns(table.name), source.rows(table, None))
                if self.where:
                    merge.only(self.where)
                found = self._compare(merge)
                if apply:
                    self._write(merge, found)
                    rows = {found.table: found.inserted + found.put_back}
                    note = f"Rows of {found.table} from the backup {self.backup.id}."
                    record(
                        connection, note, name="recovered", heads=current_heads(connection), by=self.by, rows=rows,
                        backup_id=self.backup.id,
                    )  # fmt: skip
                    connection.commit()
        return found

    def _compare(self, merge: Merge) -> Recovered:
        found = Recovered(merge.table.name, merge.rows, merge.count_missing(), merge.count_different())
        if found.missing and merge.lacking:
            found.obstacles.append(
                f"The backup has no {', '.join(merge.lacking)}, and no row goes without; try again with --upgraded, "
                "which takes a copy of the backup to the database's revision first."
            )
        for reference, rows in merge.orphans(overwriting=self.overwrite):
            found.obstacles.append(
                f"{rows} rows name a row of {reference.parent} that is gone ({reference.name}). Recover that first: "
                f"flask db recover --table {reference.parent} --from {self.backup.id}"
            )
        return found

    def _write(self, merge: Merge, found: Recovered) -> None:
        if found.obstacles:
            raise MigrationDataError(
                "\n".join([f"Rows of {found.table} cannot come back:", *found.obstacles, "Nothing was changed."])
            )
        found.inserted = merge.insert_missing()
        if self.overwrite:
            keep = f"keep_recover_{datetime.now(UTC):%Y%m%d%H%M%S}_{found.table}"
            found.put_back = merge.put_back(keep)
            found.kept = keep if merge.kept else None
