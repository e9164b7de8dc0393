"""The walls in the database: policies, roles, composite keys; and that the checks of them see what is planted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.bootstrap import conninfo
from portal.core.clinics import ClinicInfo
from portal.core.database import Base, ClinicOwned
from portal.core.embedded import EmbeddedServer
from portal.core.roles import (
    APP_ROLE,
    BACKUP_ROLE,
    OWNER_ROLE,
    PLATFORM_ROLE,
    ROLES,
    UnsafeRoleError,
    ensure_roles,
    guard_engine,
    refuse_unsafe_role,
    refuse_unsafe_start,
)
from tests.core import walls

SCRATCH = "walls_scratch"


def login(server: EmbeddedServer, database: str, role: str) -> psycopg.Connection:
    return psycopg.connect(conninfo(server.url(database, role)), autocommit=True)


@pytest.fixture(scope="module")
def database(app: Flask, server: EmbeddedServer) -> str:
    """The name of this worker's database."""
    name = sa.make_url(app.config["SQLALCHEMY_DATABASE_URI"]).database
    assert name is not None
    return name


@pytest.fixture
def catalogue(server: EmbeddedServer, database: str) -> Iterator[psycopg.Connection]:
    with login(server, database, "postgres") as connection:
        yield connection


@pytest.fixture(scope="module")
def copy(server: EmbeddedServer, database: str) -> Iterator[str]:
    """A copy of the template that mutants may be planted in."""
    name = f"{SCRATCH}_{database}"
    with login(server, "postgres", "postgres") as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE clinikoop_template")
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def mutable(server: EmbeddedServer, copy: str) -> Iterator[psycopg.Connection]:
    """The copy, in a transaction that is rolled back."""
    with login(server, copy, "postgres") as connection:
        connection.autocommit = False
        yield connection
        connection.rollback()


def test_the_walls_stand(catalogue: psycopg.Connection) -> None:
    assert walls.faults(catalogue) == []


def test_the_checks_look_at_every_model_with_a_clinic(catalogue: psycopg.Connection) -> None:
    modelled = {table.name for table in Base.metadata.sorted_tables if "clinic_id" in table.c}
    assert set(walls.tenant_tables(catalogue)) == modelled
    assert len(modelled) >= 25


def test_every_exception_for_an_index_is_still_needed(catalogue: psycopg.Connection) -> None:
    assert set(walls.OTHER_INDEXES) <= walls.index_names(catalogue)


def test_every_model_with_a_clinic_is_limited_by_the_guard() -> None:
    """A log line may belong to no clinic, so it cannot have the mixin's key; its policy alone limits it."""
    unlimited = {
        mapper.class_.__name__
        for mapper in Base.registry.mappers
        if "clinic_id" in mapper.local_table.c and not issubclass(mapper.class_, ClinicOwned)
    }
    assert unlimited == {"SystemLog"}


