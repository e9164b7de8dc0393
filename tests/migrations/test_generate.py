"""What `flask db migrate` writes: run up, down and up again on a copy of a database with two clinics' rows."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from portal.core.roles import APP_ROLE, PLATFORM_ROLE
from portal.ops.evolve import MigrationDataError
from portal.ops.evolve.errors import EvolveError
from portal.ops.schema.scripts import Phase, Revision
from tests.migrations.conftest import Database
from tests.migrations.test_lint import complaints, ddl_of
from tests.migrations.test_online import DEATH, counted
from tests.migrations.test_walls import FIRST, SECOND, as_clinic, denied
from tests.migrations.workshop import HEAD, Workshop, calls, make_workshop, phases, write

NOTE = "INSERT INTO notes (clinic_id, id, body) VALUES (:clinic, gen_random_uuid(), 'Of the old release')"


@pytest.fixture
def workshop(current, tmp_path):
    return make_workshop(current, tmp_path / "migrations")


def visits(models: sa.MetaData) -> sa.Table:
    return sa.Table(
        "visits", models,
        sa.Column("clinic_id", sa.Uuid(), sa.ForeignKey("clinics.id"), primary_key=True),
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False, server_default="check"),
        sa.CheckConstraint("reason IN ('check', 'a very long reason: one', 'pain', 'hygiene', 'surgery', 'other, "
                           "written down')", name="reason"),
        sa.ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        sa.Index(None, "clinic_id", "patient_id"),
    )  # fmt: skip


def add_visit(database: Database) -> None:
    database.execute(
        "INSERT INTO visits (clinic_id, id, patient_id) SELECT clinic_id, gen_random_uuid(), id FROM patients"
    )


def test_an_optional_column_with_its_reference_and_index_comes_in_one_expand_revision(workshop):
    workshop.column("notes", sa.Column("assignee_id", sa.Uuid()))
    notes = workshop.models.tables["notes"]
    notes.append_constraint(sa.ForeignKeyConstraint(["clinic_id", "assignee_id"], ["users.clinic_id", "users.id"]))
    sa.Index(None, notes.c.clinic_id, notes.c.assignee_id)
    (made,) = workshop.migrate("add_assignee_to_notes")
    assert phases([made]) == [("add_assignee_to_notes", Phase.EXPAND)]
    assert calls(made, "upgrade") == [
        "online", "add_columns", "restore_columns", "online", "add_foreign_key", "create_index",
    ]  # fmt: skip
    assert calls(made, "downgrade")[-1] == "keep_columns"
    assert "notes.assignee_id" in made.header["Downgrade"]
    workshop.up()
    workshop.database.execute(
        "UPDATE notes SET assignee_id = (SELECT id FROM users u WHERE u.clinic_id = notes.clinic_id LIMIT 1)"
    )
    above = workshop.state()
    workshop.down()
    workshop.up()
    assert workshop.state() == above
    command.check(workshop.config())


def test_a_kept_reference_whose_row_is_gone_does_not_stop_the_way_up(workshop):
    workshop.column("notes", sa.Column("list_id", sa.Uuid()))
    workshop.models.tables["notes"].append_constraint(
        sa.ForeignKeyConstraint(["clinic_id", "list_id"], ["price_lists.clinic_id", "price_lists.id"])
    )
    workshop.migrate("add_price_list_to_notes")
    workshop.up()
    lists = "INSERT INTO price_lists (clinic_id, id, name, currency, audience, valid_from) SELECT id,"
    workshop.database.execute(f"{lists} gen_random_uuid(), 'New', 'EUR', 'domestic', '2026-01-01' FROM clinics")
    workshop.database.execute(
        "UPDATE notes SET list_id = (SELECT id FROM price_lists l WHERE l.clinic_id = notes.clinic_id AND name = 'New')"
    )
    workshop.down()
    workshop.database.execute("DELETE FROM price_lists WHERE name = 'New'")
    workshop.up()
    assert workshop.database.execute("SELECT DISTINCT list_id FROM notes") == [(None,)]


def required(workshop: Workshop) -> list[Revision]:
    """Write the revisions that give notes a required priority, with a check over it."""
    workshop.column("notes", sa.Column("priority", sa.String(10), nullable=False))
    check = sa.CheckConstraint("priority IN ('low', 'normal', 'high')", name="priority")
    workshop.models.tables["notes"].append_constraint(check)
    return workshop.migrate("add_priority_to_notes")


def test_a_required_column_does_not_run_until_somebody_says_what_old_rows_get(workshop):
    made = required(workshop)
    below = workshop.state()
    with pytest.raises(EvolveError, match=rf"{made[0].path.name} is not finished: write FILL"):
        workshop.up()
    assert workshop.state() == below


def test_a_required_column_fills_old_rows_and_those_of_the_old_release_and_is_contracted_later(workshop):
    expand, contract = required(workshop)
    assert phases([expand, contract]) == [
        ("add_priority_to_notes", Phase.EXPAND), ("add_priority_to_notes_contract", Phase.CONTRACT),
    ]  # fmt: skip
    assert contract.down == (expand.id,)
    moments = [datetime.strptime(one.id, "%Y%m%d%H%M%S") for one in (expand, contract)]
    assert moments[1] - moments[0] == timedelta(seconds=1)
    write(expand, "FILL", "CASE WHEN t.is_pinned THEN 'high' ELSE 'normal' END")
    below = workshop.state()
    workshop.up(expand.id)
    assert workshop.database.execute("SELECT DISTINCT priority FROM notes") == [("high",)]
    assert as_clinic(workshop.database, SECOND, NOTE, clinic=SECOND) == 1
    assert as_clinic(workshop.database, SECOND, "SELECT priority FROM notes WHERE NOT is_pinned") == [("normal",)]
    workshop.database.execute("DELETE FROM notes WHERE NOT is_pinned")
    workshop.up()
    command.check(workshop.config())
    with pytest.raises(sa.exc.IntegrityError):
        as_clinic(workshop.database, SECOND, NOTE, clinic=SECOND)
    workshop.down(expand.id)
    assert as_clinic(workshop.database, SECOND, NOTE, clinic=SECOND) == 1
    workshop.database.execute("DELETE FROM notes WHERE NOT is_pinned")
    workshop.down()
    assert workshop.state() == below
    workshop.round_trip()


def test_what_people_set_since_survives_the_way_down_and_up(workshop):
    expand, _contract = required(workshop)
    write(expand, "FILL", "'normal'")
    workshop.up()
    workshop.database.execute("UPDATE notes SET priority = 'low'")
    above = workshop.state()
    workshop.down()
    workshop.up()
    assert workshop.state() == above


def test_a_required_column_killed_on_the_way_up_or_down_is_finished_by_the_next_run(workshop):
    expand, _contract = required(workshop)
    write(expand, "FILL", "'normal'")
    with counted(workshop.database) as sent:
        workshop.up()
    above = workshop.state()
    with counted(workshop.database) as back:
        workshop.down()
    below = workshop.state()
    for die_at in range(15, len(sent), 9):
        _killed(workshop, die_at, workshop.up)
        workshop.up()
        assert workshop.state() == above, die_at
        _killed(workshop, min(die_at, len(back) - 5), workshop.down)
        workshop.down()
        assert workshop.state() == below, die_at


def _killed(workshop: Workshop, die_at: int, action) -> None:
    with counted(workshop.database, die_at=die_at), pytest.raises(DEATH):
        action()


def test_a_value_that_is_none_for_some_rows_stops_with_their_keys(workshop):
    expand, _contract = required(workshop)
    write(expand, "FILL", "(SELECT 'high' WHERE t.clinic_id <> t.clinic_id)")
    with pytest.raises(MigrationDataError, match=r"gives these rows of notes no priority:\n  clinic_id=.*, id="):
        workshop.up()


def test_a_parents_column_is_offered_for_a_required_one_of_its_name(workshop):
    workshop.column("notes", sa.Column("offer_no", sa.String(20), nullable=False, default="none"))
    expand, _contract = workshop.migrate("add_offer_number_to_notes")
    source = expand.path.read_text()
    offered = "(SELECT p.offer_no FROM offers AS p WHERE p.clinic_id = t.clinic_id AND p.id = t.offer_id)"
    assert f'# From its offers: "{offered}"' in source
    assert "# The models give new rows 'none'." in source
    write(expand, "FILL", f"coalesce({offered}, 'none')")
    workshop.round_trip()


def test_a_constant_default_fills_without_a_rewrite_and_goes_in_a_contract_revision(workshop):
    workshop.column("notes", sa.Column("colour", sa.String(7), nullable=False, server_default="#ffffff"))
    (made,) = workshop.migrate("add_colour_to_notes")
    assert made.phase is Phase.EXPAND
    assert "fill_column" not in calls(made, "upgrade")
    before = workshop.database.execute("SELECT pg_relation_filenode('notes')")
    workshop.round_trip()
    assert workshop.database.execute("SELECT pg_relation_filenode('notes')") == before
    workshop.models.tables["notes"].c.colour.server_default = None
    (later,) = workshop.migrate("drop_colour_default_of_notes")
    assert later.phase is Phase.CONTRACT
    workshop.up()
    command.check(workshop.config())
    workshop.down(made.id)
    assert as_clinic(workshop.database, SECOND, NOTE, clinic=SECOND) == 1


def test_a_default_computed_for_each_row_is_filled_in_batches(workshop):
    workshop.column("notes", sa.Column("token", sa.Uuid(), nullable=False, server_default=sa.func.gen_random_uuid()))
    (made,) = workshop.migrate("add_token_to_notes")
    assert "fill_column" in calls(made, "upgrade")
    workshop.round_trip()
    assert workshop.database.execute("SELECT count(DISTINCT token) = count(*) FROM notes") == [(True,)]


def test_a_clinics_new_table_shows_the_pinned_clinics_rows_only(workshop):
    visits(workshop.models)
    (made,) = workshop.migrate("create_visits_of_patients")
    assert made.phase is Phase.EXPAND
    assert calls(made, "upgrade")[:3] == ["run", "restore_table", "protect_table"]
    assert calls(made, "downgrade")[-1] == "keep_table"
    workshop.up()
    add_visit(workshop.database)
    assert set(as_clinic(workshop.database, SECOND, "SELECT clinic_id::text FROM visits")) == {(SECOND,)}
    denied(lambda: workshop.database.execute("SELECT FROM visits", role=APP_ROLE))
    denied(lambda: workshop.database.execute("SELECT FROM visits", role=PLATFORM_ROLE))
    insert = "INSERT INTO visits (clinic_id, id, patient_id) SELECT :clinic, gen_random_uuid(), id FROM patients"
    denied(lambda: as_clinic(workshop.database, SECOND, insert, clinic=FIRST))
    policies = "SELECT policyname, permissive, roles, cmd, qual, with_check FROM pg_policies WHERE tablename = :t"
    listed = [sorted(workshop.database.execute(policies, t=table), key=str) for table in ("visits", "notes")]
    assert listed[0] == listed[1]
    workshop.down()
    workshop.round_trip()
    assert workshop.database.execute("SELECT count(*) > 0 FROM visits") == [(True,)]


def test_the_platforms_new_table_is_the_platforms_alone(workshop):
    sa.Table(
        "announcements", workshop.models, sa.Column("id", sa.Uuid(), primary_key=True), sa.Column("text", sa.Text())
    )
    (made,) = workshop.migrate("create_platform_announcements")
    assert "grant_platform" in calls(made, "upgrade")
    assert "announcements holds no clinic's rows" in made.header["Warnings"]
    workshop.round_trip()
    workshop.database.execute("INSERT INTO announcements (id) VALUES (gen_random_uuid())", role=PLATFORM_ROLE)
    denied(lambda: workshop.database.execute("SELECT FROM announcements", role=APP_ROLE))


def test_a_dropped_optional_column_waits_for_the_contract_phase_and_keeps_its_values(workshop):
    workshop.without("notes", "offer_id")
    (made,) = workshop.migrate("drop_offer_of_notes")
    assert made.phase is Phase.CONTRACT
    assert calls(made, "upgrade")[-1] == "keep_columns"
    workshop.round_trip()


def test_a_dropped_required_column_may_first_be_empty_and_comes_back_whole(workshop):
    workshop.without("notes", "body")
    expand, contract = workshop.migrate("drop_body_of_notes")
    assert [expand.phase, contract.phase] == [Phase.EXPAND, Phase.CONTRACT]
    with pytest.raises(EvolveError, match="write BACK"):
        workshop.up()
    write(expand, "BACK", "'(empty)'")
    workshop.round_trip()
    workshop.database.execute(
        "INSERT INTO notes (clinic_id, id) VALUES (:clinic, 'b0000000-0000-7000-8000-000000000001')", clinic=SECOND
    )
    workshop.down()
    bodies = workshop.database.execute("SELECT body FROM notes WHERE id = 'b0000000-0000-7000-8000-000000000001'")
    assert bodies == [("(empty)",)]


def test_a_dropped_table_comes_back_with_rows_rights_and_policies(workshop):
    visits(workshop.models)
    (first,) = workshop.migrate("create_visits_of_patients")
    workshop.up()
    add_visit(workshop.database)
    below = workshop.state()
    workshop.models.remove(workshop.models.tables["visits"])
    (made,) = workshop.migrate("drop_visits_of_patients")
    assert made.phase is Phase.CONTRACT
    assert "keep_table" in calls(made, "upgrade")
    workshop.up()
    assert "visits" not in workshop.database.tables()
    workshop.down(first.id)
    assert workshop.state()[0] ^ below[0] == set()
    assert workshop.state() == below


def test_a_change_of_both_kinds_is_two_files_the_second_upon_the_first(workshop):
    workshop.without("notes", "is_pinned")
    workshop.column("notes", sa.Column("pinned_at", sa.DateTime(timezone=True)))
    expand, contract = workshop.migrate("replace_pin_by_its_moment")
    assert phases([expand, contract]) == [
        ("replace_pin_by_its_moment", Phase.EXPAND), ("replace_pin_by_its_moment_contract", Phase.CONTRACT),
    ]  # fmt: skip
    assert (expand.down, contract.down) == ((HEAD,), (expand.id,))
    assert "keep_columns" not in calls(expand, "upgrade")
    workshop.round_trip()


def test_several_tables_that_lose_something_are_all_kept_before_any_is_locked(workshop):
    workshop.without("notes", "offer_id")
    workshop.without("patients", "city")
    (made,) = workshop.migrate("drop_offer_and_city")
    assert [name for name in calls(made, "upgrade") if name in ("keep_rows", "run")] == [
        "keep_rows", "keep_rows", "run", "run",
    ]  # fmt: skip
    workshop.round_trip()


def test_a_rule_over_old_columns_waits_until_no_old_release_can_break_it(workshop):
    notes = workshop.models.tables["notes"]
    notes.append_constraint(sa.CheckConstraint("body <> ''", name="body"))
    notes.append_constraint(sa.UniqueConstraint("clinic_id", "body"))
    (made,) = workshop.migrate("refuse_empty_notes")
    assert made.phase is Phase.CONTRACT
    assert {"add_check", "add_unique"} <= set(calls(made, "upgrade"))
    assert "ck_notes_body" in made.header["Warnings"]
    workshop.round_trip()


def checked(workshop: Workshop, *genders: str) -> list[Revision]:
    """Write the revisions after which patients have one of ``genders``, under the check's old name."""
    patients = workshop.models.tables["patients"]
    old = next(one for one in patients.constraints if one.name == "ck_patients_gender")
    patients.constraints.remove(old)
    listed = ", ".join(f"'{gender}'" for gender in genders)
    patients.append_constraint(sa.CheckConstraint(f"gender IN ({listed})", name="gender"))
    return workshop.migrate("change_genders_of_patients")


