"""What the database itself forbids, role by role."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from portal.core.roles import APP_ROLE, BACKUP_ROLE, PLATFORM_ROLE

FIRST, SECOND = "00000000-0000-7000-8000-000000000001", "c2000000-0000-7000-8000-000000000001"
OWN = "(clinic_id = ( SELECT current_clinic() AS current_clinic))"


def as_clinic(database, pinned: str, statement: str, **parameters):
    """Run one statement as the application, with ``pinned`` as its clinic; return its rows, or how many it changed."""
    with database.engine(APP_ROLE).begin() as connection:
        connection.execute(sa.text("SELECT set_config('app.clinic_id', :clinic, true)"), {"clinic": pinned})
        result = connection.execute(sa.text(statement), parameters)
        return [tuple(row) for row in result] if result.returns_rows else result.rowcount


def denied(action) -> None:
    """Assert that the database refuses ``action`` for want of rights."""
    with pytest.raises(sa.exc.ProgrammingError) as caught:
        action()
    assert caught.value.orig.sqlstate == "42501"


def tenant_tables(database) -> list[str]:
    """Return every table with a clinic_id column that is not put aside, from the catalogue."""
    found = database.execute(
        "SELECT DISTINCT table_name::text FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'clinic_id'"
    )
    return sorted({name for (name,) in found} & set(database.tables()))


def test_every_table_with_a_clinic_has_forced_policies(current):
    for table in tenant_tables(current):
        forced = current.execute(
            "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = to_regclass(:table)", table=table
        )
        assert forced == [(True,)], table
        policies = current.execute(
            "SELECT policyname::text, roles::text, cmd, qual, with_check FROM pg_policies"
            " WHERE tablename = :table AND policyname IN ('clinic', 'migrator', 'backup') ORDER BY policyname",
            table=table,
        )
        assert policies == [
            ("backup", "{clinikoop_backup}", "SELECT", "true", None),
            ("clinic", "{clinikoop_app}", "ALL", OWN, OWN),
            ("migrator", "{clinikoop_owner}", "ALL", "true", "true"),
        ], table


def test_every_tenant_key_begins_with_the_clinic(current):
    keys = dict(current.execute(
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'p' AND connamespace = 'public'::regnamespace"
    ))  # fmt: skip
    for table in set(tenant_tables(current)) - {"system_logs"}:
        assert keys[table].startswith("PRIMARY KEY (clinic_id, "), table


def test_references_between_tenant_tables_always_name_the_clinic(current):
    tenant = set(tenant_tables(current)) - {"system_logs"}
    found = current.execute(
        "SELECT conrelid::regclass::text, confrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
    )
    inside = [definition for table, parent, definition in found if table in tenant and parent in tenant]
    assert len(inside) >= 20
    assert [definition for definition in inside if not definition.startswith("FOREIGN KEY (clinic_id, ")] == []


def test_the_application_reads_nothing_until_a_clinic_is_pinned(current):
    for table in tenant_tables(current):
        denied(lambda table=table: current.execute(f"SELECT count(*) FROM {table}", role=APP_ROLE))


def test_the_application_reads_only_the_pinned_clinics_rows(current):
    seen = 0
    for table in tenant_tables(current):
        rows = as_clinic(current, SECOND, f"SELECT DISTINCT clinic_id::text FROM {table}")
        assert set(rows) <= {(SECOND,)}, table
        seen += len(rows)
    assert seen >= 15
    assert as_clinic(current, SECOND, "SELECT subdomain FROM clinics") == [("deniz",)]


def test_the_application_cannot_write_into_or_reach_another_clinic(current):
    insert = "INSERT INTO settings (clinic_id, id, key, value) VALUES (:clinic, gen_random_uuid(), 'a', 'b')"
    denied(lambda: as_clinic(current, SECOND, insert, clinic=FIRST))
    assert as_clinic(current, SECOND, "UPDATE settings SET value = 'x' WHERE clinic_id = :clinic", clinic=FIRST) == 0
    denied(lambda: as_clinic(current, SECOND, "UPDATE settings SET clinic_id = :clinic", clinic=FIRST))
    assert as_clinic(current, SECOND, "DELETE FROM patients WHERE clinic_id = :clinic", clinic=FIRST) == 0


def test_a_row_cannot_refer_to_another_clinics_row(current):
    with pytest.raises(sa.exc.IntegrityError):
        current.execute("UPDATE notes SET patient_id = '0c000000-0000-7000-8000-000000000004'")


def test_a_clinic_cannot_change_its_own_address_or_status(current):
    assert as_clinic(current, SECOND, "UPDATE clinics SET name = 'Yeni ad'") == 1
    denied(lambda: as_clinic(current, SECOND, "UPDATE clinics SET status = 'active'"))
    denied(lambda: as_clinic(current, SECOND, "UPDATE clinics SET subdomain = 'x'"))
    denied(lambda: as_clinic(current, SECOND, "DELETE FROM clinics"))


@pytest.mark.parametrize("role", [APP_ROLE, PLATFORM_ROLE])
def test_logs_cannot_be_rewritten(current, role):
    table = "activity_logs" if role == APP_ROLE else "platform_activity_logs"
    for statement in (f"UPDATE {table} SET action = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        denied(lambda statement=statement: current.execute(statement, role=role))


def test_the_platform_has_no_right_on_any_table_of_a_clinics_work(current):
    reachable = {"clinics", "support_tickets", "support_messages"}
    for table in sorted(set(tenant_tables(current)) - reachable):
        denied(lambda table=table: current.execute(f"SELECT FROM {table}", role=PLATFORM_ROLE))
        named = "SELECT policyname FROM pg_policies WHERE tablename = :table AND 'clinikoop_platform' = ANY (roles)"
        policies = current.execute(named, table=table)
        assert policies == [], table


def test_the_platform_reads_every_clinic_and_every_ticket(current):
    assert current.execute("SELECT count(*) FROM clinics", role=PLATFORM_ROLE) == [(2,)]
    assert current.execute("SELECT count(*) FROM support_tickets", role=PLATFORM_ROLE) == [(3,)]


def test_the_application_cannot_read_the_platforms_people_or_what_migrations_keep(current):
    aside = current.execute("SELECT tablename::text FROM pg_tables WHERE tablename ~ '^keep_|_quarantine$|^alembic'")
    hidden = [name for (name,) in aside]
    assert len(hidden) >= 5
    for table in (*hidden, "platform_users", "platform_sessions", "platform_activity_logs"):
        denied(lambda table=table: current.execute(f"SELECT FROM {table}", role=APP_ROLE))
    for table in hidden:
        denied(lambda table=table: current.execute(f"SELECT FROM {table}", role=PLATFORM_ROLE))


def test_internal_messages_stay_with_the_platform(current):
    assert as_clinic(current, SECOND, "SELECT body FROM support_messages") == []
    assert current.execute("SELECT body FROM support_messages WHERE is_internal", role=PLATFORM_ROLE) == [("İç not",)]


@pytest.mark.parametrize(
    ("label", "name", "found"),
    [
        ("deniz", None, ["deniz"]),
        (None, "dis.example", ["deniz"]),
        ("default", None, ["default"]),
        ("x", None, []),
        (None, None, []),
    ],
)
def test_a_clinic_is_found_by_its_host_before_any_is_pinned(current, label, name, found):
    rows = current.execute("SELECT subdomain FROM clinic_by_host(:label, :name)", role=APP_ROLE, label=label, name=name)
    assert [subdomain for (subdomain,) in rows] == found


def test_the_backup_role_reads_every_row_and_writes_none(current):
    tables = [name for (name,) in current.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")]
    for table in tables:
        count = f"SELECT count(*) FROM {table}"
        assert current.execute(count, role=BACKUP_ROLE) == current.execute(count), table
    denied(lambda: current.execute("DELETE FROM patients", role=BACKUP_ROLE))
    current.execute("CREATE TABLE keep_later AS SELECT 1 AS id")
    assert current.execute("SELECT id FROM keep_later", role=BACKUP_ROLE) == [(1,)]


@pytest.mark.parametrize("role", [APP_ROLE, PLATFORM_ROLE])
def test_jobs_can_be_deferred_and_nothing_else_made_by_either_role(current, role):
    defer = (
        "SELECT jobs.procrastinate_defer_jobs_v1(ARRAY[ROW('default', 'send', 0, NULL, NULL, '{\"a\": 1}', NULL)"
        "::jobs.procrastinate_job_to_defer_v1])"
    )
    assert current.execute(defer, role=role) == [([1],)]
    denied(lambda: current.execute("CREATE TABLE public.mine (id int)", role=role))
    denied(lambda: current.execute("CREATE TABLE jobs.mine (id int)", role=role))


def test_no_other_role_gets_in(current):
    rights = current.execute("SELECT has_schema_privilege('pg_monitor', 'public', 'USAGE')")
    assert rights == [(False,)]
