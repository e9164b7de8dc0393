"""Rows on their way between databases and files, as CSV: one clinic's backup, and how backups are read."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import psycopg
import sqlalchemy as sa

from portal.ops.evolve.errors import BackupError, EvolveError
from portal.ops.schema.backup.catalogue import Catalogue, Table, listed, quoted
from portal.ops.schema.backup.tools import Counter, Tell
from portal.ops.schema.place import Place

MANIFEST = "manifest.json"
_CHUNK = 256 * 1024
_FORMAT = "(FORMAT csv, HEADER)"


class Source(Protocol):
    """Where a backup's rows can be read from."""

    @property
    def heads(self) -> str:
        """The revision the rows belong to."""

    def columns(self, table: str) -> tuple[str, ...]:
        """Return a table's columns; none where the backup does not have it."""

    def rows(self, table: Table, clinic: UUID | None) -> Iterator[bytes]:
        """Yield a table's rows as CSV with a heading, all or one clinic's."""

    def find_clinic(self, subdomain: str) -> UUID | None:
        """Return the clinic of that subdomain, None where the backup has none."""


class DatabaseSource:
    """A backup restored into a scratch database."""

    def __init__(self, place: Place, heads: str) -> None:
        self._place, self.heads = place, heads
        with place.engine.connect() as connection:
            self._catalogue = Catalogue.read(connection)

    def columns(self, table: str) -> tuple[str, ...]:
        """Return a table's columns; none where the backup does not have it."""
        found = self._catalogue.tables.get(table)
        return found.columns if found else ()

    def rows(self, table: Table, clinic: UUID | None) -> Iterator[bytes]:
        """Yield a table's rows as CSV with a heading, all or one clinic's."""
        with self._place.engine.connect() as connection:
            yield from read_csv(connection, self._catalogue.tables[table.name], clinic)[0]

    def find_clinic(self, subdomain: str) -> UUID | None:
        """Return the clinic of that subdomain, None where the backup has none."""
        with self._place.engine.connect() as connection:
            return find_clinic(connection, subdomain)


class FileSource:
    """One clinic's backup."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
            self._manifest: Mapping[str, Any] = json.loads(self._zip.read(MANIFEST))
        except (OSError, zipfile.BadZipFile, ValueError, KeyError) as error:
            raise BackupError(f"{path.name} cannot be read as one clinic's backup.") from error
        self.heads = str(self._manifest["heads"])

    def columns(self, table: str) -> tuple[str, ...]:
        """Return a table's columns; none where the backup does not have it."""
        if f"{table}.csv" not in self._zip.namelist():
            return ()
        with self._zip.open(f"{table}.csv") as file:
            return tuple(next(csv.reader(io.TextIOWrapper(file, "utf-8", newline=""))))

    def rows(self, table: Table, clinic: UUID | None) -> Iterator[bytes]:
        """Yield a table's rows as CSV with a heading; they are all of one clinic."""
        if clinic is not None and clinic != UUID(self._manifest["clinic_id"]):
            raise BackupError(f"This backup holds the clinic {self._manifest['clinic']} alone.")
        with self._zip.open(f"{table.name}.csv") as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    def find_clinic(self, subdomain: str) -> UUID | None:
        """Return the clinic of that subdomain, None where the backup has none."""
        return UUID(self._manifest["clinic_id"]) if self._manifest["clinic"] == subdomain else None

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        return dict(self._manifest["counts"])

    def tables(self) -> list[str]:
        """Return the tables it holds."""
        return [name.removesuffix(".csv") for name in self._zip.namelist() if name != MANIFEST]


def find_clinic(connection: sa.Connection, subdomain: str) -> UUID | None:
    """Return the id of the clinic of that subdomain; raises EvolveError where there are no clinics yet."""
    if connection.exec_driver_sql("SELECT to_regclass('public.clinics') IS NULL").scalar_one():
        raise EvolveError("This database has no clinics yet: nothing in it belongs to one alone.")
    query = sa.text("SELECT id FROM public.clinics WHERE subdomain = :subdomain")
    return connection.execute(query, {"subdomain": subdomain}).scalar_one_or_none()


def read_csv(connection: sa.Connection, table: Table, clinic: UUID | None) -> tuple[Iterator[bytes], psycopg.Cursor]:
    """Return a table's rows as chunks of CSV, and the cursor that knows their number at the end."""
    where = "" if clinic is None else f" WHERE {quoted(table.clinic_column)} = '{clinic}'"
    query = f"COPY (SELECT {listed(table.columns)} FROM {table.sql}{where}) TO STDOUT {_FORMAT}"
    cursor = driver_connection(connection).cursor()

    def chunks() -> Iterator[bytes]:
        with cursor.copy(query.encode()) as copy:
            yield from (bytes(data) for data in copy)

    return chunks(), cursor


def write_csv(connection: sa.Connection, target: str, columns: tuple[str, ...], chunks: Iterator[bytes]) -> int:
    """Put chunks of CSV with a heading into a table and return how many rows they were."""
    with driver_connection(connection).cursor() as cursor:
        with cursor.copy(f"COPY {target} ({listed(columns)}) FROM STDIN {_FORMAT}".encode()) as copy:
            for chunk in chunks:
                copy.write(chunk)
        return cursor.rowcount


def write_clinic(
    connection: sa.Connection, clinic: UUID, target: Path, tell: Tell, about: Mapping[str, Any]
) -> dict[str, int]:
    """Write one clinic's rows into a zip, a file of CSV a table, and return how many rows each has."""
    tables = Catalogue.read(connection).clinic_tables()
    counter, counts = Counter(tell, "tables copied", len(tables)), {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for table in tables:
            chunks, cursor = read_csv(connection, table, clinic)
            with archive.open(f"{table.name}.csv", "w", force_zip64=True) as file:
                for chunk in chunks:
                    file.write(chunk)
            counts[table.name] = cursor.rowcount
            counter.add()
        manifest = {**about, "clinic_id": str(clinic), "counts": counts}
        archive.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=2))
    counter.finish()
    return counts


def driver_connection(connection: sa.Connection) -> psycopg.Connection:
    """Return psycopg's own connection, in the same transaction: COPY needs it."""
    made = connection.connection.driver_connection
    assert isinstance(made, psycopg.Connection)
    return made
