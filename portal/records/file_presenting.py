"""How files of patients are shown and served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Response
from flask_babel import format_decimal
from flask_babel import gettext as _

from portal.core.panels import Panel
from portal.core.storage import read_file
from portal.core.templating import day, local_day
from portal.core.text import fold
from portal.records.file_queries import SHOWN, list_files
from portal.records.filetypes import MB, RULES, TYPES
from portal.records.models import FileKind, PatientFile

# Whatever a file turns out to be, it runs nothing, loads nothing and belongs to no page of ours.
POLICY = "default-src 'none'; sandbox"


@dataclass(frozen=True)
class FileRow:
    """One file as a page lists it."""

    id: UUID
    name: str
    kind: str
    facts: str
    note: str | None
    has_thumbnail: bool
    type_name: str


def file_rows(found: Sequence[Any]) -> list[FileRow]:
    """Return what a list shows of files."""
    return [_row(row, uploader) for row, uploader in found]


def files_panel(patient_id: UUID) -> Panel:
    """Return the newest files of a patient, for her page."""
    found = list_files(patient_id, limit=SHOWN + 1)
    context = {"patient_id": patient_id, "files": file_rows(found[:SHOWN]), "has_more": len(found) > SHOWN}
    return Panel("records/_files_panel.html", context)


def _row(row: PatientFile, uploader: str | None) -> FileRow:
    taken = _("taken on %(day)s", day=day(row.taken_on)) if row.taken_on else ""
    added = _("added on %(day)s by %(name)s", day=local_day(row.created_at), name=uploader or _("Clinikoop"))
    kind = TYPES[row.mime]
    facts = " · ".join(
        part
        for part in (
            kind.name,
            _("%(size)s MB", size=format_decimal(max(Decimal(row.size) / MB, Decimal("0.1")), "#,##0.0")),
            taken,
            added,
        )
        if part
    )
    label = str(RULES[FileKind(row.kind)].label)
    return FileRow(row.id, row.filename, label, facts, row.note, row.thumbnail_key is not None, kind.name)


def file_response(row: PatientFile, *, save: bool) -> Response:
    """Serve a file: pictures in the browser unless they are to be saved, all else as a download."""
    kind = TYPES[row.mime]
    way = "inline" if kind.inline and not save else "attachment"
    return _served(read_file(row.storage_key), kind.mime, f"{way}; {_named(row.filename)}", row.size)


def thumbnail_response(key: str) -> Response:
    """Serve a thumbnail."""
    return _served(read_file(key), "image/webp", "inline", None)


def _served(content: Iterator[bytes], mime: str, disposition: str, size: int | None) -> Response:
    headers = {"Content-Disposition": disposition, "Content-Security-Policy": POLICY}
    if size is not None:
        headers["Content-Length"] = str(size)
    return Response(content, mimetype=mime, headers=headers)


def _named(name: str) -> str:
    plain = "".join(char for char in fold(name) if char.isascii() and char.isprintable() and char not in '"\\')
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
