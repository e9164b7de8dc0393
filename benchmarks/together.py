"""Ten `flask db upgrade` started together on an empty database, and ten stock Alembic upgrades for comparison.

``make bench-together``: each is a process of its own with the portal's three URLs. All of ours must exit 0, and the
history must hold each revision exactly once. Stock Alembic runs the same revisions under the env.py of its own
template, with a transaction a revision and no lock. Ends with 1 where one of ours fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.scene import MIGRATIONS, Scene, load, scene
from config import ROOT
from portal.core.roles import OWNER_ROLE

TIMEOUT = 600
APPLIED = """
SELECT revision, count(*) FILTER (WHERE status = 'applied'), count(*) FROM ops.migration_log GROUP BY 1 ORDER BY 1
"""
# Who began to wait when, and who has the migration lock now.
SESSIONS = """
SELECT a.pid, extract(epoch FROM clock_timestamp() - a.backend_start)::float, l.granted IS TRUE
  FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'advisory'
 WHERE a.datname = %s AND a.usename = %s
"""
STOCK_ENV = """
import os
import sqlalchemy as sa
from alembic import context
engine = sa.create_engine(os.environ["DATABASE_OWNER_URL"], poolclass=sa.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
STOCK_INI = """
[alembic]
script_location = {folder}
version_locations = {versions}
path_separator = os
"""


@dataclass
class Started:
    """One of the processes, and how it ended."""

    process: subprocess.Popen[str]
    said: str = ""
    seconds: float = 0.0

    @property
    def code(self) -> int:
        """Its exit code."""
        return int(self.process.returncode)


@click.command()
@click.option("--processes", default=10, show_default=True, help="How many start together.")
def main(processes: int) -> None:
    """Start many upgrades at once on an empty database."""
    console = Console()
    with scene() as stage, tempfile.TemporaryDirectory() as folder:
        ours = [sys.executable, "-m", "flask", "db", "upgrade"]
        with watched(stage, stage.make("ours")) as waits:
            results = together(ours, stage.environment("ours") | {"CLINIKOOP_INSTANCE": folder}, processes)
        with stage.connect("ours") as connection:
            applied = connection.execute(APPLIED).fetchall()
        revisions = len(stage.place("ours").revisions())
        stock = together(stock_command(Path(folder)), stage.environment(stage.make("stock")), processes)
    report(console, results, sorted(waits.values()), stock)
    failed = [one for one in results if one.code != 0]
    once = [row for row in applied if row[1:] == (1, 1)]
    console.print(f"The history holds {len(once)} of {revisions} revisions exactly once, {len(applied)} in all.")
    for one in failed:
        console.print(one.said[-500:], markup=False)
    sys.exit(bool(failed) or not len(once) == len(applied) == revisions)


def together(command: list[str], environment: dict[str, str], count: int) -> list[Started]:
    """Start ``command`` many times at once and wait for all; in the order in which they end."""
    environ = {**os.environ, **environment, "FLASK_APP": "wsgi.py", "PYTHONPATH": str(ROOT), "CLINIKOOP_LOG": "json"}
    began = time.perf_counter()
    running = [
        Started(subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ))
        for _ in range(count)
    ]  # fmt: skip
    readers = [threading.Thread(target=_follow, args=(one, began)) for one in running]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return sorted(running, key=lambda one: one.seconds)


def _follow(one: Started, began: float) -> None:
    try:
        one.said = one.process.communicate(timeout=TIMEOUT)[0]
    except subprocess.TimeoutExpired:
        one.process.kill()
        one.said = one.process.communicate()[0] + f"\nkilled after {TIMEOUT} s"
    one.seconds = time.perf_counter() - began


@contextmanager
def watched(stage: Scene, database: str) -> Iterator[dict[int, float]]:
    """Yield, per session that got the migration lock, the seconds from its start until then."""
    waits: dict[int, float] = {}
    done = threading.Event()

    def watch() -> None:
        with stage.connect() as connection:
            while not done.wait(0.005):
                for pid, age, holds in connection.execute(SESSIONS, [database, OWNER_ROLE]).fetchall():
                    if holds:
                        waits.setdefault(pid, age)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield waits
    finally:
        done.set()
        watcher.join()


def stock_command(folder: Path) -> list[str]:
    """Write an environment as Alembic's own template has it; return the command that upgrades with it."""
    (folder / "env.py").write_text(STOCK_ENV)
    ini = folder / "alembic.ini"
    ini.write_text(STOCK_INI.format(folder=folder, versions=MIGRATIONS / "versions"))
    return [sys.executable, "-m", "alembic", "-c", str(ini), "upgrade", "head"]


def report(console: Console, ours: list[Started], waits: list[float], stock: list[Started]) -> None:
    """Print how each process fared."""
    table = Table(title=f"{len(ours)} upgrades of an empty database started together ({load()})")
    for heading in ("in order of ending", "ours: exit", "s", "stock: exit", "s", "stock's error"):
        table.add_column(heading, justify="left" if "error" in heading else "right")
    for number, (one, other) in enumerate(zip(ours, stock, strict=True), 1):
        errors = [line for line in other.said.splitlines() if "Error" in line or "psycopg.errors" in line]
        said = errors[-1].partition(" ")[0].strip("(:)") if other.code and errors else ""
        table.add_row(
            str(number), str(one.code), f"{one.seconds:.1f}", str(other.code), f"{other.seconds:.1f}",
            said.rpartition(".")[2],
        )  # fmt: skip
    console.print(table)
    console.print(f"Seconds from connecting to having the lock: {', '.join(f'{wait:.2f}' for wait in waits)}")
    console.print(f"Failed: ours {sum(one.code != 0 for one in ours)}, stock {sum(one.code != 0 for one in stock)}.")


if __name__ == "__main__":
    main()
