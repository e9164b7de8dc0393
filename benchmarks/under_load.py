"""A real upgrade while people work in the portal, and the guide's own rebuild under the same load.

``make bench-under-load``: a clinic of 20,000 patients with 300,000 assigned offers, the portal served as `flask demo`
serves it, readers and writers signed in over keep-alive HTTP. After a quiet phase `flask db upgrade` gives
patient_offers a required column, filled from the offers; the release being served knows nothing of it and goes on
writing. Then, on a copy, the guide's way: a new table, INSERT ... SELECT ... JOIN, drop, rename, in one transaction
(with the policies, rights and keys put back, which the guide leaves out). Added latency is the most that
a request took longer than the median of its kind in the quiet phase. Ends with 1 where our upgrade made a request fail
or lost a row; times depend on the machine and only have targets.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psycopg
from alembic.script import ScriptDirectory
from rich.console import Console
from rich.table import Table

from benchmarks.large_clinic import CLINIC, COUNTS, flask, prepare, work_of
from benchmarks.locks import Locks, watched
from benchmarks.scene import MIGRATIONS, Scene, load, one, scene
from benchmarks.traffic import WRITES, Answer, Crowd, serve
from config import ROOT
from portal.core.roles import OWNER_ROLE

PORT = 8793
REVISIONS = Path(__file__).parent / "revisions"
REVISION = "29991231000000"
SETTLE, QUIET, AFTER = 3.0, 20.0, 5.0
ATTEMPTS = 10  # of the guide's rebuild
TARGETS = {"failed requests": 0, "added latency ms": 250, "longest DDL lock ms": 500, "rows lost": 0}

WRONG = """
SELECT count(*) FROM patient_offers t LEFT JOIN offers o ON o.clinic_id = t.clinic_id AND o.id = t.offer_id
 WHERE t.currency IS DISTINCT FROM o.currency
"""
HISTORY = """
SELECT extract(epoch FROM started_at)::float, extract(epoch FROM finished_at)::float, longest_lock_ms, retries
  FROM ops.migration_log WHERE revision = %s AND direction = 'up' AND status = 'applied'
"""
REBUILD = """
BEGIN;
CREATE TABLE new_patient_offers (LIKE patient_offers INCLUDING ALL, currency varchar(3) NOT NULL);
INSERT INTO new_patient_offers SELECT po.*, o.currency FROM patient_offers po
  JOIN offers o ON o.clinic_id = po.clinic_id AND o.id = po.offer_id;
DROP TABLE patient_offers CASCADE;
ALTER TABLE new_patient_offers RENAME TO patient_offers;
CREATE INDEX ix_patient_offers_clinic_id_currency ON patient_offers (clinic_id, currency);
ALTER TABLE patient_offers ENABLE ROW LEVEL SECURITY;
ALTER TABLE patient_offers FORCE ROW LEVEL SECURITY;
CREATE POLICY migrator ON patient_offers TO clinikoop_owner USING (true) WITH CHECK (true);
CREATE POLICY clinic ON patient_offers TO clinikoop_app USING (clinic_id = (SELECT current_clinic()))
  WITH CHECK (clinic_id = (SELECT current_clinic()));
GRANT SELECT, INSERT, UPDATE, DELETE ON patient_offers TO clinikoop_app;
{keys};
COMMIT
"""
KEYS = """
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
  FROM pg_constraint WHERE contype = 'f' AND 'patient_offers'::regclass IN (conrelid, confrelid)
"""


@dataclass
class Shown:
    """What one way did."""

    way: str
    phases: dict[str, tuple[float, float]]
    answers: list[Answer]
    locks: Locks
    facts: dict[str, Any]
    lost: int
    wrong: int

    def within(self, phase: str) -> list[Answer]:
        """Return the requests that were under way in a phase."""
        begin, end = self.phases[phase]
        return [answer for answer in self.answers if answer.began < end and answer.began + answer.seconds > begin]

    def added(self, phase: str, *, writes: bool = False) -> float:
        """Return the most that a request, or one that writes, took longer than its kind's quiet median, in ms."""
        usual: dict[str, list[float]] = {}
        for answer in self.within("quiet"):
            usual.setdefault(answer.kind, []).append(answer.seconds)
        middle = {kind: statistics.median(times) for kind, times in usual.items()}
        wanted = [answer for answer in self.within(phase) if answer.kind in WRITES or not writes]
        return 1000 * max((answer.seconds - middle.get(answer.kind, 0.0) for answer in wanted), default=0.0)


