"""What the proofs share: a PostgreSQL of their own in a temporary folder, and databases in it."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from config import ROOT
from portal.core.embedded import EmbeddedServer
from portal.core.roles import APP_ROLE, BACKUP_ROLE, OWNER_ROLE, PLATFORM_ROLE, ensure_roles
from portal.ops.schema.place import Place

MIGRATIONS = ROOT / "migrations"
ROWS = ROOT / "tests" / "migrations"
# What is loaded after which revision: rows as they were in place when the next one ran.
HISTORY = {
    "20250629190954": "single_clinic.sql",
    "20250716200939": "second_clinic.sql",
    "20250718213704": "support_and_logs.sql",
    "20250720190711": "staff_of_second_clinic.sql",
}
TODAY = "today.sql"
# For proofs of what is left after a killed process: the server itself never dies in them.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


@dataclass(frozen=True)
class Scene:
    """A running server, by the folder of its socket, and the databases a proof makes in it."""

    socket: Path

    def url(self, database: str, user: str) -> str:
        """Return the SQLAlchemy URL of ``database`` for the role ``user``."""
        url = sa.URL.create("postgresql+psycopg", user, database=database, query={"host": str(self.socket)})
        return url.render_as_string(hide_password=False)

    def connect(self, database: str = "postgres", user: str = "postgres") -> psycopg.Connection:
        """Return a connection in which every statement commits by itself."""
        return psycopg.connect(host=str(self.socket), user=user, dbname=database, autocommit=True)

    def make(self, name: str, template: str = "template0", strategy: str = "file_copy") -> str:
        """Make the database ``name``, a copy of ``template`` with its rows, and return its name."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY {}").format(
                    sql.Identifier(name), sql.Identifier(OWNER_ROLE), sql.Identifier(template), sql.SQL(strategy)
                )
            )
        return name

    def drop(self, *names: str) -> None:
        """Drop databases, whoever is connected."""
        with self.connect() as connection:
            for name in names:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def load(self, database: str, file: str) -> None:
        """Run a file of SQL that stands beside the migrations' tests."""
        with self.connect(database, OWNER_ROLE) as connection:
            connection.execute((ROWS / file).read_bytes())

    def place(self, database: str, directory: Path = MIGRATIONS, **options: str) -> Place:
        """Return the database and its revisions as the commands see them; dispose its engine after use."""
        engine = sa.create_engine(
            self.url(database, OWNER_ROLE), poolclass=sa.NullPool, connect_args={"prepare_threshold": None}
        )
        return Place(engine, directory, options)

    def environment(self, database: str) -> dict[str, str]:
        """Return the variables that send a portal to ``database``."""
        return {
            "DATABASE_URL": self.url(database, APP_ROLE),
            "DATABASE_PLATFORM_URL": self.url(database, PLATFORM_ROLE),
            "DATABASE_OWNER_URL": self.url(database, OWNER_ROLE),
            "DATABASE_BACKUP_URL": self.url(database, BACKUP_ROLE),
        }


@contextmanager
def scene(options: Mapping[str, str] | None = None, *, in_memory: bool = False) -> Iterator[Scene]:
    """Yield a server with the portal's roles; it is stopped and deleted at the end.

    With ``in_memory`` its files stay off the disk where the system has a place for that: copying a database
    takes 20 ms there and up to 400 ms on a busy disk.
    """
    memory = Path("/dev/shm")  # noqa: S108 - the folder made in it has a random name
    where = memory if in_memory and memory.is_dir() else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server is stopped then, too
    with tempfile.TemporaryDirectory(prefix="clinikoop-proof-", dir=where) as folder:
        Path(folder).chmod(0o711)  # the server's own account must reach its folder in it, which nobody else may enter
        server = EmbeddedServer(Path(folder) / "pg", options or {})
        server.start()
        made = Scene(server.socket)
        try:
            with made.connect() as connection:
                ensure_roles(connection)
            yield made
        finally:
            server.destroy()


def one(connection: psycopg.Connection, query: str, *parameters: object) -> tuple[Any, ...]:
    """Return the only row of a query."""
    row = connection.execute(query.encode(), parameters or None).fetchone()
    assert row is not None
    return row


@contextmanager
def timed() -> Iterator[list[float]]:
    """Yield a list that gets the seconds spent inside."""
    spent: list[float] = []
    started = time.perf_counter()
    yield spent
    spent.append(time.perf_counter() - started)


def load() -> str:
    """Return how busy the machine is, for the title of a table."""
    average = Path("/proc/loadavg").read_text().split()[0] if Path("/proc/loadavg").exists() else "unknown"
    return f"load {average}"
