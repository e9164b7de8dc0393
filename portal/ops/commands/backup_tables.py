"""What the commands about backups show in the terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from portal.ops.commands.shell import size, table
from portal.ops.schema.backup import BackupInfo
from portal.ops.schema.backup.clinic import ClinicResult
from portal.ops.schema.backup.recover import Recovered

SHORT = 13  # of an id: the moment it was made, in milliseconds


def proven(one: BackupInfo) -> str:
    """Say whether a backup was restored once."""
    return "proven by a restore" if one.proven_at else "not proven"


def list_of(title: str, known: list[BackupInfo]) -> Table:
    """Return backups as a table that fits 80 columns; the beginning of an id is enough to name it."""
    now = datetime.now(UTC)
    rows = [
        [
            str(one.id)[:SHORT], _age(now, one), size(one.bytes), one.heads, one.clinic or "all", _state(one),
            escape(one.reason),
        ]
        for one in known
    ]  # fmt: skip
    made = table(title, "Id", ">Age", ">Size", "Revision", "What", "State", "Reason", rows=rows)
    for column in made.columns[:4]:
        column.no_wrap = True
    return made


def _state(one: BackupInfo) -> str:
    if not one.is_good:
        return f"[red]{one.status}[/red] {escape(one.problem or one.error or '')}".strip()
    proven = "[green]proven[/green]" if one.proven_at else "not proven"
    return proven + (", encrypted" if one.encrypted else "")


def _age(now: datetime, one: BackupInfo) -> str:
    hours = (now - one.started_at).total_seconds() / 3600
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"


def compared(found: Recovered) -> Table:
    """Return how a table compares with a backup."""
    rows = [[found.table, *(f"{n:,}" for n in (found.backup, found.missing, found.different, found.same))]]
    return table(
        "The backup beside the database", "Table", ">In the backup", ">Missing", ">Different", ">Same", rows=rows
    )


def changes(result: ClinicResult) -> Table:
    """Return what becomes of a clinic's rows, table by table; those that stay as they are are left out."""
    rows = [
        [
            one.table, f"{one.backup:,}", f"{one.inserted:,}", f"{one.different:,}", f"{one.put_back:,}",
            f"{one.extra:,}", f"{one.removed:,}",
        ]
        for one in result.tables
        if one.inserted or one.different or one.extra
    ]  # fmt: skip
    headings = ("Table", ">Backup", ">Brought back", ">Different", ">Put back", ">Made since", ">Removed")
    made = table(f"Rows of {result.clinic}", *headings, rows=rows)
    made.columns[0].no_wrap = True
    return made