@click.command()
@click.option("--patients", default=20_000, show_default=True, help="Patients of the clinic.")
@click.option("--copies", default=9, show_default=True, help="How often the demo's offers are copied.")
@click.option("--each", default=15, show_default=True, help="Patients an offer is assigned to.")
@click.option("--readers", default=3, show_default=True)
@click.option("--writers", default=2, show_default=True)
def main(patients: int, copies: int, each: int, readers: int, writers: int) -> None:
    """Upgrade under load, both ways."""
    console = Console()
    with scene() as stage, tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "FLASK_APP": "wsgi.py", "PYTHONPATH": str(ROOT), "CLINIKOOP_LOG": "json"}
        environ["CLINIKOOP_INSTANCE"] = folder
        rows = prepare(stage, environ, patients, copies, each)
        stage.make("guide", "ours")
        console.print(f"{rows:,} rows in patient_offers")
        directory = with_revision(Path(folder) / "migrations")
        shown = [
            observe(stage, "ours", environ, (readers, writers), lambda: ours(stage, environ, directory)),
            observe(stage, "guide", environ, (readers, writers), lambda: rebuild(stage)),
        ]
    for way in shown:
        report(console, way)
    verdict(console, shown)
    sys.exit(bool(shown[0].lost or shown[0].wrong or failed(shown[0])))


def with_revision(directory: Path) -> Path:
    """Copy the revisions, put the one under test on top, and return the folder."""
    shutil.copytree(MIGRATIONS, directory, ignore=shutil.ignore_patterns("__pycache__"))
    (head,) = ScriptDirectory(str(MIGRATIONS)).get_heads()
    text = (REVISIONS / "add_currency_to_patient_offers.py").read_text()
    target = directory / "versions" / f"{REVISION}_add_currency_to_patient_offers.py"
    target.write_text(text.replace('"HEAD"', f'"{head}"').replace("Revises: HEAD", f"Revises: {head}"))
    return directory


def ours(stage: Scene, environ: dict[str, str], directory: Path) -> dict[str, Any]:
    """Run `flask db upgrade`; return when the revision itself ran, and what the history says of locks."""
    flask(environ | stage.environment("ours"), "upgrade", "-d", str(directory))
    with stage.connect("ours") as connection:
        began, ended, lock_ms, retries = one(connection, HISTORY, REVISION)
    return {"revision": (began, ended), "longest lock of the history ms": lock_ms, "retries": retries}


def rebuild(stage: Scene) -> dict[str, Any]:
    """Run the guide's way, again where it and the portal's sessions lock each other out."""
    for deadlocks in range(ATTEMPTS):
        with stage.connect("guide", OWNER_ROLE) as connection:
            keys = ";\n".join(key for (key,) in connection.execute(KEYS.encode()).fetchall())
            try:
                connection.execute(REBUILD.format(keys=keys).encode())
            except psycopg.errors.DeadlockDetected:
                continue
            return {"attempts that ended in a deadlock": deadlocks}
    sys.exit(f"The guide's rebuild ended in a deadlock {ATTEMPTS} times.")


def observe(
    stage: Scene, database: str, environ: dict[str, str], people: tuple[int, int], change: Callable[[], dict[str, Any]]
) -> Shown:
    """Let people work on ``database``, change it meanwhile, and count what became of their work."""
    server = serve(PORT, environ | stage.environment(database), f"{CLINIC}.localhost")
    try:
        with stage.connect(database) as connection:
            before = one(connection, COUNTS)
            crowd = Crowd(f"{CLINIC}.localhost", PORT, f"koordinator@{CLINIC}.example.com", work_of(connection))
            crowd.start(*people)
            time.sleep(SETTLE)
            with watched(stage, database) as locks:
                phases = {"quiet": (time.time(), time.time() + QUIET)}
                time.sleep(QUIET)
                began = time.time()
                facts = change()
                phases["change"] = (began, time.time())
                time.sleep(AFTER)
                phases["after"] = (phases["change"][1], time.time())
            crowd.stop()
            if "revision" in facts:
                phases["revision alone"] = facts.pop("revision")
            lost = missing(connection, crowd, before)
            wrong = int(one(connection, WRONG)[0])
        return Shown(database, phases, crowd.answers, locks, facts, lost, wrong)
    finally:
        server.terminate()
        server.wait(20)


