"""`flask db status`, `log`: where the database stands and how it got there."""

from __future__ import annotations

from typing import Any

import click
import sqlalchemy as sa
from rich.markup import escape

from portal.ops.commands.shell import Shell, duration, moment, ops_command, table
from portal.ops.evolve.errors import ExitCode
from portal.ops.schema.state import State, read_state
from portal.ops.schema.tables import MigrationLog, MigrationStep, RunStatus, has_tables

_COLOURS = {"applied": "green", "pending": "yellow", "running": "cyan", "failed": "red", "interrupted": "red"}
_VERDICTS = {
    ExitCode.OK: "[green]The database is up to date.[/green]",
    ExitCode.PENDING: "[yellow]Revisions are pending.[/yellow] `flask db plan` shows what they do.",
    ExitCode.FAILED: (
        "[red]A revision failed or was interrupted.[/red] Nothing unfinished was kept; `flask db upgrade` goes on "
        "where it stopped. `flask db log --failed` shows why."
    ),
}


@ops_command("status", examples=["flask db status", "flask db status --json | jq .pending"])
def status(shell: Shell) -> None:
    """Show which revisions the database has, which are pending, failed or running.

    Exit code 0: up to date; 10: pending; 11: failed or interrupted; 12: database and files do not belong together.
    """
    with shell.place.engine.connect() as connection:
        state = read_state(connection, shell.place.revisions())
        steps = _open_steps(connection) if state.has_history else []
    rows = [_about(state, revision) for revision in state.revisions]
    verdict = _VERDICTS.get(state.exit_code) or "\n".join(f"[red]{escape(text)}[/red]" for text in state.problems)
    if state.running:
        verdict = "[cyan]An upgrade is running.[/cyan] " + verdict
    shell.finish(
        {
            "current": state.current, "heads": state.heads, "pending": [revision.id for revision in state.pending],
            "running": state.running, "unfinished": state.unfinished, "unknown": state.unknown,
            "edited": state.edited, "touched": state.touched, "problems": state.problems, "revisions": rows,
            "backfills": steps,
        },
        table("", "Revision", "Name", "Phase", "State", "Since", ">Took", rows=[_shown(row) for row in rows]),
        *(f"  {step['table']}: {step['done']:,} of {step['total']:,} rows" for step in steps),
        *(f"[yellow]{name} has other comments or layout than when it was applied.[/yellow]" for name in state.touched),
        verdict,
        code=state.exit_code,
    )  # fmt: skip


@ops_command("log", examples=["flask db log", "flask db log --failed", "flask db log --revision 20250720211648"])
@click.option("--failed", is_flag=True, help="Only what failed, was interrupted, or is not whole.")
@click.option("--revision", help="Only this revision.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=30, show_default=True, help="How many, newest first.")
def log(shell: Shell, failed: bool, revision: str | None, limit: int) -> None:
    """Show the history of migrations: who ran what, when, for how long, and what went wrong."""
    query = sa.select(MigrationLog).order_by(MigrationLog.started_at.desc(), MigrationLog.id.desc()).limit(limit)
    if failed:
        query = query.where(sa.or_(
            MigrationLog.status.in_((RunStatus.FAILED, RunStatus.INTERRUPTED)),
            MigrationLog.applied_steps_count != MigrationLog.migration_steps_count,
        ))  # fmt: skip
    if revision:
        query = query.where(MigrationLog.revision == revision)
    with shell.place.engine.connect() as connection:
        rows: list[Any] = list(connection.execute(query).mappings()) if has_tables(connection) else []
    shown = [_line(row) for row in rows]
    errors = [
        text for row in rows if row["status"] in (RunStatus.FAILED, RunStatus.INTERRUPTED) for text in _failure(row)
    ]
    headings = ("Started (UTC)", "Revision", "Name", "", "Status", ">Took", ">Steps", ">Retries", ">Longest lock", "By")
    shell.finish(
        [dict(row) for row in rows],
        table("", *headings, rows=shown) if rows else "Nothing of the kind is recorded.",
        *errors,
    )


def _about(state: State, revision: Any) -> dict[str, Any]:
    row = state.latest.get(revision.id)
    pending = {one.id for one in state.pending}
    if revision.id in state.running:
        word = "running"
    elif revision.id in state.unfinished:
        word = "failed" if row and row.status == RunStatus.FAILED else "interrupted"
    else:
        word = "pending" if revision.id in pending else "applied"
    settled = row if word != "pending" else None
    return {
        "revision": revision.id, "name": revision.name, "phase": revision.phase, "state": word,
        "since": settled and (settled.finished_at or settled.started_at),
        "duration_ms": settled and settled.duration_ms,
    }  # fmt: skip


def _shown(row: dict[str, Any]) -> list[str]:
    colour = _COLOURS[row["state"]]
    return [
        row["revision"], row["name"], str(row["phase"] or "?"), f"[{colour}]{row['state']}[/{colour}]",
        moment(row["since"]), duration(row["duration_ms"]),
    ]  # fmt: skip


def _line(row: Any) -> list[str]:
    arrow = {"up": "↑", "down": "↓", "restore": "⟲"}.get(row["direction"], "·")
    colour = _COLOURS.get(row["status"], "dim")
    return [
        moment(row["started_at"]), row["revision"], row["name"], arrow, f"[{colour}]{row['status']}[/{colour}]",
        duration(row["duration_ms"]), f"{row['applied_steps_count']}/{row['migration_steps_count']}",
        str(row["retries"]), duration(row["longest_lock_ms"]), row["app_user"] or row["os_user"] or "",
    ]  # fmt: skip


def _failure(row: Any) -> list[str]:
    """Return what stopped a row, and in which statement."""
    what = " ".join(str(part) for part in (row["error_class"], row["sqlstate"]) if part)
    error = escape(f"{what}: {row['error']}".removeprefix(": "))
    lines = [f"[red]{row['revision']}[/red] {error}"]
    return lines + ([f"  in: {escape(' '.join(row['statement'].split())[:200])}"] if row["statement"] else [])


def _open_steps(connection: sa.Connection) -> list[dict[str, Any]]:
    rows = connection.execute(
        sa.select(MigrationStep.revision, MigrationStep.table_name, MigrationStep.rows_done, MigrationStep.rows_total)
        .where(MigrationStep.finished_at.is_(None))
        .order_by(MigrationStep.started_at)
    )
    return [
        {"revision": row.revision, "table": row.table_name, "done": row.rows_done, "total": row.rows_total}
        for row in rows
    ]


COMMANDS = [status, log]
