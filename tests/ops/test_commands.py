"""Commands say what they did, refuse what would do harm, and leave no process behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from sqlalchemy import make_url

from config import Settings
from portal.core.bootstrap import conninfo
from portal.core.clinics import Clinic
from portal.core.embedded import EmbeddedServer
from portal.core.work import platform_work
from portal.ops import serving
from portal.ops.demo.clinics import PASSWORD
from portal.ops.serving import child_environment, stop


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments))


@pytest.fixture
def settings(world: Flask) -> Iterator[Any]:
    """Change the portal's settings for one test: ``settings(environment="production")``."""
    before: Settings = world.extensions["portal_settings"]

    def change(**values: Any) -> None:
        world.extensions["portal_settings"] = replace(before, **values)

    yield change
    world.extensions["portal_settings"] = before


def has_clinic(app: Flask, subdomain: str) -> bool:
    with platform_work(app, "a test") as session:
        return bool(session.scalars(sa.select(Clinic.id).where(Clinic.subdomain == subdomain)).all())


def test_seed_visits_every_clinic(world: Flask) -> None:
    result = run(world, "db", "seed")
    assert result.exit_code == 0, result.output
    assert {"demo: seeded", "gulus: seeded", "bos: seeded"} <= set(result.output.splitlines())


def test_the_demonstration_tells_addresses_accounts_and_password(world: Flask) -> None:
    result = run(world, "db", "seed", "--demo")
    assert result.exit_code == 0, result.output
    for text in ("http://demo.localhost:8000", "hekim@gulus.example.com", "ops@clinikoop.example.com", PASSWORD):
        assert text in result.output


def test_a_clinic_is_filled_to_the_number_asked_for_and_analysed(world: Flask) -> None:
    result = run(world, "db", "seed", "--patients", "25", "--clinic", "dolu")
    assert result.exit_code == 0, result.output
    assert "25/25" in result.output
    with world.app_context(), serving.db.engines["owner"].connect() as connection:
        guess = sa.text("SELECT reltuples FROM pg_class WHERE relname = 'patients'")
        assert connection.execute(guess).scalar_one() >= 225


@pytest.mark.parametrize("arguments", [["--demo"], ["--patients", "5", "--clinic", "sahte"]])
def test_accounts_with_a_known_password_are_refused_in_production(
    world: Flask, settings: Any, arguments: list[str]
) -> None:
    settings(environment="production")
    result = run(world, "db", "seed", *arguments)
    assert result.exit_code == 1
    assert "refused in production" in result.output
    assert not has_clinic(world, "sahte")
    assert "refused in production" in run(world, "demo").output


@pytest.mark.parametrize(
    "arguments", [["--patients", "5"], ["--clinic", "demo"], ["--patients", "0", "--clinic", "demo"]]
)
def test_seed_refuses_options_that_say_too_little(world: Flask, arguments: list[str]) -> None:
    assert run(world, "db", "seed", *arguments).exit_code == 2


def test_seed_refuses_a_subdomain_no_clinic_may_have(world: Flask) -> None:
    result = run(world, "db", "seed", "--patients", "5", "--clinic", "admin")
    assert (result.exit_code, "admin" in result.output) == (1, True)


def test_roles_needs_somebody_who_may_make_them(world: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_ADMIN_URL", raising=False)
    result = run(world, "db", "roles")
    assert (result.exit_code, "DATABASE_ADMIN_URL is required" in result.output) == (1, True)
    monkeypatch.setenv("DATABASE_ADMIN_URL", "postgresql://nobody@127.0.0.1:1/none")
    result = run(world, "db", "roles")
    assert (result.exit_code, "could not be made" in result.output) == (1, True)


def test_roles_makes_the_database_and_tells_where_it_is_another_owners(
    world: Flask, server: EmbeddedServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = server.url("postgres", "postgres")
    monkeypatch.setenv("DATABASE_ADMIN_URL", admin)
    name = f"roles_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    before = world.extensions["portal_settings"].databases
    settings(databases=replace(before, app=server.url(name, "clinikoop_app")))
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        made, again = run(world, "db", "roles"), run(world, "db", "roles")
        assert f"Database {name}: made." in made.output
        assert (again.exit_code, f"Database {name}: was there." in again.output) == (0, True)
        connection.execute(f"ALTER DATABASE {name} OWNER TO postgres")
        refused = run(world, "db", "roles")
        assert (refused.exit_code, "ALTER DATABASE" in refused.output) == (1, True)
        connection.execute(f"DROP DATABASE {name}")


@contextmanager
def signals_put_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in serving.ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_closed_terminal_ends_the_demo_as_ctrl_c_does() -> None:
    with signals_put_back():
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        serving.end_on_signals()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGHUP)


def test_a_demo_started_with_nohup_outlives_its_terminal() -> None:
    with signals_put_back():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        serving.end_on_signals()
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_a_port_in_use_is_told_before_anything_is_done(world: Flask) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with signals_put_back():
            result = run(world, "demo", "--port", str(port), "--reset")
    assert result.exit_code == 1
    assert f"Port {port} cannot be used" in result.output
    assert f"make demo PORT={port % 65535 + 1}" in result.output


def test_a_named_database_is_never_reset(world: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmbeddedServer, "destroy", lambda _self: pytest.fail("The database was deleted."))
    with world.app_context(), pytest.raises(serving.click.ClickException, match="DATABASE_URL"):
        serving.destroy_embedded()


def test_children_use_our_database_instead_of_starting_one(world: Flask) -> None:
    with world.app_context():
        environment = child_environment(world, 8123)
    names = ("DATABASE_URL", "DATABASE_PLATFORM_URL", "DATABASE_OWNER_URL")
    users = [make_url(environment[name]).username for name in names]
    assert users == ["clinikoop_app", "clinikoop_platform", "clinikoop_owner"]
    assert environment["PORT"] == "8123"
    again = Settings.from_environment({**environment, "SECRET_KEY": "x" * 40})
    assert again.databases == world.extensions["portal_settings"].databases


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_child_that_will_not_end_is_killed_with_what_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "STOP_SECONDS", 0.2)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
        stop({"stubborn": child})
        assert child.returncode == -signal.SIGKILL
    for _ in range(50):
        if not alive(grandchild):
            return
        time.sleep(0.1)
    pytest.fail("A process was left behind.")


def alive(pid: int) -> bool:
    """Tell whether a process runs, by Linux's bookkeeping; one that ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_that_ends_by_itself_stops_everything() -> None:
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], start_new_session=True) as child:
        child.wait()
        with pytest.raises(serving.click.ClickException, match="web server ended with code 3"):
            serving._watch({"web server": child}, 1, lambda: None)
