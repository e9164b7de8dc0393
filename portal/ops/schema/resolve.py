"""Words about the history: they record what a person knows, and change nothing in the tables."""

from __future__ import annotations

import sqlalchemy as sa

from portal.ops.evolve.errors import EvolveError
from portal.ops.schema.place import Place
from portal.ops.schema.recorder import Run
from portal.ops.schema.scripts import Revision
from portal.ops.schema.state import State, read_state
from portal.ops.schema.tables import Direction, MigrationLog, RunStatus, ensure_tables


def mark_applied(place: Place, revision: Revision, *, by: str | None) -> None:
    """Record that ``revision`` was done by hand; it must be the next one.

    Raises EvolveError where it is applied already or another one comes first.
    """
    with place.locked() as connection:
        state = _state(place, connection)
        following = state.pending[0].id if state.pending else None
        if revision.id != following:
            what = f"The next one is {following}." if following else "None is pending."
            raise EvolveError(f"{revision.id} cannot be marked as applied: it is not the next one. {what}")
        place.stamp(revision.id, Run(app_user=by, notes="Marked as applied; nothing was run."), connection)


def mark_rolled_back(place: Place, revision: str, *, by: str | None) -> None:
    """Record that a failed or interrupted attempt at a revision was undone by hand. It undoes nothing itself.

    ``revision`` is its whole id; its file may be gone. Raises EvolveError where its last attempt did not fail.
    """
    with place.locked() as connection:
        state = _state(place, connection)
        row = state.latest.get(revision)
        if row is None or revision not in state.unfinished:
            raise EvolveError(
                f"{revision} has no failed attempt to mark. To take an applied revision back: flask db downgrade."
            )
        note = f"Marked as rolled back by {by or 'somebody'}; nothing was undone."
        connection.execute(
            sa.update(MigrationLog)
            .where(MigrationLog.id == row.id)
            .values(status=RunStatus.ROLLED_BACK, rolled_back_at=sa.func.clock_timestamp(), logs=note)
        )
        connection.commit()


def accept_checksum(place: Place, revision: Revision, *, by: str | None) -> None:
    """Record that the file of an applied revision may be what it is now.

    Raises EvolveError where it is not applied, or is what it was.
    """
    with place.locked() as connection:
        state = _state(place, connection)
        if revision.id not in (*state.edited, *state.touched):
            raise EvolveError(f"{revision.id} is not applied, or its file is the one that was applied.")
        note = f"Checksum accepted by {by or 'somebody'}."
        connection.execute(
            sa.update(MigrationLog)
            .where(MigrationLog.revision == revision.id, MigrationLog.status == RunStatus.APPLIED)
            .where(MigrationLog.direction.in_((Direction.UP, Direction.STAMP)))
            .values(
                checksum=revision.checksum,
                ast_checksum=revision.ast_checksum,
                logs=sa.func.concat_ws("; ", MigrationLog.logs, note),
            )
        )
        connection.commit()


def _state(place: Place, connection: sa.Connection) -> State:
    ensure_tables(connection)
    state = read_state(connection, place.revisions())
    connection.rollback()
    return state
