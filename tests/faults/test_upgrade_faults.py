"""The database dies, or its disk fills, in the middle of an upgrade: clear words, and the next run finishes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from portal.core.database import OWNER_BIND, db
from portal.core.embedded import EmbeddedServer
from tests.migrations.conftest import HISTORY, Database, _administrator, grow
from tests.migrations.engine import Terminal, history, terminal
from tests.migrations.test_online import state

pytestmark = pytest.mark.faults
LEGACY = "20250720190711"
DURABLE = {"fsync": "off"}  # what was committed outlives the server, as long as the machine lives


@contextmanager
def own_server(options: dict[str, str], size: str | None = None) -> Iterator[EmbeddedServer]:
    """Run a server of this test's own; with ``size`` on a file system of its own that is no larger."""
    home = Path(tempfile.mkdtemp(prefix="clinikoop-faults-"))
    home.chmod(0o755)
    if size:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", home], check=True)
    server = EmbeddedServer(home / "postgres", options)
    try:
        server.start()
        with _administrator(server) as connection:
            from_roles(connection)
        yield server
    finally:
        server.destroy()
        if size:
            subprocess.run(["umount", "--lazy", home], check=True)
        shutil.rmtree(home, ignore_errors=True)


def from_roles(connection: Any) -> None:
    for role in ("clinikoop_owner CREATEDB", "clinikoop_app", "clinikoop_platform", "clinikoop_backup"):
        connection.execute(f"CREATE ROLE {role.partition(' ')[0]} LOGIN {role.partition(' ')[2]}")


def owner_engine(run: Terminal) -> sa.Engine:
    with run.app.app_context():
        return db.engines[OWNER_BIND]


@contextmanager
def two_alike(server: EmbeddedServer) -> Iterator[tuple[Database, Any]]:
    """Yield a database with rows from before the status texts went, and what one like it holds after an upgrade."""
    with _administrator(server) as connection:
        connection.execute("CREATE DATABASE legacy OWNER clinikoop_owner")
        legacy, disturbed, whole = (Database(server, name) for name in ("legacy", "disturbed", "whole"))
        grow(legacy, LEGACY)
        legacy.disconnect()
        for copy in (disturbed, whole):
            connection.execute(f"CREATE DATABASE {copy.name} OWNER clinikoop_owner TEMPLATE legacy")
    whole.upgrade(orphans="quarantine")
    expected = state(whole)
    whole.disconnect()
    yield disturbed, expected
    disturbed.disconnect()


def test_a_database_that_dies_in_the_middle_is_told_and_the_next_upgrade_finishes(tmp_path: Path) -> None:
    with own_server(DURABLE) as server, two_alike(server) as (disturbed, expected):
        run = terminal(disturbed, tmp_path)

        def pull_the_plug(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if "ADD COLUMN IF NOT EXISTS name_key" in statement:
                server.stop("immediate")

        sa.event.listen(owner_engine(run), "before_cursor_execute", pull_the_plug)
        words = ["upgrade", "-x", "orphans=quarantine", "--without-backup", "a test", "--no-verify"]
        failed = run(*words)
        sa.event.remove(owner_engine(run), "before_cursor_execute", pull_the_plug)
        assert (failed.exit_code, "database cannot be reached" in failed.stderr) == (1, True)
        down = run("status")
        assert (down.exit_code, "database cannot be reached" in down.stderr) == (1, True)
        server.start()
        assert run.json("status", code=11)["unfinished"] == ["20261123100600"]
        assert run(*words).exit_code == 0
        assert run.json("status")["pending"] == []
        assert state(disturbed) == expected
        assert history(disturbed, "status", "revision = '20261123100600'") == [("interrupted",), ("applied",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root may mount the small file system this needs.")
def test_a_full_disk_is_told_and_after_making_room_the_next_upgrade_finishes(tmp_path: Path) -> None:
    options = {**DURABLE, "max_wal_size": "32MB", "min_wal_size": "32MB", "wal_recycle": "off"}
    with own_server(options, size="400m") as server, two_alike(server) as (disturbed, expected):
        run = terminal(disturbed, tmp_path)
        words = ["upgrade", "-x", "orphans=quarantine", "--without-backup", "a test", "--no-verify"]
        ballast = server.home.parent / "ballast"

        def take_the_room(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if "ADD COLUMN IF NOT EXISTS name_key" in statement and not ballast.exists():
                fill(ballast, leave=2**20)

        sa.event.listen(owner_engine(run), "before_cursor_execute", take_the_room)
        failed = run(*words)
        # Where it is the log of transactions that finds no room, the server itself goes down.
        said = " ".join(failed.stderr.split())
        told = any(text in said for text in ("disk is full", "database cannot be reached"))
        assert (failed.exit_code, told) == (1, True), (said, repr(failed.exception))
        sa.event.remove(owner_engine(run), "before_cursor_execute", take_the_room)
        ballast.unlink()
        server.stop("immediate")  # it may be mending itself; an operator would start it again
        server.start()
        assert run.json("status", code=11)["unfinished"]
        assert run(*words).exit_code == 0
        assert state(disturbed) == expected


def fill(path: Path, *, leave: int) -> None:
    """Write zeros until only ``leave`` bytes of the file system are free."""
    with path.open("wb") as file:
        while (free := shutil.disk_usage(path).free) > leave:
            file.write(b"\0" * min(2**20, free - leave))
            file.flush()


def test_the_history_of_the_fixture_is_the_one_these_tests_grow() -> None:
    assert LEGACY in HISTORY
