"""`flask db verify`, `flask db preflight`, `flask db sizes`: whether all is well, before, after and in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click
from flask import current_app
from rich.console import RenderableType
from rich.markup import escape

from portal.ops.commands.shell import Shell, duration, moment, ops_command, size, table, who
from portal.ops.evolve.errors import EvolveError, ExitCode
from portal.ops.schema.checklist import Checklist, Item, ItemState, after, before, keep_reads, sign
from portal.ops.schema.checks import Check
from portal.ops.schema.checks.mend import Mended
from portal.ops.schema.sizes import FOREIGN_KEYS, read_sizes, record_sizes
from portal.ops.schema.tables import has_tables
from portal.ops.schema.verify import Report, list_references, repair, verify

MARKS = {
    ItemState.DONE: "[green]done[/green]",
    ItemState.OPEN: "[red]open[/red]",
    ItemState.TO_SIGN: "[yellow]to sign[/yellow]",
}
EVIDENCE = ("backup", "tested", "rollback")  # what exit code 17 is about


def signing(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options with which a person vouches for an item."""
    for option in (
        click.option("--note", metavar="TEXT", help="What the signature is about."),
        click.option("--item", metavar="KEY", help="The item that is signed."),
        click.option("--sign", "name", metavar="NAME", help="Vouch for --item by name."),
    ):
        function = option(function)
    return function


@ops_command(
    "verify",
    examples=[
        "flask db verify",
        "flask db verify --fix",
        "flask db verify --foreign-keys",
        'flask db verify --sign "Ada Yalın" --item functionality --note "Offers and PDFs looked at"',
    ],
)
@click.option("--fix", is_flag=True, help="Mend what can lose nothing, show it, and look again.")
@click.option("--quick", is_flag=True, help="Leave out what reads whole tables.")
@click.option(
    "--foreign-keys", "keys", is_flag=True, help="List every foreign key with the rows that hold and break it."
)
@signing
def verify_command(
    shell: Shell, *, fix: bool, quick: bool, keys: bool, name: str | None, item: str | None, note: str | None
) -> None:
    """Check data and database, then show the checklist after a migration.

    Looks for rows without a parent and rows across clinics, whatever the constraints say; for missing policies and
    rights too many; invalid indexes; numbers that would be given out twice; rows lost in the newest run; unfinished
    runs. Changes nothing without --fix. Ends with 16 where something is not as it should be.
    """
    if fix and quick:
        raise click.UsageError("--fix looks at everything; leave --quick out.")
    if keys:
        _list_keys(shell)
        return
    if _signed(shell, Checklist.AFTER, name, item, note):
        items = after(shell.place, _app())
        shell.finish({"checklist": [one.as_json() for one in items]}, _checklist("After the migration", items))
        return
    with shell.progress() as tell:
        if fix:
            done = repair(shell.place, by=who(), tell=tell)
            report, mended = done.after, done.mended
        else:
            report, mended = verify(shell.place, by=who(), tell=tell, quick=quick), []
    items = after(shell.place, _app())
    document = report.as_json() | {
        "mended": [one.as_json() for one in mended],
        "checklist": [one.as_json() for one in items],
    }
    fixable = any(finding.fixable for finding in report.findings)
    shell.finish(
        document,
        *_mended(mended),
        *_report(report),
        _checklist("After the migration", items),
        code=report.exit_code,
        hint="`flask db verify --fix` mends what is marked fixable; nothing can be lost by it." if fixable else None,
    )


@ops_command(
    "preflight", examples=["flask db preflight", 'flask db preflight --sign "Ada Yalın" --item downtime --note "22:00"']
)
@signing
def preflight(shell: Shell, *, name: str | None, item: str | None, note: str | None) -> None:
    """Show the checklist before a migration, with the evidence for each item.

    Ends with 0 where all is done or signed, with 17 where a backup or a rehearsal is missing, else with 1. Measures
    the portal's typical reads, too, for the comparison afterwards. A signature holds for the pending revisions only.
    """
    _signed(shell, Checklist.BEFORE, name, item, note)
    place = shell.place
    items = before(place)
    reads = keep_reads(place)
    unfinished = [one for one in items if one.state is not ItemState.DONE]
    code = ExitCode.ERROR if unfinished else ExitCode.OK
    if any(one.key in EVIDENCE for one in unfinished):
        code = ExitCode.BACKUP
    to_sign = [one.key for one in unfinished if one.state is ItemState.TO_SIGN]
    shell.finish(
        {"ready": not unfinished, "checklist": [one.as_json() for one in items], "reads_ms": reads},
        _checklist("Before the migration", items),
        "[green]All is done or signed.[/green]" if not unfinished else "[red]Not ready.[/red]",
        code=code,
        hint=f"flask db preflight --sign NAME --item {to_sign[0]}" if to_sign else None,
    )


