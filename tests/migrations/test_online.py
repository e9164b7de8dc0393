"""Upgrades beside running work: interrupted, started twice, waiting for locks."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from config import ROOT
from portal.core.roles import OWNER_ROLE
from portal.ops import evolve
from portal.ops.evolve import MigrationLockedError, lock

PARTS = 6


class Killed(BaseException):
    """Stands for the process dying."""


DEATH = (Killed, sa.exc.SQLAlchemyError)


def state(database):
    """Return the schema and all rows, without the moments at which a migration made some."""
    return database.schema(), database.rows("created_at", "updated_at")


def connect(database) -> psycopg.Connection:
    return psycopg.connect(host=str(database.server.socket), user=OWNER_ROLE, dbname=database.name)


@contextmanager
def counted(database, die_at: float = float("inf")):
    """Count the statements the owner sends; close the connection instead of sending number ``die_at``."""
    sent: list[str] = []

    def count(connection, _cursor, statement, *_arguments):
        sent.append(statement)
        if len(sent) >= die_at:
            connection.connection.driver_connection.close()
            raise Killed

    sa.event.listen(database.engine(), "before_cursor_execute", count)
    try:
        yield sent
    finally:
        sa.event.remove(database.engine(), "before_cursor_execute", count)


@pytest.fixture(scope="module")
def uninterrupted(make_database):
    """How many statements each direction takes, and what the database holds after each, undisturbed."""
    with make_database("legacy") as database:
        with counted(database) as up:
            database.upgrade(orphans="quarantine")
        above = state(database)
        with counted(database) as down:
            database.downgrade("20250720190711")
        return {"up": (len(up), above), "down": (len(down), state(database))}


@pytest.mark.parametrize("part", range(PARTS))
def test_an_upgrade_killed_on_the_way_is_finished_by_the_next_one(legacy, uninterrupted, part):
    statements, expected = uninterrupted["up"]
    with counted(legacy, die_at=30 + (statements - 40) * part // (PARTS - 1)), pytest.raises(DEATH):
        legacy.upgrade(orphans="quarantine")
    legacy.upgrade(orphans="quarantine")
    assert state(legacy) == expected


@pytest.mark.parametrize("part", range(3))
def test_a_downgrade_killed_on_the_way_is_finished_by_the_next_one(legacy, uninterrupted, part):
    statements, expected = uninterrupted["down"]
    legacy.upgrade(orphans="quarantine")
    with counted(legacy, die_at=30 + (statements - 40) * part // 2), pytest.raises(DEATH):
        legacy.downgrade("20250720190711")
    legacy.downgrade("20250720190711")
    assert state(legacy) == expected


UPGRADE = """
import sys, sqlalchemy as sa
from alembic import command
from alembic.config import Config
config = Config()
config.set_main_option("script_location", sys.argv[1])
config.attributes["engine"] = sa.create_engine(sys.argv[2])
command.upgrade(config, "head")
"""


def test_two_upgrades_started_together_both_finish(database):
    url = str(database.engine().url)
    command = [sys.executable, "-c", UPGRADE, str(ROOT / "migrations"), url]
    running = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert database.execute("SELECT count(*) FROM alembic_version") == [(1,)]


def test_an_upgrade_gives_up_waiting_for_another_after_the_time_it_was_given(database):
    with connect(database) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [lock.LOCK_KEY])
        with pytest.raises(MigrationLockedError) as caught:
            database.upgrade(lock_wait="0.3")
    assert caught.value.exit_code == 14
    assert database.tables() == []


def test_an_index_left_invalid_by_an_interruption_is_rebuilt(legacy):
    with connect(legacy) as other:
        other.autocommit = True
        legacy.execute(
            "INSERT INTO settings (id, clinic_id, key, value)"
            " SELECT gen_random_uuid(), id, 'greeting', 'Hi' FROM clinics WHERE subdomain = 'deniz'"
        )
        with pytest.raises(psycopg.errors.UniqueViolation):
            other.execute("CREATE UNIQUE INDEX CONCURRENTLY ix_test ON settings (key)")
    with migrating(legacy):
        assert evolve.index_state("ix_test") is False
        with evolve.online():
            evolve.create_index("ix_test", "settings", "key")
        assert evolve.index_state("ix_test") is True


def test_a_change_waits_for_a_reader_without_stalling_the_readers_behind_it(current):
    with connect(current) as reader, connect(current) as later:
        reader.execute("SELECT count(*) FROM notes")
        threading.Timer(1.0, reader.commit).start()
        with ThreadPoolExecutor(1) as pool:
            altered = pool.submit(_alter, current)
            time.sleep(0.3)
            slowest = max(_timed(later, "SELECT count(*) FROM notes") for _ in range(5))
            altered.result(timeout=20)
    assert slowest < 0.6
    columns = "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'notes'"
    assert ("extra",) in current.execute(columns)


def test_a_backfill_goes_in_batches_and_resumes(current):
    current.execute(
        "CREATE TABLE many AS SELECT gen_random_uuid() AS id, g AS old, NULL::int AS new"
        " FROM generate_series(1, 6000) AS g"
    )
    current.execute("UPDATE many SET new = 0 WHERE old <= 500")
    with migrating(current), evolve.online():
        assert evolve.backfill("many", "new = t.old", where="new IS NULL", unchanged=("id", "old")) == 5500
    wrong = "SELECT count(*) FROM many WHERE new IS DISTINCT FROM CASE WHEN old <= 500 THEN 0 ELSE old END"
    assert current.execute(wrong) == [(0,)]


def test_a_backfill_that_changes_an_old_column_stops(current):
    with migrating(current), pytest.raises(evolve.MigrationDataError):
        evolve.backfill("notes", "body = body || '!'", where="is_pinned", unchanged=("body",))


@contextmanager
def migrating(database):
    """Make the helpers of revisions usable outside one, on a connection set up as for an upgrade."""
    with database.engine().connect() as connection, lock.exclusive(connection, 5):
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with Operations.context(context), context.begin_transaction(_per_migration=True):
            yield


def _alter(database) -> None:
    with migrating(database):
        evolve.add_columns("notes", "extra text")


def _timed(connection: psycopg.Connection, statement: str) -> float:
    started = time.monotonic()
    connection.execute(statement)
    connection.commit()
    time.sleep(0.1)
    return time.monotonic() - started - 0.1


def test_a_backfill_goes_along_keys_of_any_kind(current):
    current.execute(
        "CREATE TABLE few (kind text, year smallint, new int, PRIMARY KEY (kind, year));"
        "INSERT INTO few SELECT 'k' || g, g FROM generate_series(1, 5000) AS g"
    )
    with migrating(current), evolve.online():
        assert evolve.backfill("few", "new = t.year", where="new IS NULL", unchanged=("kind", "year")) == 5000
    assert current.execute("SELECT count(*) FROM few WHERE new IS DISTINCT FROM year") == [(0,)]


def test_what_is_written_while_columns_are_kept_is_kept_too(current):
    current.execute("CREATE TABLE slow (id uuid PRIMARY KEY, n int, t text)")
    current.execute("INSERT INTO slow SELECT gen_random_uuid(), g, '' FROM generate_series(1, 200000) AS g")
    stop, written = threading.Event(), []

    def write() -> None:
        with connect(current) as other:
            while not stop.is_set():
                number = 1_000_000 + len(written)
                with contextlib.suppress(psycopg.errors.UndefinedColumn):
                    other.execute("INSERT INTO slow VALUES (gen_random_uuid(), %s, 'x')", [number])
                    other.commit()
                    written.append(number)
                    continue
                break

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        time.sleep(0.2)
        with migrating(current):
            evolve.keep_columns("r", "slow", ["n"], key=["id"])
        stop.set()
        with contextlib.suppress(psycopg.Error):
            writer.result(timeout=20)
    kept = current.execute("SELECT count(*) FROM keep_r_slow WHERE n >= 1000000")[0][0]
    assert kept == len(written) > 0
