"""The phased backfill of patient_offers.clinic_id against one UPDATE of the whole table.

``make bench-backfill``: a million assignments of 200,000 patients and offers in 50 clinics, with 1,000 orphans, in
the shape they have before revision 20250720211648. In turns, each on a fresh copy: the real revision, recorded, with
orphans to quarantine; and one UPDATE that takes the clinic from the offer. Then five times as much of everything.
Default settings, fsync on. The processor's time is that of the server's process at work: on a busy machine the
better measure. Ends with 1 where a row is missing or has the wrong clinic; a slow machine is no failure.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.scene import Scene, load, one, scene, timed
from portal.core.roles import OWNER_ROLE
from portal.ops.schema.recorder import Run

BEFORE, REVISION = "20250720203715", "20250720211648"
MILLION, CLINICS, ORPHANS = 1_000_000, 50, 1000
PER_PATIENT = 5
TARGET = 1.3

# Ids as the portal makes them: a millisecond, then chance. The same function of a number wherever it is named.
ID = (
    "overlay(overlay(md5('{kind}' || {n}) placing lpad(to_hex(1735689600000 + {n}), 12, '0') from 1)"
    " placing '7' from 13)::uuid"
)
DATA = """
INSERT INTO clinics (id, name, subdomain)
SELECT {clinic}, 'Clinic ' || n, 'c' || n FROM generate_series(0, {clinics} - 1) n;
INSERT INTO offer_statuses (id, clinic_id, key, label_tr)
SELECT {status}, {clinic}, 'draft', 'Taslak' FROM generate_series(0, {clinics} - 1) n;
INSERT INTO patients (id, clinic_id, name, phone, created_at)
SELECT {patient}, {clinic_of_n}, 'Patient ' || n, '0532 ' || n, '2025-01-01 08:00+00'
  FROM generate_series(0, {patients} - 1) n;
INSERT INTO offers (id, clinic_id, title, status_id, primary_patient_id, grand_total, created_at)
SELECT {offer}, {clinic_of_n}, 'Offer ' || n, {status_of_n}, {patient}, n % 5000, '2025-01-01 08:00+00'
  FROM generate_series(0, {patients} - 1) n;
-- Each patient has five offers of the same clinic, spread over all of its offers; orphans lack one side.
INSERT INTO patient_offers (id, patient_id, offer_id, assigned, visible, created_at)
SELECT {assignment},
       CASE WHEN g % {orphan_every} = 1 THEN gen_random_uuid() ELSE {patient_of_p} END,
       CASE WHEN g % {orphan_every} = 2 THEN gen_random_uuid() ELSE {offer_of_o} END,
       true, g % 7 > 0, '2025-01-01 08:00+00'
  FROM generate_series(0, {rows} - 1) g,
       LATERAL (SELECT g % {patients} AS p, g / {patients} AS turn) q,
       LATERAL (SELECT {patients} / {clinics} AS of_a_clinic) a,
       LATERAL (SELECT p % {clinics} + {clinics} * ((p / {clinics} * 7919 + turn * 811) % of_a_clinic) AS o) r;
"""
ONE_UPDATE = "UPDATE patient_offers SET clinic_id = o.clinic_id FROM offers o WHERE o.id = patient_offers.offer_id"
STEPS = """
SELECT extract(epoch FROM max(finished_at) - min(started_at))::float FROM ops.migration_step WHERE revision = %s
"""
BACKEND = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND usename = %s"
SIZES = "SELECT pg_table_size('patient_offers'), pg_indexes_size('patient_offers')"
COUNTS = """
SELECT count(*), count(*) FILTER (WHERE t.clinic_id IS NULL), count(*) FILTER (WHERE t.clinic_id <> o.clinic_id)
  FROM patient_offers t LEFT JOIN offers o ON o.id = t.offer_id
