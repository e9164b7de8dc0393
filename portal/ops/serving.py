"""Running the portal on one machine for a demonstration: web server and job worker as child processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import click
import psycopg
from flask import Flask

from config import ROOT
from portal.core.bootstrap import conninfo, start_embedded
from portal.core.database import OWNER_BIND, PLATFORM_BIND, db
from portal.core.embedded import EmbeddedServer
from portal.core.settings import settings
from portal.ops.schema.backup import current_vault
from portal.ops.schema.place import current_place
from portal.ops.schema.upgrade import Move, Wish

LOCALHOST = "127.0.0.1"
THREADS = 4
STOP_SECONDS = 10
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, a stop, a closed terminal
START_SECONDS = 60
_LOOK_SECONDS = 0.2
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


def end_on_signals() -> None:
    """Make SIGINT, SIGTERM and SIGHUP end this process in order, also where it was started in the background."""
    for number in ENDING:
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # started with nohup, to outlive its terminal
        signal.signal(number, signal.default_int_handler)


def refuse_busy_port(port: int) -> None:
    """Raise ClickException where something listens on ``port`` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
        except OSError as error:
            raise click.ClickException(
                f"Port {port} cannot be used: {error.strerror}. Choose another one: make demo PORT={port % 65535 + 1}"
            ) from error


def destroy_embedded() -> None:
    """Delete the embedded database and start an empty one.

    Raises ClickException where DATABASE_URL names a database, or another process works in the embedded one.
    """
    if settings().databases is not None:
        raise click.ClickException("--reset deletes the embedded database only, and DATABASE_URL names another one.")
    for engine in db.engines.values():
        engine.dispose()
    server = EmbeddedServer(settings().instance / "postgres")
    with psycopg.connect(conninfo(server.url("postgres", "postgres"))) as connection:
        others = connection.execute(_OTHERS).fetchone()
    if others and others[0]:
        raise click.ClickException(
            "The embedded database is in use: stop the other `make demo`, `flask` or test process first."
        )
    server.destroy()
    start_embedded(settings())


def upgrade_database() -> None:
    """Bring the tables up to date, with a backup where there are rows.

    Raises EvolveError where that is refused.
    """
    click.echo("Bringing the database up to date ...")
    place = current_place()
    Move(place, current_vault(place), Wish(by="flask demo"), lambda _event, _facts: None).upgrade()


def serve(app: Flask, port: int, ready: Callable[[], None]) -> None:
    """Run web server and worker until Ctrl-C or SIGTERM; call ``ready`` when the portal answers.

    Raises ClickException where one of them ends by itself; the other is stopped too.
    """
    python = sys.executable
    granian = [python, "-m", "granian", "--interface", "wsgi", "--host", LOCALHOST, "--port", str(port)]
    commands = {
        # No more threads than the pool has connections, so that none waits for one in vain.
        "web server": [*granian, "--workers", "2", "--blocking-threads", str(THREADS), "--no-ws", "wsgi:app"],
        "worker": [python, "-m", "flask", "--app", "wsgi", "worker"],
    }
    environment = child_environment(app, port)
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            # In a session of its own, so that Ctrl-C reaches it through us and in order.
            children[name] = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
        _watch(children, port, ready)
    except KeyboardInterrupt:
        pass
    finally:
        stop(children)


def child_environment(app: Flask, port: int) -> dict[str, str]:
    """Return the environment of a child: it uses our database instead of starting a server of its own."""
    names = {"DATABASE_PLATFORM_URL": PLATFORM_BIND, "DATABASE_OWNER_URL": OWNER_BIND}
    binds = app.config["SQLALCHEMY_BINDS"]
    urls = {name: binds[bind]["url"] for name, bind in names.items() if bind in binds}
    backup = app.extensions["database_urls"].backup
    if backup:
        urls["DATABASE_BACKUP_URL"] = backup
    return {
        **os.environ, **urls, "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"], "PORT": str(port),
        "CLINIKOOP_INSTANCE": str(settings().instance),
    }  # fmt: skip


def stop(children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Ask every child to end; after ten seconds kill the ones that have not, and whatever a child left behind."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)  # impatience must not leave a child behind
    for child in children.values():
        child.terminate()
    end = time.monotonic() + STOP_SECONDS
    for child in children.values():
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(end - time.monotonic(), 0))
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # its own session: nobody else is in it
        child.wait()


def _watch(children: Mapping[str, subprocess.Popen[bytes]], port: int, ready: Callable[[], None]) -> None:
    """Wait until a child ends, which is an error; tell when the port answers."""
    end, told = time.monotonic() + START_SECONDS, False
    while True:
        for name, child in children.items():
            if child.poll() is not None:
                raise click.ClickException(f"The {name} ended with code {child.returncode}; everything is stopped.")
        if not told and _answers(port):
            told = True
            ready()
        if not told and time.monotonic() > end:
            raise click.ClickException(f"The web server does not answer on port {port} after {START_SECONDS} seconds.")
        time.sleep(_LOOK_SECONDS)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOCALHOST, port)) == 0
