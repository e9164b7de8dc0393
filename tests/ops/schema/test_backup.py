"""A backup holds every row, is proven, and a damaged or unfinished one is never mistaken for a good one."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import stat
from contextlib import contextmanager
from dataclasses import replace
from threading import Timer

import psycopg
import pytest
from pyrage import x25519
from sqlalchemy import make_url

from portal.core.roles import APP_ROLE, BACKUP_ROLE, OWNER_ROLE, PLATFORM_ROLE
from portal.ops.evolve.errors import BackupError, EvolveError, ExitCode
from portal.ops.schema.backup import files
from portal.ops.schema.backup.source import table_rows
from portal.ops.schema.scratch import scratch
from tests.ops.schema.backup_support import SECOND, hashes, left_behind, make, place_of, vault_of, with_settings
from tests.support.chain import HEAD


@contextmanager
def small_disk(limit: int):
    """Let no file grow beyond ``limit`` bytes, for us and the programs we start: works for root and others."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def as_written(lines: set[str]) -> set[str]:
    """Return a schema's lines without casts: PostgreSQL writes those of a check another way once it was restored."""
    return {re.sub(r"::(?:character varying|text)(?:\[\])?|[()]", "", line) for line in lines}


@pytest.fixture
def make_identity(tmp_path):
    """Make an age key: the file with the secret half, and the public half."""

    def make_one(name):
        made = x25519.Identity.generate()
        path = tmp_path / f"{name}.key"
        path.write_text(f"# made for a test\n{made}\n")
        return path, str(made.to_public())

    return make_one


@pytest.fixture
def identity(make_identity):
    return make_identity("secret")


def scratches(database) -> list[str]:
    return [name for (name,) in database.execute(
        "SELECT datname::text FROM pg_database WHERE datname LIKE :like", like=f"{database.name[:33]}%scratch%"
    )]  # fmt: skip


def test_a_restored_backup_holds_every_row_and_everything_else(current, tmp_path):
    vault = vault_of(current, tmp_path)
    told = []
    made = vault.make(reason="a test", by="Ada", tell=lambda event, facts: told.append((event, dict(facts))))
    assert made.proven_at is not None
    assert made.heads == HEAD
    assert made.versions["dumped_as"] == BACKUP_ROLE
    assert made.counts["patients"] == current.execute("SELECT count(*) FROM patients")[0][0] > 0
    assert "jobs.procrastinate_jobs" in made.counts
    before, schema = hashes(vault.place), current.schema()
    with scratch(vault.place) as copy:
        vault.restore_into(made, copy, lambda _event, _facts: None)
        assert hashes(copy) == before
        restored = type(current)(current.server, copy.database)
        assert as_written(restored.schema()) == as_written(schema)
        restored.disconnect()
    for what in ("tables dumped", "tables restored"):
        steps = [facts["done"] for event, facts in told if event == "part" and facts["what"] == what]
        assert steps == sorted(steps)
        assert steps[-1] == len(made.counts)
    assert scratches(current) == []


@pytest.mark.parametrize("role", [APP_ROLE, PLATFORM_ROLE, BACKUP_ROLE])
def test_the_portals_roles_cannot_enter_a_scratch_database(current, tmp_path, role):
    """Rights come back before policies, and `recover` restores none at all: every clinic's rows would lie open."""
    vault = vault_of(current, tmp_path)
    with table_rows(vault, make(vault), "patients"):
        (name,) = scratches(current)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(host=str(current.server.socket), user=role, dbname=name)


