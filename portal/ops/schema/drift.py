"""Whether a database is what the models say and what the revisions make: two comparisons, both by the catalogue."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from portal.ops.schema.place import Place
from portal.ops.schema.scratch import scratch
from portal.ops.schema.snapshot import is_aside, schema_lines
from portal.ops.schema.state import State


@dataclass(frozen=True)
class Drift:
    """What differs. Lines name a column, constraint, index, policy, right, trigger or function."""

    models: list[str]  # Alembic's differences between the models and the database
    missing: list[str]  # the revisions make it, the database lacks it
    extra: list[str]  # the database has it, no revision makes it

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.models or self.missing or self.extra)


def find_drift(place: Place, state: State, metadata: sa.MetaData) -> Drift:
    """Compare the database with the models (where it is at head) and with the revisions replayed on a scratch one."""
    with place.engine.connect() as connection:
        models = _against_models(connection, metadata) if not state.pending and not state.unknown else []
        here = schema_lines(connection)
    replayed = replay(place, state.current)
    return Drift(models, sorted(replayed - here), sorted(here - replayed))


def replay(place: Place, heads: Collection[str]) -> set[str]:
    """Return the schema that the revisions up to ``heads`` make of nothing."""
    with scratch(place) as copy:
        for revision in heads:
            copy.upgrade(revision)
        with copy.engine.connect() as connection:
            return schema_lines(connection)


def _against_models(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "compare_server_default": True,
            "include_object": lambda _object, name, kind, reflected, _compare_to: (
                kind != "table" or not reflected or not is_aside(name or "")
            ),
        },
    )
    return [_told(difference) for difference in compare_metadata(context, metadata)]


def _told(difference: Any) -> str:
    """Return one of Alembic's differences on a line: a tuple, or a list of tuples for one column."""
    parts = difference if isinstance(difference, list) else [difference]
    return "; ".join(
        " ".join(
            str(getattr(item, "fullname", None) or getattr(item, "name", None) or item)
            for item in part
            if item is not None
        )
        for part in parts
    )
