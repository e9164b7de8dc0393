"""A rehearsal: the pending revisions on a copy of the real data, up, down and up again, everything compared.

Where nothing is pending, the newest revision is taken down and up again, so that the way back is proven all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from portal.ops.evolve.errors import BackupError, EvolveError
from portal.ops.schema.backup import BackupInfo, Vault
from portal.ops.schema.observe import Seen
from portal.ops.schema.place import Place
from portal.ops.schema.recorder import Run
from portal.ops.schema.scratch import scratch
from portal.ops.schema.scripts import Revision
from portal.ops.schema.snapshot import Rows, hash_rows, schema_lines
from portal.ops.schema.state import State, read_state
from portal.ops.schema.tables import Rehearsal, WorkStatus, ensure_tables
from portal.ops.schema.verify import verify

Tell = Callable[[str, Mapping[str, Any]], None]
FRESH = timedelta(hours=1)
LONGEST_SQL = 2000
LISTED = 200
STAMPS = ("created_at", "updated_at")  # rows a revision makes get the moment it ran


@dataclass
class Rehearsed:
    """What a rehearsal found; kept as a row of ``ops.migration_rehearsal``."""

    id: UUID
    from_heads: str
    to_heads: str
    revisions: list[Revision]
    backup_id: UUID | None = None
    upgrade_ms: int | None = None
    downgrade_ms: int | None = None
    again_ms: int | None = None
    expected_ms: int | None = None
    statements: list[dict[str, Any]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def is_ok(self) -> bool:
        """Whether the way up, down and up again was as it should be."""
        return not self.findings and self.error is None

    @property
    def longest_lock_ms(self) -> int:
        """How long the longest lock stood in others' way."""
        return round(max((lock["ms"] for row in self.statements for lock in row["locks"]), default=0))


def rehearse(
    place: Place, vault: Vault, *, by: str | None, target: str = "head", tell: Tell = lambda _event, _facts: None,
    backup: BackupInfo | None = None,
) -> Rehearsed:  # fmt: skip
    """Rehearse the upgrade to ``target`` on a restored backup and keep the result as evidence.

    A backup of the last hour is used, else one is made. Raises BackupError where none can be made or restored,
    DivergedError where database and files do not belong together, EvolveError where there is no revision at all.
    """
    with place.engine.connect() as connection:
        ensure_tables(connection)
        state = read_state(connection, place.revisions())
    state.refuse_divergence()
    rehearsed = _intended(state, target)
    _keep(place, rehearsed, WorkStatus.RUNNING, by)
    started = time.perf_counter()
    try:
        chosen = backup or _fresh(vault, state) or vault.make(reason="rehearsal", by=by, prove=False, tell=tell)
        rehearsed.backup_id = chosen.id
        with scratch(place) as copy:
            tell("note", {"text": "Restoring the backup into a scratch database ..."})
            vault.restore_into(chosen, copy, tell)
            vault.mark_proven(chosen)
            _walk(place, copy, rehearsed, tell)
    except Exception as error:
        rehearsed.error = str(error).partition("\n")[0] if isinstance(error, EvolveError) else type(error).__name__
        if isinstance(error, EvolveError):
            raise
        raise BackupError(f"The rehearsal failed: {_first_line(error)}") from error
    finally:
        _keep(place, rehearsed, None, by, round((time.perf_counter() - started) * 1000))
    return rehearsed


def _intended(state: State, target: str) -> Rehearsed:
    """Return what is to be rehearsed: the pending revisions up to ``target``, else the newest one over again."""
    revisions = state.pending
    if target not in ("head", "heads"):
        reached = [revision.id for revision in revisions]
        revisions = revisions[: reached.index(target) + 1] if target in reached else revisions
    if not revisions:
        revisions = state.applied[-1:]
    if not revisions:
        raise EvolveError("There is no revision to rehearse.")
    below = ", ".join(state.current) if state.pending else ", ".join(revisions[0].down)
    return Rehearsed(uuid7(), below, revisions[-1].id, revisions)


def _fresh(vault: Vault, state: State) -> BackupInfo | None:
    """Return a whole backup of the last hour, made where the database stands now."""
    for made in vault.list():
        good = made.kind == "database" and made.status == WorkStatus.OK and made.finished_at is not None
        if good and made.heads == ", ".join(state.current) and datetime.now(UTC) - made.started_at < FRESH:
            return made
    return None


