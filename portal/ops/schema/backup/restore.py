"""A whole backup into a database of its own, and, where wanted, in the place of the live one, which is kept."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import sqlalchemy as sa

from portal.ops.evolve.errors import EvolveError
from portal.ops.schema.backup.catalogue import quoted
from portal.ops.schema.backup.history import carry_over
from portal.ops.schema.backup.info import BackupInfo
from portal.ops.schema.backup.tools import Tell
from portal.ops.schema.backup.vault import Vault
from portal.ops.schema.place import Place
from portal.ops.schema.scratch import drop_database

_LONGEST_BASE = 32  # a name has 63 bytes
_ELSEWHERE = ("postgres", "template1")
_CONNECTED = """
SELECT a.pid, a.usename::text, coalesce(nullif(a.application_name, ''), 'unnamed') FROM pg_stat_activity a
 WHERE a.datname = :database AND a.pid <> ALL (:ours) AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
 ORDER BY a.pid
"""
_LISTED = 20


@dataclass(frozen=True)
class Swapped:
    """What stands where after a backup took the live database's place."""

    live: str
    kept: str | None  # None: there was no live database any more


def restore_beside(vault: Vault, backup: BackupInfo, tell: Tell, name: str | None = None) -> str:
    """Restore a whole backup into a new database and return its name; the live one is not touched.

    Raises BackupError where the backup is damaged, EvolveError where a database of that name is there already.
    """
    name = name or stamped(vault.place, "restored")
    with elsewhere(vault.place) as connection:
        if _exists(connection, name):
            raise EvolveError(f"There is a database {name} already; choose another name with --into.")
        _create_like(connection, name, vault.place.database)
    there = vault.place.on(name)
    try:
        vault.restore_into(backup, there, tell)
        with elsewhere(vault.place) as connection:  # now that its policies stand, as any new database
            connection.exec_driver_sql(f"GRANT CONNECT, TEMPORARY ON DATABASE {quoted(name)} TO PUBLIC")
    except BaseException:
        there.engine.dispose()
        drop(vault.place, name)
        raise
    finally:
        there.engine.dispose()
    return name


def replace_live(
    vault: Vault, backup: BackupInfo, tell: Tell, *, by: str | None, close: Callable[[], object] = lambda: None
) -> Swapped:
    """Put a restored backup in the live database's place; that one is kept under another name.

    ``close`` gives up this process's own connections. Raises EvolveError, with a list, while others are connected,
    BackupError where the backup is damaged; then all is as it was.
    """
    place = vault.place
    with elsewhere(place) as connection:
        alive = _exists(connection, place.database)
    if alive:
        close()
        refuse_connected(place)
    name = restore_beside(vault, backup, tell)
    try:
        if alive:
            there = place.on(name)
            with place.locked() as holder:
                carry_over(holder, there, backup_id=backup.id, by=by)
            there.engine.dispose()
        return _swap(place, name, close, stamped(place, "before") if alive else None)
    except BaseException:
        drop(place, name)
        raise


def refuse_connected(place: Place) -> None:
    """Raise EvolveError that lists who is connected to the database, if anybody is."""
    with elsewhere(place) as connection:
        found = connection.execute(sa.text(_CONNECTED), {"database": place.database, "ours": []}).all()
    if found:
        listed = [f"  {user or 'somebody'}: {application} (process {pid})" for pid, user, application in found]
        more = [f"  and {len(listed) - _LISTED} more"] if len(listed) > _LISTED else []
        raise EvolveError(
            "\n".join([f"Others are connected to {place.database}:", *listed[:_LISTED], *more])
            + "\nStop the portal and its workers first. Nothing was changed."
        )


def stamped(place: Place, what: str) -> str:
    """Return a database's name with what it is and the moment; two of one second differ."""
    return f"{place.database[:_LONGEST_BASE]}_{what}_{datetime.now(UTC):%Y%m%d%H%M%S}_{secrets.token_hex(2)}"


@contextmanager
def elsewhere(place: Place) -> Iterator[sa.Connection]:
    """Yield a connection to another database of the server, outside transactions; raises OperationalError without."""
    for database in _ELSEWHERE:
        engine = place.on(database).engine
        try:
            connection = engine.connect()
        except sa.exc.OperationalError:
            if database == _ELSEWHERE[-1]:
                raise
            continue
        with connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")
        return


def drop(place: Place, name: str) -> None:
    """Drop a database that was made here."""
    with elsewhere(place) as connection:
        drop_database(connection, name)


def _swap(place: Place, name: str, close: Callable[[], object], kept: str | None) -> Swapped:
    place.engine.dispose()
    close()
    with elsewhere(place) as connection:
        if kept is not None:
            _copy_settings(connection, place.database, name)
        live = quoted(place.database)
        # Both names change at one moment, or neither: nobody ever finds no database.
        renames = [f"ALTER DATABASE {live} RENAME TO {quoted(kept)}"] if kept else []
        try:
            connection.exec_driver_sql("BEGIN")
            for statement in [*renames, f"ALTER DATABASE {quoted(name)} RENAME TO {live}"]:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql("COMMIT")
        except sa.exc.DBAPIError as error:
            connection.exec_driver_sql("ROLLBACK")
            if isinstance(error.orig, psycopg.errors.ObjectInUse):
                refuse_connected(place)
            raise
    return Swapped(place.database, kept)


def _exists(connection: sa.Connection, name: str) -> bool:
    query = sa.text("SELECT EXISTS (SELECT FROM pg_database WHERE datname = :name)")
    return bool(connection.execute(query, {"name": name}).scalar_one())


def _create_like(connection: sa.Connection, name: str, model: str) -> None:
    """Create an empty database, its owner's alone, that sorts and encodes as ``model`` does, where that is there."""
    query = "SELECT pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider::text FROM pg_database"
    row = connection.execute(sa.text(f"{query} WHERE datname = :model"), {"model": model}).one_or_none()
    like = ""
    if row is not None and row.datlocprovider == "c":
        like = f" ENCODING '{row[0]}' LC_COLLATE '{row[1]}' LC_CTYPE '{row[2]}'"
    connection.exec_driver_sql(f"CREATE DATABASE {quoted(name)} TEMPLATE template0{like}")
    connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {quoted(name)} FROM PUBLIC")


def _copy_settings(connection: sa.Connection, source: str, target: str) -> None:
    """Copy what belongs to the database itself and is in no dump: who may connect, and its settings."""
    rights = connection.execute(sa.text(
        "SELECT coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'), a.privilege_type FROM pg_database d,"
        " aclexplode(d.datacl) AS a WHERE d.datname = :name AND a.grantee <> d.datdba"
    ), {"name": source}).all()  # fmt: skip
    stated = sa.text("SELECT datacl IS NOT NULL FROM pg_database WHERE datname = :name")
    if connection.execute(stated, {"name": source}).scalar_one():
        connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {quoted(target)} FROM PUBLIC")
        for grantee, right in rights:
            connection.exec_driver_sql(f"GRANT {right} ON DATABASE {quoted(target)} TO {grantee}")
    settings = connection.execute(sa.text(
        "SELECT unnest(s.setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
        " WHERE d.datname = :name AND s.setrole = 0"
    ), {"name": source}).scalars()  # fmt: skip
    for setting in settings.all():
        name, _, value = setting.partition("=")
        made = connection.execute(
            sa.text(
                "SELECT format('ALTER DATABASE %I SET %I TO %L', CAST(:t AS text), CAST(:n AS text), CAST(:v AS text))"
            ),
            {"t": target, "n": name, "v": value},
        ).scalar_one()
        connection.exec_driver_sql(made.replace("%", "%%"))
