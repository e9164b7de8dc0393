"""`flask db verify --fix` mends what can lose nothing, leaves the rest alone, and loses no row."""

from __future__ import annotations

import threading

import psycopg
import pytest

from config import ROOT
from portal.core.roles import APP_ROLE, OWNER_ROLE, PLATFORM_ROLE
from portal.ops.evolve.errors import ExitCode
from portal.ops.schema.place import Place
from portal.ops.schema.snapshot import hash_rows
from portal.ops.schema.verify import repair

NOBODY = "99000000-0000-7000-8000-000000000009"
NOTE_KEY = "fk_notes_clinic_id_patient_id"
ADD_KEY = (
    f"ALTER TABLE notes ADD CONSTRAINT {NOTE_KEY} FOREIGN KEY (clinic_id, patient_id)"
    " REFERENCES patients (clinic_id, id) NOT VALID"
)


def mended(database):
    return repair(Place(database.engine(), ROOT / "migrations", {"lock_wait": "5"}), by="a test")


def hashes(database):
    with database.engine().connect() as connection:
        return hash_rows(connection, aside=True)


def building(database, statement: str) -> None:
    """Send a statement that must fail half-way, outside transactions."""
    with psycopg.connect(
        host=str(database.server.socket), user=OWNER_ROLE, dbname=database.name, autocommit=True
    ) as other:
        other.execute(
            "INSERT INTO settings (id, clinic_id, key, value) SELECT gen_random_uuid(), id, 'greeting', 'Hi'"
            " FROM clinics WHERE subdomain IN ('deniz', 'default') ON CONFLICT DO NOTHING"
        )
        with pytest.raises(psycopg.errors.UniqueViolation):
            other.execute(statement)


# fault -> the statements that plant it; all of them leave the rows as they are
SCHEMA_FAULTS = {
    "security off": ["ALTER TABLE offers DISABLE ROW LEVEL SECURITY", "ALTER TABLE notes NO FORCE ROW LEVEL SECURITY"],
    "policies gone": [
        "DROP POLICY clinic ON notes", "DROP POLICY migrator ON patients", "DROP POLICY backup ON clinics",
        "DROP POLICY clinic ON clinics", "DROP POLICY platform ON clinics", "DROP POLICY internal ON support_messages",
    ],
    "a key not valid": [f"ALTER TABLE notes DROP CONSTRAINT {NOTE_KEY}", ADD_KEY],
}  # fmt: skip


@pytest.mark.parametrize("fault", SCHEMA_FAULTS)
def test_a_mended_schema_is_the_one_the_revisions_make_and_no_row_is_touched(current, fault):
    before = current.schema(), hashes(current)
    for statement in SCHEMA_FAULTS[fault]:
        current.execute(statement)
    done = mended(current)
    assert done.before.exit_code is ExitCode.DATA
    assert [one.error for one in done.mended] == [None] * len(done.mended)
    assert done.after.findings == []
    assert (current.schema(), hashes(current)) == before


def test_the_walls_hold_again_after_a_mend(current):
    current.execute("DROP POLICY clinic ON notes")
    current.execute("ALTER TABLE notes DISABLE ROW LEVEL SECURITY")
    mended(current)
    with pytest.raises(Exception, match="No clinic is pinned"):
        current.execute("SELECT count(*) FROM notes", role=APP_ROLE)


def test_an_invalid_index_is_built_again_once_nothing_stands_in_its_way(current):
    building(current, "CREATE UNIQUE INDEX CONCURRENTLY ix_test ON settings (key)")
    first = mended(current)
    assert first.mended == [] and first.after.exit_code is ExitCode.DATA
    current.execute(
        "UPDATE settings SET key = 'hello' WHERE ctid = (SELECT max(ctid) FROM settings WHERE key = 'greeting')"
    )
    before = hashes(current)
    second = mended(current)
    assert second.mended[0].statements == ("REINDEX INDEX CONCURRENTLY ix_test",)
    assert second.after.findings == []
    assert hashes(current) == before
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_test'::regclass"
    assert current.execute(valid) == [(True,)]


def test_the_leftover_of_a_reindex_is_dropped(current):
    building(current, "CREATE UNIQUE INDEX CONCURRENTLY ix_test_ccnew ON settings (key)")
    before = hashes(current)
    done = mended(current)
    assert done.mended[0].statements == ("DROP INDEX CONCURRENTLY IF EXISTS ix_test_ccnew",)
    assert done.after.findings == [] and hashes(current) == before


def test_sequences_and_counters_move_up_and_never_down(current):
    before = hashes(current)
    current.execute(
        "INSERT INTO jobs.procrastinate_jobs (id, queue_name, task_name, args) VALUES (12, 'q', 'send', '{}')"
    )
    current.execute("UPDATE counters SET last_no = 0 WHERE kind = 'patient'")
    current.execute("DELETE FROM counters WHERE kind = 'offer'")
    assert mended(current).after.findings == []
    assert current.execute("SELECT nextval('jobs.procrastinate_jobs_id_seq')") == [(13,)]
    assert hashes(current) == before
    current.execute("UPDATE counters SET last_no = 900 WHERE kind = 'patient'")
    assert mended(current).mended == []
    assert current.execute("SELECT DISTINCT last_no FROM counters WHERE kind = 'patient'") == [(900,)]


def test_what_could_lose_something_is_left_to_a_person(current):
    current.execute(f"ALTER TABLE notes DROP CONSTRAINT {NOTE_KEY}")
    current.execute("UPDATE notes SET patient_id = :nobody", nobody=NOBODY)
    current.execute(ADD_KEY)
    current.execute("ALTER POLICY clinic ON users USING (true)")
    current.execute(f"GRANT SELECT ON patients TO {PLATFORM_ROLE}")
    before = current.schema(), hashes(current)
    done = mended(current)
    assert done.mended == [] and len(done.after.findings) == 4
    assert (current.schema(), hashes(current)) == before


def test_a_mend_waits_for_a_short_reader_instead_of_giving_up(current):
    current.execute("DROP POLICY clinic ON notes")
    with psycopg.connect(host=str(current.server.socket), user=OWNER_ROLE, dbname=current.name) as reader:
        reader.execute("SELECT count(*) FROM notes")
        threading.Timer(0.5, reader.commit).start()
        done = mended(current)
    assert [one.error for one in done.mended] == [None] and done.after.findings == []


def test_a_mend_that_fails_says_why_and_the_next_one_is_tried(current, monkeypatch):
    current.execute("DROP POLICY clinic ON notes")
    current.execute("DROP POLICY clinic ON offers")
    monkeypatch.setattr(
        "portal.ops.schema.checks.walls.Policy.creating",
        lambda policy, table: (
            f"CREATE POLICY {policy.name} ON {table} TO {'nobody_at_all' if table == 'notes' else APP_ROLE}"
            f" USING ({policy.condition}) WITH CHECK ({policy.condition})"
        ),
    )
    done = mended(current)
    assert [one.error for one in done.mended] == ['role "nobody_at_all" does not exist', None]
    assert [finding.what for finding in done.after.findings] == ["The policy clinic of notes is missing."]