"""


@dataclass(frozen=True)
class Measured:
    """One run of one of the two ways, in seconds and bytes."""

    seconds: float
    processor: float
    whole: float
    sizes: tuple[int, int]  # of the table and of its indexes
    batches: int = 1


class Meter:
    """Hears of a run's batches and reads the processor's time the server spends on them."""

    def __init__(self, stage: Scene, database: str) -> None:
        self._stage, self._database = stage, database
        self._pid = 0
        self.spent: list[float] = []

    def __call__(self, event: str, _facts: Mapping[str, Any]) -> None:
        """Take a reading with every batch."""
        if event != "batch":
            return
        if not self._pid:
            with self._stage.connect() as connection:
                (pid,) = one(connection, BACKEND, self._database, OWNER_ROLE)
                self._pid = int(pid)
        self.spent.append(processor(self._pid))


@click.command()
@click.option("--rows", default=MILLION, show_default=True, help="How many assignments.")
@click.option("--rounds", default=3, show_default=True, help="How often each way is measured.")
@click.option("--factor", default=5, show_default=True, help="How much more data at the end; 1: none.")
def main(rows: int, rounds: int, factor: int) -> None:
    """Measure the backfill against one UPDATE."""
    console = Console()
    results = {}
    with scene() as stage:
        for count, turns in {rows: rounds, rows * factor: 1 if factor > 1 else rounds}.items():
            template = stage.make(f"data_{count}")
            with timed() as spent:
                fill(stage, template, count)
            console.print(f"{count:,} assignments made in {spent[0]:.0f} s")
            results[count] = compare(stage, template, count, turns, console)
            stage.drop(template)
    for count, (phased, single) in results.items():
        report(console, count, phased, single)
    if factor > 1:
        for what in ("seconds", "processor"):
            few, many = (middle(results[count][0], what) for count in results)
            plain = middle(results[rows * factor][1], what) / factor / middle(results[rows][1], what)
            console.print(
                f"{what} a row, {factor} times as many rows: {many / factor / few:.2f} times as much"
                f" (one UPDATE {plain:.2f}; target at most {TARGET})"
            )


def fill(stage: Scene, database: str, rows: int) -> None:
    """Bring ``database`` to the revision before, and put the data in."""
    place = stage.place(database)
    place.upgrade(BEFORE)
    patients = rows // PER_PATIENT
    names = {
        "clinics": CLINICS, "patients": patients, "rows": rows, "orphan_every": rows // (ORPHANS // 2),
        "clinic": _id("clinic", "n"), "clinic_of_n": _id("clinic", f"(n % {CLINICS})"),
        "status": _id("status", "n"), "status_of_n": _id("status", f"(n % {CLINICS})"),
        "patient": _id("patient", "n"), "offer": _id("offer", "n"), "assignment": _id("assignment", "g"),
        "patient_of_p": _id("patient", "p"), "offer_of_o": _id("offer", "o"),
    }  # fmt: skip
    with stage.connect(database, OWNER_ROLE) as connection:
        connection.execute(DATA.format(**names).encode())
        connection.execute("VACUUM ANALYZE")


def _id(kind: str, number: str) -> str:
    return ID.format(kind=kind, n=number)


def compare(
    stage: Scene, template: str, rows: int, rounds: int, console: Console
) -> tuple[list[Measured], list[Measured]]:
    """Run both ways in turns, each on a copy of ``template``; leave with 1 where rows are wrong."""
    found: tuple[list[Measured], list[Measured]] = ([], [])
    for turn in range(rounds):
        for way in (0, 1) if turn % 2 == 0 else (1, 0):
            copy = stage.make("copy", template)
            with stage.connect() as connection:
                connection.execute("CHECKPOINT")
            measured = (phased if way == 0 else single)(stage, copy, rows)
            found[way].append(measured)
            console.print(f"  {'phased' if way == 0 else 'one UPDATE'}: {measured.seconds:.1f} s", highlight=False)
            stage.drop(copy)
    return found


def phased(stage: Scene, database: str, rows: int) -> Measured:
    """Run the real revision and check its outcome."""
    place = stage.place(database, orphans="quarantine")
    meter = Meter(stage, database)
    with timed() as whole:
        place.upgrade(REVISION, Run(tell=meter))
    with stage.connect(database) as connection:
        seconds = one(connection, STEPS, REVISION)[0]
        left, empty, wrong = one(connection, COUNTS)
        (aside,) = one(connection, "SELECT count(*) FROM patient_offers_quarantine")
        if (left + aside, aside, empty, wrong) != (rows, ORPHANS, 0, 0):
            sys.exit(f"Of {rows} rows {left} stayed, {aside} were put aside, {empty} empty, {wrong} wrong.")
        spent = meter.spent[-1] - meter.spent[0]
        return Measured(seconds, spent, whole[0], one(connection, SIZES), len(meter.spent) - 2)


def single(stage: Scene, database: str, _rows: int) -> Measured:
    """Add the column and fill it with one statement."""
    with stage.connect(database, OWNER_ROLE) as connection:
        connection.execute("ALTER TABLE patient_offers ADD COLUMN clinic_id uuid")
        pid = connection.info.backend_pid
        before = processor(pid)
        with timed() as spent:
            connection.execute(ONE_UPDATE)
        return Measured(spent[0], processor(pid) - before, spent[0], one(connection, SIZES))


def processor(pid: int) -> float:
    """Return the seconds a process has spent on the processor; NaN where the system does not tell."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return float("nan")


def middle(runs: list[Measured], what: str) -> float:
    """Return the median of the runs' ``what``."""
    return float(statistics.median(getattr(run, what) for run in runs))


def report(console: Console, rows: int, phased: list[Measured], single: list[Measured]) -> None:
    """Print both ways side by side, and their ratio round by round."""
    table = Table(title=f"{rows:,} assignments ({load()})")
    for heading in ("way", "s in each round", "processor s", "batches", "whole revision s", "table MB", "indexes MB"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for way, runs in (("phased backfill", phased), ("one UPDATE", single)):
        table.add_row(
            way, " ".join(f"{run.seconds:.1f}" for run in runs), " ".join(f"{run.processor:.1f}" for run in runs),
            f"{runs[-1].batches:,}", " ".join(f"{run.whole:.1f}" for run in runs) if runs is phased else "",
            *(f"{size / 1e6:.0f}" for size in runs[-1].sizes),
        )  # fmt: skip
    console.print(table)
    pairs = list(zip(phased, single, strict=True))
    clock = statistics.median(ours.seconds / other.seconds for ours, other in pairs)
    spent = statistics.median(ours.processor / other.processor for ours, other in pairs)
    console.print(f"Ratio, median of the rounds: {clock:.2f} by the clock, {spent:.2f} of processor time.")
    console.print(f"The target is at most {TARGET}.")


if __name__ == "__main__":
    main()
