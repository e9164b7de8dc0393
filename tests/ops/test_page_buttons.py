"""Buttons of the operators: each queues its job once, logs who asked, and a worker with the owner's rights does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import jobs as core_jobs
from portal.core.audit import PlatformActivityLog
from portal.core.clock import now
from portal.core.database import OWNER_BIND, PLATFORM_BIND, db
from portal.core.work import platform_work
from portal.ops import jobs
from portal.ops.schema.tables import TableSize, Verification
from portal.ops.services import Work, start_work
from tests.support.history import Add
from tests.support.pages import flashes, told
from tests.support.people import Person

BUTTONS = [("backups", Work.BACKUP), ("rehearsals", Work.REHEARSAL), ("verifications", Work.VERIFICATION)]


def query(app: Flask, statement: str, **values: Any) -> list[Any]:
    """Ask in the transaction the platform's session works in."""
    return list(app.extensions["portal_connections"][PLATFORM_BIND].execute(sa.text(statement), values))


def queued(app: Flask) -> list[tuple[str, str, Any]]:
    rows = query(app, "SELECT task_name, queue_name, args FROM jobs.procrastinate_jobs WHERE queue_name = 'ops'")
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(("place", "work"), BUTTONS)
def test_a_button_queues_its_job_once_however_often_it_is_pressed(
    place: str, work: Work, portal: Flask, ops: Person
) -> None:
    assert f'action="/ops/{place}/start"' in ops.get(f"/ops/{place}").text
    answer = ops.post(f"/ops/{place}/start", follow_redirects=True)
    assert flashes(answer)[-1].endswith("is queued.")
    again = ops.post(f"/ops/{place}/start", follow_redirects=True)
    assert "already" in flashes(again)[-1]
    (job,) = queued(portal)
    assert job[:2] == (work, "ops")
    assert "@" not in str(job[2]), "a job carries an id, never a name or an address"


def test_who_asked_stands_in_the_platforms_log(portal: Flask, ops: Person) -> None:
    ops.post("/ops/verifications/start")
    ops.post("/ops/verifications/start")
    rows = query(
        portal, "SELECT actor_name, action, object_type, ip FROM platform_activity_logs WHERE action LIKE 'ops.%'"
    )
    assert [tuple(row) for row in rows] == [("Platform ops", "ops.verify.asked", "ops_jobs", "127.0.0.9")]


def test_a_job_that_is_being_done_is_not_queued_beside_itself_but_one_whose_worker_died_is(
    portal: Flask, ops: Person
) -> None:
    ops.post("/ops/backups/start")
    (worker,) = query(portal, "INSERT INTO jobs.procrastinate_workers DEFAULT VALUES RETURNING id")
    query(portal, "UPDATE jobs.procrastinate_jobs SET status = 'doing', worker_id = :id RETURNING id", id=worker.id)
    answer = ops.post("/ops/backups/start", follow_redirects=True)
    assert "already" in flashes(answer)[-1]
    assert len(queued(portal)) == 1
    assert "Running Backup since" in told(answer)
    gone = "UPDATE jobs.procrastinate_workers SET last_heartbeat = now() - interval '5 minutes' RETURNING id"
    query(portal, gone)
    assert "is queued" in flashes(ops.post("/ops/backups/start", follow_redirects=True))[-1]
    assert len(queued(portal)) == 2


def test_a_job_that_waits_is_shown_and_a_worker_is_asked_for_where_none_seems_to_be_at_work(
    portal: Flask, ops: Person
) -> None:
    ops.post("/ops/rehearsals/start")
    page = told(ops.get("/ops/migrations"))
    assert "Waits Rehearsal since" in page
    assert "flask worker" in page, "no worker lives at all"
    query(portal, "INSERT INTO jobs.procrastinate_workers DEFAULT VALUES RETURNING id")
    answer = ops.get("/ops/now")
    assert "Waits" in answer.text
    assert "flask worker" not in answer.text, "a worker lives and the job has not waited long"
    query(portal, "UPDATE jobs.procrastinate_events SET at = now() - interval '2 minutes' RETURNING id")
    assert "flask worker" in ops.get("/ops/now").text, "whoever lives does not take it"


