"""The revision files this process runs with, read again only where one of them changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import current_app

from portal.ops.schema.scripts import Revision, read_revisions

Stamp = tuple[tuple[str, int], ...]


def current_revisions() -> Sequence[Revision]:
    """Return every revision of the running release, oldest first."""
    directory = Path(current_app.extensions["migrate"].directory)
    return _read(directory, _stamp(directory))


def _stamp(directory: Path) -> Stamp:
    return tuple(sorted((path.name, path.stat().st_mtime_ns) for path in (directory / "versions").glob("*.py")))


@lru_cache(maxsize=2)
def _read(directory: Path, stamp: Stamp) -> Sequence[Revision]:  # noqa: ARG001 - what is kept is kept for it
    config = Config()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    return tuple(read_revisions(ScriptDirectory.from_config(config)))
