"""Commands of the platform's operators: `flask db seed`, `flask db roles`, `flask worker`, `flask demo`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

import click
import psycopg
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import with_appcontext
from psycopg import errors, sql
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from portal.core.bootstrap import conninfo
from portal.core.clinics import Clinic
from portal.core.database import OWNER_BIND, Base, db
from portal.core.jobs import SYSTEM, run_worker
from portal.core.roles import OWNER_ROLE, ROLES, ensure_database, ensure_roles
from portal.core.settings import settings
from portal.core.work import clinic_work, platform_work
from portal.ops.demo.clinics import DemoClinic, accounts_table
from portal.ops.demo.load import fill_clinic, load_demo, open_clinic
from portal.ops.jobs import queues_of
from portal.ops.seed import seed_clinic
from portal.ops.serving import destroy_embedded, end_on_signals, refuse_busy_port, serve, upgrade_database

MAX_PATIENTS = 1_000_000
_console = Console()


@click.command("seed")
@click.option("--demo", is_flag=True, help="Load the demonstration clinics with patients and offers.")
@click.option("--patients", type=click.IntRange(1, MAX_PATIENTS), help="Fill --clinic up to this many patients.")
@click.option("--clinic", metavar="SUBDOMAIN", help="The clinic to fill; made if it is missing.")
@with_appcontext
def seed(demo: bool, patients: int | None, clinic: str | None) -> None:
    """Give every clinic what it lacks of a clinic's first contents; or load clinics to try things out."""
    if (patients is None) != (clinic is None):
        raise click.UsageError("Give --patients and --clinic together.")
    try:
        if not demo and clinic is None:
            _seed_all(_app())
        if demo:
            _load_demo(_app())
            _console.print(accounts_table(settings().url_for_host))
        if clinic is not None and patients is not None:
            _fill(_app(), clinic, patients)
    except sa.exc.ProgrammingError as error:
        if isinstance(error.orig, errors.UndefinedTable):
            raise click.ClickException("The database has no tables yet; run `flask db upgrade` first.") from error
        raise


@click.command("roles")
@with_appcontext
def roles() -> None:
    """Create the four database roles and the database, and set the passwords that the URLs name."""
    admin = os.environ.get("DATABASE_ADMIN_URL")
    if not admin:
        raise click.ClickException(
            "DATABASE_ADMIN_URL is required: the URL of a role that may create roles and databases, "
            "such as postgresql://postgres@localhost/postgres."
        )
    databases = settings().databases
    if databases is None:
        raise click.ClickException("DATABASE_URL is required: it names the database. The embedded one has its roles.")
    urls = [sa.make_url(url) for url in (databases.app, databases.platform, databases.owner, databases.backup) if url]
    name = urls[0].database
    if not name:
        raise click.ClickException("DATABASE_URL names no database.")
    try:
        with psycopg.connect(conninfo(admin), autocommit=True) as connection:
            _ensure(connection, name, urls)
    except (psycopg.Error, sa.exc.ArgumentError) as error:
        raise click.ClickException(f"The roles could not be made: {error}") from error


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Run background jobs until stopped; the operators' own only where DATABASE_OWNER_URL is set."""
    run_worker(_app(), queues=queues_of(_app()))


@click.command("demo")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Where to listen.")
@click.option("--reset", is_flag=True, help="Delete the embedded database and everything in it first.")
@with_appcontext
def demo(port: int, reset: bool) -> None:
    """Start the portal with demonstration clinics on this machine; Ctrl-C ends it."""
    _refuse_production()
    end_on_signals()
    refuse_busy_port(port)
    if reset:
        destroy_embedded()
    upgrade_database()
    _load_demo(_app())
    serve(_app(), port, lambda: _welcome(port))


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined, no-any-return]


def _refuse_production() -> None:
    if settings().environment == "production":
        raise click.ClickException(
            "Demonstration accounts have a password that everybody knows, so they are refused in production."
        )


def _seed_all(app: Flask) -> None:
    with platform_work(app, "seed every clinic") as session:
        clinics = list(session.execute(sa.select(Clinic.id, Clinic.subdomain).order_by(Clinic.id)))
    for clinic_id, subdomain in clinics:
        with clinic_work(app, clinic_id):
            seed_clinic(SYSTEM, example_prices=settings().environment != "production")
        click.echo(f"{subdomain}: seeded")
    if not clinics:
        click.echo("There is no clinic yet; `flask db seed --demo` makes some to look at.")


def _load_demo(app: Flask) -> None:
    _refuse_production()
    added = load_demo(app)
    for subdomain, count in added.items():
        click.echo(f"{subdomain}: {f'{count} patients added' if count else 'nothing to add'}")
    if any(added.values()):
        _analyze()


def _welcome(port: int) -> None:
    _console.print(accounts_table(replace(settings(), port=port).url_for_host))
    click.echo("The portal runs. Ctrl-C ends it.")


def _fill(app: Flask, subdomain: str, total: int) -> None:
    _refuse_production()
    name = "Büyük Klinik" if subdomain == "buyuk" else f"{subdomain.capitalize()} Klinik"
    try:
        clinic_id = open_clinic(app, DemoClinic(name, subdomain))
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_console) as progress:
        task = progress.add_task(f"Patients of {subdomain}", total=total)
        for have in fill_clinic(app, clinic_id, subdomain, total):
            progress.update(task, completed=have)
    _analyze()


def _analyze() -> None:
    """Renew the planner's statistics, which autovacuum would do only minutes later; only the owner may."""
    engine = db.engines.get(OWNER_BIND)
    if engine is None:
        click.echo("DATABASE_OWNER_URL is not set, so the tables were not analysed.")
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"ANALYZE {', '.join(Base.metadata.tables)}")


def _ensure(connection: psycopg.Connection, name: str, urls: Iterable[sa.URL]) -> None:
    passwords = {url.username: str(url.password) for url in urls if url.username in ROLES and url.password}
    made = ensure_roles(connection, passwords)
    created = ensure_database(connection, name)
    owner = connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [name]).fetchone()
    click.echo(f"Roles made: {', '.join(made) or 'none, all were there'}.")
    click.echo(f"Passwords set: {', '.join(sorted(passwords)) or 'none'}.")
    click.echo(f"Database {name}: {'made' if created else 'was there'}.")
    if owner and owner[0] != OWNER_ROLE:
        change = sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(OWNER_ROLE))
        raise click.ClickException(
            f"The database {name} belongs to {owner[0]}, so migrations may not change it. "
            f"Run: {change.as_string(connection)}"
        )
