"""Where new revisions are made: a database with rows, a copy of the folder, and models that a test may change."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from portal.models import metadata
from portal.ops.schema.lint import lint_file
from portal.ops.schema.scripts import Phase, Revision, read_revisions
from portal.ops.schema.snapshot import hash_rows, schema_lines
from tests.migrations.conftest import MIGRATIONS, Database
from tests.support.chain import HEAD

__all__ = ["HEAD"]

RUFF = Path(sys.executable).with_name("ruff")


@dataclass
class Workshop:
    """A database with rows, a folder of revisions and models of its own to change."""

    database: Database
    folder: Path
    models: sa.MetaData = field(default_factory=lambda: sa.MetaData(naming_convention=metadata.naming_convention))

    def config(self) -> Config:
        config = self.database.config()
        config.set_main_option("script_location", str(self.folder))
        config.attributes["metadata"] = self.models
        return config

    def migrate(self, name: str, **options: Any) -> list[Revision]:
        """Write the revisions for what the models say now, and see that they are in the house's shape."""
        known = set(self.folder.glob("versions/*.py"))
        command.revision(self.config(), name, autogenerate=True, **options)
        made = [one for one in self.revisions() if one.path not in known]
        for one in made:
            assert set(one.header) == {"What it does", "Warnings", "Phases", "Downgrade"}
            assert list(lint_file(one)) == []
            assert_laid_out(one.path)
        return made

    def revisions(self) -> list[Revision]:
        return read_revisions(ScriptDirectory.from_config(self.config()))

    def up(self, revision: str = "head") -> None:
        command.upgrade(self.config(), revision)

    def down(self, revision: str = HEAD) -> None:
        command.downgrade(self.config(), revision)

    def state(self) -> tuple[set[str], dict[str, Any]]:
        with self.database.engine().connect() as connection:
            return schema_lines(connection), hash_rows(connection)

    def round_trip(self) -> None:
        """Up, down and up again: below nothing differs, above nothing differs, and the models are satisfied."""
        below = self.state()
        self.up()
        above = self.state()
        command.check(self.config())
        self.down()
        assert self.state() == below
        self.up()
        assert self.state() == above

    def column(self, table: str, column: sa.Column[Any]) -> None:
        self.models.tables[table].append_column(column)

    def without(self, table: str, *columns: str) -> None:
        """Take columns off a model, with the constraints and indexes over them."""
        old = self.models.tables[table]
        kept = [one._copy() for one in old.columns if one.name not in columns]
        rest = [
            one
            for one in (*old.constraints, *old.indexes)
            if not isinstance(one, sa.PrimaryKeyConstraint) and not {c.name for c in one.columns} & set(columns)
        ]
        self.models.remove(old)
        new = sa.Table(table, self.models, *kept)
        for one in rest:
            if isinstance(one, sa.Index):
                sa.Index(one.name, *(new.columns[c.name] for c in one.columns), unique=one.unique)
            else:
                new.append_constraint(one._copy())


def assert_laid_out(path: Path) -> None:
    """Assert that ruff has nothing to say about a file, as one of the real folder."""
    place = ["--stdin-filename", str(MIGRATIONS / "versions" / path.name), "-"]
    for order in (["check", "--quiet"], ["format", "--diff", "--quiet"]):
        done = subprocess.run(
            [RUFF, *order, *place], input=path.read_text(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def make_workshop(database: Database, folder: Path) -> Workshop:
    """Copy the revisions and the models."""
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    made = Workshop(database, folder)
    for table in metadata.sorted_tables:
        table.to_metadata(made.models)
    return made


def write(revision: Revision, name: str, expression: str) -> None:
    """Write a constant as a developer would."""
    source = revision.path.read_text()
    assert f"\n{name} = evolve.UNWRITTEN\n" in source
    revision.path.write_text(source.replace(f"\n{name} = evolve.UNWRITTEN\n", f'\n{name} = "{expression}"\n'))


def phases(made: list[Revision]) -> list[tuple[str, Phase | None]]:
    return [(one.name, one.phase) for one in made]


def calls(revision: Revision, function: str) -> list[str]:
    """Return the helpers that ``upgrade`` or ``downgrade`` calls, in order."""
    body = revision.path.read_text().partition(f"def {function}()")[2].partition("\ndef ")[0]
    return re.findall(r"evolve\.(\w+)\(", body)