def test_a_list_of_values_that_grows_is_swapped_in_the_expand_phase(workshop):
    (made,) = checked(workshop, "female", "male", "other", "unknown")
    assert made.phase is Phase.EXPAND
    assert "replace_check" in calls(made, "upgrade")
    workshop.round_trip()
    workshop.database.execute("UPDATE patients SET gender = 'unknown'")
    with pytest.raises(MigrationDataError, match="not what ck_patients_gender asked for"):
        workshop.down()
    assert workshop.migrate("look_once_more_at_genders") == []


def test_a_list_of_values_that_shrinks_waits_for_the_contract_phase(workshop):
    (made,) = checked(workshop, "female", "male")
    assert made.phase is Phase.CONTRACT
    workshop.round_trip()


def test_an_optional_column_becomes_required_in_two_phases_and_is_empty_again_on_the_way_down(workshop):
    workshop.models.tables["patients"].c.city.nullable = False
    expand, contract = workshop.migrate("require_city_of_patients")
    assert [expand.phase, contract.phase] == [Phase.EXPAND, Phase.CONTRACT]
    write(expand, "FILL", "'?'")
    workshop.round_trip()
    assert workshop.database.execute("SELECT count(*) > 0 FROM patients WHERE city = '?'") == [(True,)]


def test_a_required_column_becomes_optional_and_empty_rows_survive_the_way_down(workshop):
    workshop.models.tables["notes"].c.body.nullable = True
    (made,) = workshop.migrate("let_notes_be_empty")
    assert made.phase is Phase.EXPAND
    write(made, "BACK", "''")
    workshop.up()
    workshop.database.execute("UPDATE notes SET body = NULL WHERE clinic_id = :clinic", clinic=FIRST)
    above = workshop.state()
    workshop.down()
    assert workshop.database.execute("SELECT count(*) FROM notes WHERE body IS NULL") == [(0,)]
    workshop.up()
    assert workshop.state() == above


