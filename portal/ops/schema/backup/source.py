"""Opening a backup for its rows: one clinic's file as it is, a dump through a scratch database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from portal.ops.evolve.errors import BackupError
from portal.ops.schema.backup import dump
from portal.ops.schema.backup.info import CLINIC, BackupInfo
from portal.ops.schema.backup.rows import DatabaseSource, FileSource, Source
from portal.ops.schema.backup.tools import Tell
from portal.ops.schema.backup.vault import Vault
from portal.ops.schema.place import Place
from portal.ops.schema.scratch import scratch
from portal.ops.schema.state import read_state


@contextmanager
def all_rows(vault: Vault, backup: BackupInfo, tell: Tell, *, heads: str | None = None) -> Iterator[Source]:
    """Yield all rows of a backup; of a dump, taken to the revision ``heads`` first.

    Raises BackupError where it is damaged, and what the revisions raise where they do not run on it.
    """
    if backup.kind == CLINIC:
        with vault.opened(backup) as plain:
            yield FileSource(plain)
        return
    with scratch(vault.place) as copy:
        vault.restore_into(backup, copy, tell)
        if heads and heads != backup.heads:
            tell("note", {"text": f"Taking the copy from {backup.heads or 'nothing'} to {heads} ..."})
            _move(copy, heads)
        yield DatabaseSource(copy, heads or backup.heads)


@contextmanager
def table_rows(vault: Vault, backup: BackupInfo, table: str) -> Iterator[Source]:
    """Yield the rows of one table of a backup; raises BackupError where it is damaged or has no such table."""
    if backup.counts is not None and table not in backup.counts:
        raise BackupError(f"The backup {backup.id} has no table {table}.")
    if backup.kind == CLINIC:
        with vault.opened(backup) as plain:
            yield FileSource(plain)
        return
    with scratch(vault.place) as copy:
        with vault.opened(backup) as plain:
            tools = vault.tools()
            dump.read_tables(tools, plain, copy)
            dump.read_rows(tools, plain, copy, table)
        _check_count(backup, copy, table)
        yield DatabaseSource(copy, backup.heads)


def _check_count(backup: BackupInfo, copy: Place, table: str) -> None:
    with copy.engine.connect() as connection:
        counted = connection.execute(sa.select(sa.func.count()).select_from(sa.table(table, schema="public")))
        dump.compare({table: counted.scalar_one()}, {table: (backup.counts or {}).get(table, 0)})


def _move(copy: Place, heads: str) -> None:
    with copy.engine.connect() as connection:
        applied = {revision.id for revision in read_state(connection, copy.revisions()).applied}
    if heads in applied:
        copy.downgrade(heads)
    else:
        copy.upgrade(heads)
