"""What the commands about backups show in the terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from portal.ops.commands.shell import moment, size, table
from portal.ops.schema.backup import BackupInfo
from portal.ops.schema.backup.clinic import ClinicResult
from portal.ops.schema.backup.recover import Recovered


def proven(one: BackupInfo) -> str:
    """Say whether a backup was restored once."""
    return "proven by a restore" if one.proven_at else "not proven"


def list_of(title: str, known: list[BackupInfo]) -> Table:
    """Return backups as a table."""
    now = datetime.now(UTC)
    rows = [
        [
            str(one.id), moment(one.started_at), _age(now, one), one.clinic or "everything", size(one.bytes), one.heads,
            "yes" if one.encrypted else "", moment(one.proven_at), escape(one.reason), _state(one),
        ]
        for one in known
    ]  # fmt: skip
    headings = ("Id", "Made (UTC)", ">Age", "What", ">Size", "Revision", "Encrypted", "Proven (UTC)", "Reason", "State")
    return table(title, *headings, rows=rows)


def _state(one: BackupInfo) -> str:
    if one.is_good:
        return "[green]ok[/green]"
    return f"[red]{one.status}[/red] {escape(one.problem or one.error or '')}".strip()


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
    """Return what becomes of a clinic's rows, table by table."""
    rows = [
        [
            one.table, f"{one.backup:,}", f"{one.inserted:,}", f"{one.different:,}", f"{one.put_back:,}",
            f"{one.extra:,}", f"{one.removed:,}", one.kept,
        ]
        for one in result.tables
        if one.inserted or one.different or one.extra
    ]  # fmt: skip
    headings = (
        "Table",
        ">In the backup",
        ">Brought back",
        ">Different",
        ">Put back",
        ">Made since",
        ">Removed",
        "Kept in",
    )
    return table(f"Rows of {result.clinic}", *headings, rows=rows)
