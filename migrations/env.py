"""How Alembic runs the revisions: one at a time, each in its own transaction, recorded, as the owner role.

Under `flask db` the engine is the portal's owner engine. Driven directly, ``config.attributes`` holds a
``connection`` (not in a transaction) or an ``engine``, and may hold a ``run`` (portal.ops.schema.recorder).
``-x lock_wait=SECONDS`` bounds the wait for another upgrade.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from flask import current_app

from portal.core.database import OWNER_BIND
from portal.models import metadata
from portal.ops.evolve import generate, lock, retry
from portal.ops.schema.recorder import Recorder, Run

KEPT_PREFIX, KEPT_SUFFIX = "keep_", "_quarantine"
LOCK_WAIT_SECONDS = 600.0

config = context.config


def include_object(_object: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
    """Leave what migrations put aside out of comparisons with the models."""
    if kind != "table" or not reflected or name is None:
        return True
    return not (name.startswith(KEPT_PREFIX) or name.endswith(KEPT_SUFFIX))


def write_revisions(context_: MigrationContext, _revision: Any, directives: list[MigrationScript]) -> None:
    """Write new revisions in the house's shape."""
    generate.write_revisions(config, context_, directives)


OPTIONS: dict[str, Any] = {
    "target_metadata": config.attributes.get("metadata", metadata),  # tests compare models of their own
    "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
    "include_object": include_object,
    "process_revision_directives": write_revisions,
    "compare_type": True,
    "compare_server_default": True,
    "transaction_per_migration": True,
}


def owner_engine() -> sa.Engine:
    """Return the engine of the role that owns the tables."""
    engine: sa.Engine | None = config.attributes.get("engine")
    engine = engine or current_app.extensions["migrate"].db.engines.get(OWNER_BIND)
    if engine is None:
        raise CommandError("Migrations run as the owner role: set DATABASE_OWNER_URL. See docs/deployment.md.")
    return engine


@contextmanager
def connected() -> Iterator[sa.Connection]:
    """Yield the given connection, or a new one of the owner's."""
    given = config.attributes.get("connection")
    if given is not None:
        yield given
        return
    with owner_engine().connect() as connection:
        yield connection


def changes_schema() -> bool:
    """Tell whether this command moves revisions: only those exclude each other."""
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


def run_online() -> None:
    """Run the command against the database."""
    wait = float(context.get_x_argument(as_dictionary=True).get("lock_wait") or LOCK_WAIT_SECONDS)
    with connected() as connection:
        if not changes_schema():
            _run(connection)
            return
        with lock.exclusive(connection, wait):
            _run_recorded(connection)


def _run(connection: sa.Connection) -> None:
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


def _run_recorded(connection: sa.Connection) -> None:
    context.configure(connection=connection, **OPTIONS)
    recorder = Recorder(context.get_context(), config.attributes.get("run") or Run())
    with recorder.recording(), context.begin_transaction():
        context.run_migrations()


def run_offline() -> None:
    """Print the SQL instead of running it; revisions that depend on data refuse."""
    context.configure(dialect_name=retry.RetryingImpl.__dialect__, literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
