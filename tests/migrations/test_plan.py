"""The plan: what pending revisions do, and what is refused unless the revision says why."""

from __future__ import annotations

import pytest

from portal.models import metadata
from portal.ops.evolve.errors import DangerousError, DivergedError
from portal.ops.schema.drift import find_drift
from portal.ops.schema.plan import keep_plan, make_plan
from tests.migrations.engine import CHAIN, HEAD, add_revision, copied, place_of, state_of

KEEP = 'evolve.keep_columns(revision, "notes", ["is_pinned"])'


def planned(database, tmp_path, upgrade, downgrade="pass", name="change_the_notes", **more):
    """Return the plan of one more revision."""
    directory = copied(tmp_path)
    add_revision(directory, name, upgrade, downgrade or "pass", **more)
    place = place_of(database, directory)
    return make_plan(place, state_of(place))


def rules(plan) -> set[str]:
    return {finding.rule for _, finding in plan.dangers}


def test_a_plan_names_locks_and_statements_and_changes_nothing(current, tmp_path):
    schema, rows = current.schema(), current.rows()
    plan = planned(
        current,
        tmp_path,
        'evolve.add_columns("notes", "extra text")',
        'evolve.keep_columns(revision, "notes", ["extra"])',
    )
    one = plan.revisions[0].as_json(sql=True)
    assert one["revision"] == "20261201100000"
    assert one["locks"] == [{"relation": "notes", "mode": "AccessExclusiveLock", "ms": one["locks"][0]["ms"]}]
    assert one["sql"] == ["ALTER TABLE notes ADD COLUMN IF NOT EXISTS extra text"]
    assert plan.dangers == []
    assert (current.schema(), current.rows()) == (schema, rows)
    left = current.execute("SELECT count(*) FROM pg_database WHERE datname LIKE current_database() || '_scratch%'")
    assert left == [(0,)]


def test_no_revision_of_ours_is_judged_by_rules_it_is_older_than(legacy):
    place = place_of(legacy)
    plan = make_plan(place, state_of(place))
    assert [one.revision.id for one in plan.revisions] == CHAIN[CHAIN.index("20250720190711") + 1 :]
    assert plan.dangers == []
    plan.refuse_dangers()


@pytest.mark.parametrize(
    ("upgrade", "rule"),
    [
        ('evolve.run("CREATE INDEX ix_slow ON notes (body)")', "require-concurrent-index-creation"),
        ('evolve.run("ALTER TABLE notes ALTER COLUMN body TYPE varchar(9000)")', "changing-column-type"),
        ('evolve.run("ALTER TABLE notes ALTER COLUMN created_at TYPE date")', "rewrites-table"),
        ('evolve.run("UPDATE notes SET body = upper(body)")', "update-whole-table"),
        ('evolve.run("DELETE FROM notes WHERE is_pinned")', "update-whole-table"),
        ('evolve.run("ALTER TABLE notes DROP COLUMN is_pinned")', "drop-without-keep"),
        ('evolve.run("DROP TABLE pdf_templates")', "drop-without-keep"),
        ('evolve.run("ALTER TABLE notes ADD CONSTRAINT ck_x CHECK (body <> 1::text)")', "constraint-missing-not-valid"),
        ('evolve.run("ALTER TABLE notes RENAME COLUMN body TO text")', "renaming-column"),
    ],
)
def test_what_is_dangerous_on_a_live_table_is_refused_with_its_rule(current, tmp_path, upgrade, rule):
    plan = planned(current, tmp_path, upgrade, 'evolve.run("SELECT 1")')
    assert rule in rules(plan)
    with pytest.raises(DangerousError, match=rule) as caught:
        plan.refuse_dangers()
    assert caught.value.exit_code == 15


def test_a_reason_in_the_revision_lets_it_through_and_an_empty_one_does_not(current, tmp_path):
    upgrade, downgrade = 'evolve.run("UPDATE notes SET body = upper(body)")', 'evolve.run("SELECT 1")'
    reason = 'phase = "expand"\nallow = {"update-whole-table": "A clinic has twenty notes."}\n'
    plan = planned(current, tmp_path / "a", upgrade, downgrade, more=reason)
    assert plan.dangers == []
    assert plan.revisions[0].findings[0].allowed == "A clinic has twenty notes."
    empty = planned(
        current, tmp_path / "b", upgrade, downgrade, more='phase = "expand"\nallow = {"update-whole-table": ""}\n'
    )
    assert rules(empty) == {"update-whole-table", "allow"}


