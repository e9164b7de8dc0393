"""The file store: bytes under random keys, in a local folder or wherever fsspec reaches, such as S3.

A key is ``<clinic>/<random>`` and says nothing of what it holds. What is not the pinned clinic's is not there.
"""

from __future__ import annotations

import errno
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

import fsspec
import structlog

from portal.core.database import current_session, require_scope
from portal.core.scope import ClinicScope, ScopeError
from portal.core.settings import settings

log = structlog.get_logger("portal.storage")
CHUNK = 256 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class StorageError(RuntimeError):
    """The store did not take a file, or does not give it back; ``is_full``: it has no room left."""

    def __init__(self, message: str, *, is_full: bool = False) -> None:
        super().__init__(message)
        self.is_full = is_full


@dataclass(frozen=True)
class StoredObject:
    """What the store holds under a key."""

    key: str
    stored_at: datetime | None


def new_storage_key() -> str:
    """Return a fresh key of the pinned clinic."""
    return f"{_clinic()}/{secrets.token_hex(20)}"


def store_file(key: str, source: IO[bytes]) -> None:
    """Copy ``source`` into the store; raises StorageError, and leaves nothing behind where it can help it."""
    system, path = _place(key)
    try:
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        with system.open(path, "wb") as target:
            while chunk := source.read(CHUNK):
                target.write(chunk)
    except Exception as error:
        discard_file(key)
        raise _storage_error("store", error) from error


def read_file(key: str) -> Iterator[bytes]:
    """Return a file's bytes in pieces; raises StorageError at once where it is not there."""
    system, path = _place(key)
    try:
        source = system.open(path, "rb")
        first = source.read(CHUNK)
    except Exception as error:
        raise _storage_error("read", error) from error

    def pieces() -> Iterator[bytes]:
        with source:
            chunk = first
            while chunk:
                yield chunk
                chunk = source.read(CHUNK)

    return pieces()


def discard_file(key: str) -> None:
    """Remove a file; one that is not there is no error, one that cannot be removed is found again by a job."""
    system, path = _place(key)
    try:
        if system.exists(path):
            system.rm_file(path)
    except Exception as error:  # each backend raises its own
        log.warning("storage.discard_failed", key=key, error=type(error).__name__)


def list_stored() -> list[StoredObject]:
    """Return everything the store holds of the pinned clinic."""
    system, path = _place(f"{_clinic()}/")
    folder = path.rstrip("/")
    try:
        if not system.exists(folder):
            return []
        found = system.find(folder, detail=True)
    except Exception as error:
        raise _storage_error("list", error) from error
    return [
        StoredObject(f"{_clinic()}/{name.rpartition('/')[2]}", _moment(facts))
        for name, facts in found.items()
        if facts["type"] == "file"
    ]


def _place(key: str) -> tuple[Any, str]:
    """Return the file system and the path of a key; raises ScopeError for one that is not the pinned clinic's."""
    if not key.startswith(f"{_clinic()}/") or ".." in key:
        raise ScopeError("A stored file is not the pinned clinic's.")
    system, root = fsspec.core.url_to_fs(settings().files.url, **settings().files.options)
    return system, f"{root.rstrip('/')}/{key}"


def _clinic() -> str:
    scope = require_scope(current_session())
    if not isinstance(scope, ClinicScope):
        raise ScopeError("Files belong to clinics: enter a clinic's scope first.")
    return str(scope.clinic_id)


def _storage_error(verb: str, error: Exception) -> StorageError:
    is_full = isinstance(error, OSError) and error.errno in _FULL
    log.error("storage.failed", verb=verb, error=type(error).__name__, is_full=is_full)
    return StorageError(f"The file store failed to {verb}: {type(error).__name__}.", is_full=is_full)


def _moment(facts: dict[str, Any]) -> datetime | None:
    """Return when a file was stored, as backends name it; None where they do not."""
    value = facts.get("mtime") or facts.get("LastModified") or facts.get("created")
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return value.astimezone(UTC) if isinstance(value, datetime) else None