def test_a_longer_text_is_no_rewrite_and_cut_values_come_back(workshop):
    workshop.models.tables["patients"].c.city.type = sa.String(200)
    (made,) = workshop.migrate("allow_longer_cities")
    assert made.phase is Phase.EXPAND
    before = workshop.database.execute("SELECT pg_relation_filenode('patients')")
    workshop.up()
    assert workshop.database.execute("SELECT pg_relation_filenode('patients')") == before
    workshop.database.execute("UPDATE patients SET city = repeat('x', 150)")
    above = workshop.state()
    workshop.down()
    assert workshop.database.execute("SELECT max(length(city)) FROM patients") == [(100,)]
    workshop.up()
    assert workshop.state() == above
    command.check(workshop.config())


def test_a_type_that_would_rewrite_the_table_is_refused_with_the_way_to_do_it(workshop):
    workshop.models.tables["notes"].c.is_pinned.type = sa.Integer()
    known = sorted(workshop.folder.glob("versions/*.py"))
    with pytest.raises(EvolveError, match=r"notes.is_pinned would go from boolean to integer.*new column beside it"):
        workshop.migrate("count_pins_of_notes")
    assert sorted(workshop.folder.glob("versions/*.py")) == known


def test_a_comment_is_written_as_it_stands(workshop):
    workshop.models.tables["notes"].c.body.comment = 'What somebody\'s colleague wrote: "at 12:30" or :later'
    (made,) = workshop.migrate("explain_body_of_notes")
    assert made.phase is Phase.EXPAND
    workshop.round_trip()


