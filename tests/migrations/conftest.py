"""A PostgreSQL for the migrations, and databases in it that a test may break."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from psycopg import sql

from portal.core.embedded import EmbeddedServer
from portal.core.roles import OWNER_ROLE, ensure_database, ensure_roles

HERE = Path(__file__).parent
MIGRATIONS = HERE.parents[1] / "migrations"
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

COLUMNS = """
SELECT c.table_name || '.' || c.column_name || ' ' || concat_ws(' ', c.udt_name, c.character_maximum_length,
       c.numeric_precision || ',' || c.numeric_scale, c.is_nullable, c.collation_name,
       regexp_replace(c.column_default, '^''(\\d+)''::\\w+$', '\\1'))
  FROM information_schema.columns c WHERE c.table_schema = 'public'
"""
CONSTRAINTS = """
SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
 WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
OTHERS = """
SELECT 'policy ' || concat_ws(' ', tablename, policyname, permissive, roles, cmd, qual, with_check) FROM pg_policies
UNION ALL SELECT 'rights ' || relname || ' ' || acl FROM pg_class, unnest(relacl) AS acl
 WHERE relnamespace = 'public'::regnamespace AND acl::text NOT LIKE 'clinikoop_owner=%'
UNION ALL SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
ASIDE = ("keep_", "alembic_version", "patient_offers_quarantine", "_prisma_migrations")


@dataclass
class Database:
    """One database of the test server, owned by the migrations' role."""

    server: EmbeddedServer
    name: str
    engines: dict[str, sa.Engine] = field(default_factory=dict)

    def engine(self, role: str = OWNER_ROLE) -> sa.Engine:
        """Return the engine that logs in as ``role``."""
        if role not in self.engines:
            # No prepared statements: one kept from before a migration may not fit the table any more.
            self.engines[role] = sa.create_engine(
                self.server.url(self.name, role), pool_pre_ping=True, connect_args={"prepare_threshold": None}
            )
        return self.engines[role]

    def disconnect(self) -> None:
        """Close every connection: a database with one cannot be copied or dropped."""
        for engine in self.engines.values():
            engine.dispose()

    def config(self, **options: str) -> Config:
        """Return Alembic's configuration for this database, with ``options`` as -x arguments."""
        config = Config(str(MIGRATIONS / "alembic.ini"))
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["engine"] = self.engine()
        config.cmd_opts = type("Options", (), {"x": [f"{name}={value}" for name, value in options.items()]})()  # type: ignore[assignment]
        return config

    def upgrade(self, revision: str = "head", **options: str) -> None:
        """Upgrade to ``revision``."""
        command.upgrade(self.config(**options), revision)

    def downgrade(self, revision: str = "base", **options: str) -> None:
        """Downgrade to ``revision``."""
        command.downgrade(self.config(**options), revision)

    def execute(self, statement: str, role: str = OWNER_ROLE, **parameters: Any) -> list[Any]:
        """Run one statement in a transaction of its own and return its rows as tuples."""
        with self.engine(role).begin() as connection:
            result = connection.execute(sa.text(statement), parameters)
            return [tuple(row) for row in result] if result.returns_rows else []

    def load(self, name: str) -> None:
        """Run a file of SQL that stands beside the tests."""
        with psycopg.connect(host=str(self.server.socket), user=OWNER_ROLE, dbname=self.name) as connection:
            connection.execute((HERE / name).read_bytes())

    def tables(self) -> list[str]:
        """Return the tables with the portal's rows: not what migrations put aside."""
        names = self.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return [name for (name,) in names if not name.startswith(ASIDE)]

    def rows(self, *ignoring: str) -> dict[str, tuple[int, str]]:
        """Return, per table, the number of rows and a hash of all their values by column name."""
        row = f"(to_jsonb(t) - CAST('{{{','.join(ignoring)}}}' AS text[]))::text"
        query = "SELECT count(*), md5(coalesce(string_agg({row}, E'\\n' ORDER BY {row}), '')) FROM {table} AS t"
        return {table: self.execute(query.format(row=row, table=table))[0] for table in self.tables()}

    def schema(self) -> set[str]:
        """Return every column, constraint, index, policy, right, trigger and function as a line of text."""
        found = {line for query in (COLUMNS, CONSTRAINTS, INDEXES, OTHERS) for (line,) in self.execute(query)}
        return {line for line in found if line and not any(name in line for name in ASIDE)}


Maker = Callable[[str], AbstractContextManager[Database]]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A running server: the one whose folder CLINIKOOP_TEST_SERVER names, else one of this run's own."""
    shared = os.environ.get("CLINIKOOP_TEST_SERVER")
    running = EmbeddedServer(Path(shared) if shared else tmp_path_factory.mktemp("server") / "pg", QUICK)
    running.start()
    with _administrator(running) as connection:
        ensure_roles(connection)
    yield running
    if shared:
        running.release()
    else:
        running.destroy()


@contextmanager
def _administrator(server: EmbeddedServer) -> Iterator[psycopg.Connection]:
    with psycopg.connect(host=str(server.socket), user="postgres", dbname="postgres", autocommit=True) as connection:
        yield connection


@contextmanager
def _made(server: EmbeddedServer, template: str | None = None) -> Iterator[Database]:
    name = f"migrations_{uuid.uuid4().hex[:12]}"
    with _administrator(server) as connection:
        if template is None:
            ensure_database(connection, name)
        else:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(OWNER_ROLE), sql.Identifier(template)
                )
            )
        made = Database(server, name)
        yield made
        made.disconnect()
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[Database]:
    """An empty database."""
    with _made(server) as made:
        yield made


# What is loaded after which revision: rows as they were in place when the next one ran.
HISTORY = {
    "20250629190954": "single_clinic.sql",
    "20250716200939": "second_clinic.sql",
    "20250718213704": "support_and_logs.sql",
    "20250720190711": "staff_of_second_clinic.sql",
}


def grow(database: Database, target: str) -> None:
    """Upgrade to ``target`` with rows put in on the way; orphans go to quarantine."""
    for revision, rows in HISTORY.items():
        if revision <= target:  # "head" comes after every number
            database.upgrade(revision)
            database.load(rows)
    database.upgrade(target, orphans="quarantine")


@pytest.fixture(scope="session")
def _templates(server: EmbeddedServer) -> Iterator[dict[str, str]]:
    with _made(server) as legacy, _made(server) as current:
        grow(legacy, "20250720190711")
        grow(current, "head")
        current.load("today.sql")
        for made in (legacy, current):
            made.disconnect()
        yield {"legacy": legacy.name, "current": current.name}


@pytest.fixture(scope="session")
def make_database(server: EmbeddedServer, _templates: dict[str, str]) -> Maker:
    """Make copies of a template: ``legacy``, with rows, just before the status texts go; or ``current``."""
    return lambda template: _made(server, _templates[template])


@pytest.fixture
def legacy(make_database: Maker) -> Iterator[Database]:
    """A database with rows, just before the status texts go."""
    with make_database("legacy") as made:
        yield made


@pytest.fixture
def current(make_database: Maker) -> Iterator[Database]:
    """A database whose rows came the whole way to the newest revision."""
    with make_database("current") as made:
        yield made
