"""Kill -9 before every statement of the chain, and again: the database ends as if nothing had happened.

``make bench-killed``: walks the whole chain up, down and up again with two clinics' rows in place (the rows of the
migrations' tests, orphans to quarantine). For each revision and each statement or commit the owner sends meanwhile,
the runner's own included: a copy of the database as it was before, a process that runs the revision and sends itself
SIGKILL right before that statement, a second process that runs it again. The outcome must be the undisturbed one:
schema, rows, what is kept aside, other schemas, rights; and the history must tell of the killed attempt.
A statement that comes after a mere question, or after one that only sets up the session, meets the same database as
the one before it; such twins are left out unless ``--all`` is given. Ends with 1 where one case differs.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import click
import psycopg
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from benchmarks.scene import HISTORY, QUICK, TODAY, Scene, load, scene
from portal.ops.schema.place import Place
from portal.ops.schema.scripts import Revision
from portal.ops.schema.snapshot import Rows, hash_rows, schema_lines

WAYS = ("up", "down", "up again")
MOMENTS = ("created_at", "updated_at", "quarantined_at")  # when a migration made a row, which differs between runs
# What schema_lines() leaves out: tables put aside, other schemas, rights on schemas, indexes left invalid.
REST = """
SELECT 'object ' || c.oid::regclass || ' ' || relkind::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname !~ '^(pg_|information_schema|ops)'
UNION ALL SELECT 'aside ' || attrelid::regclass || '.' || attname || ' ' || atttypid::regtype
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'function ' || p.oid::regprocedure || ' ' || concat_ws(' ', proconfig, proacl) FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname !~ '^(pg_|information_schema|ops)'
UNION ALL SELECT 'schema ' || nspname || ' ' || coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname !~ '^pg_'
UNION ALL SELECT 'default rights ' || defaclobjtype::text || ' ' || defaclacl::text FROM pg_default_acl
UNION ALL SELECT 'invalid index ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid
UNION ALL SELECT 'unfinished backfill ' || name FROM ops.migration_step WHERE finished_at IS NULL
"""
# What leaves nothing behind when its session dies.
FLEETING = re.compile(r"\s*(SELECT|SHOW|SET|RESET|SAVEPOINT|RELEASE)\b", re.IGNORECASE)
HISTORY_ROWS = "SELECT id::text, status FROM ops.migration_log WHERE revision = %s AND direction = %s ORDER BY id"


@dataclass(frozen=True)
class Leg:
    """One revision in one direction, from a database that is copied for every case."""

    way: str
    revision: str
    target: str
    template: str

    @property
    def direction(self) -> str:
        """The direction as the history names it."""
        return self.way.partition(" ")[0]

    def run(self, place: Place) -> None:
        """Run the revision."""
        (place.upgrade if self.direction == "up" else place.downgrade)(self.target)


@dataclass(frozen=True)
class Outcome:
    """What a database holds."""

    lines: frozenset[str]
    rows: dict[str, Rows]

    def differences(self, expected: Outcome) -> list[str]:
        """Return where this differs from what was expected."""
        lines = [f"{'extra' if line in self.lines else 'missing'}: {line}" for line in self.lines ^ expected.lines]
        tables = sorted(self.rows.keys() | expected.rows.keys())
        return sorted(lines) + [
            f"{table}: {self.rows.get(table)} instead of {expected.rows.get(table)}"
            for table in tables
            if self.rows.get(table) != expected.rows.get(table)
        ]


@dataclass
class Done:
    """A leg's cases."""

    leg: Leg
    statements: int
    cases: int = 0
    seconds: float = 0.0
    interrupted: int = 0
    failures: list[str] = field(default_factory=list)


