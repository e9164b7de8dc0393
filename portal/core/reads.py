"""Whose records a request shows, so that every read of them can be logged; see portal.privacy.reading.

Most endpoints say so by ``@access(..., reads="patient_id")``. What an address does not name, such as the patients of a
list that is exported, a view says by ``note_reads``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from flask import current_app, g, request

from portal.core.gate import declared_access

Finder = Callable[[UUID], sa.Select[tuple[UUID]] | sa.CompoundSelect[tuple[UUID]]]
_finders: dict[str, Finder] = {}


def find_patients_by(argument: str, finder: Finder) -> None:
    """Let ``finder`` select the patients whose records an address shows that has ``argument``."""
    _finders[argument] = finder


def known_arguments() -> Collection[str]:
    """Return what ``reads`` may name."""
    return ("patient_id", *_finders)


def note_reads(reading: str, patient_ids: Iterable[UUID]) -> None:
    """Note that this request shows the records of these patients."""
    g.setdefault("reads", []).append((reading, list(patient_ids)))


def requested_reads(connection: sa.Connection) -> list[tuple[str, list[UUID]]]:
    """Return whose records this request has shown, by kind of read."""
    found: list[tuple[str, list[UUID]]] = list(g.get("reads", []))
    declared = declared_access(current_app, request.endpoint) if request.endpoint else None
    if declared is not None and declared.reads is not None and request.view_args:
        named: UUID = request.view_args[declared.reads]
        finder = _finders.get(declared.reads)
        patient_ids = [named] if finder is None else [cast(UUID, row[0]) for row in connection.execute(finder(named))]
        found.append((declared.reading, patient_ids))
    return found


def shows_records() -> bool:
    """Tell whether this request may have shown a record at all, so that most need no transaction for it."""
    declared = declared_access(current_app, request.endpoint) if request.endpoint else None
    return bool(g.get("reads")) or (declared is not None and declared.reads is not None)