@pytest.mark.parametrize(
    ("mutation", "finding"),
    [
        ("ALTER TABLE notes DISABLE ROW LEVEL SECURITY", "notes: row-level security is off"),
        ("ALTER TABLE notes NO FORCE ROW LEVEL SECURITY", "notes: row-level security is not forced"),
        ("DROP POLICY clinic ON offers", "offers: lacks the policy clinic"),
        ("DROP POLICY migrator ON offers", "offers: lacks the policy migrator"),
        ("DROP POLICY internal ON support_messages", "support_messages: lacks the policy internal"),
        ("CREATE POLICY wide ON patients TO clinikoop_app USING (true)", "patients: has the unexpected policy"),
        ("CREATE POLICY agents ON patients TO clinikoop_platform USING (true)", "patients: has the unexpected policy"),
        ("ALTER POLICY clinic ON patients TO PUBLIC", "patients: lacks the policy clinic"),
        ("ALTER POLICY clinic ON patients WITH CHECK (true)", "patients: lacks the policy clinic"),
        ("CREATE TABLE labs (clinic_id uuid, id uuid, PRIMARY KEY (clinic_id, id))", "labs: row-level security is off"),
        ("CREATE TABLE parts (clinic_id uuid) PARTITION BY HASH (clinic_id)", "parts: row-level security is off"),
        ("GRANT SELECT ON patients TO clinikoop_platform", "patients: clinikoop_platform may SELECT"),
        ("GRANT SELECT (last_name) ON patients TO clinikoop_platform", "patients: clinikoop_platform may SELECT"),
        ("GRANT SELECT ON patients TO PUBLIC", "patients: clinikoop_platform may SELECT"),
        ("GRANT TRUNCATE ON patients TO clinikoop_app", "patients: clinikoop_app may TRUNCATE"),
        ("GRANT DELETE ON patients TO clinikoop_backup", "patients: clinikoop_backup may DELETE"),
        ("CREATE INDEX loose ON patients (email)", "patients: the index loose begins with email"),
        ("CREATE UNIQUE INDEX oracle ON patients (email, clinic_id)", "patients: the index oracle begins with email"),
        ("CREATE VIEW everybody AS SELECT * FROM patients", "everybody: a view without security_invoker"),
        ("CREATE MATERIALIZED VIEW kept AS SELECT * FROM patients", "kept: a view without security_invoker"),
        (
            "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM patients'",
            "peek(): SECURITY DEFINER without a search_path",
        ),
        (
            "ALTER TABLE users ADD UNIQUE (id);"
            " ALTER TABLE notes ADD CONSTRAINT plain FOREIGN KEY (author_id) REFERENCES users (id)",
            "plain: does not name the clinic on both sides",
        ),
        (
            "ALTER TABLE notes ADD CONSTRAINT clearing FOREIGN KEY (clinic_id, author_id)"
            " REFERENCES users (clinic_id, id) ON DELETE SET NULL",
            "clearing: ON DELETE SET NULL or DEFAULT would change the clinic",
        ),
        (
            "ALTER TABLE notes ADD CONSTRAINT moving FOREIGN KEY (clinic_id, author_id)"
            " REFERENCES users (clinic_id, id) ON UPDATE CASCADE",
            "moving: ON UPDATE would move rows",
        ),
        (
            "ALTER TABLE users ADD UNIQUE (id, clinic_id); ALTER TABLE notes ADD CONSTRAINT crossed"
            " FOREIGN KEY (clinic_id, author_id) REFERENCES users (id, clinic_id)",
            "crossed: does not name the clinic on both sides",
        ),
    ],
)  # fmt: skip
def test_a_planted_hole_is_found(mutation: str, finding: str, mutable: psycopg.Connection) -> None:
    mutable.execute(mutation)  # type: ignore[arg-type]
    assert [fault for fault in walls.faults(mutable) if fault.startswith(finding)], walls.faults(mutable)


def test_clearing_only_the_reference_itself_is_no_fault(mutable: psycopg.Connection) -> None:
    mutable.execute(
        "ALTER TABLE notes ADD CONSTRAINT fine FOREIGN KEY (clinic_id, author_id) REFERENCES users (clinic_id, id)"
        " ON DELETE SET NULL (author_id)"
    )
    assert walls.reference_faults(mutable) == []


