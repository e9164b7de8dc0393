"""`flask keys`: the keys that medical data and second factors are sealed with."""

from __future__ import annotations

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from rich.console import Console

from portal.core.clock import now
from portal.core.keyring import new_key
from portal.core.sealing import SealError
from portal.core.settings import settings
from portal.ops.commands.shell import table
from portal.ops.keys import KeyReport, check_keys, rotate_keys

_console = Console(highlight=False)


@click.group("keys")
def keys() -> None:
    """Keys of sealed data, set by CLINIKOOP_DATA_KEYS: the first one seals, all of them open."""


@keys.command("list")
@with_appcontext
def list_keys() -> None:
    """List the keys this portal has, by name and fingerprint; never the keys themselves."""
    rows = [[key.id, key.fingerprint, "" if place else "seals"] for place, key in enumerate(settings().data_keys)]
    _console.print(table("", "Id", "Fingerprint", "Use", rows=rows))
    if not rows:
        raise click.ClickException("CLINIKOOP_DATA_KEYS is not set, so nothing can be sealed.")


@keys.command("new")
@click.option("--name", help="Its name; without it, one made of the day.")
@with_appcontext
def new(name: str | None) -> None:
    """Make a key and print what CLINIKOOP_DATA_KEYS becomes with it. Nothing is stored and nothing is changed."""
    known = {key.id for key in settings().data_keys}
    wanted = name or f"{now():%Y%m%d}"
    if wanted in known:
        raise click.ClickException(f"There is a key named {wanted}; give another --name.")
    try:
        key = new_key(wanted)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(",".join(each.written() for each in (key, *settings().data_keys)))
    click.echo("Keep a copy where no backup of the database is. Then `flask keys rotate`.", err=True)


@keys.command("check")
@with_appcontext
def check() -> None:
    """Open every sealed value and tell how many each key holds. Exit code 1 where one does not open."""
    report = check_keys(_app())
    known = {key.id for key in settings().data_keys}
    rows = [[name, str(count), "" if name in known else "missing"] for name, count in sorted(report.held.items())]
    _console.print(table("", "Id", ">Values", "State", rows=rows))
    _finish(report)


@keys.command("rotate")
@with_appcontext
def rotate() -> None:
    """Seal everything with the current key. Can be interrupted and run again while people work."""
    report = KeyReport()
    try:
        for _done in rotate_keys(_app(), report):
            click.echo(f"{report.resealed:,} sealed anew", err=True)
    except SealError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{report.resealed:,} sealed anew with {settings().data_keys[0].id}.")
    _finish(report)


def _finish(report: KeyReport) -> None:
    for reason, count in report.broken.items():
        click.echo(f"{count:,} x {reason}", err=True)
    if report.broken:
        raise click.ClickException("Some values do not open. They were left as they are; see docs/operations.md, Keys.")


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined, no-any-return]
