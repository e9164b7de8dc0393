"""What is known of a backup, and the small file beside it that says so when the database is gone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from portal.ops.evolve.errors import BackupError

FORMAT = 1
DATABASE, CLINIC = "database", "clinic"
MISSING, INCOMPLETE = "missing", "incomplete"  # what a listed backup can be besides a WorkStatus
_MANIFEST = ".json"
_MOMENTS = ("started_at", "finished_at", "proven_at")


@dataclass(frozen=True, kw_only=True)
class BackupInfo:
    """One backup. ``counts`` says how many rows each table has, ``problem`` why it cannot be restored.

    ``status`` is a WorkStatus, or "missing" where the file is gone, "incomplete" where what stands beside it is.
    """

    id: UUID
    kind: str
    status: str
    started_at: datetime
    reason: str = ""
    by: str | None = None
    clinic: str | None = None
    clinic_id: UUID | None = None
    finished_at: datetime | None = None
    heads: str = ""
    path: Path | None = None
    bytes: int | None = None
    sha256: str | None = None
    encrypted: bool = False
    counts: Mapping[str, int] | None = None
    proven_at: datetime | None = None
    database: str | None = None
    versions: Mapping[str, str] | None = None
    error: str | None = None
    problem: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether it was finished and is where it should be."""
        return self.status == "ok"

    @property
    def duration_ms(self) -> int | None:
        """How long it took."""
        return round((self.finished_at - self.started_at).total_seconds() * 1000) if self.finished_at else None

    def as_json(self) -> dict[str, Any]:
        """Return it as its manifest keeps it; the file by its name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        del values["path"], values["problem"]
        return {**values, "file": self.path.name if self.path else None, "format": FORMAT}


def manifest_path(path: Path) -> Path:
    """Return where the manifest of the backup file ``path`` stands."""
    return path.with_name(path.name + _MANIFEST)


def write_manifest(info: BackupInfo) -> None:
    """Write the manifest beside the backup's file, whole or not at all."""
    assert info.path is not None
    target = manifest_path(info.path)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(info.as_json(), file, default=_plain, ensure_ascii=False, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(target.parent)


def read_manifest(path: Path) -> BackupInfo:
    """Return what the manifest beside the backup file ``path`` says; raises BackupError where it says nothing."""
    try:
        values = json.loads(manifest_path(path).read_text())
        if values.pop("format") != FORMAT:
            raise BackupError(f"{manifest_path(path).name} was written by a newer release.")
        values.pop("file")
        for name in _MOMENTS:
            values[name] = datetime.fromisoformat(values[name]) if values[name] else None
        for name in ("id", "clinic_id"):
            values[name] = UUID(values[name]) if values[name] else None
        return BackupInfo(**values, path=path)
    except FileNotFoundError as error:
        raise BackupError(f"The manifest {manifest_path(path).name} is missing.") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackupError(f"The manifest {manifest_path(path).name} cannot be read.") from error


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
