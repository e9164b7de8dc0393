"""The operators' list pages: their filters, their rows and their links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from portal.core.links import ListLinks, Option, chosen
from portal.ops.queries import list_rows
from portal.ops.schema.tables import Backup, Direction, MigrationLog, OpsBase, Rehearsal, RunStatus, Verification

HISTORY, BACKUPS = "/ops/migrations/history", "/ops/backups"
REHEARSALS, VERIFICATIONS = "/ops/rehearsals", "/ops/verifications"


class Shown(StrEnum):
    """Which rows of the history the list shows."""

    FAILED = "failed"
    UP = "up"
    DOWN = "down"


SHOWN = {None: _l("All"), Shown.FAILED: _l("Failed"), Shown.UP: _l("Up"), Shown.DOWN: _l("Down")}
_CONDITIONS: Mapping[Shown, sa.ColumnElement[bool]] = {
    Shown.FAILED: MigrationLog.status.in_((RunStatus.FAILED, RunStatus.INTERRUPTED)),
    Shown.UP: MigrationLog.direction == Direction.UP,
    Shown.DOWN: MigrationLog.direction == Direction.DOWN,
}


class OpsListView:
    """A page of one history table, newest first."""

    def __init__(
        self, path: str, kind: type[OpsBase], args: Mapping[str, str],
        conditions: Sequence[sa.ColumnElement[bool]] = (), **kept: Any,
    ) -> None:  # fmt: skip
        self.links = ListLinks(path, kept)
        self.page = list_rows(kind, conditions, args.get("at"))
        self.previous_url, self.next_url = self.links.pages(self.page)

    @property
    def rows(self) -> Sequence[Any]:
        """The rows of this page."""
        return self.page.items

    @property
    def is_limited(self) -> bool:
        """Whether a filter is in force."""
        return bool(self.links.kept)


class HistoryView(OpsListView):
    """The history of migrations."""

    def __init__(self, args: Mapping[str, str]) -> None:
        shown = chosen(Shown, args.get("show"))
        super().__init__(HISTORY, MigrationLog, args, [_CONDITIONS[shown]] if shown else [], show=shown)

    def filters(self) -> list[Option]:
        """Return the links that pick what is shown."""
        return self.links.options("show", SHOWN)


def backups(args: Mapping[str, str]) -> OpsListView:
    """Return the list of backups, or the one that a run's page leads to."""
    wanted = _uuid(args.get("id"))
    return OpsListView(BACKUPS, Backup, args, [Backup.id == wanted] if wanted else [], id=wanted)


def rehearsals(args: Mapping[str, str]) -> OpsListView:
    """Return the list of rehearsals."""
    return OpsListView(REHEARSALS, Rehearsal, args)


def verifications(args: Mapping[str, str]) -> OpsListView:
    """Return the list of verifications."""
    return OpsListView(VERIFICATIONS, Verification, args)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
