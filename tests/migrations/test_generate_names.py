"""Which names and ids a new revision may have, and when none is written."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa
from alembic import command

from portal.ops.evolve.errors import EvolveError
from portal.ops.schema.scripts import Phase
from tests.migrations.workshop import HEAD, make_workshop


@pytest.fixture
def workshop(current, tmp_path):
    return make_workshop(current, tmp_path / "migrations")


def test_no_difference_is_no_file_and_says_so(workshop):
    config, known = workshop.config(), sorted(workshop.folder.glob("versions/*.py"))
    config.stdout = io.StringIO()
    command.revision(config, "add_nothing_at_all", autogenerate=True)
    assert "nothing to write" in config.stdout.getvalue()
    assert sorted(workshop.folder.glob("versions/*.py")) == known


@pytest.mark.parametrize("name", ["update", "fix_models", "AddPriority", "x" * 30 + "_" + "y" * 30, None])
@pytest.mark.parametrize("autogenerate", [True, False])
def test_a_name_that_says_nothing_writes_no_file(workshop, name, autogenerate):
    workshop.column("notes", sa.Column("priority", sa.String(10)))
    config = workshop.config()
    config.cmd_opts.autogenerate = autogenerate  # as Flask-Migrate tells it
    known = sorted(workshop.folder.glob("versions/*.py"))
    with pytest.raises(EvolveError):
        command.revision(config, name, autogenerate=autogenerate)
    assert sorted(workshop.folder.glob("versions/*.py")) == known


@pytest.mark.parametrize("revision", ["0001", "add", "20269999000000", "2026112513450"])
def test_an_id_given_by_hand_is_a_moment(workshop, revision):
    with pytest.raises(EvolveError, match="14 digits"):
        command.revision(workshop.config(), "note_by_hand", rev_id=revision)
    command.revision(workshop.config(), "note_by_hand", rev_id="20301231235959")
    assert workshop.revisions()[-1].path.name == "20301231235959_note_by_hand.py"


def test_an_empty_revision_has_the_shape_and_says_what_is_missing(workshop):
    command.revision(workshop.config(), "move_notes_by_hand")
    made = workshop.revisions()[-1]
    assert (made.name, made.phase, made.down) == ("move_notes_by_hand", Phase.EXPAND, (HEAD,))
    assert {text[0] + text[-1] for text in made.header.values()} == {"<>"}
