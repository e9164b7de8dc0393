"""Taking over a database that the revisions did not make: found to be equal to one of them, then recorded as such."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.ops.evolve.errors import DriftError, EvolveError
from portal.ops.schema.place import Place
from portal.ops.schema.recorder import Run
from portal.ops.schema.scratch import scratch
from portal.ops.schema.scripts import Revision
from portal.ops.schema.snapshot import schema_lines
from portal.ops.schema.state import read_state
from portal.ops.schema.tables import ensure_tables

Tell = Callable[[str, Mapping[str, Any]], None]
LISTED = 20


@dataclass(frozen=True)
class Likeness:
    """How a database compares with what the revisions up to one make."""

    revision: Revision
    missing: list[str]
    extra: list[str]

    @property
    def differences(self) -> int:
        """How many lines of the schema differ."""
        return len(self.missing) + len(self.extra)


def find_likeness(place: Place, tell: Tell) -> Likeness:
    """Return the revision whose schema the database is nearest to; the newest of several.

    Raises EvolveError where there are no revisions.
    """
    with place.engine.connect() as connection:
        here = schema_lines(connection)
    nearest: Likeness | None = None
    revisions = place.revisions()
    with scratch(place) as copy:
        for number, revision in enumerate(revisions, 1):
            copy.upgrade(revision.id)
            with copy.engine.connect() as connection:
                made = schema_lines(connection)
            likeness = Likeness(revision, sorted(made - here), sorted(here - made))
            if nearest is None or likeness.differences <= nearest.differences:
                nearest = likeness
            tell("part", {"what": "revisions compared", "done": number, "total": len(revisions)})
    if nearest is None:
        raise EvolveError("There are no revisions to compare with.")
    return nearest


def adopt(place: Place, *, by: str | None, tell: Tell) -> Revision:
    """Record the revision that the database is equal to, without running anything.

    Raises EvolveError where the database has revisions already, DriftError with the differences where it is equal
    to none.
    """
    with place.locked() as connection:
        state = read_state(connection, place.revisions())
        connection.rollback()
        if state.current:
            raise EvolveError(f"The database stands at {', '.join(state.current)} already; there is nothing to adopt.")
        likeness = find_likeness(place, tell)
        if likeness.differences:
            lines = [f"  lacks {line}" for line in likeness.missing] + [
                f"  has besides {line}" for line in likeness.extra
            ]
            more = f"\n  and {len(lines) - LISTED} more" if len(lines) > LISTED else ""
            raise DriftError(
                f"The database is nearest to {likeness.revision.id}_{likeness.revision.name}, but not equal to it:\n"
                + "\n".join(lines[:LISTED]) + more + "\nNothing was changed."
            )  # fmt: skip
        ensure_tables(connection)
        place.stamp(
            likeness.revision.id, Run(app_user=by, notes="Adopted: equal to what the revisions make."), connection
        )
        return likeness.revision
