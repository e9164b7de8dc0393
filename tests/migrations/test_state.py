"""Where a database stands: pending, diverged, phases, and what a person may say about it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from portal.ops.evolve import MigrationDataError
from portal.ops.evolve.errors import DivergedError, DriftError, EvolveError
from portal.ops.schema.adopt import adopt
from portal.ops.schema.resolve import accept_checksum, mark_applied, mark_rolled_back
from portal.ops.schema.scripts import Phase
from portal.ops.schema.tables import has_tables
from tests.migrations.engine import CHAIN, HEAD, add_revision, copied, history, place_of, state_of

QUIET = {"by": "Deniz", "tell": lambda _event, _facts: None}


def revision_of(place, revision_id):
    return next(revision for revision in place.revisions() if revision.id == revision_id)


def test_an_empty_database_has_everything_pending_and_asking_makes_nothing(database):
    state = state_of(place_of(database))
    assert (len(state.pending), state.current, int(state.exit_code)) == (len(CHAIN), (), 10)
    with database.engine().connect() as connection:
        assert not has_tables(connection)


def test_a_database_at_head_is_up_to_date(current):
    state = state_of(place_of(current))
    assert (state.pending, state.current, int(state.exit_code)) == ([], (HEAD,), 0)


def test_a_revision_that_no_file_has_is_told_and_stops_an_upgrade(current):
    current.execute("UPDATE alembic_version SET version_num = '20300101000000'")
    state = state_of(place_of(current))
    assert (state.unknown, int(state.exit_code)) == (("20300101000000",), 12)
    with pytest.raises(DivergedError, match="none of our files"):
        state.refuse_divergence()


def test_two_heads_are_told(current, tmp_path):
    directory = copied(tmp_path)
    add_revision(directory, "go_left", "pass")
    add_revision(directory, "go_right", "pass", revision="20261201100001")
    state = state_of(place_of(current, directory))
    assert state.heads == ("20261201100000", "20261201100001")
    with pytest.raises(DivergedError, match="2 heads"):
        state.refuse_divergence()


def test_an_applied_revision_whose_code_was_edited_blocks_until_it_is_accepted(current, tmp_path):
    directory = copied(tmp_path)
    path = next((directory / "versions").glob("20261123100700_*"))
    path.write_text(path.read_text().replace("varchar(40)", "varchar(41)"))
    place = place_of(current, directory)
    assert (state_of(place).edited, int(state_of(place).exit_code)) == (("20261123100700",), 12)
    accept_checksum(place, revision_of(place, "20261123100700"), by="Deniz")
    assert (state_of(place).edited, int(state_of(place).exit_code)) == ((), 0)
    with pytest.raises(EvolveError, match="is the one that was applied"):
        accept_checksum(place, revision_of(place, "20261123100700"), by="Deniz")


def test_an_edited_comment_or_other_line_ends_only_warn_or_not_at_all(current, tmp_path):
    directory = copied(tmp_path)
    commented = next((directory / "versions").glob("20261123100700_*"))
    commented.write_text(commented.read_text().replace("# In the order of their references.", "# Parents first."))
    windows = next((directory / "versions").glob("20261123100800_*"))
    windows.write_bytes(windows.read_bytes().replace(b"\n", b"\r\n"))
    state = state_of(place_of(current, directory))
    assert (state.touched, state.edited, int(state.exit_code)) == (("20261123100700",), (), 0)


def test_expand_stops_before_what_the_old_release_cannot_live_with(current, tmp_path):
    directory = copied(tmp_path)
    add_revision(directory, "add_one_column", "pass")
    add_revision(directory, "add_other_column", "pass", revision="20261201100001", down="20261201100000")
    add_revision(
        directory,
        "drop_old_column",
        "pass",
        revision="20261201100002",
        down="20261201100001",
        more='phase = "contract"\n',
    )
    add_revision(directory, "add_third_column", "pass", revision="20261201100003", down="20261201100002")
    place = place_of(current, directory)
    assert state_of(place).target(Phase.EXPAND) == "20261201100001"
    assert state_of(place).target(Phase.CONTRACT) is None
    place.upgrade("20261201100001")
    assert state_of(place).target(Phase.EXPAND) is None
    assert state_of(place).target(Phase.CONTRACT) == "20261201100002"
    assert state_of(place).target(None) == "20261201100003"


def test_a_failed_attempt_can_be_marked_as_rolled_back_and_nothing_else_is_touched(legacy):
    place = place_of(legacy)
    with pytest.raises(MigrationDataError):
        place.upgrade()
    rows, schema = legacy.rows(), legacy.schema()
    mark_rolled_back(place, "20250720211648", by="Deniz")
    assert (legacy.rows(), legacy.schema()) == (rows, schema)
    assert history(legacy, "status, logs", "revision = '20250720211648'") == [
        ("rolled_back", "Marked as rolled back by Deniz; nothing was undone.")
    ]
    assert int(state_of(place).exit_code) == 10


def test_a_failed_revision_whose_file_was_deleted_can_be_settled(current, tmp_path):
    directory = copied(tmp_path)
    path = add_revision(directory, "break_something", 'evolve.run("SELECT 1/0")')
    place = place_of(current, directory)
    with pytest.raises(sa.exc.DataError):
        place.upgrade()
    path.unlink()
    place = place_of(current, directory)
    assert state_of(place).unfinished == ("20261201100000",)
    mark_rolled_back(place, "20261201100000", by=None)
    assert int(state_of(place).exit_code) == 0


def test_an_applied_revision_cannot_be_talked_away(current):
    place = place_of(current)
    with pytest.raises(EvolveError, match="flask db downgrade"):
        mark_rolled_back(place, HEAD, by=None)
    assert state_of(place).current == (HEAD,)


def test_only_the_next_revision_can_be_marked_as_applied(legacy):
    place = place_of(legacy)
    with pytest.raises(EvolveError, match="The next one is 20250720203715"):
        mark_applied(place, revision_of(place, "20250720211648"), by=None)
    mark_applied(place, revision_of(place, "20250720203715"), by="Deniz")
    assert state_of(place).current == ("20250720203715",)
    row = history(legacy, "direction, status, logs, app_user", "revision = '20250720203715'")
    assert row == [("stamp", "applied", "Marked as applied; nothing was run.", "Deniz")]
    assert (
        "status"
        in legacy.execute("SELECT string_agg(attname, ' ') FROM pg_attribute WHERE attrelid = 'offers'::regclass")[0][0]
    )


def test_a_database_without_its_history_is_adopted_at_the_revision_it_equals(legacy):
    legacy.execute("DROP TABLE alembic_version; DROP VIEW _prisma_migrations; DROP SCHEMA ops CASCADE")
    rows = legacy.rows()
    place = place_of(legacy, orphans="quarantine")
    assert adopt(place, **QUIET).id == "20250720190711"
    assert legacy.rows() == rows
    place.upgrade()
    assert state_of(place).current == (HEAD,)


def test_a_database_that_equals_no_revision_is_not_adopted(legacy):
    legacy.execute("DROP TABLE alembic_version; DROP VIEW _prisma_migrations; DROP SCHEMA ops CASCADE")
    legacy.execute("ALTER TABLE notes ADD COLUMN mood text; DROP INDEX ix_notes_clinic_id")
    with pytest.raises(DriftError) as caught:
        adopt(place_of(legacy), **QUIET)
    assert "20250720190711" in str(caught.value)
    assert "column notes.mood" in str(caught.value)
    assert "ix_notes_clinic_id" in str(caught.value)
    assert legacy.execute("SELECT to_regclass('alembic_version')") == [(None,)]


def test_a_database_with_revisions_has_nothing_to_adopt(current):
    with pytest.raises(EvolveError, match="stands at"):
        adopt(place_of(current), **QUIET)
