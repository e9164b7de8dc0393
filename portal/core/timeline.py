"""What happened around a patient, gathered from every module: each adds what it knows, and none knows the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.core.access import Permission
from portal.core.activity import Entry
from portal.core.database import current_session
from portal.core.identity import Identity

SIZE = 25


@dataclass(frozen=True)
class Place:
    """Where a page of the timeline begins: before this moment and, of those of one moment, before this row."""

    at: datetime
    row_id: UUID

    def __str__(self) -> str:
        """Return the place as an address carries it."""
        return f"{self.at.isoformat()}~{self.row_id}"

    @classmethod
    def read(cls, text: str | None) -> Place | None:
        """Return the place an address names; None where it names none."""
        moment, _tilde, row_id = (text or "").partition("~")
        try:
            place = cls(datetime.fromisoformat(moment.replace(" ", "+")), UUID(row_id))
        except ValueError:
            return None
        return place if place.at.tzinfo else None


@dataclass(frozen=True)
class Asked:
    """What a source is asked for: rows about these patients that ``reader`` may see, older than ``before``."""

    patient_ids: Sequence[UUID]
    reader: Identity
    before: Place | None
    limit: int

    def rows(self, statement: sa.Select[*tuple[Any, ...]], at: Any, row_id: Any) -> Sequence[Any]:
        """Return the newest rows of a statement that are older than the page's beginning."""
        if self.before is not None:
            place = sa.tuple_(sa.bindparam(None, self.before.at, type_=at.type), sa.bindparam(None, self.before.row_id))
            statement = statement.where(sa.tuple_(at, row_id) < place)
        newest = statement.where(at.is_not(None)).order_by(at.desc(), row_id.desc())
        return current_session().execute(newest.limit(sa.literal_column(str(self.limit)))).all()


@dataclass(frozen=True)
class Happening:
    """One thing that happened, with the row it stands in."""

    at: datetime
    row_id: UUID
    entry: Entry


Source = Callable[[Asked], Sequence[Happening]]


class Timeline:
    """The sources of one timeline."""

    def __init__(self) -> None:
        self._sources: list[tuple[Permission, Source]] = []

    def add(self, permission: Permission, source: Source) -> None:
        """Tell what ``source`` knows to those who have ``permission``."""
        if (permission, source) not in self._sources:
            self._sources.append((permission, source))

    def page(
        self, patient_ids: Sequence[UUID], reader: Identity, before: Place | None
    ) -> tuple[list[Entry], Place | None]:
        """Return one page of what happened, newest first, and where the next begins; None where there is none."""
        asked = Asked(patient_ids, reader, before, SIZE + 1)
        found = [
            happening
            for permission, source in self._sources
            if permission in reader.permissions
            for happening in source(asked)
        ]
        found.sort(key=lambda happening: (happening.at, happening.row_id), reverse=True)
        page = found[:SIZE]
        more = Place(page[-1].at, page[-1].row_id) if len(found) > SIZE else None
        return [happening.entry for happening in page], more


patient_timeline = Timeline()
