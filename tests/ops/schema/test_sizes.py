"""The guide's SQL runs as it stands, and sizes are sampled so that growth can be seen."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask

from portal.app import create_app
from portal.core.bootstrap import prepare_embedded
from portal.core.database import db
from portal.core.roles import OWNER_ROLE
from portal.ops.commands.checks import sizes
from portal.ops.schema.sizes import FOREIGN_KEYS, SIZES, read_sizes, record_sizes
from tests.support.chain import CHAIN, HEAD, name_of
from tests.support.data import settings_for

HISTORY = """
-- Migration geçmişini kontrol et
SELECT * FROM "_prisma_migrations" ORDER BY "started_at" DESC;
"""
FAILED = """
-- Başarısız migration'ları bul
SELECT * FROM "_prisma_migrations" WHERE "applied_steps_count" != "migration_steps_count";
"""
SIZE = """
-- Migration sonrası performans kontrolü
SELECT 
    schemaname,
    tablename,
    pg_size_pretty(pg_total_relation_size(schemaname||'.'||tablename)) as size
FROM pg_tables
WHERE schemaname = 'public'
ORDER BY pg_total_relation_size(schemaname||'.'||tablename) DESC;
"""  # noqa: W291 - as it stands in the guide
KEYS = """
-- Foreign key constraint'leri kontrol et
SELECT 
    tc.table_name, 
    kcu.column_name, 
    ccu.table_name AS foreign_table_name,
    ccu.column_name AS foreign_column_name 
FROM 
    information_schema.table_constraints AS tc 
    JOIN information_schema.key_column_usage AS kcu
      ON tc.constraint_name = kcu.constraint_name
      AND tc.table_schema = kcu.table_schema
    JOIN information_schema.constraint_column_usage AS ccu
      ON ccu.constraint_name = tc.constraint_name
      AND ccu.table_schema = tc.table_schema
WHERE tc.constraint_type = 'FOREIGN KEY';
"""  # noqa: W291


def as_owner(database, statement: str) -> list[dict[str, object]]:
    """Send a statement as psql would, and return its rows by column name."""
    with psycopg.connect(
        host=str(database.server.socket), user=OWNER_ROLE, dbname=database.name, row_factory=psycopg.rows.dict_row
    ) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[call-overload, no-any-return]


def test_the_guides_history_query_lists_every_migration_newest_first(current):
    rows = as_owner(current, HISTORY)
    assert len(rows) == len(CHAIN)
    assert rows[0]["migration_name"] == name_of(HEAD)
    assert rows[-1]["migration_name"] == "20250629190954_init"
    assert all(row["finished_at"] and row["checksum"] for row in rows)


def test_the_guides_query_for_failed_migrations_finds_those_alone(current):
    assert as_owner(current, FAILED) == []
    current.execute(
        "UPDATE ops.migration_log"
        " SET status = 'failed', migration_steps_count = applied_steps_count + 1, error = 'lost'"
        " WHERE revision = '20261123101000'"
    )
    [row] = as_owner(current, FAILED)
    assert (row["migration_name"], row["logs"]) == ("20261123101000_job_queue", "lost")


def test_the_guides_size_query_lists_every_table_largest_first(current):
    assert SIZES.strip() in SIZE
    rows = as_owner(current, SIZE)
    assert {row["tablename"] for row in rows} >= set(current.tables())
    shown = [size.table for size in _read(current).tables]
    assert [row["tablename"] for row in rows] == shown


def test_the_guides_foreign_key_query_lists_every_reference(current):
    assert FOREIGN_KEYS.strip() in KEYS
    rows = [tuple(row.values()) for row in as_owner(current, KEYS)]
    assert ("patient_offers", "clinic_id", "clinics", "id") in rows
    assert ("patient_offers", "patient_id", "patients", "id") in rows
    assert ("patient_offers", "offer_id", "offers", "id") in rows


def _read(database):
    with database.engine().connect() as connection:
        return read_sizes(connection)


def _record(database) -> int:
    with database.engine().begin() as connection:
        return record_sizes(connection)


def test_growth_is_what_came_since_the_newest_sample(current):
    assert {size.growth for size in _read(current).tables} == {None}
    stored = _record(current)
    assert current.execute("SELECT count(*), count(DISTINCT at) FROM ops.table_size") == [(stored, 1)]
    names = current.execute("SELECT DISTINCT schema_name FROM ops.table_size ORDER BY 1")
    assert names == [("jobs",), ("ops",), ("public",)]
    assert {size.growth for size in _read(current).tables} == {0}
    current.execute(
        "INSERT INTO settings (id, clinic_id, key, value)"
        " SELECT gen_random_uuid(), (SELECT min(id::text)::uuid FROM clinics), 'key ' || n, repeat('x', 500)"
        " FROM generate_series(1, 500) AS n"
    )
    current.execute("ANALYZE settings")
    [grown] = [size for size in _read(current).tables if size.table == "settings"]
    assert grown.growth is not None and grown.growth >= 250_000 and grown.more_rows == 500
    _record(current)
    [after] = [size for size in _read(current).tables if size.table == "settings"]
    assert (after.growth, after.rows) == (0, 502)


def test_sizes_are_read_where_there_is_no_history(database):
    assert _read(database).tables == []
    database.execute("CREATE TABLE later AS SELECT 1 AS id")
    assert [size.table for size in _read(database).tables] == ["later"]


@pytest.fixture
def app(server, current) -> Iterator[Flask]:
    made = create_app(settings_for(prepare_embedded(server, current.name)))
    yield made
    with made.app_context():
        for engine in db.engines.values():
            engine.dispose()


def test_the_command_shows_sizes_and_stores_a_sample_where_asked(app, current):
    runner = app.test_cli_runner()
    first = runner.invoke(sizes, [])
    assert first.exit_code == 0, first.output
    assert "patient_offers" in first.output and "No sample yet" in first.output
    assert runner.invoke(sizes, ["--record"]).exit_code == 0
    document = json.loads(runner.invoke(sizes, ["--json"]).stdout)
    assert document["since"] is not None and document["recorded"] is False
    assert {row["growth"] for row in document["tables"]} == {0}
    current.execute("DROP SCHEMA ops CASCADE")
    refused = runner.invoke(sizes, ["--record"])
    assert refused.exit_code == 1 and "run `flask db upgrade` first" in refused.output
