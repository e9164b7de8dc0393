"""`flask db verify` finds every planted fault, and nothing on a database that is whole."""

from __future__ import annotations

import os
from collections.abc import Callable

import psycopg
import pytest
import sqlalchemy as sa

from config import ROOT
from portal import models
from portal.core.roles import APP_ROLE, OWNER_ROLE, PLATFORM_ROLE
from portal.ops.evolve.errors import ExitCode
from portal.ops.evolve.lock import exclusive
from portal.ops.schema import verify as verifying
from portal.ops.schema.checks.history import lost_rows
from portal.ops.schema.place import Place
from portal.ops.schema.verify import Report, list_references, verify
from tests.support.chain import HEAD

FIRST, SECOND = "00000000-0000-7000-8000-000000000001", "c2000000-0000-7000-8000-000000000001"
ELSEWHERE = "0c000000-0000-7000-8000-000000000004"  # a patient of the second clinic
NOBODY = "99000000-0000-7000-8000-000000000009"
NOTE_KEY = "fk_notes_clinic_id_patient_id"


def place_of(database) -> Place:
    assert models.metadata.tables  # the models are what missing keys are found by
    return Place(database.engine(), ROOT / "migrations", {"lock_wait": "5"})


def found(report: Report) -> dict[str, list[str]]:
    """Return the findings as text, by check."""
    return {check.name: [finding.what for finding in check.findings] for check in report.checks if check.findings}


def look(database, **options) -> dict[str, list[str]]:
    return found(verify(place_of(database), by="a test", **options))


def test_a_whole_database_has_no_finding_and_the_look_is_kept(current):
    report = verify(place_of(current), by="Ada")
    assert found(report) == {}
    assert report.exit_code is ExitCode.OK
    assert {check.name: check.looked_at > 0 for check in report.checks} == dict.fromkeys(
        ("history", "walls", "indexes", "foreign_keys", "clinics", "sequences", "counters", "counts", "kept"), True
    )
    kept = current.execute("SELECT status, heads, by, finished_at IS NOT NULL, checks FROM ops.migration_verify")
    assert kept == [("ok", HEAD, "Ada", True, [check.as_json() for check in report.checks])]


def test_looking_changes_nothing(current):
    before = current.schema(), current.rows()
    verify(place_of(current), by=None)
    assert (current.schema(), current.rows()) == before


def test_kept_and_quarantined_rows_are_told_and_are_no_fault(current):
    report = verify(place_of(current), by=None)
    notes = next(check.notes for check in report.checks if check.name == "kept")
    assert "keep_20261123100400_users: 4 rows, put aside by 20261123100400." in notes
    assert "patient_offers_quarantine: 2 rows, in quarantine, each with its reason." in notes


def test_an_orphan_is_found_behind_a_constraint_that_was_dropped(current):
    current.execute(f"ALTER TABLE notes DROP CONSTRAINT {NOTE_KEY}")
    current.execute("UPDATE notes SET patient_id = :nobody", nobody=NOBODY)
    findings = look(current)
    [orphans, missing] = findings.pop("foreign_keys")
    assert findings == {}
    assert orphans.startswith("1 row of notes whose (clinic_id, patient_id) is no row of patients; for example id ")
    assert missing == (
        "The foreign key notes (clinic_id, patient_id) → patients (clinic_id, id) is in the models, "
        "but not in the database."
    )


def test_an_orphan_is_found_behind_a_constraint_that_is_marked_valid(current):
    with psycopg.connect(host=str(current.server.socket), user="postgres", dbname=current.name) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE notes SET patient_id = %s", [NOBODY])
    [orphans] = look(current)["foreign_keys"]
    assert orphans.startswith("1 row of notes") and f"which {NOTE_KEY} forbids" in orphans


def test_orphans_of_the_old_schema_are_seen_before_a_revision_stumbles_over_them(legacy):
    findings = look(legacy)
    assert list(findings) == ["foreign_keys"]
    assert [text.partition(";")[0] for text in findings["foreign_keys"]] == [
        "1 row of patient_offers whose (offer_id) is no row of offers",
        "1 row of patient_offers whose (patient_id) is no row of patients",
    ]


def test_a_constraint_that_is_not_valid_is_found(current):
    current.execute(f"ALTER TABLE notes DROP CONSTRAINT {NOTE_KEY}")
    current.execute(
        f"ALTER TABLE notes ADD CONSTRAINT {NOTE_KEY} FOREIGN KEY (clinic_id, patient_id)"
        " REFERENCES patients (clinic_id, id) NOT VALID"
    )
    current.execute("ALTER TABLE notes ADD CONSTRAINT ck_notes_test CHECK (body <> '') NOT VALID")
    assert look(current) == {
        "foreign_keys": [
            f"The foreign key {NOTE_KEY} of notes is NOT VALID.",
            "The check ck_notes_test of notes is NOT VALID; 0 rows break it.",
        ]
    }


