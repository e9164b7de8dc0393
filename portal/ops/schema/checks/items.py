"""What an item of a checklist is, and the facts that items are judged by."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from portal.ops.schema.state import State
from portal.ops.schema.tables import Backup, MigrationLog, RunStatus, Signature, WorkStatus, has_tables

EVER = datetime(2000, 1, 1, tzinfo=UTC)


class ItemState(StrEnum):
    """Where an item stands."""

    DONE = "done"
    OPEN = "open"
    TO_SIGN = "to_sign"  # a person must vouch for it by name


class Checklist(StrEnum):
    """The guide's two checklists."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Item:
    """One line of a checklist. ``automatic`` is one that is open, and that the upgrade itself takes care of."""

    key: str
    title: str
    state: ItemState
    evidence: str
    automatic: bool = False
    signed_by: str | None = None
    signed_at: datetime | None = None
    note: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as it is printed."""
        return dict(vars(self))


@dataclass(frozen=True)
class Facts:
    """What the items of one checklist are judged by: a connection as the owner, and where the backups are."""

    connection: sa.Connection
    state: State
    folder: Path
    files: Collection[str] | None  # of the backups, where they are not in the folder

    @property
    def current(self) -> str:
        """The revision the database stands at, as the history writes it."""
        return ", ".join(self.state.current)

    @property
    def target(self) -> str:
        """The revision an upgrade leads to."""
        return ", ".join(self.state.heads)

    @property
    def has_history(self) -> bool:
        """Whether the schema ``ops`` stands."""
        return has_tables(self.connection)

    def last_moved(self) -> datetime:
        """Return when the newest revision was done, up or down; long ago where none was."""
        if not self.has_history:
            return EVER
        statement = sa.select(sa.func.max(MigrationLog.finished_at)).where(MigrationLog.status == RunStatus.APPLIED)
        return self.connection.execute(statement).scalar_one() or EVER

    def newest_backup(self) -> Any:
        """Return the newest good backup of the database as it stands whose file is there, or None."""
        if not self.has_history:
            return None
        rows = self.connection.execute(
            sa.select(Backup.id, Backup.started_at, Backup.finished_at, Backup.proven_at, Backup.file, Backup.bytes)
            .where(Backup.kind == "database", Backup.status == WorkStatus.OK, Backup.heads == self.current)
            .where(Backup.pruned_at.is_(None), Backup.file.is_not(None))
            .order_by(Backup.started_at.desc())
        )
        return next((row for row in rows if self._is_there(row.file)), None)

    def _is_there(self, name: str) -> bool:
        return (self.folder / name).exists() if self.files is None else name in self.files


Judge = Callable[[Facts], Item]


def done_if(done: bool, key: str, title: str, evidence: str, *, automatic: bool = False) -> Item:
    """Return an item that is done or open."""
    return Item(key, title, ItemState.DONE if done else ItemState.OPEN, evidence, automatic=automatic and not done)


def signed(facts: Facts, checklist: Checklist, heads: str, items: list[Item], signable: Collection[str]) -> list[Item]:
    """Return the items with those done that somebody signed for just this revision."""
    if not facts.has_history:
        return items
    rows = facts.connection.execute(
        sa.select(Signature.item, Signature.signed_by, Signature.note, Signature.at)
        .where(Signature.checklist == checklist, Signature.heads == heads, Signature.item.in_(signable))
        .order_by(Signature.at)
    )
    by_key = {row.item: row for row in rows}  # the newest stays
    return [_with_signature(item, by_key.get(item.key)) for item in items]


def _with_signature(item: Item, row: Any) -> Item:
    if row is None or item.state is ItemState.DONE:
        return item
    return replace(item, state=ItemState.DONE, signed_by=row.signed_by, signed_at=row.at, note=row.note)


def age_of(moment: datetime) -> timedelta:
    """Return how long ago ``moment`` was."""
    return datetime.now(UTC) - moment


def written(moment: datetime) -> str:
    """Write a moment, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