@ops_command("sizes", examples=["flask db sizes", "flask db sizes --record"])
@click.option("--record", is_flag=True, help="Store a sample, too: growth is shown against the newest one.")
def sizes(shell: Shell, *, record: bool) -> None:
    """Show the tables, the largest first, with rows and growth since the last sample.

    Rows are the planner's estimate. A sample is stored after each upgrade and every night.
    """
    with shell.place.engine.connect() as connection:
        found = read_sizes(connection)
        if record:
            if not has_tables(connection):
                raise EvolveError("There is no history to store a sample in; run `flask db upgrade` first.")
            record_sizes(connection)
            connection.commit()
    rows = (
        (row.table, row.shown, f"{row.rows:,}", _growth(row.growth, size), _growth(row.more_rows, "{:,.0f}".format))
        for row in found.tables
    )
    since = f" since {moment(found.since)}" if found.since else ""
    shell.finish(
        found.as_json() | {"recorded": record},
        table("Tables", "Table", ">Size", ">Rows", f">Growth{since}", ">More rows", rows=rows),
        hint=None if found.since else "No sample yet: `flask db sizes --record` stores one.",
    )


def _signed(shell: Shell, checklist: Checklist, name: str | None, item: str | None, note: str | None) -> bool:
    """Store the signature the options ask for; tell whether they do."""
    if (name is None) != (item is None):
        raise click.UsageError("Give --sign and --item together.")
    if name is None or item is None:
        return False
    sign(shell.place, checklist, item, name, note)
    return True


def _list_keys(shell: Shell) -> None:
    with shell.progress() as tell:
        held = list_references(shell.place, tell)
    with shell.place.engine.connect() as connection:
        guide = [tuple(row) for row in connection.exec_driver_sql(FOREIGN_KEYS)]
    broken = sum(one.breaking for one in held)
    rows = (
        (escape(one.key), one.name, f"{one.holding:,}", f"[red]{one.breaking:,}[/red]" if one.breaking else "0",
         "" if one.valid else "[red]not valid[/red]")
        for one in held
    )  # fmt: skip
    shell.finish(
        {"foreign_keys": [vars(one) for one in held], "query": guide},
        table("Foreign keys", "Reference", "Constraint", ">Rows that hold it", ">that break it", "", rows=rows),
        code=ExitCode.DATA if broken else ExitCode.OK,
    )


def _report(report: Report) -> Iterable[RenderableType]:
    rows = [(check.title, f"{check.looked_at:,}", duration(check.ms), _outcome(check)) for check in report.checks]
    yield table("Checks", "Check", ">Looked at", ">Time", "Found", rows=rows)
    for check in report.checks:
        for finding in check.findings:
            yield f"[red]✗[/red] {escape(finding.what)}{' [yellow]fixable[/yellow]' if finding.fixable else ''}"
        for note in check.notes:
            yield f"[dim]· {escape(note)}[/dim]"


def _outcome(check: Check) -> str:
    if check.skipped:
        return "[dim]left out[/dim]"
    return f"[red]{len(check.findings)}[/red]" if check.findings else "[green]nothing[/green]"


def _mended(mended: Sequence[Mended]) -> Iterable[RenderableType]:
    for one in mended:
        mark = "[green]mended[/green]" if one.error is None else "[red]not mended[/red]"
        yield f"{mark} {escape(one.what)}"
        for statement in one.statements:
            yield f"    [dim]{escape(statement)}[/dim]"
        if one.error is not None:
            yield f"    [red]{escape(one.error)}[/red]"


def _checklist(title: str, items: Sequence[Item]) -> RenderableType:
    rows = ((MARKS[one.state], one.title, one.key, escape(_evidence(one))) for one in items)
    return table(title, "", "Item", "Key", "Evidence", rows=rows)


def _evidence(item: Item) -> str:
    if item.signed_by is None:
        return item.evidence
    return f"Signed by {item.signed_by}, {moment(item.signed_at)}{f': {item.note}' if item.note else ''}"


def _growth(value: int | None, write: Callable[[float], str]) -> str:
    if value is None:
        return ""
    return f"{'+' if value > 0 else '-' if value < 0 else '±'}{write(abs(value))}"


def _app() -> Any:
    return current_app._get_current_object()  # type: ignore[attr-defined]


COMMANDS = [verify_command, preflight, sizes]
