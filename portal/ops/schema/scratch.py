"""Scratch databases: where revisions are tried and backups are proven, away from the real one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from portal.ops.evolve.errors import EvolveError
from portal.ops.schema.place import Place

_NAME = re.compile(r"^(?P<base>.*)_scratch_(?P<day>\d{14})_[0-9a-f]{6}$")
_LONGEST_BASE = 33  # a name has 63 bytes
FORGOTTEN = timedelta(hours=3)
_UNUSED = """
SELECT datname::text FROM pg_database d WHERE NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
"""


@contextmanager
def scratch(place: Place) -> Iterator[Place]:
    """Yield the place with an empty database of its own, dropped at the end.

    Raises EvolveError where the owner's role may not create databases.
    """
    name = f"{_base(place)}_scratch_{datetime.now(UTC):%Y%m%d%H%M%S}_{secrets.token_hex(3)}"
    with _server(place) as connection:
        _drop_forgotten(connection, place)
        try:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE template0')
            # A dump's rights come back before its policies: until then the portal's roles would see every clinic.
            connection.exec_driver_sql(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
        except sa.exc.ProgrammingError as error:
            raise EvolveError(
                f"No scratch database could be made: {error.orig} Let the owner: ALTER ROLE "
                f"{place.engine.url.username} CREATEDB; or run `flask db roles` once more."
            ) from error
    there = place.on(name)
    try:
        yield there
    finally:
        there.engine.dispose()
        with _server(place) as connection:
            drop_database(connection, name)


@contextmanager
def _server(place: Place) -> Iterator[sa.Connection]:
    """Yield a connection in which databases can be made: outside transactions."""
    with place.engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def drop_database(connection: sa.Connection, name: str) -> None:
    """Drop a database that was made here, whoever is left in it. Outside transactions."""
    quoted = '"' + name.replace('"', '""') + '"'
    try:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {quoted}")
    except sa.exc.OperationalError:
        # Not at first: FORCE asks for rights over an autovacuum worker that DROP sends away and waits for by itself.
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")


def _base(place: Place) -> str:
    """Return what names its scratch databases: a database's own name may hold what SQL or 63 bytes do not."""
    return re.sub(r"[^A-Za-z0-9_]", "_", place.database)[:_LONGEST_BASE]


def _drop_forgotten(connection: sa.Connection, place: Place) -> None:
    """Drop what a killed process left behind: scratch databases of this one, over three hours old, that nobody uses."""
    for name in connection.exec_driver_sql(_UNUSED).scalars().all():
        found = _NAME.match(name)
        if not found or found["base"] != _base(place):
            continue
        made = datetime.strptime(found["day"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        if datetime.now(UTC) - made > FORGOTTEN:
            # Somebody may have entered it just now, or it is another owner's: that is no reason to stop.
            with suppress(sa.exc.DBAPIError):
                connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}"')
