"""A whole database into one file, and back: pg_dump of one snapshot, pg_restore into an empty database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy import URL, make_url

from portal.core.bootstrap import conninfo
from portal.ops.evolve.errors import BackupError
from portal.ops.schema.backup.tools import DUMP, RESTORE, Counter, Tell, Tools
from portal.ops.schema.place import Place
from portal.ops.schema.snapshot import list_tables

log = structlog.get_logger("portal.backups")

LOCK_WAIT = "60s"
_JOBS = "2"
_LISTED = 5
_WALL = re.compile(r"\d+; \d+ \d+ (?:POLICY|ROW SECURITY) ")  # a line of pg_restore --list
# A dump holds the rows without their indexes, compressed; thrice is what clinics' rows shrink by at the least.
_SHRINKS_BY = 3
_SCHEMAS = """
SELECT nspname::text FROM pg_namespace
 WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'ops') ORDER BY 1
"""
_SIZE = """
SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
# A role that reads everything: rights on every table and sequence, and where policies hold, one that lets all through
# and none that restricts. Anything less would make a dump with rows missing, and nobody the wiser.
_READS_ALL = """
SELECT coalesce(bool_and(
    r.rolcanlogin AND has_database_privilege(r.oid, current_database(), 'CONNECT')
    AND has_schema_privilege(r.oid, n.oid, 'USAGE') AND has_table_privilege(r.oid, c.oid, 'SELECT')
    AND (NOT c.relrowsecurity OR (
        EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd IN ('r', '*')
                   AND (r.oid = ANY (p.polroles) OR 0 = ANY (p.polroles)) AND pg_get_expr(p.polqual, c.oid) = 'true')
        AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive
                           AND p.polcmd IN ('r', '*') AND (r.oid = ANY (p.polroles) OR 0 = ANY (p.polroles)))))
), false)
  FROM pg_roles r CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE r.rolname = :role AND c.relkind IN ('r', 'p', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""


@contextmanager
def frozen(place: Place) -> Iterator[tuple[sa.Connection, str]]:
    """Yield the owner's connection in a read-only transaction of one moment, and the name others can share it by."""
    with place.engine.connect() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        yield connection, connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()


def count_all(connection: sa.Connection) -> dict[str, int]:
    """Return how many rows each table has, those of the queue and those put aside included; not the history's."""
    schemas = connection.exec_driver_sql(_SCHEMAS).scalars().all()
    tables = list_tables(connection, *schemas)
    if not tables:
        return {}
    query = " UNION ALL ".join(f"SELECT {_literal(name)}, count(*) FROM {name}" for name in tables)
    return {name: int(count) for name, count in connection.exec_driver_sql(query.replace("%", "%%"))}


def expected_bytes(connection: sa.Connection) -> int:
    """Return about how large a dump will be; generously."""
    return int(connection.exec_driver_sql(_SIZE).scalar_one()) // _SHRINKS_BY


def dump_url(connection: sa.Connection, place: Place, wished: str | None) -> URL:
    """Return whom to dump as: the backup role of ``wished`` where it reads every row, else the owner."""
    if wished:
        url = make_url(wished).set(database=place.database)
        reads_all = url.username and connection.execute(sa.text(_READS_ALL), {"role": url.username}).scalar_one()
        if reads_all and _lets_in(url):
            return url
    return place.engine.url


def _lets_in(url: URL) -> bool:
    """Tell whether the database takes this login: a wrong password must not cost the backup."""
    try:
        psycopg.connect(conninfo(url), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        log.warning("backup.role_refused", role=url.username, error=type(error).__name__)
        return False
    return True


def write_dump(tools: Tools, url: URL, snapshot: str, target: Path, counter: Counter) -> None:
    """Dump the database ``url`` as of ``snapshot`` into ``target``; raises BackupError where that fails."""
    # With FORCE ROW LEVEL SECURITY pg_dump would refuse without being told that policies are to be believed.
    arguments = [
        "--format=custom", f"--file={target}", f"--snapshot={snapshot}", "--enable-row-security", "--verbose",
        f"--lock-wait-timeout={LOCK_WAIT}",
    ]  # fmt: skip
    tools.run(DUMP, arguments, url, seen=counter)
    counter.finish()


def write_tables(tools: Tools, url: URL, snapshot: str, target: Path) -> None:
    """Dump the tables as they are made, without rows, keys and policies."""
    arguments = ["--format=custom", f"--file={target}", f"--snapshot={snapshot}", "--section=pre-data"]
    tools.run(DUMP, [*arguments, f"--lock-wait-timeout={LOCK_WAIT}"], url)


def read_dump(tools: Tools, source: Path, target: Place, tell: Tell, counts: Mapping[str, int]) -> None:
    """Restore a dump into an empty database and compare its rows with ``counts``.

    Raises BackupError where it is not empty, the restore fails, or the rows are other ones.
    """
    with target.engine.connect() as connection:
        if list_tables(connection):
            raise BackupError(f"The database {target.database} is not empty; nothing was restored into it.")
    counter = Counter(tell, "tables restored", len(counts))
    with TemporaryDirectory() as folder:
        # Two jobs may put a table's security on before its policies and the keys that name it: the check of such a
        # key by the owner then sees no row. So the walls come last, and in the dump's own order.
        lines = tools.contents(source)
        first, last = Path(folder) / "rows", Path(folder) / "walls"
        first.write_text("\n".join(line for line in lines if not _WALL.match(line)))
        last.write_text("\n".join(line for line in lines if _WALL.match(line)))
        _restore(tools, source, target, f"--jobs={_JOBS}", f"--use-list={first}", seen=counter)
        _restore(tools, source, target, f"--use-list={last}")
    counter.finish()
    with target.engine.connect() as connection:
        compare(count_all(connection), counts)


def read_tables(tools: Tools, source: Path, target: Place) -> None:
    """Make the tables of a dump in an empty database: no rows, no keys, no policies."""
    _restore(tools, source, target, "--section=pre-data")


def read_rows(tools: Tools, source: Path, target: Place, table: str) -> None:
    """Restore the rows of one table of ``public`` into a database that ``read_tables`` prepared."""
    _restore(tools, source, target, "--data-only", "--schema=public", f"--table={table}")


def compare(found: Mapping[str, int], expected: Mapping[str, int]) -> None:
    """Raise BackupError where tables have other numbers of rows than expected."""
    wrong = [
        f"  {table}: {found.get(table, 'no table')} instead of {expected.get(table, 'no table')}"
        for table in sorted(found.keys() | expected.keys())
        if found.get(table) != expected.get(table)
    ]
    if wrong:
        more = [f"  and {len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else []
        raise BackupError("\n".join(["The backup does not hold the rows it should:", *wrong[:_LISTED], *more]))


def _restore(
    tools: Tools, source: Path, target: Place, *arguments: str, seen: Callable[[str], object] = lambda _line: None
) -> None:
    always = ("--no-owner", "--exit-on-error", "--enable-row-security", "--verbose")
    tools.run(RESTORE, [*always, *arguments, str(source)], target.engine.url, seen=seen)


def _literal(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