@click.command()
@click.option("--revision", help="Only this revision, in all its directions.")
@click.option("--every", default=1, show_default=True, help="Only every n-th statement.")
@click.option("--workers", default=2, show_default=True, help="How many cases at a time.")
@click.option(
    "--all", "twins", is_flag=True, help="Statements that meet the same database as the one before them, too."
)
@click.option("--way", "ways", type=click.Choice(WAYS), multiple=True, help="Only this way; may be given again.")
def main(revision: str | None, every: int, workers: int, ways: tuple[str, ...], *, twins: bool) -> None:
    """Kill a migration before every statement it sends, and run it again."""
    console = Console()
    with scene(QUICK, in_memory=True) as stage, pool(workers) as executor:
        done = []
        for leg, expected, sent in walk(stage):
            if revision in (None, leg.revision) and (not ways or leg.way in ways):
                numbers = [
                    number
                    for number in range(1, len(sent) + 1)
                    if twins or number == 1 or not FLEETING.match(sent[number - 2])
                ]
                done.append(measure(executor, stage, leg, expected, numbers[::every]))
                done[-1].statements = len(sent)
                tell(console, done[-1])
    report(console, done, every)
    sys.exit(any(leg.failures for leg in done) or not done)


@contextmanager
def pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Yield processes that are forked now: what they fork in turn has everything imported and no threads."""
    with ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as executor:
        yield executor


def walk(stage: Scene) -> Iterator[tuple[Leg, Outcome, list[str]]]:
    """Go the chain up, down and up again; yield each leg with its undisturbed outcome and its statements."""
    numbers = itertools.count()
    here = stage.make("state_0")
    with_files = stage.place(here)
    revisions = with_files.revisions()
    plan = [("up", revision) for revision in revisions]
    plan += [("down", revision) for revision in reversed(revisions)]
    plan += [("up again", revision) for revision in revisions]
    for way, revision in plan:
        leg = Leg(way, revision.id, _target(way, revision), here)
        there = stage.make(f"state_{next(numbers) + 1}", here)
        sent = undisturbed(stage, leg, there)
        yield leg, look(stage, there), sent
        stage.drop(here)
        here = there
        if way == "up":
            for file in filter(None, (HISTORY.get(revision.id), TODAY if revision is revisions[-1] else None)):
                stage.load(here, file)


def _target(way: str, revision: Revision) -> str:
    if way == "down":
        return revision.down[0] if revision.down else "base"
    return revision.id


def undisturbed(stage: Scene, leg: Leg, database: str) -> list[str]:
    """Run a leg and return the statements and commits it sends."""
    place = stage.place(database, orphans="quarantine")
    sent: list[str] = []
    listen(place.engine, sent.append)
    leg.run(place)
    return sent


def listen(engine: sa.Engine, tell_of: Callable[[str], object]) -> None:
    """Tell of every statement and every commit right before it is sent."""
    sa.event.listen(engine, "before_cursor_execute", lambda _c, _cursor, statement, *_more: tell_of(statement))
    sa.event.listen(engine, "commit", lambda _connection: tell_of("COMMIT"))


def look(stage: Scene, database: str) -> Outcome:
    """Return what a database holds."""
    place = stage.place(database)
    with place.engine.connect() as connection:
        lines = schema_lines(connection) | set(connection.exec_driver_sql(REST.replace("%", "%%")).scalars())
        return Outcome(frozenset(lines), hash_rows(connection, ignoring=MOMENTS, aside=True))


def measure(executor: ProcessPoolExecutor, stage: Scene, leg: Leg, expected: Outcome, numbers: list[int]) -> Done:
    """Try every case of a leg."""
    done, started = Done(leg, 0), time.perf_counter()
    for interrupted, failure in executor.map(
        tried, *zip(*((stage, leg, expected, number) for number in numbers), strict=True), chunksize=4
    ):
        done.cases += 1
        done.interrupted += interrupted
        if failure:
            done.failures.append(failure)
    done.seconds = time.perf_counter() - started
    return done


def tried(stage: Scene, leg: Leg, expected: Outcome, number: int) -> tuple[bool, str | None]:
    """Try one case in a database of its own; tell whether the history says "interrupted", and what was wrong."""
    database = f"case_{os.getpid()}"
    stage.make(database, leg.template)
    try:
        return case(stage, database, leg, expected, number)
    except Exception as error:
        return False, f"{leg.way} {leg.revision}, statement {number}: {error}"
    finally:
        stage.drop(database)


def case(stage: Scene, database: str, leg: Leg, expected: Outcome, number: int) -> tuple[bool, None]:
    """Kill the run before statement ``number``, run again, compare; raises AssertionError, saying what differs."""
    before = dict(history(stage, database, leg))
    ended, said = in_child(lambda: run(stage, leg, database, die_at=number))
    assert os.waitstatus_to_exitcode(ended) == -signal.SIGKILL, f"was not killed: {said}"
    wait_until_gone(stage, database)
    killed = [row for row in history(stage, database, leg) if row[0] not in before]
    ended, said = in_child(lambda: run(stage, leg, database))
    assert ended == 0, f"the second run failed: {said}"
    after = [row for row in history(stage, database, leg) if row[0] not in before]
    found = look(stage, database).differences(expected)
    assert not found, "; ".join(found[:5])
    left = {status for _, status in killed}
    told = ["interrupted", "applied"] if left == {"running"} else ["applied"]
    assert [status for _, status in after] == told, f"the history says {after}, the killed run left {killed}"
    return left == {"running"}, None


def history(stage: Scene, database: str, leg: Leg) -> list[tuple[str, str]]:
    """Return the rows of a leg's revision and direction, oldest first."""
    with stage.connect(database) as connection:
        try:
            return connection.execute(HISTORY_ROWS, [leg.revision, leg.direction]).fetchall()
        except psycopg.errors.UndefinedTable:
            return []