def missing(connection: psycopg.Connection, crowd: Crowd, before: tuple[Any, ...]) -> int:
    """Return how many rows that were there, or that the portal said it had saved, are not."""
    patients, assigned = one(connection, COUNTS)
    names = one(connection, "SELECT count(*) FROM patients WHERE last_name = ANY (%s)", crowd.registered)[0]
    pairs = "SELECT count(*) FROM patient_offers t JOIN patients p ON p.clinic_id = t.clinic_id AND p.id = t.patient_id"
    offers, numbers = ([pair[place] for pair in crowd.assigned] for place in (0, 1))
    kept = one(
        connection,
        f"{pairs} WHERE (t.offer_id::text, p.patient_no) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
        offers, numbers,
    )[0]  # fmt: skip
    acknowledged = max(len(crowd.registered) - names, 0) + max(len(crowd.assigned) - kept, 0)
    counted = max(before[0] + len(crowd.registered) - patients, 0) + max(before[1] + len(crowd.assigned) - assigned, 0)
    return int(max(acknowledged, counted))


def failed(shown: Shown) -> int:
    """Return how many requests failed, in all phases."""
    return sum(answer.failure is not None for answer in shown.answers)


def report(console: Console, shown: Shown) -> None:
    """Print the phases of one way."""
    table = Table(title=f"{'flask db upgrade' if shown.way == 'ours' else 'The guide: rebuild the table'} ({load()})")
    for heading in (
        "phase",
        "s",
        "requests",
        "failed",
        "median ms",
        "p99 ms",
        "longest ms",
        "over the quiet median ms",
        "the same, writes",
    ):
        table.add_column(heading, justify="left" if heading == "phase" else "right")
    for phase, (begin, end) in shown.phases.items():
        answers = shown.within(phase)
        times = [1000 * answer.seconds for answer in answers] or [0.0, 0.0]
        table.add_row(
            phase, f"{end - begin:.1f}", f"{len(answers):,}", str(sum(a.failure is not None for a in answers)),
            f"{statistics.median(times):.0f}", f"{statistics.quantiles(times, n=100)[98]:.0f}", f"{max(times):.0f}",
            f"{shown.added(phase):.0f}", f"{shown.added(phase, writes=True):.0f}",
        )  # fmt: skip
    console.print(table)
    console.print(f"Locks seen in {shown.locks.samples:,} samples, at most {shown.locks.gap:.0f} ms apart:")
    for (name, mode), ms in sorted(shown.locks.longest_held.items(), key=lambda item: -item[1]):
        console.print(f"  {name}: {mode} for {ms:.0f} ms", highlight=False)
    console.print(f"  the portal's sessions waited for a lock at most {shown.locks.longest_wait:.0f} ms")
    for name, value in shown.facts.items():
        console.print(f"  {name}: {value}", highlight=False)
    failures: dict[str, int] = {}
    for answer in shown.answers:
        if answer.failure:
            failures[f"{answer.kind}: {answer.failure}"] = failures.get(f"{answer.kind}: {answer.failure}", 0) + 1
    for text, count in failures.items():
        console.print(f"  {count} times {text}", markup=False, highlight=False)


def verdict(console: Console, shown: list[Shown]) -> None:
    """Print both ways beside the targets."""
    table = Table(title="Under load")
    for heading in ("", "target", "flask db upgrade", "the guide's rebuild"):
        table.add_column(heading, justify="left" if not heading else "right")
    phases = ["revision alone", "change"]
    rows: dict[str, list[Any]] = {
        "failed requests": [failed(way) for way in shown],
        "added latency ms": [f"{way.added(phase):.0f}" for way, phase in zip(shown, phases, strict=True)],
        "  to writes": [f"{way.added(phase, writes=True):.0f}" for way, phase in zip(shown, phases, strict=True)],
        "  of the whole command": [f"{way.added('change'):.0f}" for way in shown],
        "  where nothing is changed": [f"{way.added('quiet'):.0f}" for way in shown],
        "longest DDL lock ms": [f"{max(way.locks.longest_held.values(), default=0):.0f}" for way in shown],
        "longest wait for a lock ms": [f"{way.locks.longest_wait:.0f}" for way in shown],
        "rows lost": [way.lost for way in shown],
        "rows with a wrong value": [way.wrong for way in shown],
    }
    for name, found in rows.items():
        table.add_row(name, str(TARGETS.get(name, "")), *(str(value) for value in found))
    console.print(table)


if __name__ == "__main__":
    main()
