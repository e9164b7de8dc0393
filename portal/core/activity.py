"""Reading the activity log: entries in the reader's language, for the page of the object they are about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import LazyString
from flask_babel import gettext as _

from portal.core.audit import ActivityLog
from portal.core.database import current_session
from portal.core.templating import moment

Labels = Mapping[str, str | LazyString]
Writers = Mapping[str, Callable[[Any], str]]
LIMIT = 50


@dataclass(frozen=True)
class Entry:
    """One line of a timeline. A change is (label, old, new), both None where the values stay hidden.

    ``about`` names what it happened to and ``url`` leads there; ``detail`` is what somebody wrote.
    """

    when_text: str
    when_iso: str
    actor_name: str
    text: str
    changes: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    about: str = ""
    url: str = ""
    detail: str = ""


def list_entries(
    object_type: str, object_id: UUID, *, actions: Labels, fields: Labels, values: Writers | None = None
) -> list[Entry]:
    """Return what was done to an object of the pinned clinic, newest first, at most LIMIT entries.

    Only changes of the columns in ``fields`` are told; ``values`` writes a column's values in words.
    """
    statement = (
        sa.select(
            ActivityLog.at, ActivityLog.actor_name, ActivityLog.action, ActivityLog.changes
        )
        .where(ActivityLog.object_type == object_type, ActivityLog.object_id == object_id)
        .order_by(ActivityLog.id.desc())
        .limit(sa.literal_column(str(LIMIT)))
    )  # fmt: skip
    return [
        write_entry(row, actions=actions, fields=fields, values=values) for row in current_session().execute(statement)
    ]


def write_entry(row: Any, *, actions: Labels, fields: Labels, values: Writers | None = None) -> Entry:
    """Return a row of the log, as its columns at, actor_name, action and changes, in the reader's language."""
    return Entry(
        when_text=moment(row.at),
        when_iso=row.at.isoformat(),
        actor_name=row.actor_name or _("Clinikoop"),
        text=str(actions.get(row.action, row.action)),
        changes=[
            _change(str(fields[name]), pair, (values or {}).get(name, str))
            for name, pair in row.changes.items()
            if name in fields
        ],
    )


def _change(label: str, pair: list[Any] | None, write: Callable[[Any], str]) -> tuple[str, str | None, str | None]:
    if pair is None:
        return label, None, None
    return label, _shown(pair[0], write), _shown(pair[1], write)


def _shown(value: Any, write: Callable[[Any], str]) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return write(value)