def test_squawk_finds_no_dangerous_lock_in_what_is_written(workshop, tmp_path):
    workshop.column("notes", sa.Column("assignee_id", sa.Uuid()))
    notes = workshop.models.tables["notes"]
    notes.append_constraint(sa.ForeignKeyConstraint(["clinic_id", "assignee_id"], ["users.clinic_id", "users.id"]))
    notes.append_constraint(sa.UniqueConstraint("clinic_id", "assignee_id"))
    sa.Index(None, notes.c.clinic_id, notes.c.assignee_id)
    visits(workshop.models)
    expand, _contract = required(workshop)
    write(expand, "FILL", "'normal'")
    statements = ddl_of(workshop.database, workshop.up)
    assert len(statements) > 20
    assert complaints(statements, tmp_path) == []


def test_a_check_that_counts_in_tens_is_written_and_compared_as_it_is(workshop):
    check = sa.CheckConstraint("visit_no % 10 < 8", name="visit_no")
    workshop.column("notes", sa.Column("visit_no", sa.SmallInteger()))
    workshop.models.tables["notes"].append_constraint(check)
    (made,) = workshop.migrate("add_visit_no_to_notes")
    assert "visit_no % 10 < 8" in made.path.read_text()
    workshop.up()
    assert workshop.migrate("add_nothing_at_all") == []
    with pytest.raises(sa.exc.IntegrityError):
        workshop.database.execute("UPDATE notes SET visit_no = 9")
