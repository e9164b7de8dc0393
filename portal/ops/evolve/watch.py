"""Who looks on while a revision runs: the history, a rehearsal, a progress bar.

Revisions and their helpers report here and know nothing of who listens. Outside a run nobody does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa


@dataclass
class Batches:
    """How far a backfill is: where an interrupted one goes on, and what notes each batch in its own statement.

    ``noting`` is a data-modifying CTE that the batch's statement carries along, so that cursor and rows
    are committed together; it may name the CTEs ``last`` and ``changed`` and the bound ``parameters``.
    """

    cursor: dict[str, str] = field(default_factory=dict)
    noting: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def done(self, rows: int) -> None:
        """Tell that a batch, whose statement carried ``noting``, changed ``rows`` rows."""

    def note(self, cursor: Mapping[str, str], rows: int) -> None:
        """Tell that all up to ``cursor`` is done, ``rows`` more, where no statement could carry ``noting``."""

    def restart(self) -> None:
        """Begin again at the first row: some came in behind the cursor."""

    def finish(self) -> None:
        """Tell that no row is left."""


class Watch:
    """Somebody who looks on. This one does nothing."""

    @contextmanager
    def statement(self, connection: sa.Connection, statement: str) -> Iterator[None]:  # noqa: ARG002
        """Surround one statement of a revision; its own attempts are inside."""
        yield

    def retried(self) -> None:
        """Tell that a lock was not to be had and the statement is tried again."""

    def batches(self, connection: sa.Connection, table: str, change: str, where: str) -> Batches:  # noqa: ARG002
        """Begin, or go on with, filling ``table`` in batches; ``change`` tells one backfill from another."""
        return Batches()


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)
_NOBODY = Watch()


def watching() -> Watch:
    """Return who looks on now."""
    return _watch.get() or _NOBODY


@contextmanager
def watched_by(watch: Watch) -> Iterator[None]:
    """Let ``watch`` look on inside."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)
