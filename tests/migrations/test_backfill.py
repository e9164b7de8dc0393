"""Backfills beside people at work, and on tables the planner knows nothing of."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations

from portal.core.roles import OWNER_ROLE
from portal.ops import evolve
from portal.ops.evolve import lock

MANY = """
CREATE TABLE many (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), old int, note text);
INSERT INTO many (old) SELECT generate_series(1, 20000);
ANALYZE many;
ALTER TABLE many ADD COLUMN new int
"""


@contextmanager
def migrating(database):
    """Make the helpers of revisions usable outside one, on a connection set up as for an upgrade."""
    with database.engine().connect() as connection, lock.exclusive(connection, 5):
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with Operations.context(context), context.begin_transaction(_per_migration=True), evolve.online():
            yield connection


def fill(unchanged=("id", "old", "note")):
    return evolve.backfill("many", "new = t.old", where="new IS NULL", unchanged=unchanged)


def test_a_new_columns_missing_statistics_do_not_make_each_batch_read_the_whole_table(database):
    database.execute(MANY)
    scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'many'"
    (before,) = database.execute(scans)[0]
    with migrating(database) as connection:
        assert fill() == 20000
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    assert database.execute(scans)[0][0] - before <= 2  # is there any left?


def test_a_backfill_leaves_the_session_as_it_was(database):
    database.execute(MANY)
    with migrating(database) as connection:
        connection.exec_driver_sql("SET enable_sort = off; SET synchronous_commit = local")
        fill()
        found = [connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in (
            "enable_seqscan", "enable_sort", "synchronous_commit"
        )]  # fmt: skip
    assert found == ["on", "off", "local"]


def test_a_failed_backfill_says_why_and_leaves_the_session_as_it_was(database):
    database.execute(MANY)
    with migrating(database) as connection:
        connection.exec_driver_sql("SET synchronous_commit = local")
        with pytest.raises(evolve.MigrationDataError):
            evolve.backfill("many", "old = old + 1, new = 1", where="new IS NULL", unchanged=("old",))
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "local"


@pytest.mark.parametrize("change", ["note = 'seen'", "old = -1"])
def test_a_row_that_somebody_changes_meanwhile_is_filled_and_keeps_their_change(database, change):
    database.execute(MANY)
    (row,) = database.execute("SELECT id FROM many ORDER BY id OFFSET 1000 LIMIT 1")[0]
    with psycopg.connect(host=str(database.server.socket), user=OWNER_ROLE, dbname=database.name) as other:
        other.execute(f"UPDATE many SET {change} WHERE id = %s", [row])
        with ThreadPoolExecutor(1) as pool:
            filled = pool.submit(_fill_patiently, database)
            threading.Timer(0.5, other.commit).start()
            assert filled.result(timeout=20) == 20000
    assert database.execute("SELECT count(*) FROM many WHERE new IS NULL") == [(0,)]
    name, _, value = change.partition(" = ")
    assert database.execute(f"SELECT count(*) FROM many WHERE id = :row AND {name} = {value}", row=row) == [(1,)]
    assert database.execute("SELECT new = old FROM many WHERE id = :row", row=row) == [(True,)]


def _fill_patiently(database) -> int:
    with migrating(database) as connection:
        connection.exec_driver_sql("SET lock_timeout = 0")  # so that the batch itself meets the other's change
        return fill()
