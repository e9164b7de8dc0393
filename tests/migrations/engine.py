"""What tests of the engine share: a place for a test's database, and revisions of their own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from portal.ops.schema.place import Place
from portal.ops.schema.state import State, read_state

MIGRATIONS = Path(__file__).parents[2] / "migrations"
HEAD = "20261123101100"

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


def locks_held(database: Any) -> sa.Connection:
    """Return a connection that has read every table and not ended its transaction."""
    connection = database.engine().connect()
    connection.exec_driver_sql("SELECT count(*) FROM notes")
    return connection