def _walk(place: Place, copy: Place, rehearsed: Rehearsed, tell: Tell) -> None:
    below, above = rehearsed.from_heads or "base", rehearsed.to_heads
    with copy.engine.connect() as connection:
        ratio = _size(place) / max(1, _size(copy))
        at_top = above in read_state(connection, place.revisions()).current
    if at_top:
        copy.downgrade(below)
    before = _content(copy, ())
    run = Run(rewrites=True, tell=tell)
    rehearsed.upgrade_ms = _timed(lambda: copy.upgrade(above, run))
    rehearsed.statements = _listed(run)
    rehearsed.expected_ms = round(rehearsed.upgrade_ms * max(1.0, ratio))
    rehearsed.findings += _rewrites(rehearsed)
    rehearsed.findings += [f"After the upgrade: {line}" for line in verify(copy, by=None).lines]
    upgraded = _content(copy, STAMPS)
    tell("note", {"text": "Taking the copy down again, and up once more ..."})
    rehearsed.downgrade_ms = _timed(lambda: copy.downgrade(below))
    rehearsed.findings += _differences("After the downgrade", before, _content(copy, ()))
    rehearsed.again_ms = _timed(lambda: copy.upgrade(above))
    rehearsed.findings += _differences("After the second upgrade", upgraded, _content(copy, STAMPS))


def _size(place: Place) -> int:
    with place.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


def _content(copy: Place, ignoring: tuple[str, ...]) -> tuple[set[str], dict[str, Rows]]:
    with copy.engine.connect() as connection:
        return schema_lines(connection), hash_rows(connection, ignoring=ignoring)


def _differences(
    when: str, before: tuple[set[str], dict[str, Rows]], after: tuple[set[str], dict[str, Rows]]
) -> Iterator[str]:
    for line in sorted(before[0] ^ after[0]):
        yield f"{when}, the schema {'lacks' if line in before[0] else 'has besides'}: {line}"
    for table in sorted(before[1] | after[1]):
        had, has = before[1].get(table), after[1].get(table)
        if had != has:
            counts = [rows.rows if rows else "no table" for rows in (had, has)]
            what = "rows have other values" if counts[0] == counts[1] else f"{counts[0]} rows became {counts[1]}"
            yield f"{when}, {table} is not what it was: {what}."


def _rewrites(rehearsed: Rehearsed) -> list[str]:
    exempt = {
        revision.id for revision in rehearsed.revisions if revision.is_exempt or "rewrites-table" in revision.allowed
    }
    return [
        f"{row['revision']} writes {', '.join(row['rewrites'])} anew: {row['sql'][:120]}"
        for row in rehearsed.statements
        if row["rewrites"] and row["revision"] not in exempt
    ]


def _listed(run: Run) -> list[dict[str, Any]]:
    """Return the statements for the page; equal ones in a row, such as batches, become one line."""
    rows = []
    for revision, statements in run.seen.items():
        for sql, group in groupby(statements, key=lambda seen: " ".join(seen.statement.split())[:LONGEST_SQL]):
            rows.append(_line(revision, sql, list(group)))
    return rows


def _line(revision: str, sql: str, seen: list[Seen]) -> dict[str, Any]:
    times = [one.ms for one in seen]
    return {
        "revision": revision, "sql": sql, "times": len(seen), "ms": round(sum(times), 1),
        "longest_ms": round(max(times), 1), "locks": [lock.as_json() for one in seen for lock in one.locks],
        "rewrites": sorted({name for one in seen for name in one.rewrites}),
    }  # fmt: skip


def _keep(place: Place, rehearsed: Rehearsed, status: WorkStatus | None, by: str | None, ms: int | None = None) -> None:
    """Write the row: at the start with ``status``, at the end with what came out."""
    with place.engine.begin() as connection:
        if status is not None:
            connection.execute(
                sa.insert(Rehearsal).values(
                    id=rehearsed.id, status=status, from_heads=rehearsed.from_heads, to_heads=rehearsed.to_heads, by=by,
                    checksums={revision.id: revision.ast_checksum for revision in rehearsed.revisions},
                )
            )  # fmt: skip
            return
        connection.execute(
            sa.update(Rehearsal)
            .where(Rehearsal.id == rehearsed.id)
            .values(
                status=WorkStatus.OK if rehearsed.is_ok and rehearsed.again_ms is not None else WorkStatus.FAILED,
                finished_at=sa.func.clock_timestamp(), duration_ms=ms, backup_id=rehearsed.backup_id,
                upgrade_ms=rehearsed.upgrade_ms, downgrade_ms=rehearsed.downgrade_ms, again_ms=rehearsed.again_ms,
                expected_ms=rehearsed.expected_ms, longest_lock_ms=rehearsed.longest_lock_ms,
                statements=rehearsed.statements, findings=rehearsed.findings[:LISTED], error=rehearsed.error,
            )
        )  # fmt: skip


def _timed(action: Callable[[], object]) -> int:
    started = time.perf_counter()
    action()
    return round((time.perf_counter() - started) * 1000)


def _first_line(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    return str(original).strip().partition("\n")[0] or type(original).__name__
