"""The commands as a person meets them: what they print, and what they end with."""

from __future__ import annotations

import pytest

from portal.ops.evolve.lock import LOCK_KEY
from tests.migrations.engine import BELOW_HEAD, CHAIN, HEAD, add_revision, copied, history, terminal


def test_status_tells_pending_revisions_with_ten(legacy, tmp_path):
    run = terminal(legacy, tmp_path)
    found = run.json("status", code=10)
    assert found["current"] == ["20250720190711"]
    assert found["pending"][0] == "20250720203715"
    assert found["pending"] == CHAIN[CHAIN.index("20250720190711") + 1 :]
    shown = run("status")
    assert (shown.exit_code, "20250720211648" in shown.output) == (10, True)


def test_status_of_a_database_at_head_is_zero(current, tmp_path):
    shown = terminal(current, tmp_path)("status")
    assert (shown.exit_code, "up to date" in shown.output) == (0, True)


def test_status_tells_what_failed_and_the_log_tells_why(legacy, tmp_path):
    run = terminal(legacy, tmp_path)
    failed = run("upgrade", "--without-backup", "a test", "--no-verify")
    assert failed.exit_code == 16
    assert "1a000000-0000-7000-8000-000000000004" in failed.stderr
    assert "orphans=quarantine" in failed.stderr
    assert run.json("status", code=11)["unfinished"] == ["20250720211648"]
    assert [row["revision"] for row in run.json("log", "--failed")] == ["20250720211648"]
    shown = run("log", "--failed")
    assert "MigrationDataError" in shown.output
    assert "1a000000" not in shown.output


def test_an_unknown_revision_in_the_database_is_twelve_for_every_command_that_moves(current, tmp_path):
    current.execute("UPDATE alembic_version SET version_num = '20300101000000'")
    run = terminal(current, tmp_path)
    rows = current.rows()
    for words in (["status"], ["plan"], ["upgrade"], ["downgrade", "--yes"], ["drift"], ["rehearse"]):
        result = run(*words)
        assert (words, result.exit_code) == (words, 12)
        assert "20300101000000" in result.output
    assert current.rows() == rows


def test_an_edited_revision_is_twelve_until_it_is_accepted(current, tmp_path):
    directory = copied(tmp_path)
    path = next((directory / "versions").glob("20261123100700_*"))
    path.write_text(path.read_text().replace("varchar(40)", "varchar(41)"))
    run = terminal(current, tmp_path, directory)
    refused = run("upgrade")
    assert (refused.exit_code, "--accept-checksum" in refused.output) == (12, True)
    assert run("resolve", "20261123100700", "--accept-checksum").exit_code == 0
    assert run("upgrade").exit_code == 0


def test_two_heads_are_twelve_and_merge_is_named(current, tmp_path):
    directory = copied(tmp_path)
    add_revision(directory, "go_left", "pass")
    add_revision(directory, "go_right", "pass", revision="20261201100001")
    refused = terminal(current, tmp_path, directory)("upgrade")
    assert (refused.exit_code, "flask db merge" in refused.output) == (12, True)


def test_a_revision_nobody_knows_is_twelve(current, tmp_path):
    assert terminal(current, tmp_path)("upgrade", "20300101000000").exit_code == 12


def test_dangerous_revisions_are_fifteen_before_anything_happens(current, tmp_path):
    directory = copied(tmp_path)
    add_revision(
        directory, "shout_in_notes", 'evolve.run("UPDATE notes SET body = upper(body)")', 'evolve.run("SELECT 1")'
    )
    run = terminal(current, tmp_path, directory)
    rows = current.rows()
    for words in (["lint"], ["upgrade"]):
        result = run(*words)
        assert (result.exit_code, "update-whole-table" in result.output) == (15, True)
    assert current.rows() == rows
    assert run.json("status", code=10)["pending"] == ["20261201100000"]
    assert not run.backups.exists()


def test_drift_is_thirteen(current, tmp_path):
    run = terminal(current, tmp_path)
    assert run("drift").exit_code == 0
    current.execute("DROP POLICY clinic ON notes")
    assert any("policy notes clinic" in line for line in run.json("drift", code=13)["missing"])


def test_a_lock_held_by_another_run_is_fourteen_after_the_wait(current, tmp_path):
    directory = copied(tmp_path)
    add_revision(directory, "do_nothing_much", 'evolve.run("SELECT 1")', 'evolve.run("SELECT 1")')
    with current.engine().connect() as other:
        other.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK_KEY})")
        result = terminal(current, tmp_path, directory)("upgrade", "-x", "lock_wait=0.3")
    assert (result.exit_code, "Another upgrade" in result.output) == (14, True)


def test_sql_is_printed_and_nothing_is_changed(current, tmp_path):
    directory = copied(tmp_path)
    add_revision(
        directory,
        "add_mood",
        'evolve.add_columns("notes", "mood text")',
        'evolve.keep_columns(revision, "notes", ["mood"])',
    )
    run = terminal(current, tmp_path, directory)
    for words in (["plan", "--sql"], ["upgrade", "--sql"]):
        printed = run(*words)
        assert (printed.exit_code, "ALTER TABLE notes ADD COLUMN IF NOT EXISTS mood text;" in printed.stdout) == (
            0,
            True,
        )
    assert "column notes.mood" not in " ".join(current.schema())


def test_flask_migrates_own_commands_still_work(current, tmp_path):
    run = terminal(current, tmp_path)
    for words in (["current"], ["history"], ["heads"], ["branches"], ["show", HEAD], ["check"], ["list-templates"]):
        assert (words, run(*words).exit_code) == (words, 0)


def test_a_stamp_is_in_the_history(current, tmp_path):
    assert terminal(current, tmp_path)("stamp", BELOW_HEAD).exit_code == 0
    assert history(current)[-1] == (BELOW_HEAD, "stamp", "applied")


def test_resolve_needs_a_word(current, tmp_path):
    assert terminal(current, tmp_path)("resolve", HEAD).exit_code == 2


def test_no_owner_is_told(current, tmp_path):
    run = terminal(current, tmp_path)
    with run.app.app_context():
        run.app.extensions["sqlalchemy"]._app_engines[run.app].pop("owner")
    result = run("status")
    assert (result.exit_code, "DATABASE_OWNER_URL" in result.output) == (1, True)


@pytest.mark.parametrize(
    "command", ["status", "plan", "lint", "drift", "rehearse", "upgrade", "downgrade", "log", "resolve", "adopt"]
)
def test_every_command_tells_what_it_does_with_examples(current, tmp_path, command):
    shown = terminal(current, tmp_path)(command, "--help")
    assert shown.exit_code == 0
    assert "Examples:" in shown.output
    assert f"flask db {command}" in shown.output
