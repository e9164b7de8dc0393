"""A database and the revisions that belong to it: what every piece of this package works on."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import current_app

from portal.core.database import OWNER_BIND, db
from portal.ops.evolve import lock
from portal.ops.evolve.errors import EvolveError
from portal.ops.schema.recorder import Run
from portal.ops.schema.scripts import Revision, read_revisions

LOCK_WAIT_SECONDS = 600.0


@dataclass(frozen=True)
class Place:
    """The owner's engine, the folder of the revisions, and the ``-x`` options given."""

    engine: sa.Engine
    directory: Path
    options: Mapping[str, str] = field(default_factory=dict)

    def config(self, **attributes: Any) -> Config:
        """Return Alembic's configuration; ``attributes`` reach migrations/env.py."""
        config = Config(str(self.directory / "alembic.ini"))
        config.set_main_option("script_location", str(self.directory))
        config.cmd_opts = Namespace(x=[f"{name}={value}" for name, value in self.options.items()])
        config.attributes.update({"engine": self.engine, **attributes})
        return config

    def scripts(self) -> ScriptDirectory:
        """Return Alembic's view of the folder."""
        return ScriptDirectory.from_config(self.config())

    def revisions(self) -> list[Revision]:
        """Return every revision, oldest first."""
        return read_revisions(self.scripts())

    @contextmanager
    def locked(self, waiting: Callable[[], object] = lambda: None) -> Iterator[sa.Connection]:
        """Yield a connection that holds the migration lock, so that nobody else moves a revision meanwhile.

        ``waiting`` is called once where another run holds it. Raises MigrationLockedError where that one keeps it for
        longer than ``-x lock_wait`` says.
        """
        wait = float(self.options.get("lock_wait", LOCK_WAIT_SECONDS))
        with self.engine.connect() as connection, lock.exclusive(connection, wait, waiting):
            yield connection

    def upgrade(self, target: str = "head", run: Run | None = None, connection: sa.Connection | None = None) -> None:
        """Run the revisions up to ``target``, recorded."""
        command.upgrade(self._moving(run, connection), target)

    def downgrade(self, target: str, run: Run | None = None, connection: sa.Connection | None = None) -> None:
        """Run the revisions down to ``target``, recorded."""
        command.downgrade(self._moving(run, connection), target)

    def stamp(self, target: str, run: Run | None = None, connection: sa.Connection | None = None) -> None:
        """Record that the database stands at ``target`` without running anything."""
        command.stamp(self._moving(run, connection), target)

    def on(self, database: str) -> Place:
        """Return the place with another database of the same server; dispose its engine after use."""
        # No prepared statements: one kept from before a revision may not fit the table any more.
        engine = sa.create_engine(
            self.engine.url.set(database=database),
            poolclass=sa.NullPool,
            connect_args={"prepare_threshold": None, "application_name": "clinikoop-owner"},
        )
        return replace(self, engine=engine)

    @property
    def database(self) -> str:
        """The database's name."""
        return str(self.engine.url.database)

    def _moving(self, run: Run | None, connection: sa.Connection | None) -> Config:
        attributes: dict[str, Any] = {"run": run or Run()}
        if connection is not None:
            attributes["connection"] = connection
        return self.config(**attributes)


def current_place(options: Mapping[str, str] | None = None) -> Place:
    """Return the running portal's database as its owner; raises EvolveError where DATABASE_OWNER_URL is not set."""
    engine = db.engines.get(OWNER_BIND)
    if engine is None:
        raise EvolveError("Migrations run as the owner role: set DATABASE_OWNER_URL. See docs/deployment.md.")
    return Place(engine, Path(current_app.extensions["migrate"].directory), options or {})
