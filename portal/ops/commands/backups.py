"""`flask db backup`, `backups`, `restore`, `recover`: making backups, and getting rows back out of them."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace as replaced
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from portal.core.database import db
from portal.ops.commands.backup_tables import changes, compared, list_of, proven
from portal.ops.commands.shell import Shell, duration, moment, ops_command, size, who
from portal.ops.evolve.errors import EvolveError
from portal.ops.schema.backup import BackupInfo, Vault, current_vault
from portal.ops.schema.backup.clinic import ClinicRestore
from portal.ops.schema.backup.info import CLINIC
from portal.ops.schema.backup.recover import Recovered, Recovery
from portal.ops.schema.backup.restore import replace_live, restore_beside
from portal.ops.schema.backup.source import all_rows, table_rows
from portal.ops.schema.backup.tools import nobody
from portal.ops.schema.state import read_state

_LOOKED = "Nothing was changed. Say --yes to do it."


@ops_command(
    "backup",
    examples=[
        "flask db backup",
        'flask db backup --reason "before the price change"',
        "flask db backup --clinic papatya",
    ],
)
@click.option("--clinic", metavar="SUBDOMAIN", help="Only this clinic's rows, as a zip of CSV files.")
@click.option("--reason", default="by hand", show_default=True, help="Why; kept in the history.")
@click.option("--no-proof", is_flag=True, help="Do not restore it into a scratch database.")
def backup(shell: Shell, clinic: str | None, reason: str, no_proof: bool) -> None:
    """Back the database up, all of one moment, and prove it by restoring it into a scratch database.

    The portal goes on working meanwhile. Exit code 17: no backup could be made or proven; nothing half-written stays.
    """
    vault = current_vault(shell.place)
    with shell.progress() as tell:
        made = vault.make(reason=reason, by=who(), clinic=clinic, prove=not no_proof, tell=tell)
    shell.finish(
        made.as_json(),
        f"[green]Backup {made.id}[/green]: {size(made.bytes)} in {duration(made.duration_ms)}, "
        f"{sum((made.counts or {}).values()):,} rows, {proven(made)}{', encrypted' if made.encrypted else ''}.",
        Text(f"  {made.path}", no_wrap=True, overflow="ignore"),
        hint=None if made.encrypted else "Keep a copy on another machine. It is not encrypted: see docs/operations.md.",
    )


@ops_command(
    "backups",
    examples=["flask db backups", "flask db backups --check latest", "flask db backups --prune --dry-run"],
)
@click.option("--check", metavar="ID", help="Check this one: its checksum, and a restore into a scratch database.")
@click.option("--prune", is_flag=True, help="Delete what is not to be kept any longer.")
@click.option("--dry-run", is_flag=True, help="With --prune: only show what would be deleted.")
def backups(shell: Shell, check: str | None, prune: bool, dry_run: bool) -> None:
    """List the backups, newest first; check one; or delete old ones.

    Kept are the newest, one a day and one a month (CLINIKOOP_BACKUP_KEEP_NEWEST, _DAYS, _MONTHS), always the newest
    good one and the one the last upgrade would be undone with. An id may be cut short; "latest" is the newest good
    one. Exit code 17: the one checked is damaged.
    """
    if check and prune:
        raise click.UsageError("Either --check or --prune.")
    vault = current_vault(shell.place)
    if check:
        with shell.progress() as tell:
            checked = vault.check(vault.get(check), tell)
        shell.finish(checked.as_json(), f"[green]Backup {checked.id} is whole: restored and counted.[/green]")
    elif prune:
        gone = vault.prune(dry_run)
        what = "Would be deleted" if dry_run else "Deleted"
        shell.finish([one.as_json() for one in gone], list_of(what, gone) if gone else "Every backup is to be kept.")
    else:
        known = vault.list()
        shell.finish(
            [{**one.as_json(), "problem": one.problem} for one in known],
            list_of(f"Backups in {vault.settings.folder}", known)
            if known
            else "There is no backup yet: flask db backup",
        )


@ops_command(
    "restore",
    examples=[
        "flask db restore latest",
        "flask db restore latest --into clinikoop_yesterday",
        "flask db restore 0199d2 --replace",
        "flask db restore latest --clinic papatya",
        "flask db restore latest --clinic papatya --exact",
    ],
)
@click.argument("backup_id", metavar="ID")
@click.option("--into", metavar="NAME", help="The name of the new database.")
@click.option("--replace", is_flag=True, help="Put it in the live database's place; that one is kept.")
@click.option("--clinic", metavar="SUBDOMAIN", help="Only this clinic's rows, into the live database.")
@click.option("--exact", is_flag=True, help="With --clinic: its rows become just what the backup holds.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(shell: Shell, backup_id: str, **given: Any) -> None:
    """Restore a backup: into a new database, in the place of the live one, or one clinic alone.

    By default a new database is made, and the live one is not touched. With --replace it takes the live one's place,
    which stays as <name>_before_<moment>; nobody may be connected. With --clinic the clinic's missing rows are
    inserted and no row of another clinic changes; with --exact rows that differ are put back and rows made since are
    removed, both after being kept in keep_restore_<moment>_<table>. Exit code 16: rows cannot come back; 17: the
    backup is damaged. Then nothing was changed.
    """
    into, replace, clinic, exact, yes = (given[name] for name in ("into", "replace", "clinic", "exact", "yes"))
    if sum(map(bool, (into, replace, clinic))) > 1 or (exact and not clinic):
        raise click.UsageError("One of --into, --replace, --clinic; --exact goes with --clinic.")
    vault = current_vault(shell.place)
    chosen = vault.get(backup_id)
    if chosen.kind == CLINIC and not clinic:
        raise EvolveError(f"{chosen.id} holds one clinic's rows: flask db restore {chosen.id} --clinic {chosen.clinic}")
    if clinic:
        _restore_clinic(shell, vault, chosen, clinic, exact=exact, yes=yes)
    elif replace:
        _replace(shell, vault, chosen, yes=yes)
    else:
        with shell.progress() as tell:
            name = restore_beside(vault, chosen, tell, into)
        shell.finish(
            {"database": name, "backup_id": chosen.id, "heads": chosen.heads},
            f"[green]Restored into the new database {escape(name)}.[/green] The live one was not touched.",
        )


@ops_command(
    "recover",
    examples=[
        "flask db recover --table patient_offers --from latest",
        "flask db recover --table patient_offers --from latest --where \"created_at < '2026-11-01'\" --yes",
    ],
)
@click.option("--table", "name", required=True, metavar="T", help="The table.")
@click.option("--from", "backup_id", required=True, metavar="ID", help="The backup.")
@click.option("--where", metavar="SQL", help="Only the backup's rows (as t) that this finds.")
@click.option("--overwrite", is_flag=True, help="Put rows that differ back, too; what they are now is kept.")
@click.option("--upgraded", is_flag=True, help="Take the backup's copy to the database's revision first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def recover(shell: Shell, name: str, backup_id: str, **given: Any) -> None:
    """Bring rows of one table back from a backup, as the guide does with patient_offers_backup.

    The table is restored into a scratch database and compared with the live one by its key; missing rows are
    inserted, with the columns both have. Without --yes it asks on a terminal, and elsewhere only shows. Exit code 16:
    rows whose parent is gone, with what to recover first; 17: the backup is damaged. Then nothing was changed.
    """
    where, overwrite, upgraded, yes = (given[key] for key in ("where", "overwrite", "upgraded", "yes"))
    name = name.removeprefix("public.")
    vault = current_vault(shell.place)
    chosen = vault.get(backup_id)
    work = Recovery(vault.place, chosen, name, where, overwrite=overwrite, by=who())
    with ExitStack() as stack:
        with shell.progress() as tell:
            rows = all_rows(vault, chosen, tell, heads=_heads(vault)) if upgraded else table_rows(vault, chosen, name)
            source = stack.enter_context(rows)
            found = work.run(source, apply=yes)
        todo = found.missing or (overwrite and found.different)
        if not yes and todo and not found.obstacles and _agrees(shell, compared(found), "Bring them back?"):
            found, yes = work.run(source, apply=True), True
    shell.finish(
        {**found.as_json(), "applied": yes, "backup_id": chosen.id},
        compared(found),
        *(f"[red]{escape(line)}[/red]" for line in found.obstacles),
        _came_back(found) if yes else _LOOKED,
    )


def _restore_clinic(shell: Shell, vault: Vault, chosen: BackupInfo, clinic: str, *, exact: bool, yes: bool) -> None:
    with ExitStack() as stack:
        with shell.progress() as tell:
            work = ClinicRestore(vault.place, chosen, clinic, exact=exact, by=who(), tell=tell)
            source = stack.enter_context(all_rows(vault, chosen, tell, heads=_heads(vault)))
            result = work.run(source, apply=yes)
        if not yes and result.changes and _agrees(shell, changes(result), "Do this?"):
            result, yes = replaced(work, tell=nobody).run(source, apply=True), True
    kept = f"{result.others:,} rows of others are what they were."
    shell.finish(
        {
            "clinic": clinic, "backup_id": chosen.id, "exact": exact, "applied": yes, "others": result.others,
            "tables": [one.as_json() for one in result.tables],
        },
        changes(result),
        *(f"What {one.table} had is kept in {one.kept}." for one in result.tables if one.kept and yes),
        f"[green]{result.changes:,} rows changed; {kept}[/green]" if yes else _LOOKED,
    )  # fmt: skip


def _replace(shell: Shell, vault: Vault, chosen: BackupInfo, *, yes: bool) -> None:
    age = duration((datetime.now(UTC) - chosen.started_at).total_seconds() * 1000)
    what = f"{vault.place.database} becomes what it was {age} ago ({moment(chosen.started_at)} UTC)"
    if not yes and not _agrees(shell, f"{what}. What is there now is kept under another name.", "Go on?"):
        shell.finish({"applied": False, "backup_id": chosen.id}, f"{what}, with --yes. Nothing was changed.")
        return
    with shell.progress() as tell:
        swapped = replace_live(vault, chosen, tell, by=who(), close=_close_own)
    shell.finish(
        {"applied": True, "backup_id": chosen.id, "database": swapped.live, "kept": swapped.kept},
        f"[green]{swapped.live} is the backup of {moment(chosen.started_at)} UTC.[/green]",
        f"What was there is kept as {swapped.kept}." if swapped.kept else "There was no such database any more.",
        hint="`flask db status` shows where it stands; `flask db verify` checks the data.",
    )


def _close_own() -> None:
    """Give up the connections that the application itself opened in this process."""
    for engine in db.engines.values():
        engine.dispose()


def _heads(vault: Vault) -> str:
    with vault.place.engine.connect() as connection:
        return ", ".join(read_state(connection, vault.place.revisions()).current)


def _agrees(shell: Shell, shown: RenderableType, question: str) -> bool:
    """Show something and ask, where a person sits there who can be asked; else the answer is no."""
    if shell.as_json or not sys.stdin.isatty():
        return False
    shell.notes.print(shown)
    return click.confirm(question, err=True)


def _came_back(found: Recovered) -> str:
    kept = f" What they were is in {found.kept}." if found.kept else ""
    return f"[green]{found.inserted:,} rows inserted, {found.put_back:,} put back.[/green]{kept}"


COMMANDS = [backup, backups, restore, recover]
