"""Locks as a second connection sees them, every few milliseconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.scene import Scene
from portal.core.roles import APP_ROLE, OWNER_ROLE

LOCKS = """
SELECT l.pid, c.relname::text, l.mode, l.granted, a.usename::text FROM pg_locks l
  JOIN pg_stat_activity a ON a.pid = l.pid LEFT JOIN pg_class c ON c.oid = l.relation
 WHERE a.datname = current_database() AND ((a.usename = %(owner)s AND l.granted AND l.relation = ANY (%(tables)s)
   AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
    OR (a.usename = %(app)s AND NOT l.granted))
"""
TABLES = "SELECT oid::integer FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"


@dataclass
class Locks:
    """What a second connection sees of locks, every few milliseconds."""

    held: dict[tuple[int, str, str], tuple[float, float]] = field(default_factory=dict)
    longest_held: dict[tuple[str, str], float] = field(default_factory=dict)  # (table, mode) -> ms
    longest_wait: float = 0.0  # of the portal's own sessions for any lock, in ms
    samples: int = 0
    gap: float = 0.0  # the longest time between two samples, in ms

    def see(self, moment: float, rows: list[tuple[int, str | None, str, bool, str]]) -> None:
        """Take in one sample."""
        now = set()
        for pid, table, mode, granted, _user in rows:
            key = (pid, table or "row", mode if granted else "waiting")
            now.add(key)
            since, _ = self.held.get(key, (moment, moment))
            self.held[key] = (since, moment)
            ms = (moment - since) * 1000
            if granted:
                name = (key[1], mode)
                self.longest_held[name] = max(self.longest_held.get(name, 0.0), ms)
            else:
                self.longest_wait = max(self.longest_wait, ms)
        for gone in self.held.keys() - now:
            del self.held[gone]


@contextmanager
def watched(stage: Scene, database: str) -> Iterator[Locks]:
    """Look at the locks of ``database`` every five milliseconds."""
    locks, over = Locks(), threading.Event()

    def watch() -> None:
        with stage.connect(database) as connection:
            tables = [oid for (oid,) in connection.execute(TABLES).fetchall()]
            parameters = {"owner": OWNER_ROLE, "app": APP_ROLE, "tables": tables}
            last = time.perf_counter()
            while not over.wait(0.005):
                rows = connection.execute(LOCKS, parameters).fetchall()
                moment = time.perf_counter()
                locks.see(moment, rows)
                locks.samples, locks.gap, last = locks.samples + 1, max(locks.gap, (moment - last) * 1000), moment

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield locks
    finally:
        over.set()
        watcher.join()