def test_a_row_of_one_clinic_that_names_anothers_is_found(current):
    current.execute(f"ALTER TABLE notes DROP CONSTRAINT {NOTE_KEY}")
    current.execute("UPDATE notes SET patient_id = :other WHERE clinic_id = :first", other=ELSEWHERE, first=FIRST)
    [across] = look(current)["clinics"]
    assert across.startswith("1 row of notes whose patient_id is a row of patients of another clinic; for example id ")


def test_a_key_between_clinics_tables_that_leaves_the_clinic_out_is_found(current):
    current.execute("ALTER TABLE patients ADD CONSTRAINT uq_test UNIQUE (id)")
    current.execute("ALTER TABLE notes ADD CONSTRAINT fk_test FOREIGN KEY (patient_id) REFERENCES patients (id)")
    assert look(current) == {"clinics": ["The foreign key notes (patient_id) → patients (id) leaves the clinic out."]}


WALLS: dict[str, tuple[str, str]] = {
    "security off": (
        "ALTER TABLE offers DISABLE ROW LEVEL SECURITY", "Row-level security of offers is off."
    ),
    "not forced": (
        "ALTER TABLE offers NO FORCE ROW LEVEL SECURITY", "Row-level security of offers is on and not forced."
    ),
    "no policy": ("DROP POLICY clinic ON notes", "The policy clinic of notes is missing."),
    "internal messages": (
        "DROP POLICY internal ON support_messages", "The policy internal of support_messages is missing."
    ),
    "a policy changed": (
        "ALTER POLICY clinic ON notes USING (true)",
        "The policy clinic of notes is not the one the revisions make. Drop it, and --fix makes the right one.",
    ),
    "a policy too many": (
        f"CREATE POLICY all_of_it ON notes TO {APP_ROLE} USING (true)",
        "The policy all_of_it of notes is none of ours: it may let somebody pass.",
    ),
    "a right too many": (
        f"GRANT SELECT ON patients TO {PLATFORM_ROLE}",
        f"{PLATFORM_ROLE} has a right on patients. REVOKE ALL ON patients FROM {PLATFORM_ROLE} takes it back.",
    ),
    "a column's right": (
        f"GRANT SELECT (first_name) ON patients TO {PLATFORM_ROLE}",
        f"{PLATFORM_ROLE} has a right on patients. REVOKE ALL ON patients FROM {PLATFORM_ROLE} takes it back.",
    ),
    "rows put aside": (
        f"GRANT SELECT ON keep_20261123100400_users TO {APP_ROLE}",
        f"{APP_ROLE} has a right on keep_20261123100400_users."
        f" REVOKE ALL ON keep_20261123100400_users FROM {APP_ROLE} takes it back.",
    ),
    "a key without the clinic": (
        "ALTER TABLE vat_rules DROP CONSTRAINT pk_vat_rules, ADD CONSTRAINT pk_vat_rules PRIMARY KEY (id, clinic_id)",
        "The primary key of vat_rules does not begin with clinic_id.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", WALLS)
def test_a_hole_in_a_wall_is_found(current, fault):
    statement, text = WALLS[fault]
    current.execute(statement)
    assert look(current) == {"walls": [text]}


def test_a_new_table_of_clinics_without_policies_is_found(current):
    current.execute("CREATE TABLE later (clinic_id uuid, id uuid, PRIMARY KEY (clinic_id, id))")
    assert look(current)["walls"] == [
        "The policy migrator of later is missing.",
        "The policy clinic of later is missing.",
        "The policy backup of later is missing.",
        "Row-level security of later is off and not forced.",
    ]


def test_what_the_owner_cannot_see_does_not_count_as_whole(current):
    current.execute("DROP POLICY migrator ON patients")
    findings = look(current)
    assert findings["walls"] == ["The policy migrator of patients is missing."]
    assert findings["foreign_keys"] == [
        "The owner sees not all rows of patients, so their references were not looked at."
    ]


def test_the_walls_are_not_asked_for_before_the_revision_that_builds_them(legacy):
    report = verify(place_of(legacy), by=None)
    walls = next(check for check in report.checks if check.name == "walls")
    assert walls.findings == [] and walls.notes == ["Not yet: the policies come with revision 20261123101100."]


def invalid_index(database, statement: str) -> None:
    """Leave an index behind that could not be built."""
    with psycopg.connect(
        host=str(database.server.socket), user=OWNER_ROLE, dbname=database.name, autocommit=True
    ) as other:
        other.execute(
            "INSERT INTO settings (id, clinic_id, key, value) SELECT gen_random_uuid(), id, 'greeting', 'Hi'"
            " FROM clinics WHERE subdomain IN ('deniz', 'default') ON CONFLICT DO NOTHING"
        )
        with pytest.raises(psycopg.errors.UniqueViolation):
            other.execute(statement)


def test_an_invalid_index_is_found_and_what_stands_in_its_way(current):
    invalid_index(current, "CREATE UNIQUE INDEX CONCURRENTLY ix_test ON settings (key)")
    assert look(current)["indexes"] == [
        "The unique index ix_test on settings is not valid and cannot be built: 1 value of (key) stand more than once."
    ]


def test_what_an_unfinished_reindex_leaves_is_found(current):
    invalid_index(current, "CREATE UNIQUE INDEX CONCURRENTLY ix_test_ccnew ON settings (key)")
    assert look(current)["indexes"] == ["ix_test_ccnew on settings is left of an unfinished REINDEX."]


def test_a_sequence_that_would_give_a_taken_number_is_found(current):
    current.execute(
        "INSERT INTO jobs.procrastinate_jobs (id, queue_name, task_name, args) VALUES (12, 'q', 'send', '{}')"
    )
    assert look(current) == {
        "sequences": ["jobs.procrastinate_jobs_id_seq stands at 0, but jobs.procrastinate_jobs.id goes up to 12."]
    }


def test_counters_that_would_give_a_taken_number_are_found(current):
    current.execute("UPDATE counters SET last_no = 0 WHERE kind = 'patient'")
    current.execute("DELETE FROM counters WHERE kind = 'offer' AND clinic_id = :second", second=SECOND)
    assert look(current) == {
        "counters": [
            "2 counters of patients behind the highest number given out.",
            "1 counter of offers behind the highest number given out.",
        ]
    }


def test_rows_lost_in_the_newest_run_are_found(current):
    current.execute(
        "UPDATE ops.migration_log SET rows_after = jsonb_set(rows_after, '{notes}', '0')"
        " WHERE revision = '20261123100800'"
    )
    assert look(current) == {"counts": ["notes lost 1 row in 20261123100800, and no table that keeps rows has them."]}


def test_rows_that_people_replaced_during_the_run_are_told_and_are_no_fault(current):
    lose = (
        'UPDATE ops.migration_log SET rows_before = rows_before || \'{"treatments": 9, "login_sessions": 9}\','
        " rows_after = rows_after || '{\"treatments\": 7, \"login_sessions\": 0}' WHERE revision = '20261123100900'"
    )
    with current.engine().begin() as connection:
        connection.exec_driver_sql(lose)
    lost = "treatments lost 2 rows in 20261123100900, and no table that keeps rows has them."
    assert look(current) == {"counts": [lost]}
    current.execute(
        "INSERT INTO activity_logs (clinic_id, id, at, actor_kind, actor_name, action, object_type)"
        " SELECT :first, gen_random_uuid(), started_at + (finished_at - started_at) / 2, 'user', 'x', 'x', 'offers'"
        " FROM ops.migration_log WHERE revision = '20261123100900'",
        first=FIRST,
    )
    report = verify(place_of(current), by=None)
    notes = next(check.notes for check in report.checks if check.name == "counts")
    assert found(report) == {}
    assert "treatments has 2 rows fewer after 20261123100900; such rows come and go." in notes
    assert "login_sessions has 9 rows fewer after 20261123100900; such rows come and go." in notes


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ({"notes": 5}, {"notes": 5}, {}),
        ({"notes": 5}, {"notes": 7}, {}),
        ({"notes": 5}, {"notes": 3}, {"notes": 2}),
        ({"notes": 5}, {}, {"notes": 5}),
        ({"notes": 5}, {"notes": 3, "notes_quarantine": 2}, {}),
        ({"notes": 5, "notes_quarantine": 2}, {"notes": 3, "notes_quarantine": 2}, {"notes": 2}),
        ({"notes": 5}, {"keep_20261123100100_notes": 5}, {}),
        ({"notes": 5}, {"notes": 3, "keep_20261123100100_notes_before": 1}, {"notes": 1}),
        ({"notes": 5}, {"notes": 3, "keep_20261123100100_offers": 2}, {"notes": 2}),
        ({"keep_20261123100100_notes": 5}, {"notes": 5}, {}),
    ],
)  # fmt: skip
def test_rows_count_as_lost_only_where_nothing_keeps_them(before, after, lost):
    assert lost_rows(before, after) == lost


