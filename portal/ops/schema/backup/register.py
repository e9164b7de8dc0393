"""The list of backups: the history's rows and the manifests beside the files, each filling in for the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from portal.ops.evolve.errors import BackupError
from portal.ops.schema.backup.files import SEALED
from portal.ops.schema.backup.info import (
    CLINIC,
    DATABASE,
    INCOMPLETE,
    MISSING,
    BackupInfo,
    read_manifest,
)
from portal.ops.schema.place import Place
from portal.ops.schema.tables import Backup, WorkStatus, ensure_tables, has_tables

SUFFIXES = {DATABASE: ".dump", CLINIC: ".zip"}
_FORGOTTEN = timedelta(days=1)
_COLUMNS = (
    Backup.id, Backup.kind, Backup.clinic, Backup.status, Backup.reason, Backup.started_at, Backup.finished_at,
    Backup.heads, Backup.file, Backup.bytes, Backup.sha256, Backup.encrypted, Backup.counts, Backup.proven_at,
    Backup.error, Backup.by,
)  # fmt: skip


def file_name(info: BackupInfo) -> str:
    """Return what a backup's file is called, before it is encrypted."""
    what = info.clinic or info.kind
    return f"{info.started_at:%Y%m%dT%H%M%SZ}_{what}_{info.id}{SUFFIXES[info.kind]}"


def list_backups(place: Place, folder: Path) -> list[BackupInfo]:
    """Return every backup that was not pruned, newest first; also where the database cannot be asked."""
    found = {info.id: info for info in _of_files(folder)}
    for row in _rows(place):
        found[row.id] = _merged(row, found.get(row.id), folder)
    return sorted(found.values(), key=lambda one: (one.started_at, one.id), reverse=True)


def prepare(place: Place) -> None:
    """See that the history has its tables; rows that a killed backup left "running" are closed."""
    with place.engine.connect() as connection:
        known = has_tables(connection)
        connection.rollback()
        if not known:
            with place.locked() as holder:
                ensure_tables(holder)
        connection.execute(
            sa.update(Backup)
            .where(Backup.status == WorkStatus.RUNNING, Backup.started_at < datetime.now(UTC) - _FORGOTTEN)
            .values(status=WorkStatus.FAILED, error="The process ended without a word.")
        )
        connection.commit()


def record(place: Place, info: BackupInfo) -> None:
    """Write what is known of a backup into the history."""
    values: dict[str, Any] = {
        "id": info.id, "kind": info.kind, "clinic": info.clinic, "status": info.status, "reason": info.reason,
        "started_at": info.started_at, "finished_at": info.finished_at, "duration_ms": info.duration_ms,
        "heads": info.heads, "file": info.path.name if info.path else None, "bytes": info.bytes,
        "sha256": info.sha256, "encrypted": info.encrypted, "counts": dict(info.counts) if info.counts else None,
        "proven_at": info.proven_at, "error": info.error, "by": info.by,
    }  # fmt: skip
    with place.engine.begin() as connection:
        statement = insert(Backup).values(values)
        connection.execute(statement.on_conflict_do_update(index_elements=[Backup.id], set_=values))


def mark_pruned(place: Place, pruned: list[UUID]) -> None:
    """Note that files are gone on purpose."""
    with place.engine.begin() as connection:
        if has_tables(connection):
            connection.execute(
                sa.update(Backup).where(Backup.id.in_(pruned)).values(pruned_at=sa.func.clock_timestamp())
            )


def _rows(place: Place) -> list[Any]:
    try:
        with place.engine.connect() as connection:
            if not has_tables(connection):
                return []
            return list(connection.execute(sa.select(*_COLUMNS).where(Backup.pruned_at.is_(None))))
    except sa.exc.OperationalError:
        return []  # the database is gone; the manifests are what is left


def _of_files(folder: Path) -> Iterator[BackupInfo]:
    if not folder.is_dir():
        return
    manifests = {path.with_name(path.name.removesuffix(".json")) for path in folder.glob("*.json")}
    files = {
        path for path in folder.iterdir() if path.name.removesuffix(SEALED).endswith(tuple(SUFFIXES.values()))
    }  # fmt: skip
    for path in files | manifests:
        named = _named(path)
        if named is None:
            continue
        try:
            info = read_manifest(path)
        except BackupError as error:
            info = replace(named, status=INCOMPLETE, problem=str(error))
        if path not in files:
            info = replace(info, status=MISSING, problem=f"The file {path.name} is gone.")
        yield info


def _named(path: Path) -> BackupInfo | None:
    """Return what a file's name says of the backup; None for a file that is none of ours."""
    plain = path.name.removesuffix(SEALED)
    kind = next((kind for kind, suffix in SUFFIXES.items() if plain.endswith(suffix)), None)
    if kind is None:
        return None
    try:
        stamp, rest = plain.removesuffix(SUFFIXES[kind]).split("_", 1)
        what, number = rest.rsplit("_", 1)
        return BackupInfo(
            id=UUID(number), kind=kind, status=INCOMPLETE, clinic=what if kind == CLINIC else None, path=path,
            started_at=datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
            encrypted=path.name.endswith(SEALED), bytes=path.stat().st_size if path.exists() else None,
        )  # fmt: skip
    except ValueError:
        return None


def _merged(row: Any, on_disk: BackupInfo | None, folder: Path) -> BackupInfo:
    values = row._asdict()
    file = values.pop("file")
    info = BackupInfo(**values, path=folder / file if file else None)
    if on_disk is None:
        if info.status != WorkStatus.OK or info.path is None:
            return info
        return replace(info, status=MISSING, problem=f"The file {info.path.name} is gone.")
    if on_disk.status == MISSING:
        return on_disk
    if on_disk.status == INCOMPLETE:
        return replace(info, status=INCOMPLETE, problem=on_disk.problem, path=on_disk.path)
    proven = max((moment for moment in (info.proven_at, on_disk.proven_at) if moment), default=None)
    return replace(on_disk, proven_at=proven)