def test_a_batched_backfill_and_kept_columns_are_no_danger(current, tmp_path):
    upgrade = f"""
with evolve.online():
    evolve.backfill("notes", "body = btrim(body)", where="body <> btrim(body)", unchanged=("id",))
{KEEP}
"""
    downgrade = (
        'evolve.add_columns("notes", "is_pinned boolean")\nevolve.restore_columns(revision, "notes", ["is_pinned"])'
    )
    assert planned(current, tmp_path, upgrade, downgrade).dangers == []


def test_a_file_without_header_phase_or_way_back_is_refused(current, tmp_path):
    directory = copied(tmp_path)
    path = add_revision(directory, "change_notes", 'evolve.run("SELECT 1")', more="")
    path.write_text(path.read_text().replace("Warnings: none.\n", ""))
    place = place_of(current, directory)
    assert rules(make_plan(place, state_of(place))) == {"header", "phase", "no-downgrade"}


def test_a_name_that_says_nothing_and_an_import_of_the_portal_are_refused(current, tmp_path):
    directory = copied(tmp_path)
    path = add_revision(directory, "fix", 'evolve.run("SELECT 1")', 'evolve.run("SELECT 1")')
    path.write_text(
        path.read_text().replace(
            "from portal.ops import evolve", "from portal.core import text\nfrom portal.ops import evolve"
        )
    )
    place = place_of(current, directory)
    assert rules(make_plan(place, state_of(place))) == {"name", "imports-portal"}


def test_a_plan_is_kept_for_the_admin_host(current, tmp_path):
    plan = planned(current, tmp_path, 'evolve.run("UPDATE notes SET body = upper(body)")', 'evolve.run("SELECT 1")')
    with current.engine().connect() as connection:
        keep_plan(connection, plan)
        keep_plan(connection, plan)
    rows = current.execute("SELECT to_heads, revisions FROM ops.migration_plan", role="clinikoop_platform")
    assert [row[0] for row in rows] == ["20261201100000"]
    assert rows[0][1][0]["findings"][0]["rule"] == "update-whole-table"


def test_nothing_pending_is_an_empty_plan(current):
    place = place_of(current)
    assert make_plan(place, state_of(place)).revisions == []


def test_a_diverged_database_is_not_planned_for(current):
    current.execute("UPDATE alembic_version SET version_num = '20300101000000'")
    place = place_of(current)
    with pytest.raises(DivergedError):
        make_plan(place, state_of(place))


def test_a_database_is_what_its_revisions_make(current):
    place = place_of(current)
    assert not find_drift(place, state_of(place), metadata)


@pytest.mark.parametrize(
    ("change", "missing", "extra"),
    [
        ("DROP POLICY clinic ON notes", "policy notes clinic", None),
        ("ALTER TABLE notes DISABLE ROW LEVEL SECURITY", "security notes", "security notes"),
        ("GRANT SELECT ON patients TO clinikoop_platform", "rights patients", "clinikoop_platform=r"),
        ("ALTER TABLE notes ADD COLUMN mood text", None, "column notes.mood text"),
        ("DROP INDEX ix_notes_clinic_id_author_id", "index CREATE INDEX ix_notes_clinic_id_author_id", None),
        ("CREATE FUNCTION peek() RETURNS int LANGUAGE sql AS 'SELECT 1'", None, "function peek()"),
    ],
)
def test_drift_names_what_somebody_changed_by_hand(current, change, missing, extra):
    current.execute(change)
    place = place_of(current)
    drift = find_drift(place, state_of(place), metadata)
    assert drift
    if missing and "rights" not in missing:
        assert any(line.startswith(missing) for line in drift.missing), drift
    if extra:
        assert any(extra in line for line in drift.extra), drift
    assert state_of(place).current == (HEAD,)


def test_drift_tells_what_the_models_lack(current):
    current.execute("ALTER TABLE notes DROP COLUMN body")
    place = place_of(current)
    assert any("body" in line for line in find_drift(place, state_of(place), metadata).models)