def test_a_verification_that_a_command_runs_is_shown_unless_it_began_long_ago(write: Add, ops: Person) -> None:
    write(Verification, status="running", started_at=now() - timedelta(days=1))
    assert "Going on now" not in told(ops.get("/ops/verifications"))
    write(Verification, status="running", checks=None, by="deniz")
    page = told(ops.get("/ops/verifications"))
    assert "Running Verification since" in page
    assert "deniz" in page


@contextmanager
def without_owner(app: Flask) -> Iterator[None]:
    """Let ``app`` be a process that does not know the owner's database."""
    with app.app_context():
        engine = db.engines.pop(OWNER_BIND)
    try:
        yield
    finally:
        with app.app_context():
            db.engines[OWNER_BIND] = engine


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Take the place of the work itself; note what was done and for whom."""
    noted: list[tuple[str, str | None]] = []
    vault = SimpleNamespace(make=lambda **how: noted.append(("backup", how["by"])))
    monkeypatch.setattr(jobs, "current_vault", lambda _place: vault)
    monkeypatch.setattr(jobs, "rehearse", lambda _place, _vault, by: noted.append(("rehearsal", by)))
    monkeypatch.setattr(jobs, "verify", lambda _place, by: noted.append(("verification", by)))
    return noted


def ask(app: Flask) -> None:
    with platform_work(app, "a test"):
        assert all(start_work(core_jobs.SYSTEM, work) for work in Work)


def statuses(app: Flask) -> list[str]:
    with app.app_context(), db.engines[OWNER_BIND].connect() as connection:
        found = sa.text(
            "SELECT status::text FROM jobs.procrastinate_jobs WHERE queue_name = 'ops' AND task_name <> 'ops.sizes'"
        )
        return list(connection.execute(found).scalars())


def test_only_a_worker_that_knows_the_owners_database_takes_the_operators_jobs(
    committed: Flask,
    done: list[tuple[str, str | None]],
) -> None:
    ask(committed)
    with without_owner(committed):
        queues = jobs.queues_of(committed)
    assert queues == ["default"]
    core_jobs.run_worker(committed, queues=queues, wait=False)
    assert done == []
    assert statuses(committed) == ["todo"] * 3
    assert jobs.queues_of(committed) == ["default", "ops"]
    core_jobs.run_worker(committed, queues=jobs.queues_of(committed), wait=False)
    assert sorted(done) == [("backup", None), ("rehearsal", None), ("verification", None)]
    assert statuses(committed) == ["succeeded"] * 3


def test_the_work_is_done_in_the_name_of_the_person_who_asked(
    committed: Flask,
    done: list[tuple[str, str | None]],
) -> None:
    person = Person(committed, "admin").sign_in("ops")
    assert person.post("/ops/verifications/start").status_code == 302
    core_jobs.run_worker(committed, queues=["ops"], wait=False)
    assert done == [("verification", "Platform ops")]
    with platform_work(committed, "a test") as session:
        assert session.scalars(
            sa.select(PlatformActivityLog.action).where(PlatformActivityLog.action == "ops.verify.asked")
        ).all()


def test_a_real_verification_asked_for_on_the_page_is_on_the_list_when_the_worker_has_done_it(
    committed: Flask,
) -> None:
    person = Person(committed, "admin").sign_in("ops")
    person.post("/ops/verifications/start")
    core_jobs.run_worker(committed, queues=jobs.queues_of(committed), wait=False)
    page = told(person.get("/ops/verifications"))
    assert "Platform ops" in page
    assert "In order" in page


def test_the_nightly_job_notes_the_sizes(committed: Flask) -> None:
    jobs.sizes(0)
    with committed.app_context(), db.engines[OWNER_BIND].connect() as connection:
        names = set(connection.execute(sa.select(TableSize.table_name)).scalars())
    assert {"patients", "offers", "users"} <= names
    page = told(Person(committed, "admin").sign_in("ops").get("/ops/sizes"))
    assert "patients" in page