def test_without_a_clinic_the_application_reads_and_writes_nothing(
    server: EmbeddedServer, database: str, catalogue: psycopg.Connection
) -> None:
    tables = walls.tenant_tables(catalogue)
    with login(server, database, APP_ROLE) as connection:
        for table in tables:
            for statement in (f"SELECT count(*) FROM {table}", f"INSERT INTO {table} SELECT * FROM {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)  # type: ignore[arg-type]
        for setting in ("", "00000000-0000-0000-0000-000000000000"):
            connection.execute("SELECT set_config('app.clinic_id', %s, false)", [setting])
            found = []
            for table in tables:
                try:
                    found += connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall()  # type: ignore[arg-type]
                except psycopg.errors.InsufficientPrivilege:
                    assert setting == ""
            assert found == []


def test_a_mistyped_clinic_is_an_error_and_not_everything(server: EmbeddedServer, database: str) -> None:
    with login(server, database, APP_ROLE) as connection:
        connection.execute("SELECT set_config('app.clinic_id', 'x'' OR true --', false)")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT * FROM patients")


def test_a_clinic_pinned_for_a_transaction_is_gone_after_it(
    server: EmbeddedServer, database: str, papatya: ClinicInfo
) -> None:
    with login(server, database, APP_ROLE) as connection:
        with connection.transaction():
            connection.execute("SELECT set_config('app.clinic_id', %s, true)", [str(papatya.id)])
            assert connection.execute("SELECT count(*) FROM patients").fetchone() == (3,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT count(*) FROM patients")


def test_the_platform_may_touch_no_table_of_a_clinics_work(
    server: EmbeddedServer, database: str, catalogue: psycopg.Connection, papatya: ClinicInfo
) -> None:
    forbidden = set(walls.tenant_tables(catalogue)) - walls.PLATFORM_REACH
    assert {"patients", "offers", "treatments", "notes", "users", "login_sessions", "activity_logs"} <= forbidden
    with login(server, database, PLATFORM_ROLE) as connection:
        connection.execute("SELECT set_config('app.clinic_id', %s, false)", [str(papatya.id)])
        for table in forbidden:
            for statement in (f"SELECT FROM {table}", f"DELETE FROM {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)  # type: ignore[arg-type]


def test_one_clinics_row_cannot_be_told_by_another_through_a_unique_key(catalogue: psycopg.Connection) -> None:
    unique = catalogue.execute(
        "SELECT indexrelid::regclass::text, indrelid::regclass::text, pg_get_indexdef(indexrelid, 1, true)"
        "  FROM pg_index WHERE indisunique AND indrelid::regclass::text = ANY (%s)",
        [list(walls.tenant_tables(catalogue))],
    ).fetchall()
    assert len(unique) > 30
    assert {name for name, _table, first in unique if first != "clinic_id"} == {"pk_system_logs"}


@pytest.mark.parametrize(
    ("role", "why"),
    [("postgres", "may bypass row-level"), (OWNER_ROLE, "owns tables"), ("wall_bypasser", "may bypass"),
     ("wall_climber", "become a role that does"), ("wall_heir", "is a member of a role that does")],
)  # fmt: skip
def test_an_unsafe_role_is_refused_and_told_what_to_use(
    role: str, why: str, server: EmbeddedServer, database: str, catalogue: psycopg.Connection
) -> None:
    catalogue.execute(
        "DO $$ BEGIN CREATE ROLE wall_bypasser LOGIN BYPASSRLS;"
        " CREATE ROLE wall_heir LOGIN NOINHERIT IN ROLE clinikoop_owner;"
        " CREATE ROLE wall_climber LOGIN NOINHERIT IN ROLE wall_bypasser;"
        " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )
    engine = sa.create_engine(server.url(database, role))
    guard_engine(engine)
    with pytest.raises(UnsafeRoleError, match=why) as caught, engine.connect():
        pass
    assert role in str(caught.value)
    assert APP_ROLE in str(caught.value)
    assert PLATFORM_ROLE in str(caught.value)
    assert "flask db roles" in str(caught.value)
    engine.dispose()


def test_a_superuser_in_the_applications_clothes_is_refused(server: EmbeddedServer, database: str) -> None:
    engine = sa.create_engine(server.url(database, "postgres"), connect_args={"options": f"-c role={APP_ROLE}"})
    guard_engine(engine)
    with pytest.raises(UnsafeRoleError, match="postgres"), engine.connect():
        pass
    engine.dispose()


@pytest.mark.parametrize("role", [APP_ROLE, PLATFORM_ROLE])
def test_the_portals_own_roles_are_safe(role: str, server: EmbeddedServer, database: str) -> None:
    with login(server, database, role) as connection, connection.cursor() as cursor:
        refuse_unsafe_role(cursor)


@pytest.mark.parametrize("role", [APP_ROLE, PLATFORM_ROLE, BACKUP_ROLE])
@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE clinikoop_owner", "SET SESSION AUTHORIZATION postgres", "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine", "ALTER TABLE patients DISABLE ROW LEVEL SECURITY", "DROP POLICY clinic ON patients",
        "CREATE POLICY mine ON patients USING (true)", "ALTER ROLE CURRENT_USER BYPASSRLS", "CREATE ROLE mine",
        "ALTER FUNCTION current_clinic() RENAME TO other", "TRUNCATE patients", "COPY patients TO PROGRAM 'cat'",
        "CREATE OR REPLACE FUNCTION public.current_clinic() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
        "SET session_replication_role = replica", "SELECT pg_read_file('/etc/passwd')",
        "GRANT clinikoop_owner TO CURRENT_USER",
    ],
)  # fmt: skip
def test_no_role_of_the_portal_can_take_down_a_wall(
    role: str, statement: str, server: EmbeddedServer, database: str
) -> None:
    with login(server, database, role) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(statement)  # type: ignore[arg-type]
    assert caught.value.sqlstate in ("42501", "0LP01")


def test_a_temporary_table_cannot_stand_in_for_a_real_one_in_the_owners_function(
    server: EmbeddedServer, database: str
) -> None:
    """The directory's function runs as the owner; a caller's own clinics table must not reach it."""
    with login(server, database, APP_ROLE) as connection:
        try:
            connection.execute("CREATE TEMP TABLE clinics (LIKE public.clinics)")
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("temporary tables are forbidden altogether")
        rows = connection.execute("SELECT subdomain FROM clinic_by_host('papatya', NULL)").fetchall()
    assert rows == [("papatya",)]


def test_row_security_cannot_be_switched_off_for_a_session(
    server: EmbeddedServer, database: str, papatya: ClinicInfo
) -> None:
    with login(server, database, APP_ROLE) as connection:
        connection.execute("SELECT set_config('app.clinic_id', %s, false)", [str(papatya.id)])
        connection.execute("SET row_security = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM patients")


def test_making_the_roles_again_changes_nothing(catalogue: psycopg.Connection) -> None:
    facts = (
        "SELECT rolname, rolsuper, rolbypassrls, rolinherit, rolcreaterole FROM pg_roles"
        " WHERE rolname ~ '^clinikoop' ORDER BY 1"
    )
    before = catalogue.execute(facts).fetchall()
    assert ensure_roles(catalogue) == []
    assert catalogue.execute(facts).fetchall() == before
    assert before == [(role, False, False, role == OWNER_ROLE, False) for role in sorted(ROLES)]


def test_the_start_refuses_an_unsafe_role_and_waits_for_a_database_that_is_down(
    server: EmbeddedServer, database: str
) -> None:
    unsafe = sa.create_engine(server.url(database, "postgres"), poolclass=sa.NullPool)
    nobody = sa.create_engine("postgresql+psycopg://clinikoop_app@/x?host=/nonexistent", poolclass=sa.NullPool)
    guard_engine(unsafe)
    refuse_unsafe_start([nobody])
    with pytest.raises(UnsafeRoleError, match="clinikoop_app"):
        refuse_unsafe_start([nobody, unsafe])


def test_processes_that_start_together_take_turns_at_making_the_roles(server: EmbeddedServer) -> None:
    def make(_turn: int) -> list[str]:
        with psycopg.connect(conninfo(server.url("postgres", "postgres")), autocommit=True) as connection:
            return [role for _again in range(10) for role in ensure_roles(connection, {APP_ROLE: "same for all"})]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(make, range(4))) == [[]] * 4
