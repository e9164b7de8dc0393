"""Names of revisions: they say what is done, or they are refused."""

from __future__ import annotations

import re

from portal.ops.evolve.errors import EvolveError

_SHAPE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_VAGUE = frozenset({"update", "updates", "fix", "fixes", "change", "changes", "misc", "wip", "stuff", "test", "new"})
_FILLER = frozenset({"the", "a", "db", "database", "schema", "model", "models", "table", "tables", "some", "more"})


def refuse_vague(name: str | None) -> None:
    """Raise EvolveError for a name such as ``update`` or ``fix_models``, or one not in snake_case."""
    words = set((name or "").split("_"))
    if not name or not _SHAPE.fullmatch(name) or words <= _VAGUE | _FILLER:
        raise EvolveError(
            f"{name!r} does not name a migration. Use snake_case that says what it does, "
            "for example add_clinic_id_to_patient_offer."
        )
