"""Commands of the catalogue: `flask rates fetch`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from portal.catalog.rates.fetching import FetchError, Source
from portal.catalog.rates.parsing import MAX_BYTES, BulletinError, ParsedBulletin, parse_bulletin
from portal.catalog.rates.services import store_bulletin
from portal.core.clock import today
from portal.core.work import platform_work

ISTANBUL = "Europe/Istanbul"


@click.group("rates")
def rates() -> None:
    """Exchange rates of the Turkish central bank."""


@rates.command("fetch")
@click.option("--date", "moment", type=click.DateTime(["%Y-%m-%d"]), help="The day wanted; without it, the newest.")
@click.option(
    "--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read this file instead."
)
@with_appcontext
def fetch(moment: datetime | None, path: Path | None) -> None:
    """Fetch a bulletin and keep it; over weekends and holidays the one before, at most ten days back."""
    day = moment.date() if moment else None
    if day and day > today(ISTANBUL):
        raise click.ClickException(f"{day} has not come yet.")
    try:
        bulletin = _from_file(path, day) if path else _from_bank(Source(), day)
    except (FetchError, BulletinError) as error:
        raise click.ClickException(str(error)) from error
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with platform_work(app, "store exchange rates"):
        stored = store_bulletin(bulletin)
    click.echo(
        f"Bulletin {bulletin.number or 'without a number'} of {bulletin.day}, {len(bulletin.rates)} currencies: "
        f"{'stored' if stored.is_new else 'was there already'}."
    )
    if stored.differs:
        click.echo("It says something else than the one stored, which stays: offers count with it.", err=True)


def _from_bank(source: Source, day: date | None) -> ParsedBulletin:
    return source.of_day(day) if day else source.newest()


def _from_file(path: Path, day: date | None) -> ParsedBulletin:
    """Read a bulletin from a file; never more of it than a bulletin can have."""
    with path.open("rb") as file:
        bulletin = parse_bulletin(file.read(MAX_BYTES + 1))
    if day and bulletin.day != day:
        raise BulletinError(f"{path} holds the bulletin of {bulletin.day}, not of {day}.")
    return bulletin
