"""What every command of `flask db` has in common: --json, -x, the exit codes, tables and progress in the terminal."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import Any, Literal

import click
import psycopg
import sqlalchemy as sa
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from flask import current_app, g
from flask.cli import with_appcontext
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from portal.ops.evolve.errors import EvolveError, ExitCode, without_values
from portal.ops.schema.place import Place, current_place

UNBROKEN = frozenset({"Revision", "Id", "State", "Status"})  # headings of what is copied, or short anyway
Tell = Callable[[str, Mapping[str, Any]], None]


@dataclass
class Shell:
    """Where a command reads its database and writes its result."""

    as_json: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    directory: str | None = None
    console: Console = field(default_factory=lambda: Console(highlight=False))
    notes: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    @property
    def place(self) -> Place:
        """The portal's database as its owner, with the options and the folder given; raises EvolveError without."""
        place = current_place(self.options)
        return place if self.directory is None else Place(place.engine, Path(self.directory), place.options)

    def finish(
        self, document: Any, *shown: RenderableType, code: ExitCode = ExitCode.OK, hint: str | None = None
    ) -> None:
        """Print ``document`` as JSON, or what is ``shown`` to a person, and leave with ``code``."""
        if self.as_json:
            click.echo(json.dumps(document, default=_plain, ensure_ascii=False, indent=2))
        else:
            for part in shown:
                self.console.print(part)
            if hint:
                self.notes.print(f"[dim]{escape(hint)}[/dim]")
        if code is not ExitCode.OK:
            sys.exit(int(code))

    def say(self, text: str) -> None:
        """Say what is being done, where a person looks on."""
        if not self.as_json:
            self.notes.print(text)

    @contextmanager
    def progress(self) -> Iterator[Tell]:
        """Yield what the engine tells its progress to; a person sees lines and bars, with --json nobody does."""
        if self.as_json:
            yield lambda _event, _facts: None
            return
        text, times = TextColumn("{task.description}"), (TimeElapsedColumn(), TimeRemainingColumn())
        columns = (text, BarColumn(), MofNCompleteColumn(), *times)
        with Progress(*columns, console=self.notes, transient=True) as bars:
            yield Teller(bars)


class Teller:
    """Turns what the engine tells into lines and bars.

    Events: "revision" (revision, name, direction), "batch" (table, done, total), "retry" (retries), "part"
    (what, done, total), "note" (text).
    """

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, Any] = {}

    def __call__(self, event: str, facts: Mapping[str, Any]) -> None:
        """Show one event."""
        if event == "revision":
            arrow = {"up": "↑", "down": "↓"}.get(facts["direction"], "·")
            self._bars.console.print(f"{arrow} {facts['revision']} {escape(facts['name'])}")
        elif event == "note":
            self._bars.console.print(escape(facts["text"]))
        elif event in ("batch", "part"):
            self._advance(str(facts.get("table") or facts["what"]), facts["done"], facts["total"])

    def _advance(self, name: str, done: int, total: int) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(f"  {escape(name)}", total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)
        if done >= total:
            self._bars.remove_task(self._tasks.pop(name))


def ops_command(name: str, *, examples: Sequence[str]) -> Callable[[Callable[..., None]], click.Command]:
    """Make a function that takes a Shell first into a command of `flask db`; its docstring is the help text."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @wraps(function)
        def run(as_json: bool, directory: str | None, x_arg: tuple[str, ...], **arguments: Any) -> None:
            given = [*getattr(g, "x_arg", ()), *x_arg]
            options = dict(item.partition("=")[::2] for item in given)
            shell = Shell(as_json, options, directory or getattr(g, "directory", None))
            with reported(shell):
                function(shell, **arguments)

        listed = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in examples)
        for option in (
            click.option("-x", "--x-arg", multiple=True, metavar="NAME=VALUE", help="An option for the revisions."),
            click.option("-d", "--directory", help="The folder of the revisions.", type=click.Path(file_okay=False)),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables."),
        ):
            run = option(run)
        return click.command(name, epilog=listed)(with_appcontext(run))

    return decorate


@contextmanager
def reported(shell: Shell) -> Iterator[None]:
    """Turn what can go wrong into a clear message and its exit code."""
    try:
        yield
    except (CommandError, ResolutionError, sa.exc.SQLAlchemyError, psycopg.Error, OSError) as error:
        message, code = explained(error)
        if shell.as_json:
            click.echo(json.dumps({"error": message, "exit_code": int(code)}, ensure_ascii=False, indent=2))
        else:
            shell.notes.print(f"[bold red]Error:[/bold red] {escape(message)}")
        sys.exit(int(code))


def explained(error: BaseException) -> tuple[str, ExitCode]:
    """Return what to tell a person about an error, and the exit code."""
    if isinstance(error, EvolveError):
        return str(error), error.exit_code
    if isinstance(error, CommandError | ResolutionError):
        unknown = "Can't locate revision" in str(error)
        return str(error), ExitCode.DIVERGED if unknown else ExitCode.ERROR
    original = getattr(error, "orig", None) or error
    if isinstance(original, psycopg.errors.DiskFull):
        return (
            f"The database's disk is full: {original.diag.message_primary}. Nothing unfinished was kept.",
            ExitCode.ERROR,
        )
    if isinstance(original, psycopg.OperationalError):
        lost = "The database cannot be reached, or went away. What was not finished goes on with the next upgrade."
        return f"{lost}\n{str(original).strip()}", ExitCode.ERROR
    if isinstance(original, psycopg.DataError | psycopg.IntegrityError):
        return without_values(original), ExitCode.ERROR  # its other lines quote the row
    return str(original).strip() or type(original).__name__, ExitCode.ERROR


def table(title: str, *headings: str, rows: Iterable[Sequence[object]]) -> Table:
    """Return a table for the terminal; a heading that begins with ">" is a column of numbers."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for heading in headings:
        justify: Literal["left", "right"] = "right" if heading.startswith(">") else "left"
        made.add_column(heading.removeprefix(">"), justify=justify, overflow="fold", no_wrap=heading in UNBROKEN)
    for row in rows:
        made.add_row(*(value if isinstance(value, str) else "" if value is None else str(value) for value in row))
    return made


def moment(value: datetime | None) -> str:
    """Write a moment for the terminal, in UTC."""
    return value.strftime("%Y-%m-%d %H:%M:%S") if value else ""


def duration(ms: float | None) -> str:
    """Write a duration given in milliseconds."""
    if ms is None:
        return ""
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s" if ms < 120_000 else f"{ms / 60_000:.1f} min"


def size(count: float | None) -> str:
    """Write a number of bytes."""
    if count is None:
        return ""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"


def who() -> str | None:
    """Return the account that runs the command."""
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return None


def app_environment() -> str:
    """Return whether this is development, testing or production."""
    return str(current_app.extensions["portal_settings"].environment)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
