"""A whole backup comes back beside the live database or in its place, and nothing that was there is lost."""

from __future__ import annotations

from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa

from portal.core.roles import APP_ROLE
from portal.ops.evolve.errors import BackupError, EvolveError
from portal.ops.schema.backup import restore as module
from portal.ops.schema.backup.restore import replace_live, restore_beside
from portal.ops.schema.backup.tools import nobody
from portal.ops.schema.drift import find_drift
from portal.ops.schema.state import read_state
from portal.ops.schema.tables import MigrationLog
from portal.ops.schema.verify import verify
from tests.ops.schema.backup_support import hashes, make, place_of, vault_of


@contextmanager
def administered(database):
    with psycopg.connect(
        host=str(database.server.socket), user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        yield connection


def databases(database) -> list[str]:
    with administered(database) as connection:
        found = connection.execute(
            "SELECT datname::text FROM pg_database WHERE datname LIKE %s ORDER BY 1", [f"{database.name}%"]
        )
        return [name for (name,) in found]


@pytest.fixture
def lively(make_database):
    """A database that may be renamed; whatever is called like it goes at the end."""
    with make_database("current") as made:
        yield made
        made.disconnect()
        with administered(made) as connection:
            for name in databases(made):
                if name != made.name:
                    connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            if made.name not in databases(made):
                connection.execute(f'CREATE DATABASE "{made.name}"')


def test_by_default_a_new_database_is_made_and_the_live_one_is_not_touched(lively, tmp_path):
    vault = vault_of(lively, tmp_path)
    made, before = make(vault), hashes(vault.place)
    lively.execute("DELETE FROM patient_offers")
    changed = hashes(vault.place)
    name = restore_beside(vault, made, nobody)
    assert name.startswith(f"{lively.name}_restored_")
    there = vault.place.on(name)
    assert hashes(there) == before
    assert hashes(vault.place) == changed
    named = restore_beside(vault, made, nobody, f"{lively.name}_b")
    assert databases(lively) == sorted([lively.name, name, named])
    with pytest.raises(EvolveError, match="already"):
        restore_beside(vault, made, nobody, f"{lively.name}_b")


def test_the_portal_may_enter_a_restored_database_only_when_its_policies_stand(lively, tmp_path, monkeypatch):
    vault = vault_of(lively, tmp_path)
    made = make(vault)
    restore_into = type(vault).restore_into

    def enter(name):
        with psycopg.connect(host=str(lively.server.socket), user=APP_ROLE, dbname=name) as connection:
            return connection.execute("SELECT current_user, current_database()").fetchone()

    def restored(self, backup, target, tell=nobody):
        restore_into(self, backup, target, tell)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            enter(target.database)

    monkeypatch.setattr(type(vault), "restore_into", restored)
    beside = restore_beside(vault, made, nobody)
    assert enter(beside) == (APP_ROLE, beside)
    lively.disconnect()
    live = replace_live(vault, made, nobody, by="Ada").live
    assert enter(live) == (APP_ROLE, live)


def test_a_damaged_backup_leaves_no_new_database(lively, tmp_path):
    vault = vault_of(lively, tmp_path)
    made = make(vault)
    made.path.write_bytes(made.path.read_bytes()[:-50])
    before = hashes(vault.place)
    lively.disconnect()
    for attempt in (restore_beside, lambda *given: replace_live(*given, by=None)):
        with pytest.raises(BackupError, match="damaged"):
            attempt(vault, made, nobody)
    assert databases(lively) == [lively.name]
    assert hashes(vault.place) == before


def test_replacing_keeps_the_old_database_and_the_history(lively, tmp_path):
    vault = vault_of(lively, tmp_path)
    made, before = make(vault), hashes(vault.place)
    later = make(vault)
    lively.execute("DELETE FROM patient_offers")
    lively.execute(
        "INSERT INTO ops.table_size (id, schema_name, table_name, bytes, rows)"
        " VALUES (gen_random_uuid(), 'public', 'x', 1, 1)"
    )
    changed = hashes(vault.place)
    log = lively.execute("SELECT id, revision, direction, status, started_at FROM ops.migration_log ORDER BY id")
    lively.disconnect()
    swapped = replace_live(vault, made, nobody, by="Ada")
    assert swapped.live == lively.name
    assert databases(lively) == sorted([lively.name, swapped.kept])
    assert hashes(vault.place) == before
    assert hashes(vault.place.on(swapped.kept)) == changed
    now = lively.execute("SELECT id, revision, direction, status, started_at FROM ops.migration_log ORDER BY id")
    assert now[:-1] == log
    assert now[-1][1:4] == ("", "restore", "applied")
    assert lively.execute("SELECT backup_id, app_user FROM ops.migration_log WHERE direction = 'restore'") == [
        (made.id, "Ada")
    ]
    assert lively.execute("SELECT id, status FROM ops.migration_backup ORDER BY started_at") == [
        (made.id, "ok"), (later.id, "ok"),
    ]  # fmt: skip
    assert lively.execute("SELECT count(*) FROM ops.table_size WHERE table_name = 'x'") == [(1,)]
    assert lively.execute("SELECT count(*) FROM clinics", role="clinikoop_backup")[0][0] > 0
    looked = verify(vault.place, by=None)
    assert looked.lines == []
    assert next(check.looked_at for check in looked.checks if check.name == "counts") > 0


def test_who_is_connected_is_listed_and_nothing_is_replaced(lively, tmp_path):
    vault = vault_of(lively, tmp_path)
    made, before = make(vault), hashes(vault.place)
    lively.disconnect()
    with (
        psycopg.connect(
            host=str(lively.server.socket), user=APP_ROLE, dbname=lively.name, application_name="a web worker"
        ),
        pytest.raises(EvolveError, match=rf"Others are connected to {lively.name}:\n  {APP_ROLE}: a web worker"),
    ):
        replace_live(vault, made, nobody, by=None)
    assert databases(lively) == [lively.name]
    assert hashes(vault.place) == before


def test_somebody_who_comes_at_the_last_moment_keeps_the_live_database_in_place(lively, tmp_path, monkeypatch):
    vault = vault_of(lively, tmp_path)
    made, before = make(vault), hashes(vault.place)
    lively.disconnect()
    carry, late = module.carry_over, []

    def and_one_comes(*given, **named):
        carry(*given, **named)
        late.append(psycopg.connect(host=str(lively.server.socket), user=APP_ROLE, dbname=lively.name))

    monkeypatch.setattr(module, "carry_over", and_one_comes)
    with pytest.raises(EvolveError, match="Others are connected"):
        replace_live(vault, made, nobody, by=None)
    late[0].close()
    assert databases(lively) == [lively.name]
    assert hashes(vault.place) == before


def test_a_database_that_is_gone_comes_back_under_its_name(lively, tmp_path):
    vault = vault_of(lively, tmp_path)
    made, before = make(vault), hashes(vault.place)
    lively.disconnect()
    with administered(lively) as connection:
        connection.execute(f'DROP DATABASE "{lively.name}"')
    swapped = replace_live(vault, vault.get("latest"), nobody, by=None)
    assert (swapped.live, swapped.kept) == (lively.name, None)
    assert hashes(vault.place) == before
    assert made.id == vault.get("latest").id


def test_settings_and_rights_of_the_database_itself_are_kept(lively, tmp_path):
    vault = vault_of(lively, tmp_path)
    lively.execute(f"ALTER DATABASE \"{lively.name}\" SET work_mem = '7MB'")
    lively.execute(f'REVOKE CONNECT ON DATABASE "{lively.name}" FROM PUBLIC')
    lively.execute(f'GRANT CONNECT ON DATABASE "{lively.name}" TO {APP_ROLE}')
    made = make(vault)
    lively.disconnect()
    replace_live(vault, made, nobody, by=None)
    assert lively.execute("SHOW work_mem", role=APP_ROLE) == [("7MB",)]
    with pytest.raises(sa.exc.OperationalError, match="permission denied"):
        lively.execute("SELECT 1", role="clinikoop_platform")


def test_revisions_applied_since_the_backup_are_pending_again_and_failures_are_settled(make_database, tmp_path):
    with make_database("legacy") as legacy:
        vault = vault_of(legacy, tmp_path)
        made = make(vault)
        legacy.upgrade("20250720203715")
        with legacy.engine().begin() as connection:
            connection.execute(
                sa.insert(MigrationLog).values(
                    run_id=made.id, revision="20250720211648", name="x", direction="up", status="failed",
                    from_heads="20250720203715", to_heads="20250720211648",
                )
            )  # fmt: skip
        legacy.disconnect()
        kept = replace_live(vault, made, nobody, by=None).kept
        place = place_of(legacy)
        with place.engine.connect() as connection:
            state = read_state(connection, place.revisions())
        assert state.current == ("20250720190711",)
        assert next(revision.id for revision in state.pending) == "20250720203715"
        assert (state.unfinished, state.running, state.edited, state.unknown) == ((), (), (), ())
        undone = legacy.execute("SELECT status FROM ops.migration_log WHERE revision = '20250720203715'")
        assert undone == [("rolled_back",)]
        moved = legacy.execute("SELECT from_heads, to_heads FROM ops.migration_log WHERE direction = 'restore'")
        assert moved == [("20250720203715", "20250720190711")]
        legacy.upgrade("20250720203715")
        with administered(legacy) as connection:
            connection.execute(f'DROP DATABASE "{kept}" WITH (FORCE)')


def test_a_restored_database_is_what_the_revisions_make(lively, tmp_path):
    vault = vault_of(lively, tmp_path)
    made = make(vault)
    lively.disconnect()
    replace_live(vault, made, nobody, by=None)
    with vault.place.engine.connect() as connection:
        state = read_state(connection, vault.place.revisions())
    drift = find_drift(vault.place, state, sa.MetaData())
    assert (drift.missing, drift.extra) == ([], [])