def test_a_run_whose_process_died_is_found(current):
    current.execute(
        "INSERT INTO ops.migration_log"
        " (id, run_id, revision, name, direction, status, from_heads, to_heads, backend_pid)"
        " SELECT gen_random_uuid(), gen_random_uuid(), revision, name, 'down', 'running', to_heads, from_heads, :pid"
        " FROM ops.migration_log WHERE revision = '20261123101100'",
        pid=os.getpid(),
    )
    assert look(current) == {
        "history": [
            "20261123101100 was interrupted on the way down and was not run again. `flask db upgrade` goes on with it;"
            " flask db resolve 20261123101100 says what became of it."
        ]
    }


def test_an_edited_revision_and_an_unknown_one_are_found(current):
    current.execute("UPDATE ops.migration_log SET checksum = 'x', ast_checksum = 'y' WHERE revision = '20261123100300'")
    [edited] = look(current)["history"]
    assert edited.startswith("20261123100300 was applied with other code than the file has now.")
    current.execute("UPDATE alembic_version SET version_num = '20991231235959'")
    assert look(current)["history"][0] == "The database stands at 20991231235959, which is none of our files."


def test_a_quick_look_reads_no_rows_and_says_so(current):
    current.execute("UPDATE counters SET last_no = 0")
    current.execute("DROP POLICY clinic ON notes")
    report = verify(place_of(current), by=None, quick=True)
    assert list(found(report)) == ["walls"]
    assert {check.name for check in report.checks if check.skipped} == {
        "foreign_keys", "clinics", "counters", "counts", "kept"
    }  # fmt: skip


