"""The history: what ran, what failed, what was interrupted, and that it is true."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import pairwise

import pytest
import sqlalchemy as sa

from config import ROOT
from portal.ops import evolve
from portal.ops.commands.shell import explained
from portal.ops.evolve import MigrationDataError
from portal.ops.evolve.errors import ExitCode
from portal.ops.schema.recorder import Run
from portal.ops.schema.scripts import checksums
from tests.migrations.engine import CHAIN, HEAD, add_revision, copied, history, place_of, state_of
from tests.migrations.test_chain import chain

# The guide's monitoring queries, word for word.
GUIDE_HISTORY = 'SELECT * FROM "_prisma_migrations" ORDER BY "started_at" DESC'
STEP = "FROM ops.migration_step WHERE table_name = 'many'"
GUIDE_FAILED = 'SELECT * FROM "_prisma_migrations" WHERE "applied_steps_count" != "migration_steps_count"'


def test_every_revision_leaves_one_applied_row_with_its_facts(database):
    database.upgrade()
    assert history(database) == [(revision, "up", "applied") for revision in chain(database)]
    row = history(
        database,
        "from_heads, to_heads, applied_steps_count, migration_steps_count, duration_ms, checksum, host, pid, versions",
        "revision = '20250716200939'",
    )[0]
    assert row[:2] == ("20250629190954", "20250716200939")
    assert row[2] == row[3] > 40
    assert row[4] >= 0
    assert row[7] == os.getpid()
    assert set(row[8]) >= {"python", "alembic", "sqlalchemy", "psycopg", "postgresql"}
    path = next((ROOT / "migrations" / "versions").glob("20250716200939_*"))
    assert row[5] == checksums(path.read_bytes())[0]


def test_one_run_has_one_id_and_its_rows_were_counted(legacy):
    legacy.upgrade(orphans="quarantine")
    rows = history(legacy, "revision, run_id, rows_before, rows_after", "revision > '20250720190711'")
    assert len({run for _, run, _, _ in rows}) == 1
    before, after = next((before, after) for revision, _, before, after in rows if revision == "20250720211648")
    assert before["patient_offers"] == after["patient_offers"] + after["patient_offers_quarantine"]
    for earlier, later in pairwise(rows):
        assert earlier[3] == later[2]


def test_a_downgrade_is_recorded_and_marks_the_upgrade_rolled_back(current):
    current.downgrade("-1")
    assert history(current, where=f"revision = '{HEAD}'") == [(HEAD, "up", "rolled_back"), (HEAD, "down", "applied")]
    assert state_of(place_of(current)).pending[0].id == HEAD


def test_what_stops_a_revision_is_written_down_without_the_rows_it_names(legacy):
    legacy.upgrade("20250720203715")
    with pytest.raises(MigrationDataError) as caught:
        legacy.upgrade()
    assert "1a000000" in str(caught.value)
    found = history(
        legacy, "status, error_class, error, applied_steps_count, migration_steps_count", "status = 'failed'"
    )
    assert len(found) == 1
    assert found[0][:2] == ("failed", "MigrationDataError")
    assert "miss their offer" in found[0][2]
    assert "1a000000" not in found[0][2]
    assert found[0][3] < found[0][4]
    state = state_of(place_of(legacy))
    assert (state.unfinished, int(state.exit_code)) == (("20250720211648",), 11)


def test_a_failed_revision_that_ran_through_later_no_longer_counts(legacy):
    with pytest.raises(MigrationDataError):
        legacy.upgrade()
    legacy.upgrade(orphans="quarantine")
    state = state_of(place_of(legacy))
    assert (state.unfinished, int(state.exit_code)) == ((), 0)


def test_an_error_of_the_database_keeps_its_statement_and_code_but_no_values(current, tmp_path):
    directory = copied(tmp_path)
    statement = "UPDATE patients SET first_name = NULL WHERE first_name = 'Işıl'"
    add_revision(directory, "break_a_name", f'evolve.run("{statement}")')
    with pytest.raises(sa.exc.IntegrityError):
        place_of(current, directory).upgrade()
    error_class, sqlstate, error, kept = history(
        current, "error_class, sqlstate, error, statement", "status = 'failed'"
    )[0]
    assert (error_class, sqlstate, kept) == ("NotNullViolation", "23502", statement)
    assert "Işıl" not in error
    assert "first_name" in error


def test_a_value_that_does_not_fit_is_in_neither_the_history_nor_the_message(current, tmp_path):
    directory = copied(tmp_path)
    add_revision(
        directory, "read_names_as_numbers", 'evolve.run("UPDATE patients SET first_name = first_name::integer::text")'
    )
    with pytest.raises(sa.exc.DataError) as caught:
        place_of(current, directory).upgrade()
    names = [name for (name,) in current.execute("SELECT first_name FROM patients")]
    assert any(f'"{name}"' in str(caught.value) for name in names)  # the server does quote it
    kept = history(current, "error_class, sqlstate, error", "status = 'failed'")[0]
    assert kept == ("InvalidTextRepresentation", "22P02", 'invalid input syntax for type integer: "..."')
    assert explained(caught.value) == (kept[2], ExitCode.ERROR)


def test_the_guides_monitoring_queries_run_as_they_stand(legacy):
    with pytest.raises(MigrationDataError):
        legacy.upgrade()
    failed = [row[3] for row in legacy.execute(GUIDE_FAILED)]
    assert failed == ["20250720211648_add_clinicid_to_patientoffer"]
    newest_first = [row[3] for row in legacy.execute(GUIDE_HISTORY)]
    assert newest_first[0] == "20250720211648_add_clinicid_to_patientoffer"
    assert newest_first[-1] == "20250629190954_init"


KILLED = """
import os, signal, sys, sqlalchemy as sa
from pathlib import Path
from portal.ops.schema.place import Place
engine = sa.create_engine(sys.argv[1])
@sa.event.listens_for(engine, "before_cursor_execute")
def die(connection, cursor, statement, *rest):
    if sys.argv[3] in statement:
        os.kill(os.getpid(), signal.SIGKILL)
