"""The revisions there are, so that tests do not change with every new one."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def _chain() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return [script.revision for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions()))]


CHAIN = _chain()
HEAD = CHAIN[-1]
BELOW_HEAD = CHAIN[-2]


def name_of(revision: str) -> str:
    """Return the file name of a revision without its ending: what the guide calls migration_name."""
    return next((MIGRATIONS / "versions").glob(f"{revision}_*.py")).stem
