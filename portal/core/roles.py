"""The four database roles: what each is for, how they are made, and the check that the walls hold.

- owner: owns every table and runs migrations.
- app: clinic requests; may not bypass row-level security.
- platform: the admin host; has no policy on patient tables.
- backup: reads everything for dumps, writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psycopg
import sqlalchemy as sa
import structlog
from psycopg import sql

log = structlog.get_logger("portal.roles")

OWNER_ROLE = "clinikoop_owner"
APP_ROLE = "clinikoop_app"
PLATFORM_ROLE = "clinikoop_platform"
BACKUP_ROLE = "clinikoop_backup"
ROLES = (OWNER_ROLE, APP_ROLE, PLATFORM_ROLE, BACKUP_ROLE)


class UnsafeRoleError(RuntimeError):
    """The portal was given a database role that could pass by row-level security."""


def ensure_roles(connection: psycopg.Connection, passwords: Mapping[str, str] | None = None) -> list[str]:
    """Create the roles that are missing and return their names; set the given passwords.

    ``connection`` must be in autocommit mode and belong to a role that may create roles.
    """
    made = []
    for role in ROLES:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            try:
                # The owner inherits: PostgreSQL 15 lets a database's owner into the schema public by membership.
                kind = sql.SQL("INHERIT" if role == OWNER_ROLE else "NOINHERIT")
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN {}").format(sql.Identifier(role), kind))
                made.append(role)
            except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                pass  # another process was first: that is as good
        password = (passwords or {}).get(role)
        if password:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
    # Rehearsals and replays restore into a scratch database of the owner's.
    connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(OWNER_ROLE)))
    return made


def ensure_database(connection: psycopg.Connection, name: str) -> bool:
    """Create the database ``name`` for the owner role if it is missing; tell whether it was made."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return False
    try:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER_ROLE))
        )
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return False
    return True


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
