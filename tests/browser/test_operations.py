"""What goes on is seen without reloading; a button's job is told of at once, and what has ended is shown by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from portal.core.clock import now
from portal.core.database import db
from portal.ops.evolve.lock import LOCK_KEY
from portal.ops.schema.tables import MigrationLog, MigrationStep
from tests.browser.conftest import Served
from tests.browser.test_every_page import faults
from tests.support.history import Add, written

pytestmark = pytest.mark.browser
Browse = Callable[..., Page]


@pytest.fixture
def backfill(served: Served) -> Iterator[tuple[Add, sa.Engine]]:
    """A migration that runs, with a backfill of a million rows."""
    with served.app.app_context():
        engine = db.engines["owner"]
    with written(served.app) as add, engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK_KEY})")
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        connection.commit()
        add(MigrationLog, status="running", name="long_backfill", backend_pid=pid, rows_after=None)
        add(MigrationStep, table_name="patient_offers", rows_done=100_000, rows_total=1_000_000, started_at=now())
        yield add, engine
        connection.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK_KEY})")


def change(engine: sa.Engine, statement: sa.Update) -> None:
    with engine.begin() as connection:
        connection.execute(statement)


def test_a_backfills_progress_moves_without_reloading_and_its_end_shows_the_new_state(
    browse: Browse, backfill: tuple[Add, sa.Engine]
) -> None:
    _add, engine = backfill
    page = browse("ops", "admin")
    page.goto("/ops/migrations")
    page.evaluate("window.untouched = true")
    bar = page.get_by_label("patient_offers")
    expect(bar).to_have_attribute("value", "100000")
    expect(page.get_by_text("100,000 of 1,000,000 rows")).to_be_visible()
    refresh = page.get_by_role("link", name="Refresh")
    refresh.focus()
    change(engine, sa.update(MigrationStep).values(rows_done=400_000))
    expect(page.get_by_text("400,000 of 1,000,000 rows")).to_be_visible()
    expect(bar).to_have_attribute("value", "400000")
    expect(refresh).to_be_focused()
    link = page.get_by_role("link", name="long_backfill")
    link.focus()
    change(engine, sa.update(MigrationStep).values(rows_done=500_000))
    expect(page.get_by_text("500,000 of 1,000,000 rows")).to_be_visible()
    expect(link).to_be_focused()
    assert page.evaluate("window.untouched") is True, "only a part of the page was fetched"
    done = sa.update(MigrationLog).where(MigrationLog.status == "running").values(status="applied")
    change(engine, done)
    expect(page.get_by_text("Going on now")).to_have_count(0)
    expect(page.get_by_text("Up to date")).to_be_visible()
    assert page.evaluate("window.untouched ?? null") is None, "the rest of the page is new, too"


def test_without_scripts_the_same_page_tells_it_and_a_link_refreshes_it(
    browse: Browse, backfill: tuple[Add, sa.Engine]
) -> None:
    page = browse("ops", "admin", java_script_enabled=False)
    page.goto("/ops/migrations")
    change(backfill[1], sa.update(MigrationStep).values(rows_done=700_000))
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("700,000 of 1,000,000 rows")).to_be_visible()


def test_what_goes_on_is_accessible_and_fits_a_phone(browse: Browse, backfill: tuple[Add, sa.Engine]) -> None:
    assert faults(browse("ops", "admin"), "/ops/migrations", Axe()) == []


def test_a_backup_asked_for_is_told_of_and_waits_for_a_worker(browse: Browse, served: Served) -> None:
    page = browse("ops", "admin")
    page.goto("/ops/backups")
    page.get_by_role("button", name="Back up now").click()
    expect(page.get_by_text("A backup is queued.")).to_be_visible()
    expect(page.get_by_text("Going on now")).to_be_visible()
    page.get_by_role("button", name="Back up now").click()
    expect(page.get_by_text("A backup is queued or being made already.")).to_be_visible()
    found = faults(page, "/ops/backups", Axe())
    with served.app.app_context(), db.engines["owner"].begin() as connection:
        gone = connection.execute(sa.text("DELETE FROM jobs.procrastinate_jobs WHERE task_name = 'ops.backup'"))
    assert gone.rowcount == 1
    assert found == []