Place(engine, Path(sys.argv[2]), {"orphans": "quarantine"}).upgrade()
"""


def test_a_killed_run_is_seen_as_interrupted_and_goes_on(legacy):
    url = legacy.engine().url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", KILLED, url, str(ROOT / "migrations"), "ADD COLUMN IF NOT EXISTS domain"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert history(legacy, "revision, status", "status = 'running'") == [("20261123100200", "running")]
    state = state_of(place_of(legacy))
    assert (state.running, state.unfinished, int(state.exit_code)) == ((), ("20261123100200",), 11)
    legacy.upgrade(orphans="quarantine")
    rows = history(legacy, "revision, status", "revision = '20261123100200'")
    assert rows == [("20261123100200", "interrupted"), ("20261123100200", "applied")]


def test_a_running_row_counts_as_running_while_its_session_holds_the_lock(legacy):
    place = place_of(legacy, orphans="quarantine")
    seen = []

    def look(event: str, facts: object) -> None:
        if event == "statement" and not seen:
            seen.append(state_of(place_of(legacy)).running)

    place.upgrade("20250720203715", Run(tell=look))
    assert seen == [("20250720203715",)]
    assert state_of(place).running == ()


def test_ctrl_c_leaves_interrupted_behind(legacy):
    def press(event: str, _facts: object) -> None:
        if event == "statement":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place_of(legacy).upgrade("20250720203715", Run(tell=press))
    assert history(legacy, "revision, status", "status <> 'applied'") == [("20250720203715", "interrupted")]


def test_locks_that_stand_in_others_way_are_recorded_with_their_time(current, tmp_path):
    directory = copied(tmp_path)
    hold = "DO $$ BEGIN PERFORM pg_sleep(0.2); END $$"
    upgrade = f'evolve.run("LOCK TABLE notes IN SHARE MODE")\nevolve.run("{hold}")'
    add_revision(directory, "lock_the_notes", upgrade)
    place_of(current, directory).upgrade()
    locks, longest = history(current, "locks, longest_lock_ms", "revision = '20261201100000'")[0]
    assert [(lock["relation"], lock["mode"]) for lock in locks] == [("notes", "ShareLock")]
    assert 200 <= longest < 2000


def test_a_backfill_goes_on_at_its_cursor_after_a_kill(current, tmp_path):
    current.execute(
        "CREATE TABLE many (id uuid PRIMARY KEY, old int, new int); "
        "INSERT INTO many SELECT gen_random_uuid(), g FROM generate_series(1, 9000) AS g"
    )
    directory = copied(tmp_path)
    add_revision(
        directory, "fill_many", 'with evolve.online():\n    evolve.backfill("many", "new = t.old", where="new IS NULL")'
    )
    batches: list[int] = []

    def stop_after_two(event: str, facts) -> None:
        if event == "batch":
            batches.append(facts["done"])
            if len([done for done in batches if done]) == 2:
                raise KeyboardInterrupt

    place = place_of(current, directory)
    with pytest.raises(KeyboardInterrupt):
        place.upgrade("head", Run(tell=stop_after_two))
    cursor, done, total = current.execute(f"SELECT cursor, rows_done, rows_total {STEP}")[0]
    assert 0 < done < total == 9000
    assert current.execute("SELECT count(*) FROM many WHERE new IS NOT NULL") == [(done,)]
    late = "INSERT INTO many VALUES ('00000000-0000-0000-0000-000000000001', 7)"  # comes before the cursor
    current.execute(late)
    again: list[int] = []
    place.upgrade("head", Run(tell=lambda event, facts: again.append(facts["done"]) if event == "batch" else None))
    assert again[0] == done
    assert current.execute("SELECT count(*) FROM many WHERE new IS DISTINCT FROM old") == [(0,)]
    assert current.execute(f"SELECT finished_at IS NOT NULL {STEP}") == [(True,)]
    assert cursor["id"] > "0"


def test_batches_computed_in_python_are_noted_too(legacy):
    seen: set[str] = set()
    place = place_of(legacy, orphans="quarantine")
    place.upgrade("head", Run(tell=lambda event, facts: seen.add(facts["table"]) if event == "batch" else None))
    assert {"patients", "offers", "patient_offers", "treatments"} <= seen
    unfinished = "SELECT name FROM ops.migration_step WHERE finished_at IS NULL"
    assert legacy.execute(unfinished) == []


def test_retries_for_a_lock_are_counted(current, tmp_path):
    directory = copied(tmp_path)
    add_revision(
        directory,
        "add_a_column",
        'evolve.add_columns("notes", "extra text")',
        'evolve.keep_columns(revision, "notes", ["extra"])',
    )
    with current.engine().connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM notes")

        def let_go(event: str, facts) -> None:
            if event == "retry" and facts["retries"] >= 2:
                reader.rollback()

        place_of(current, directory).upgrade("head", Run(tell=let_go))
    assert history(current, "retries", "revision = '20261201100000'")[0][0] >= 2


def test_the_platforms_people_may_read_the_history_and_nobody_else_may_write_it(current):
    assert len(current.execute("SELECT id FROM ops.migration_log", role="clinikoop_platform")) == len(CHAIN)
    assert current.execute("SELECT ops.current_heads()", role="clinikoop_platform") == [([HEAD],)]
    for role in ("clinikoop_platform", "clinikoop_backup"):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            current.execute("DELETE FROM ops.migration_log", role=role)
    for statement in (
        "SELECT id FROM ops.migration_log",
        "SELECT id FROM _prisma_migrations",
        "SELECT ops.current_heads()",
    ):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            current.execute(statement, role="clinikoop_app")


def test_a_history_of_an_older_release_gets_the_columns_it_lacks(current):
    current.execute("ALTER TABLE ops.migration_log DROP COLUMN retries, DROP COLUMN git_sha")
    current.downgrade("-1")
    assert history(current, "retries, direction", "direction = 'down'") == [(0, "down")]
    assert history(current, "retries", f"revision = '{HEAD}' AND direction = 'up'") == [(0,)]


def test_outside_a_run_helpers_work_unwatched():
    assert evolve.watch.watching().batches(None, "t", "c", "true").cursor == {}