def in_child(action: Callable[[], None]) -> tuple[int, str]:
    """Run ``action`` in a process of its own; return how it ended, and the end of what it wrote."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            status = 1
            try:
                action()
                status = 0
            except BaseException as error:
                os.write(2, f"{type(error).__name__}: {error}".encode())
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        output.seek(0)
        return ended, output.read().decode(errors="replace")[-1000:]


def run(stage: Scene, leg: Leg, database: str, die_at: int | None = None) -> None:
    """Run a leg; with ``die_at`` kill this very process right before it sends that statement."""
    place = stage.place(database, orphans="quarantine")
    sent = itertools.count(1)

    def count_down(_statement: str) -> None:
        if next(sent) == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    listen(place.engine, count_down)
    leg.run(place)


def wait_until_gone(stage: Scene, database: str) -> None:
    """Wait until the server has noticed that the killed process is gone."""
    with stage.connect() as connection:
        for _try in range(2000):
            left = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
            if connection.execute(left, [database]).fetchone() == (0,):
                return
            time.sleep(0.002)
    raise AssertionError("the server keeps the killed run's session")


def tell(console: Console, done: Done) -> None:
    """Say how a leg went, as soon as it is known."""
    console.print(
        f"{done.leg.way} {done.leg.revision}: {done.cases} cases, {len(done.failures)} failures, {done.seconds:.0f} s"
    )
    for failure in done.failures[:3]:
        console.print(f"  {failure}", markup=False)


def report(console: Console, done: list[Done], every: int) -> None:
    """Print all legs and their sum."""
    sampled = "" if every == 1 else f", one statement of {every}"
    table = Table(title=f"kill -9 before a statement, then again{sampled} ({load()})")
    for heading in ("way", "revision", "statements", "killed", "marked interrupted", "failures", "s"):
        text = heading in ("way", "revision")
        table.add_column(heading, justify="left" if text else "right", no_wrap=text)
    for leg in done:
        counts = (leg.statements, leg.cases, leg.interrupted, len(leg.failures), round(leg.seconds))
        table.add_row(leg.leg.way, leg.leg.revision, *(f"{number:,}" for number in counts))
    table.add_section()
    sums = [sum(column) for column in zip(*(
        (leg.statements, leg.cases, leg.interrupted, len(leg.failures), round(leg.seconds)) for leg in done
    ), strict=True)]  # fmt: skip
    table.add_row("all", f"{len(done)} legs", *(f"{number:,}" for number in sums))
    console.print(table)


if __name__ == "__main__":
    main()
