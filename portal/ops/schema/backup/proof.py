"""A backup is proven by restoring it into a scratch database and counting what is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from portal.ops.schema.backup import dump
from portal.ops.schema.backup.catalogue import Catalogue
from portal.ops.schema.backup.rows import FileSource, write_csv
from portal.ops.schema.backup.tools import Counter, Tell, Tools
from portal.ops.schema.place import Place
from portal.ops.schema.scratch import scratch


def prove_database(place: Place, tools: Tools, plain: Path, counts: Mapping[str, int], tell: Tell) -> None:
    """Restore a dump into a scratch database; raises BackupError where it fails or rows are missing."""
    with scratch(place) as copy:
        dump.read_dump(tools, plain, copy, tell, counts)


def prove_clinic(place: Place, tools: Tools, plain: Path, counts: Mapping[str, int], tell: Tell) -> None:
    """Put a clinic's rows into empty tables like the database's own; raises BackupError where rows are missing."""
    source = FileSource(plain)
    found: dict[str, int] = {}
    with scratch(place) as copy, TemporaryDirectory() as folder:
        made = Path(folder) / "tables"
        with dump.frozen(place) as (_, snapshot):
            dump.write_tables(tools, place.engine.url, snapshot, made)
        dump.read_tables(tools, made, copy)
        counter = Counter(tell, "tables restored", len(counts))
        with copy.engine.begin() as connection:
            tables = Catalogue.read(connection).tables
            for name in source.tables():
                rows = source.rows(tables[name], None)
                found[name] = write_csv(connection, tables[name].sql, source.columns(name), rows)
                counter.add()
        counter.finish()
    dump.compare(found, counts)
