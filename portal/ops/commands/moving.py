"""`flask db rehearse`, `upgrade`, `downgrade`, `resolve`, `adopt`: moving the database, and words about it."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.markup import escape

from portal.ops.commands.planning import print_plan
from portal.ops.commands.shell import Shell, app_environment, duration, ops_command, table, who
from portal.ops.evolve.errors import EvolveError, ExitCode
from portal.ops.schema.adopt import adopt as adopt_database
from portal.ops.schema.backup import current_vault
from portal.ops.schema.rehearse import Rehearsed
from portal.ops.schema.rehearse import rehearse as rehearse_on_copy
from portal.ops.schema.resolve import accept_checksum, mark_applied, mark_rolled_back
from portal.ops.schema.scripts import Phase, resolve_target
from portal.ops.schema.state import read_state
from portal.ops.schema.upgrade import Move, Outcome, Wish, undone

SLOWEST = 10
_REHEARSED = "[green]Rehearsed: rows and schema came back as they were.[/green]"


@ops_command("rehearse", examples=["flask db rehearse", "flask db rehearse --from latest -x orphans=quarantine"])
@click.argument("target", default="head")
@click.option("--from", "backup", metavar="BACKUP", help="The backup to restore; by default a new one is made.")
def rehearse(shell: Shell, target: str, backup: str | None) -> None:
    """Try the pending revisions on a copy of the real data: up, check, down, compare, up again.

    The result is kept and counts as "tested" for seven days, as long as the revisions stay as they are. Exit code 17:
    something was not as it should be.
    """
    place = shell.place
    vault = current_vault(place)
    if target != "head":
        target = resolve_target(place.scripts(), target)
    with shell.progress() as tell:
        chosen = vault.get(backup) if backup else None
        found = rehearse_on_copy(place, vault, by=who(), target=target, tell=tell, backup=chosen)
    slowest = sorted(found.statements, key=lambda row: -row["ms"])[:SLOWEST]
    rows = [
        [
            row["revision"],
            duration(row["ms"]),
            row["times"],
            _locks(row),
            ", ".join(row["rewrites"]),
            escape(row["sql"][:80]),
        ]
        for row in slowest
    ]
    shell.finish(
        _document(found),
        table("Slowest statements", "Revision", ">Took", ">Times", "Locks", "Rewrites", "Statement", rows=rows),
        f"Up {duration(found.upgrade_ms)}, down {duration(found.downgrade_ms)}, up again {duration(found.again_ms)}; "
        f"longest lock {duration(found.longest_lock_ms)}; expected on the real database {duration(found.expected_ms)}.",
        *(f"[red]{escape(line)}[/red]" for line in found.findings),
        _REHEARSED if found.is_ok else "[red]Not as it should be.[/red]",
        code=ExitCode.OK if found.is_ok else ExitCode.BACKUP,
    )  # fmt: skip


@ops_command(
    "upgrade",
    examples=["flask db upgrade", "flask db upgrade --phase expand", "flask db upgrade -x orphans=quarantine"],
)
@click.argument("revision", default="head")
@click.option(
    "--phase", type=click.Choice([Phase.EXPAND.value, Phase.CONTRACT.value]), help="Only what comes next of this phase."
)
@click.option("--without-backup", help="Make no backup, and say why.", metavar="REASON")
@click.option("--without-rehearsal", help="In production: go without a rehearsal, and say why.", metavar="REASON")
@click.option("--no-verify", is_flag=True, help="Do not check the data afterwards.")
@click.option("--sql", is_flag=True, help="As `flask db plan --sql`: print the SQL, change nothing.")
@click.option("--tag", hidden=True)
def upgrade(shell: Shell, revision: str, *, sql: bool, tag: str | None, **given: Any) -> None:
    """Bring the database to a later revision.

    On a database with rows: dangerous revisions are refused (15), a backup is made and proven (17), in production a
    rehearsal is asked for (17), and the data is checked afterwards (16). One run at a time: others wait, then find
    nothing to do. A run that was killed goes on where it stopped.
    """
    del tag
    if sql:
        print_plan(shell, revision, sql=True)
        return
    wish = Wish(
        target=revision,
        phase=Phase(given["phase"]) if given["phase"] else None,
        by=who(),
        without_backup=given["without_backup"],
        without_rehearsal=given["without_rehearsal"],
        needs_rehearsal=app_environment() == "production",
        verify=not given["no_verify"],
    )
    with shell.progress() as tell:
        outcome = Move(shell.place, current_vault(shell.place), wish, tell).upgrade()
    if not outcome.revisions:
        shell.finish(_told(outcome), "Nothing to do: the database has every revision asked for.")
        return
    broken = bool(outcome.report and outcome.report.lines)
    shell.finish(
        _told(outcome),
        f"[green]{_counted(outcome)} applied in {duration(outcome.duration_ms)}.[/green]"
        + (f" Backup {outcome.backup_id}." if outcome.backup_id else ""),
        *(f"[red]{escape(line)}[/red]" for line in (outcome.report.lines if outcome.report else [])),
        code=ExitCode.DATA if broken else ExitCode.OK,
        hint="The revisions are applied; `flask db verify` shows what is wrong with the data." if broken else None,
    )


@ops_command(
    "downgrade", examples=["flask db downgrade", "flask db downgrade 20250720203715 --yes", "flask db downgrade base"]
)
@click.argument("revision", default="-1")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--without-backup", help="Make no backup, and say why.", metavar="REASON")
@click.option("--sql", is_flag=True, hidden=True)
@click.option("--tag", hidden=True)
def downgrade(
    shell: Shell, revision: str, *, yes: bool, without_backup: str | None, sql: bool, tag: str | None
) -> None:
    """Go back to an earlier revision. Nothing is lost: what it cannot hold is kept in keep_<revision>_<table>.

    Shows what will be kept and asks, on a terminal. The next upgrade brings it back. A backup is made first.
    """
    del tag
    if sql:
        raise EvolveError(
            "Downgrades depend on the rows they find and cannot be printed; `flask db rehearse` runs them."
        )
    place = shell.place
    with place.engine.connect() as connection:
        state = read_state(connection, place.revisions())
    state.refuse_divergence()
    revisions = undone(place.scripts(), state, revision)
    if not revisions:
        shell.finish({"revisions": []}, "Nothing to take back.")
        return
    if not shell.as_json:
        rows = [[one.id, one.name, escape(one.header.get("Downgrade", ""))] for one in revisions]
        shell.notes.print(table("To be taken back", "Revision", "Name", "What becomes of the rows", rows=rows))
    if sys.stdin.isatty() and not yes:
        click.confirm("Go on?", abort=True, err=True)
    wish = Wish(target=revision, by=who(), without_backup=without_backup)
    with shell.progress() as tell:
        outcome = Move(place, current_vault(place), wish, tell).downgrade()
    kept = [[name, f"{count:,}"] for name, count in sorted(outcome.kept.items())]
    shell.finish(
        _told(outcome),
        f"[green]{_counted(outcome)} taken back in {duration(outcome.duration_ms)}.[/green]",
        table("Put aside", "Table", ">Rows", rows=kept) if kept else "Nothing had to be put aside.",
    )


@ops_command(
    "resolve",
    examples=["flask db resolve 20250720211648 --rolled-back", "flask db resolve 20250720211648 --accept-checksum"],
)
@click.argument("revision")
@click.option("--applied", "word", flag_value="applied", help="It was done by hand; it is the next one.")
@click.option(
    "--rolled-back",
    "word",
    flag_value="rolled-back",
    help="Its failed attempt was undone by hand. This undoes nothing.",
)
@click.option("--accept-checksum", "word", flag_value="accept", help="Its file may be what it is now.")
def resolve(shell: Shell, revision: str, word: str | None) -> None:
    """Record in the history what a person did about a revision. No table of the portal is touched.

    To take back an applied revision, with its rows kept, use `flask db downgrade`.
    """
    actions = {"applied": mark_applied, "accept": accept_checksum}
    if word is None:
        raise click.UsageError("Say which: --applied, --rolled-back or --accept-checksum.")
    place = shell.place
    if word == "rolled-back":  # also of a revision whose file is gone
        mark_rolled_back(place, revision, by=who())
        shell.finish(
            {"revision": revision, "recorded": word}, f"{revision} is recorded as rolled back; nothing was undone."
        )
        return
    wanted = resolve_target(place.scripts(), revision)
    found = next(one for one in place.revisions() if one.id == wanted)
    actions[word](place, found, by=who())
    said = {
        "applied": "is recorded as applied; nothing was run",
        "accept": "may have the file it has now",
    }
    shell.finish({"revision": found.id, "recorded": word}, f"{found.id} {said[word]}.")


@ops_command("adopt", examples=["flask db adopt"])
def adopt(shell: Shell) -> None:
    """Take over a database that these revisions did not make, such as one restored without its history.

    It is compared with what each revision makes; where it is equal to one, that is recorded. Exit code 13, with the
    differences, where it is not.
    """
    with shell.progress() as tell:
        revision = adopt_database(shell.place, by=who(), tell=tell)
    shell.finish(
        {"revision": revision.id, "name": revision.name},
        f"[green]The database is equal to {revision.id}_{revision.name}, and recorded as such.[/green]",
    )


def _counted(outcome: Outcome) -> str:
    count = len(outcome.revisions)
    return f"{count} revision{'s' if count > 1 else ''}"


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "run_id": outcome.run_id, "revisions": [revision.id for revision in outcome.revisions],
        "backup_id": outcome.backup_id, "rehearsal_id": outcome.rehearsal_id, "duration_ms": outcome.duration_ms,
        "kept": outcome.kept, "findings": outcome.report.lines if outcome.report else [],
    }  # fmt: skip


def _document(found: Rehearsed) -> dict[str, Any]:
    return {
        "id": found.id, "from": found.from_heads, "to": found.to_heads, "ok": found.is_ok,
        "backup_id": found.backup_id, "upgrade_ms": found.upgrade_ms, "downgrade_ms": found.downgrade_ms,
        "again_ms": found.again_ms, "expected_ms": found.expected_ms, "longest_lock_ms": found.longest_lock_ms,
        "findings": found.findings, "statements": found.statements,
    }  # fmt: skip


def _locks(row: dict[str, Any]) -> str:
    return ", ".join(sorted({f"{lock['relation']} ({lock['mode'].removesuffix('Lock')})" for lock in row["locks"]}))


COMMANDS = [rehearse, upgrade, downgrade, resolve, adopt]
