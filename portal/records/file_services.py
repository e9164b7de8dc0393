"""Keeping files of patients: a row only where the store has the bytes, and no bytes without a row for long."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import IO, Any
from uuid import UUID, uuid5

from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import days_ago, now
from portal.core.database import current_session
from portal.core.errors import RuleError
from portal.core.storage import StorageError, discard_file, list_stored, new_storage_key, store_file
from portal.core.text import clean_line
from portal.records.file_queries import find_by_form_key, known_keys, list_deleted_before
from portal.records.filetypes import CheckedFile, check_file
from portal.records.models import FileKind, PatientFile

KEPT_DAYS = 30  # deleted files can be brought back that long
ORPHAN_AGE = timedelta(days=1)  # younger ones may belong to a request that has not committed yet
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Upload:
    """A file as somebody sends it."""

    name: str
    source: IO[bytes]


@dataclass(frozen=True)
class About:
    """What somebody says of the files sent together."""

    kind: FileKind
    taken_on: date | None = None
    note: str | None = None


def add_file(
    actor: Actor, patient_id: UUID, upload: Upload, about: About, *, form_key: UUID | None
) -> PatientFile:  # fmt: skip
    """Check and keep one file; the same file of a form sent again is the one it made first.

    Raises RuleError with what is wrong; then there is neither a row nor an object.
    """
    checked, digest = check_file(upload.source, about.kind), _sha256(upload.source)
    own_key = None if form_key is None else uuid5(form_key, f"{upload.name}:{digest}")
    known = None if own_key is None else find_by_form_key(own_key)
    if known is not None:
        return known
    row = PatientFile(
        patient_id=patient_id,
        kind=about.kind,
        taken_on=about.taken_on,
        note=about.note,
        filename=safe_name(upload.name),
        mime=checked.type.mime,
        size=checked.size,
        sha256=digest,
        uploaded_by_id=actor.id,
        form_key=own_key,
        **_stored(upload.source, checked),
    )
    try:
        with current_session().begin_nested():
            current_session().add(row)
    except IntegrityError:  # the same form, sent at the same moment; the bytes are an orphan
        known = find_by_form_key(own_key) if own_key else None
        if known is None:
            raise
        return known
    audit.record(actor, "file.added", row, changes={"kind": [None, row.kind], "sha256": [None, digest]})
    return row


def change_file(actor: Actor, row: PatientFile, values: Mapping[str, Any]) -> None:
    """Change what is said of a file."""
    for name, value in values.items():
        setattr(row, name, value)
    if changes := audit.changes_of(row):
        audit.record(actor, "file.changed", row, changes=changes)


def delete_file(actor: Actor, row: PatientFile) -> None:
    """Take a file off the page; it can be brought back for KEPT_DAYS days."""
    if row.deleted_at is None:
        row.deleted_at = now()
        audit.record(actor, "file.deleted", row, changes={})


def restore_file(actor: Actor, row: PatientFile) -> None:
    """Bring a deleted file back."""
    if row.deleted_at is not None:
        row.deleted_at = None
        audit.record(actor, "file.restored", row, changes={})


def purge_files(actor: Actor) -> int:
    """Remove the rows of files deleted long enough ago; their bytes are orphans from then on."""
    rows = list_deleted_before(days_ago(KEPT_DAYS))
    for row in rows:
        audit.record(actor, "file.purged", row, changes={"sha256": [row.sha256, None]})
        current_session().delete(row)
    return len(rows)


def remove_orphans() -> int:
    """Remove the objects that no row names and that are too old to be of a request under way."""
    youngest, known, removed = now() - ORPHAN_AGE, known_keys(), 0
    for stored in list_stored():
        if stored.key not in known and stored.stored_at and stored.stored_at < youngest:
            discard_file(stored.key)
            removed += 1
    return removed


def safe_name(name: str) -> str:
    """Return a file's name as it is shown and saved under: its last part, on one line, at most 200 characters."""
    last = clean_line(name.replace("\\", "/").rpartition("/")[2]).strip(". ") or "file"
    stem, dot, suffix = last.rpartition(".")
    return f"{stem[: 199 - len(suffix)]}.{suffix}" if dot and len(suffix) < 10 else last[:200]


def _stored(source: IO[bytes], checked: CheckedFile) -> dict[str, str | None]:
    """Put a file and its thumbnail into the store; return their keys. Raises RuleError, with nothing left behind."""
    key, thumbnail_key = new_storage_key(), new_storage_key() if checked.thumbnail else None
    source.seek(0)
    try:
        store_file(key, source)
        if checked.thumbnail and thumbnail_key:
            store_file(thumbnail_key, io.BytesIO(checked.thumbnail))
    except StorageError as error:
        with suppress(StorageError):
            discard_file(key)
        if error.is_full:
            raise RuleError(_("There is no room left for files, so it was not kept. Tell Clinikoop.")) from error
        raise RuleError(_("The file store does not answer, so it was not kept. Try again in a moment.")) from error
    return {"storage_key": key, "thumbnail_key": thumbnail_key}


def _sha256(source: IO[bytes]) -> str:
    source.seek(0)
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
