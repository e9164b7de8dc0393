"""Names of revisions: they say what is done, or they are refused."""

from __future__ import annotations

import re
from datetime import datetime

from portal.ops.evolve.errors import EvolveError

_SHAPE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_VAGUE = frozenset({"update", "updates", "fix", "fixes", "change", "changes", "misc", "wip", "stuff", "test", "new"})
LONGEST = 48  # Alembic cuts file names at 60, and "_contract" may follow
_FILLER = frozenset({"the", "a", "db", "database", "schema", "model", "models", "table", "tables", "some", "more"})


def refuse_vague(name: str | None) -> None:
    """Raise EvolveError for a name such as ``update`` or ``fix_models``, or one not in snake_case."""
    words = set((name or "").split("_"))
    if not name or not _SHAPE.fullmatch(name) or words <= _VAGUE | _FILLER:
        raise EvolveError(
            f"{name!r} does not name a migration. Use snake_case that says what it does, "
            "for example add_clinic_id_to_patient_offer."
        )
    if len(name) > LONGEST + len("_contract"):
        raise EvolveError(f"{name!r} is too long to name a migration: at most {LONGEST} characters.")


def is_timestamp(revision: str) -> bool:
    """Tell whether a revision's id is a moment of 14 digits."""
    try:
        datetime.strptime(revision, "%Y%m%d%H%M%S")
    except ValueError:
        return False
    return len(revision) == 14


def refuse_odd_id(revision: str) -> None:
    """Raise EvolveError for an id given by hand that is no moment: revisions are sorted and named by it."""
    if not is_timestamp(revision):
        raise EvolveError(
            f"{revision!r} is no id for a migration: 14 digits, the moment in UTC, as 20261125134500. "
            "Give one with --rev-id."
        )