def test_a_look_that_breaks_off_is_kept_as_failed(current, monkeypatch):
    def fail(*_arguments: object) -> None:
        raise RuntimeError("Ayşe Yılmaz")

    monkeypatch.setattr(
        verifying, "CHECKS", [type("Kind", (), {"name": "x", "title": "x", "reads_rows": False, "run": fail})()]
    )
    with pytest.raises(RuntimeError):
        verify(place_of(current), by=None)
    kept = current.execute("SELECT status, error, finished_at IS NOT NULL FROM ops.migration_verify")
    assert kept == [("failed", "RuntimeError", True)]


def test_a_look_left_running_by_a_dead_process_is_closed_by_the_next(current):
    current.execute("INSERT INTO ops.migration_verify (id, status, heads) VALUES (gen_random_uuid(), 'running', 'x')")
    verify(place_of(current), by=None)
    rows = current.execute("SELECT status, error FROM ops.migration_verify ORDER BY started_at")
    assert rows == [("failed", "The process ended without a word."), ("ok", None)]


def test_a_look_without_a_history_leaves_none(database):
    assert look(database) == {}
    assert database.execute("SELECT to_regnamespace('ops') IS NULL") == [(True,)]


def test_an_upgrade_can_look_under_the_lock_it_holds(current):
    with current.engine().connect() as connection, exclusive(connection, 5):
        report = verify(place_of(current), by=None, connection=connection)
    assert found(report) == {}


def test_progress_is_told(current):
    told: list[tuple[str, int, int]] = []
    tell: Callable[..., None] = lambda _event, facts: told.append((facts["what"], facts["done"], facts["total"]))  # noqa: E731
    verify(place_of(current), by=None, tell=tell)
    assert [entry for entry in told if entry[0] == "checks"] == [("checks", n, 9) for n in range(1, 10)]
    keys = foreign_keys(current)
    assert keys > 50
    assert told.count(("foreign keys", keys, keys)) == 1


def foreign_keys(database) -> int:
    found = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace::regnamespace::text = ANY (:names)"
    return database.execute(found, names=["public", "jobs"])[0][0]


def test_every_foreign_key_is_listed_with_its_rows(current):
    current.execute(f"ALTER TABLE notes DROP CONSTRAINT {NOTE_KEY}")
    current.execute("UPDATE notes SET patient_id = :nobody", nobody=NOBODY)
    current.execute(
        f"ALTER TABLE notes ADD CONSTRAINT {NOTE_KEY} FOREIGN KEY (clinic_id, patient_id)"
        " REFERENCES patients (clinic_id, id) NOT VALID"
    )
    held = {one.name: one for one in list_references(place_of(current))}
    assert len(held) == foreign_keys(current)
    assert (held[NOTE_KEY].holding, held[NOTE_KEY].breaking, held[NOTE_KEY].valid) == (0, 1, False)
    offers = held["fk_offers_clinic_id_status_id"]
    assert (offers.holding, offers.breaking, offers.valid) == (4, 0, True)
    assert sa.inspect(current.engine()).has_table("notes")
