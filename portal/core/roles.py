"""The four database roles: what each is for, how they are made, and the check that the walls hold.

- owner: owns every table and runs migrations.
- app: clinic requests; may not bypass row-level security.
- platform: the admin host; has no policy on patient tables.
- backup: reads everything for dumps, writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa
import structlog
from psycopg import sql

log = structlog.get_logger("portal.roles")

OWNER_ROLE = "clinikoop_owner"
APP_ROLE = "clinikoop_app"
PLATFORM_ROLE = "clinikoop_platform"
BACKUP_ROLE = "clinikoop_backup"
_TURN = 7_202_611_231  # the advisory lock under which roles and databases are made
ROLES = (OWNER_ROLE, APP_ROLE, PLATFORM_ROLE, BACKUP_ROLE)


class UnsafeRoleError(RuntimeError):
    """The portal was given a database role that could pass by row-level security."""


def ensure_roles(connection: psycopg.Connection, passwords: Mapping[str, str] | None = None) -> list[str]:
    """Create the roles that are missing and return their names; set the given passwords.

    ``connection`` must be in autocommit mode and belong to a role that may create roles. Processes that
    start together take turns: PostgreSQL refuses two changes of one role at a time.
    """
    with _one_at_a_time(connection):
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        missing = [role for role in ROLES if role not in known]
        for role in missing:
            # The owner inherits: PostgreSQL 15 lets a database's owner into the schema public by membership.
            # It may create databases: rehearsals and replays restore into a scratch one of its own.
            kind = sql.SQL("INHERIT CREATEDB" if role == OWNER_ROLE else "NOINHERIT")
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN {}").format(sql.Identifier(role), kind))
        for role, password in (passwords or {}).items():
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
    return missing


def ensure_database(connection: psycopg.Connection, name: str) -> bool:
    """Create the database ``name`` for the owner role if it is missing; tell whether it was made."""
    with _one_at_a_time(connection):
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return False
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER_ROLE))
        )
    return True


@contextmanager
def _one_at_a_time(connection: psycopg.Connection) -> Iterator[None]:
    connection.execute("SELECT pg_advisory_lock(%s)", [_TURN])
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [_TURN])


# Of the role that logged in: what it is now may have been put on with SET ROLE, and taken off again.
_ROLE_FACTS = """
SELECT session_user,
       EXISTS (SELECT 1 FROM pg_roles WHERE (rolsuper OR rolbypassrls) AND pg_has_role(session_user, oid, 'MEMBER')),
       EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
                  AND pg_has_role(session_user, c.relowner, 'MEMBER'))
"""


def refuse_unsafe_role(cursor: psycopg.Cursor) -> None:
    """Raise UnsafeRoleError where the role may, or may become one that may, bypass policies or own tables."""
    row = cursor.execute(_ROLE_FACTS).fetchone()
    assert row is not None
    name, bypasses, owns = row
    if bypasses or owns:
        why = "may bypass row-level security, or become" if bypasses else "owns tables, or is a member of"
        why += " a role that does"
        raise UnsafeRoleError(
            f"The portal refuses to run as the database role {name!r}: it {why}. "
            f"Use {APP_ROLE} and {PLATFORM_ROLE}; `flask db roles` creates them."
        )


def refuse_unsafe_start(engines: Iterable[sa.Engine]) -> None:
    """Raise UnsafeRoleError before anything is served; a database that is down says nothing yet.

    Connections made later are checked one by one, see guard_engine().
    """
    for engine in engines:
        try:
            with engine.connect():
                pass
        except sa.exc.OperationalError as error:
            log.warning("database.unavailable", error=str(error.orig).strip())


def guard_engine(engine: sa.Engine) -> None:
    """Make every new connection of ``engine`` check its role, so a wall missing later is seen too."""

    @sa.event.listens_for(engine, "connect")
    def _check(connection: psycopg.Connection, _record: object) -> None:
        with connection.cursor() as cursor:
            refuse_unsafe_role(cursor)
        connection.rollback()
