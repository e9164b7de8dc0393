"""`flask db plan`, `lint`, `drift`: what pending revisions do, whether they may, and whose the schema is."""

from __future__ import annotations

import click
from rich.markup import escape
from rich.text import Text

from portal.core.database import Base
from portal.ops.commands.shell import Shell, ops_command
from portal.ops.evolve.errors import ExitCode
from portal.ops.schema.drift import find_drift
from portal.ops.schema.lint import Finding, lint_file
from portal.ops.schema.plan import Plan, PlannedRevision, keep_plan, make_plan
from portal.ops.schema.scripts import Revision, resolve_target
from portal.ops.schema.state import read_state


@ops_command("plan", examples=["flask db plan", "flask db plan --sql > pending.sql", "flask db plan 20261201101500"])
@click.argument("target", default="head")
@click.option("--sql", is_flag=True, help="Print the SQL that was sent, ready to read; steps over rows are left out.")
def plan(shell: Shell, target: str, sql: bool) -> None:
    """Show what the pending revisions will do: the SQL, the locks, the rewrites, what is dangerous about it.

    The revisions run on an empty scratch copy that stands where the database stands; nothing is changed. Times and
    steps that depend on rows are what `flask db rehearse` shows.
    """
    print_plan(shell, target, sql=sql)


def print_plan(shell: Shell, target: str, *, sql: bool) -> None:
    """Make the plan up to ``target`` and print it, as a text for people or as a script."""
    made = _planned(shell, target)
    document = {
        "from": made.from_heads, "to": made.to,
        "revisions": [planned.as_json(sql=sql) for planned in made.revisions],
    }  # fmt: skip
    if not made.revisions:
        shell.finish(document, "Nothing is pending.")
    elif sql:
        shell.finish(document, *(_script(planned) for planned in made.revisions))
    else:
        shell.finish(document, *(part for planned in made.revisions for part in _pages(planned)), *_verdict(made))


@ops_command("lint", examples=["flask db lint", "flask db lint --all"])
@click.option("--all", "everything", is_flag=True, help="Look at the files of applied revisions, too.")
def lint(shell: Shell, everything: bool) -> None:
    """Judge the pending revisions: their file, and the SQL they send, by squawk and by the rules it lacks.

    Exit code 15: something is dangerous and the revision does not say why it is safe here. Revisions from before the
    rules are shown and not judged.
    """
    made = _planned(shell, "head")
    rows = [(planned.revision, finding) for planned in made.revisions for finding in planned.findings]
    if everything:
        known = {planned.revision.id for planned in made.revisions}
        rows += [
            (revision, finding)
            for revision in shell.place.revisions()
            if revision.id not in known
            for finding in lint_file(revision)
        ]
    bad = [(revision, finding) for revision, finding in rows if finding.is_dangerous and not revision.is_exempt]
    shell.finish(
        [{"revision": revision.id, "exempt": revision.is_exempt, **finding.as_json()} for revision, finding in rows],
        *([_judged(revision, finding) for revision, finding in rows] or ["[green]Nothing to say.[/green]"]),
        code=ExitCode.DANGEROUS if bad else ExitCode.OK,
    )


@ops_command("drift", examples=["flask db drift", "flask db drift --json"])
def drift(shell: Shell) -> None:
    """Tell whether the database is what the models say and what its revisions make.

    The revisions are replayed on a scratch database, and columns, constraints, indexes, policies, rights, triggers
    and functions are compared. Exit code 13: something differs.
    """
    place = shell.place
    with place.engine.connect() as connection:
        state = read_state(connection, place.revisions())
    state.refuse_divergence()
    shell.say("Replaying the revisions on a scratch database ...")
    found = find_drift(place, state, Base.metadata)
    lines = [
        *(f"[yellow]models[/yellow]  {escape(line)}" for line in found.models),
        *(f"[red]lacks[/red]   {escape(line)}" for line in found.missing),
        *(f"[red]besides[/red] {escape(line)}" for line in found.extra),
    ]
    shell.finish(
        {"models": found.models, "missing": found.missing, "extra": found.extra},
        *(lines or ["[green]The database is what its revisions make.[/green]"]),
        code=ExitCode.DRIFT if found else ExitCode.OK,
    )


def _planned(shell: Shell, target: str) -> Plan:
    place = shell.place
    revisions = place.revisions()
    if target != "head":
        target = resolve_target(place.scripts(), target)
    with place.engine.connect() as connection:
        state = read_state(connection, revisions)
        connection.rollback()
        if state.pending:
            shell.say("Running the pending revisions on an empty scratch copy ...")
        made = make_plan(place, state, target)
        keep_plan(connection, made)
    return made


def _pages(planned: PlannedRevision) -> list[Text | str]:
    revision = planned.revision
    lines: list[Text | str] = [Text(f"\n{revision.id} {revision.name}  ({revision.phase or 'no phase'})", "bold")]
    lines += [escape(f"  {name}: {text}") for name, text in revision.header.items()]
    lines.append(f"  {len(planned.statements)} statements")
    for mode in sorted({lock["mode"] for lock in planned.locks}):
        locked = [lock["relation"] for lock in planned.locks if lock["mode"] == mode]
        lines.append(f"  locks briefly ({mode.removesuffix('Lock')}): {', '.join(locked)}")
    lines += [f"  [red]writes {name} anew[/red]" for name in planned.rewrites]
    lines += [f"  {_judged(revision, finding)}" for finding in planned.findings]
    return lines


def _judged(revision: Revision, finding: Finding) -> str:
    """Return a finding on a line, red where it keeps an upgrade from starting."""
    if revision.is_exempt:
        return f"[dim]{revision.id} {escape(str(finding))} (landed before the rules)[/dim]"
    return f"[{'yellow' if finding.allowed else 'red'}]{revision.id} {escape(str(finding))}[/]"


def _verdict(made: Plan) -> list[str]:
    if made.dangers:
        return ["\n[red]An upgrade would be refused (exit code 15).[/red] See the lines in red."]
    return ["\n[green]Nothing stands against it.[/green] Next: flask db rehearse"]


def _script(planned: PlannedRevision) -> Text:
    head = f"-- {planned.revision.id} {planned.revision.name}\n"
    return Text(head + "\n".join(seen.statement.strip().rstrip(";") + ";" for seen in planned.statements) + "\n")


COMMANDS = [plan, lint, drift]