def test_a_database_of_any_name_has_scratch_databases(current):
    name = f'{current.name[-6:]} "Klinik" %s {"ğ" * 20}'
    quoted = '"' + name.replace('"', '""') + '"'
    with psycopg.connect(
        host=str(current.server.socket), user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {quoted} OWNER {OWNER_ROLE}".encode())
        try:
            with scratch(place_of(current).on(name)) as copy, copy.engine.connect() as entered:
                there = entered.exec_driver_sql("SELECT current_database()").scalar_one()
                assert there == copy.database
        finally:
            connection.execute(f"DROP DATABASE {quoted}".encode())
        left = connection.execute("SELECT datname FROM pg_database WHERE datname = %s", [there]).fetchall()
    assert left == []


def test_a_scratch_database_goes_although_the_server_is_still_busy_in_it(current):
    """As an autovacuum worker is: a superuser's process, which the owner may not terminate but can wait for."""
    with scratch(place_of(current)) as copy:
        busy = psycopg.connect(host=str(current.server.socket), user="postgres", dbname=copy.database)
        leaving = Timer(1, busy.close)
        leaving.start()
    leaving.join()
    assert scratches(current) == []


def test_rows_written_while_the_dump_runs_do_not_make_counts_and_rows_differ(current, tmp_path, monkeypatch):
    vault = vault_of(current, tmp_path)
    write = files.require_space

    def meanwhile(folder, needed):
        current.execute("INSERT INTO login_buckets (key, tokens) VALUES ('\\x77', 1)")
        write(folder, needed)

    monkeypatch.setattr(files, "require_space", meanwhile)
    made = make(vault, prove=True)
    assert made.proven_at
    assert made.counts["login_buckets"] == 1


def test_a_backup_is_readable_for_its_owner_alone_and_is_in_the_history(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    assert stat.S_IMODE(made.path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.path.parent.iterdir()} == {0o600}
    assert left_behind(tmp_path) == [made.path.name, made.path.name + ".json"]
    kept = current.execute("SELECT id, status, kind, file, bytes, sha256, by, reason FROM ops.migration_backup")
    assert kept == [(made.id, "ok", "database", made.path.name, made.bytes, made.sha256, "Ada", "a test")]


def test_a_database_in_the_midst_of_its_history_is_dumped_by_its_owner(legacy, tmp_path):
    vault = vault_of(legacy, tmp_path)
    made = make(vault, prove=True)
    assert made.versions["dumped_as"] == OWNER_ROLE
    assert made.heads == "20250720190711"
    before = hashes(vault.place)
    with scratch(vault.place) as copy:
        vault.restore_into(made, copy)
        assert hashes(copy) == before


def test_a_backup_role_that_cannot_log_in_costs_no_backup(current, tmp_path):
    vault = vault_of(current, tmp_path)
    wrong = make_url(vault.dump_url).set(host="127.0.0.1", port=1, query={}, password="wrong")
    made = make(replace(vault, dump_url=wrong.render_as_string(hide_password=False)))
    assert made.versions["dumped_as"] == OWNER_ROLE


@pytest.mark.parametrize(
    "loss",
    [
        "DROP POLICY backup ON patients",
        "CREATE POLICY shy ON patients AS RESTRICTIVE TO clinikoop_backup USING (false)",
        "ALTER POLICY backup ON patients USING (first_name <> 'x')",
        "REVOKE SELECT ON notes FROM clinikoop_backup",
    ],
)
def test_a_role_that_does_not_see_every_row_is_not_dumped_as(current, tmp_path, loss):
    current.execute(loss)
    made = make(vault_of(current, tmp_path), prove=True)
    assert made.versions["dumped_as"] == OWNER_ROLE


def test_a_database_without_a_history_gets_one(database, tmp_path):
    vault = vault_of(database, tmp_path)
    made = make(vault, prove=True)
    assert made.counts == {}
    assert database.execute("SELECT status FROM ops.migration_backup") == [("ok",)]


@pytest.mark.parametrize("harm", ["a byte changed", "cut short", "no manifest", "a manifest of nonsense", "file gone"])
def test_a_damaged_backup_is_refused_and_nothing_is_touched(current, tmp_path, harm):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    manifest = made.path.with_name(made.path.name + ".json")
    data = bytearray(made.path.read_bytes())
    if harm == "a byte changed":
        data[len(data) // 2] ^= 1
        made.path.write_bytes(data)
    elif harm == "cut short":
        made.path.write_bytes(data[:-100])
    elif harm == "no manifest":
        manifest.unlink()
    elif harm == "a manifest of nonsense":
        manifest.write_text("{")
    else:
        made.path.unlink()
    with scratch(vault.place) as copy:
        with pytest.raises(BackupError) as caught:
            vault.restore_into(vault.get(str(made.id)), copy)
        assert caught.value.exit_code is ExitCode.BACKUP
        assert hashes(copy) == {}
    assert "damaged" in str(caught.value) or "manifest" in str(caught.value) or "gone" in str(caught.value)
    with pytest.raises(BackupError):
        vault.check(vault.get(str(made.id)))
    if "manifest" in harm or harm == "file gone":
        with pytest.raises(BackupError, match="no backup 'latest'"):
            vault.get("latest")


def test_a_backup_with_rows_missing_is_not_taken_for_whole(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    manifest = made.path.with_name(made.path.name + ".json")
    told = json.loads(manifest.read_text())
    told["counts"]["patients"] += 1
    manifest.write_text(json.dumps(told))
    with pytest.raises(BackupError, match=r"could not be proven.*\n\s+patients: \d+ instead of \d+"):
        vault.check(vault.get("latest"))


def test_a_full_database_is_never_restored_over(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    before = hashes(vault.place)
    with pytest.raises(BackupError, match="not empty"):
        vault.restore_into(made, vault.place)
    assert hashes(vault.place) == before


def test_without_pg_dump_it_says_what_to_install_and_leaves_a_word_in_the_history(current, tmp_path):
    (tmp_path / "empty").mkdir()
    vault = vault_of(current, tmp_path, programs=tmp_path / "empty")
    with pytest.raises(
        BackupError, match=r"not found in .*Install postgresql-client-\d+ or set CLINIKOOP_PG_BIN"
    ) as caught:
        make(vault)
    assert caught.value.exit_code is ExitCode.BACKUP
    assert left_behind(tmp_path) == []
    assert current.execute("SELECT status, error LIKE 'pg_dump%' FROM ops.migration_backup") == [("failed", True)]


def test_a_pg_dump_older_than_the_server_is_refused(current, tmp_path):
    programs = tmp_path / "old"
    programs.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (programs / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) 9.6.24'\n")
        (programs / name).chmod(0o755)
    with pytest.raises(BackupError, match=r"9\.6\.24 is older than the server"):
        make(vault_of(current, tmp_path, programs=programs))


def test_a_pg_dump_that_fails_leaves_nothing_and_its_words_hold_no_rows(current, tmp_path):
    programs = tmp_path / "broken"
    programs.mkdir()
    said = "pg_dump: error: it broke\\npg_dump: detail: of no avail\\nDETAIL: Key (name)=(Ayşe) is there\\n"
    for name in ("pg_dump", "pg_restore"):
        (programs / name).write_text(
            f"#!/bin/sh\nif [ \"$1\" = --version ]; then echo '{name} (PostgreSQL) 99.1'; exit; fi\n"
            f"for a; do case $a in --file=*) echo half > ${{a#--file=}};; esac; done\nprintf '{said}' >&2; exit 1\n"
        )
        (programs / name).chmod(0o755)
    with pytest.raises(BackupError, match="it broke") as caught:
        make(vault_of(current, tmp_path, programs=programs))
    assert "Ayşe" not in str(caught.value)
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("limit", [0, 4096, 40_000])
def test_a_full_disk_leaves_nothing_half_written(current, tmp_path, limit):
    vault = vault_of(current, tmp_path)
    earlier = make(vault)
    with small_disk(limit), pytest.raises(BackupError, match="full") as caught:
        make(vault)
    assert caught.value.exit_code is ExitCode.BACKUP
    assert left_behind(tmp_path) == [earlier.path.name, earlier.path.name + ".json"]
    assert vault.get("latest").id == earlier.id


def test_a_disk_too_small_is_seen_before_anything_is_written(tmp_path):
    with pytest.raises(BackupError, match="will need about"):
        files.require_space(tmp_path, 1 << 60)


def test_what_a_killed_backup_left_is_cleared_away_and_what_a_living_one_writes_is_not(current, tmp_path):
    vault = vault_of(current, tmp_path)
    with files.workspace(vault.settings.folder) as own:
        dead = own.with_name(own.name.replace(f"-{os.getpid()}-", "-999999999-"))
        dead.mkdir()
        (dead / "draft").write_text("half")
        make(vault)
        assert own.exists()
        assert not dead.exists()


def test_a_backup_is_found_by_the_beginning_of_its_id_and_only_where_that_is_clear(current, tmp_path):
    vault = vault_of(current, tmp_path)
    first, second = make(vault), make(vault)
    assert vault.get(str(first.id)).id == first.id
    assert vault.get(str(second.id)[:-3]).id == second.id
    assert vault.get("latest").id == second.id
    with pytest.raises(BackupError, match="2 backups begin"):
        vault.get(str(first.id)[:6])
    with pytest.raises(BackupError, match="no backup 'zz'"):
        vault.get("zz")
    with pytest.raises(BackupError, match="no backup ''"):
        vault.get("")


def test_the_list_survives_the_loss_of_the_database_and_of_the_files(current, tmp_path):
    vault = vault_of(current, tmp_path)
    first, second = make(vault), make(vault)
    current.execute("DELETE FROM ops.migration_backup WHERE id = :id", id=first.id)
    second.path.unlink()
    assert [(one.id, one.status) for one in vault.list()] == [(second.id, "missing"), (first.id, "ok")]
    gone = vault_of(type(current)(current.server, "no_such_database"), tmp_path)
    assert [(one.id, one.status) for one in gone.list()] == [(second.id, "missing"), (first.id, "ok")]
    second.path.with_name(second.path.name + ".json").unlink()
    assert [(one.id, one.status) for one in vault.list()] == [(second.id, "missing"), (first.id, "ok")]


def test_an_encrypted_backup_comes_back_with_its_key_and_not_without(current, tmp_path, identity):
    secret, recipient = identity
    vault = vault_of(current, tmp_path, recipient=recipient, identity_file=secret)
    made = make(vault, prove=True)
    assert made.encrypted
    assert made.proven_at
    assert made.path.suffix == ".age"
    assert made.path.read_bytes().startswith(b"age-encryption.org/v1")
    before = hashes(vault.place)
    with scratch(vault.place) as copy:
        with pytest.raises(BackupError, match="CLINIKOOP_BACKUP_IDENTITY_FILE"):
            with_settings(vault, identity_file=None).restore_into(made, copy)
        vault.restore_into(made, copy)
        assert hashes(copy) == before
    assert len(left_behind(tmp_path)) == 2


def test_an_encrypted_backup_is_proven_before_where_the_key_is_elsewhere(current, tmp_path, identity):
    _, recipient = identity
    made = make(vault_of(current, tmp_path, recipient=recipient), prove=True)
    assert made.encrypted
    assert made.proven_at
    assert left_behind(tmp_path) == [made.path.name, made.path.name + ".json"]


def test_another_key_does_not_open_a_backup(current, tmp_path, identity, make_identity):
    _, recipient = identity
    vault = vault_of(current, tmp_path, recipient=recipient)
    made = make(vault)
    other, _ = make_identity("other")
    with pytest.raises(BackupError, match="cannot be decrypted"):
        with_settings(vault, identity_file=other).check(made)


def test_a_recipient_that_is_no_key_is_told_and_leaves_nothing(current, tmp_path):
    with pytest.raises(BackupError, match="no age public key"):
        make(vault_of(current, tmp_path, recipient="age1nonsense"))
    assert left_behind(tmp_path) == []


def test_one_clinics_backup_holds_its_rows_alone_and_is_proven(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault, clinic=SECOND, prove=True)
    assert made.proven_at
    assert made.counts["clinics"] == 1
    expected = current.execute(
        "SELECT count(*) FROM patients p JOIN clinics c ON c.id = clinic_id WHERE subdomain = 'deniz'"
    )
    assert made.counts["patients"] == expected[0][0] > 0
    with pytest.raises(BackupError, match="alone, not a database"):
        vault.restore_into(made, place_of(current))


def test_a_backup_of_no_clinic_is_told(current, tmp_path):
    with pytest.raises(EvolveError, match="no clinic 'nobody'"):
        make(vault_of(current, tmp_path), clinic="nobody")
    assert current.execute("SELECT count(*) FROM ops.migration_backup") == [(0,)]
