"""The newest revision and the models describe one schema."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from config import ROOT
from portal.core.database import Base
from portal.models import metadata


def test_every_column_constraint_and_index_is_as_the_models_say(database, current):
    with database.engine().begin() as connection:
        metadata.create_all(connection)
    structure = ("policy ", "rights ", "function ", "trigger ")
    wanted = {line for line in database.schema() if not line.startswith(structure)}
    found = {line for line in current.schema() if not line.startswith(structure)}
    assert found ^ wanted == set()


def test_alembic_check_finds_nothing_to_do(current):
    command.check(current.config())


def test_alembic_check_would_notice_a_missing_column(current):
    current.execute("ALTER TABLE notes DROP COLUMN body")
    with current.engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) != []
    with pytest.raises(Exception, match="New upgrade operations detected"):
        command.check(current.config())


def test_every_models_module_is_in_the_metadata():
    written = {path.parent.name for path in (ROOT / "portal").glob("*/models.py")}
    mapped = {mapper.class_.__module__ for mapper in Base.registry.mappers}
    assert {f"portal.{name}.models" for name in written} <= mapped
