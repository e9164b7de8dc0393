"""What tests of the engine share: a place for a test's database, and revisions of their own."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask import Flask

from config import DatabaseUrls
from portal.app import create_app
from portal.core.database import db
from portal.core.roles import APP_ROLE, BACKUP_ROLE, OWNER_ROLE, PLATFORM_ROLE
from portal.ops.schema.place import Place
from portal.ops.schema.state import State, read_state
from tests.support.chain import BELOW_HEAD, CHAIN, HEAD, MIGRATIONS
from tests.support.data import settings_for

__all__ = ["BELOW_HEAD", "CHAIN", "HEAD", "MIGRATIONS"]


REVISION = '''"""{title}.

What it does: {title}.
Warnings: none.
Downgrade: everything is kept.

Revision ID: {revision}
Revises: {down}
"""

from __future__ import annotations

from portal.ops import evolve

revision = "{revision}"
down_revision = "{down}"
branch_labels = None
depends_on = None
{more}

def upgrade() -> None:
{upgrade}


def downgrade() -> None:
{downgrade}
'''


def place_of(database: Any, directory: Path = MIGRATIONS, **options: str) -> Place:
    """Return the place of a test's database."""
    return Place(database.engine(), directory, options)


def state_of(place: Place) -> State:
    """Read where a place stands."""
    with place.engine.connect() as connection:
        return read_state(connection, place.revisions())


def history(database: Any, columns: str = "revision, direction, status", where: str = "true") -> list[Any]:
    """Return rows of the history, oldest first."""
    return database.execute(f"SELECT {columns} FROM ops.migration_log WHERE {where} ORDER BY started_at, id")


def copied(folder: Path) -> Path:
    """Return a copy of the migrations' folder that a test may add to."""
    target = folder / "migrations"
    shutil.copytree(MIGRATIONS, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def add_revision(
    directory: Path, name: str, upgrade: str, downgrade: str = "pass", *,
    revision: str = "20261201100000", down: str = HEAD, more: str = 'phase = "expand"\n',
) -> Path:  # fmt: skip
    """Write one more revision in the house's shape."""

    def indented(text: str) -> str:
        return "\n".join(f"    {line}" for line in text.strip().splitlines())

    path = directory / "versions" / f"{revision}_{name}.py"
    path.write_text(REVISION.format(
        title=name.replace("_", " ").capitalize(), revision=revision, down=down, more=more,
        upgrade=indented(upgrade), downgrade=indented(downgrade),
    ))  # fmt: skip
    return path


@dataclass
class Terminal:
    """Runs `flask db ...` against one database, as somebody at a terminal without a keyboard would."""

    app: Flask
    backups: Path

    def __call__(self, *words: str, **options: Any) -> Any:
        """Run a command and return click's result; what an exception said is in ``output``."""
        return self.app.test_cli_runner().invoke(args=["db", *words], **options)

    def json(self, *words: str, code: int = 0) -> Any:
        """Run a command with --json, assert its exit code, and return its document."""
        result = self(*words, "--json")
        assert result.exit_code == code, (result.output, result.stderr, result.exception)
        return json.loads(result.stdout)


def terminal(database: Any, folder: Path, directory: Path = MIGRATIONS, *, environment: str = "testing") -> Terminal:
    """Return a terminal at a portal over a test's database; its backups go below ``folder``."""
    server, name = database.server, database.name
    urls = DatabaseUrls(
        app=server.url(name, APP_ROLE), platform=server.url(name, PLATFORM_ROLE),
        owner=server.url(name, OWNER_ROLE), backup=server.url(name, BACKUP_ROLE),
    )  # fmt: skip
    settings = settings_for(urls)
    app = create_app(
        replace(settings, environment=environment, backups=replace(settings.backups, folder=folder / "backups"))  # type: ignore[arg-type]
    )
    app.extensions["migrate"].directory = str(directory)
    app.extensions["migrate"].migrate.directory = str(directory)
    with app.app_context():
        engines = list(db.engines.values())
    database.engines.update({f"app {number}": engine for number, engine in enumerate(engines)})  # disposed at the end
    return Terminal(app, folder / "backups")
