"""Up, down and up again: no row, no value and no part of the schema differs."""

from __future__ import annotations

from alembic.script import ScriptDirectory


def chain(database) -> list[str]:
    """Return all revisions, oldest first."""
    scripts = ScriptDirectory.from_config(database.config()).walk_revisions()
    return [script.revision for script in reversed(list(scripts))]


def test_an_empty_database_goes_to_head_and_back_and_is_the_same_again(database):
    database.upgrade()
    schema, rows = database.schema(), database.rows()
    database.downgrade()
    assert database.tables() == []
    database.upgrade()
    assert database.schema() == schema
    assert database.rows() == rows


def test_a_new_database_holds_no_clinic_nobody_made(database):
    database.upgrade()
    assert all(count == 0 for count, _ in database.rows().values())


def test_the_whole_way_down_and_up_changes_no_row_and_no_schema(current):
    schema, rows = current.schema(), current.rows()
    current.downgrade()
    assert current.tables() == []
    current.upgrade(orphans="quarantine")
    assert _differences(current.rows(), rows) == {}
    assert current.schema() == schema


def test_every_single_step_down_and_up_again_loses_nothing(current):
    steps = chain(current)
    for below, revision in zip(reversed(steps[:-1]), reversed(steps), strict=False):
        schema, rows = current.schema(), current.rows()
        current.downgrade(below)
        current.upgrade(revision, orphans="quarantine")
        assert _differences(current.rows(), rows) == {}, f"{revision} changed rows"
        assert current.schema() ^ schema == set(), f"{revision} changed the schema"
        current.downgrade(below)


def test_what_an_upgrade_moved_is_as_before_after_its_downgrade(legacy):
    schema, rows = legacy.schema(), legacy.rows()
    legacy.upgrade(orphans="quarantine")
    legacy.downgrade("20250720190711")
    assert _differences(legacy.rows(), rows) == {}
    assert legacy.schema() == schema


def test_nothing_is_left_aside_after_coming_back_up(current):
    before = _aside(current)
    current.downgrade()
    current.upgrade(orphans="quarantine")
    assert _aside(current) == before


def _aside(database):
    names = database.execute("SELECT tablename::text FROM pg_tables WHERE tablename ^@ 'keep_' ORDER BY 1")
    return {name: database.execute(f"SELECT count(*) FROM {name}")[0][0] for (name,) in names}


def _differences(found, expected):
    tables = sorted(found | expected)
    return {name: (expected.get(name), found.get(name)) for name in tables if found.get(name) != expected.get(name)}
