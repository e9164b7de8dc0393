"""Running statements from a revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from alembic import context, op

from portal.ops.evolve.errors import EvolveError
from portal.ops.evolve.retry import patiently


def run(statement: str, **names: object) -> None:
    """Run DDL, or a change that needs no parameter; ``{name}`` is filled with our own identifiers."""
    op.execute(sa.text(filled(statement, names)))


def query(
    statement: str, parameters: Mapping[str, Any] | None = None, **names: object
) -> sa.CursorResult[*tuple[Any, ...]]:
    """Run a statement with bound parameters and return its result; waits for locks as DDL does."""
    connection = bind()
    text = sa.text(filled(statement, names))
    return patiently(connection, text.text, lambda: connection.execute(text, parameters or {}))


def bind() -> sa.Connection:
    """Return the migration's connection; raises EvolveError under --sql, where no data can be asked."""
    if op.get_context().as_sql:
        raise EvolveError("This revision depends on the data it finds and cannot be rendered with --sql.")
    return op.get_bind()


@contextmanager
def online() -> Iterator[None]:
    """Commit what was done so far, then every statement by itself, so no lock outlives its statement."""
    with op.get_context().autocommit_block():
        yield


def option(name: str) -> str | None:
    """Return the value given as ``-x name=value``, or None."""
    value = context.get_x_argument(as_dictionary=True).get(name)
    return value if isinstance(value, str) else None


def filled(statement: str, names: Mapping[str, object]) -> str:
    """Return ``statement`` with ``{name}`` replaced by our own identifiers; untouched where there are none."""
    return statement.format(**names) if names else statement


def run_script(script: str, *, schema: str) -> None:
    """Run a script of several statements as it stands, ``%`` and ``:`` included, with its objects in ``schema``.

    It goes to the driver without parameters, so the server itself splits it, in one transaction.
    """
    connection = bind()
    path = str(connection.exec_driver_sql("SHOW search_path").scalar_one())
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    run("SELECT set_config('search_path', '{schema}', true)", schema=schema)
    driver.execute(script.encode())
    run("SELECT set_config('search_path', '{path}', true)", path=path.replace("'", "''"))
