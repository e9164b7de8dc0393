"""The operators' pages say where the database stands, what was done to it, what goes on; nobody else sees them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.access import Site
from portal.core.clock import now
from portal.core.database import db
from portal.core.gate import declared_access
from portal.ops.evolve.lock import LOCK_KEY
from portal.ops.files import current_revisions
from portal.ops.schema.tables import Backup, MigrationLog, MigrationStep, Plan, Rehearsal, Verification
from tests.architecture.markup import read
from tests.support.chain import CHAIN, name_of
from tests.support.history import NEWEST, STATEMENT, Add, add_sizes, check, statement
from tests.support.pages import row_names, text_of, told
from tests.support.people import Person

PLACES = ("migrations", "migrations/history", "backups", "rehearsals", "verifications", "sizes", "now")
EARLIER = CHAIN[-3]


@contextmanager
def standing_at(app: Flask, revision: str) -> Iterator[None]:
    """Let the database say for a while that it stands at ``revision``."""
    with app.app_context():
        engine = db.engines["owner"]
    try:
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :to"), {"to": NEWEST})


@contextmanager
def migrating(app: Flask) -> Iterator[int]:
    """Hold the migration lock as a running migration does; yield its session's number."""
    with app.app_context():
        engine = db.engines["owner"]
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK_KEY})")
        yield int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


@pytest.mark.parametrize("place", PLACES)
def test_operators_and_owners_of_the_platform_see_every_page_and_agents_none(
    place: str, sign_in: Callable[..., Person]
) -> None:
    answers = {role: sign_in(role, "admin").get(f"/ops/{place}").status_code for role in ("ops", "owner", "agent")}
    assert answers == {"ops": 200, "owner": 200, "agent": 403}


def test_agents_may_start_nothing_and_have_no_entry_in_their_menu(sign_in: Callable[..., Person]) -> None:
    agent = sign_in("agent", "admin")
    for kind in ("backups", "rehearsals", "verifications"):
        assert agent.post(f"/ops/{kind}/start").status_code == 403
    assert "/ops/migrations" not in agent.get("/clinics/").text
    assert "/ops/migrations" in sign_in("ops", "admin").get("/clinics/").text


def test_no_page_of_the_operators_exists_at_a_clinics_host(portal: Flask, sign_in: Callable[..., Person]) -> None:
    owner = sign_in("owner")
    rules = [rule for rule in portal.url_map.iter_rules() if rule.rule.startswith("/ops/")]
    assert len(rules) >= 12
    for rule in rules:
        assert declared_access(portal, rule.endpoint).site is Site.PLATFORM
        path = re.sub("<[^>]+>", str(uuid4()), rule.rule)
        assert (owner.get(path) if "GET" in (rule.methods or ()) else owner.post(path)).status_code == 404


def test_up_to_date_is_said_with_the_revision(ops: Person) -> None:
    page = told(ops.get("/ops/migrations"))
    assert "Up to date" in page
    assert f"{name_of(NEWEST).partition('_')[2]} {NEWEST}" in page
    assert f"{len(CHAIN)} of {len(CHAIN)} revisions applied" in page
    assert "Pending" not in page


def test_pending_revisions_are_told_with_what_they_do_and_what_their_plan_found(
    portal: Flask, write: Add, ops: Person
) -> None:
    first, last = current_codes(portal)
    write(Plan, from_heads=EARLIER, checksums=first | last, revisions=[
        {"revision": CHAIN[-2], "statements": 12, "rewrites": ["offers"],
         "findings": [{"rule": "adding-foreign-key", "message": "Locks both tables.", "allowed": None},
                      {"rule": "drop-without-keep", "message": "Drops a table.", "allowed": "it is empty"}],
         "locks": [{"relation": "patients", "mode": "ShareRowExclusiveLock", "ms": 1}]},
        {"revision": NEWEST, "statements": 140, "rewrites": [], "findings": [], "locks": []},
    ])  # fmt: skip
    with standing_at(portal, EARLIER):
        page = told(ops.get("/ops/migrations"))
    assert "2 pending" in page
    assert "flask db upgrade" in page
    with portal.app_context():
        about = next(one for one in current_revisions() if one.id == CHAIN[-2])
    for text in (about.title, about.header["Warnings"].partition(";")[0], "12 statements", "Locks both tables.",
                 "it is empty", "patients ShareRowExclusiveLock", "140 statements"):  # fmt: skip
        assert text in page, text
    assert "not known for all of them" not in page


def test_a_plan_of_other_code_is_not_shown(portal: Flask, write: Add, ops: Person) -> None:
    first, last = current_codes(portal)
    planned = {"statements": 77, "rewrites": [], "findings": [], "locks": []}
    write(Plan, from_heads=EARLIER, checksums={**first, NEWEST: "other"},
          revisions=[{"revision": revision, **planned} for revision in (*first, *last)])  # fmt: skip
    with standing_at(portal, EARLIER):
        page = told(ops.get("/ops/migrations"))
    assert page.count("77 statements") == 1
    assert "not known for all of them" in page
    assert "flask db plan" in page


def current_codes(app: Flask) -> tuple[dict[str, str], dict[str, str]]:
    with app.app_context():
        return tuple({item.id: item.ast_checksum} for item in current_revisions()[-2:])  # type: ignore[return-value]


def test_an_unknown_revision_is_said_to_have_diverged(portal: Flask, ops: Person) -> None:
    with standing_at(portal, "29990101000000"):
        page = told(ops.get("/ops/migrations"))
    assert "Diverged" in page
    assert "stands at 29990101000000, which this release does not know" in page


def test_edited_code_is_said_to_have_diverged(write: Add, ops: Person) -> None:
    write(MigrationLog, checksum="x", ast_checksum="y")
    assert f"{NEWEST} was applied with other code than its file has now" in told(ops.get("/ops/migrations"))


def test_a_failed_run_is_said_with_its_error_and_leads_to_its_page(write: Add, ops: Person) -> None:
    log_id = write(
        MigrationLog, status="failed", error_class="ForeignKeyViolation", sqlstate="23503", error="violates fk_offers",
        statement=STATEMENT, rows_after=None, applied_steps_count=3,
    )  # fmt: skip
    answer = ops.get("/ops/migrations")
    assert f"{NEWEST} failed" in told(answer)
    assert f"/ops/migrations/history/{log_id}" in answer.text
    page = told(ops.get(f"/ops/migrations/history/{log_id}"))
    for text in ("Failed", "ForeignKeyViolation SQLSTATE 23503", "violates fk_offers", STATEMENT, "3 of 7",
                 "it did not come to its end"):  # fmt: skip
        assert text in page, text


def test_a_row_left_running_by_a_process_that_died_is_an_interrupted_run(write: Add, ops: Person) -> None:
    write(MigrationLog, status="running", rows_after=None, backend_pid=1)
    page = told(ops.get("/ops/migrations"))
    assert "was interrupted. The next upgrade goes on where it stopped." in page
    assert "Going on now" not in page


def test_a_running_migration_shows_how_far_its_backfill_is_and_when_it_will_be_done(
    portal: Flask, write: Add, ops: Person
) -> None:
    with migrating(portal) as pid:
        begun = now()
        write(MigrationLog, status="running", rows_after=None, backend_pid=pid, started_at=begun)
        write(MigrationStep, rows_done=250_000, rows_total=1_000_000, started_at=begun,
              updated_at=begun + timedelta(seconds=60))  # fmt: skip
        write(MigrationStep, table_name="notes", rows_done=5, rows_total=50, started_at=begun - timedelta(hours=1))
        whole, part = ops.get("/ops/migrations"), ops.get("/ops/now")
    assert "A migration is running right now." in told(whole)
    for text in ("25%", "250,000 of 1,000,000 rows", "about 3 minutes left", "10%", "5 of 50 rows"):
        assert text in text_of(part.text), text
        assert text in told(whole), text
    assert text_of(part.text).count("left") == 1, "how fast a resumed backfill is, nobody knows"
    assert 'data-live="/ops/now" data-seconds="2"' in part.text
    assert "<html" not in part.text
    assert re.search(r'href="/ops/migrations">[^/]*</i> Refresh', whole.text), "without JavaScript there is a link"
    assert "http-equiv" not in whole.text


def test_the_part_that_is_fetched_again_says_when_nothing_goes_on(ops: Person) -> None:
    answer = ops.get("/ops/now")
    assert "data-live" not in answer.text
    assert text_of(answer.text) == ""


def test_the_last_backup_rehearsal_and_verification_are_told_with_age_and_result(write: Add, ops: Person) -> None:
    page = told(ops.get("/ops/migrations"))
    assert page.count("There is none yet.") == 3
    for kind, hours, status in ((Backup, 3, "ok"), (Rehearsal, 48, "failed"), (Verification, 1, "ok")):
        write(kind, started_at=now() - timedelta(hours=hours), status=status)
    write(Backup, kind="clinic", clinic="lale", started_at=now())
    page = told(ops.get("/ops/migrations"))
    assert "Last backup 3 hours ago In order" in page
    assert "Last rehearsal 2 days ago Failed" in page
    assert "Last verification 1 hour ago In order" in page


def test_the_history_is_newest_first_in_pages_and_filtered_by_links(write: Add, ops: Person) -> None:
    names = [f"change_{number}" for number in range(30)]
    for name in names:
        write(MigrationLog, name=name)
    write(MigrationLog, name="taken_back", direction="down")
    write(MigrationLog, name="broken", status="failed", error="out of disk")
    write(MigrationLog, name="later", revision="29990101000000")
    page = ops.get("/ops/migrations/history")
    assert row_names(page)[:4] == ["later", "broken", "taken_back", "change_29"]
    assert "out of disk" in told(page)
    older = re.search(r'href="([^"]*)" rel="next"', page.text)
    assert older
    assert row_names(ops.get(older[1].replace("&amp;", "&")))[0] == names[30 - (25 - 3) - 1]
    assert row_names(ops.get("/ops/migrations/history?show=failed")) == ["broken"]
    assert row_names(ops.get("/ops/migrations/history?show=down")) == ["taken_back"]
    assert row_names(ops.get("/ops/migrations/history?show=up"))[0] == "later"


def test_one_run_is_shown_whole(write: Add, ops: Person) -> None:
    backup, rehearsal = write(Backup, bytes=7_340_032), write(Rehearsal)
    log_id = write(
        MigrationLog, backup_id=backup, rehearsal_id=rehearsal, app_user="Deniz", retries=2, duration_ms=95_000
    )
    answer = ops.get(f"/ops/migrations/history/{log_id}")
    page = told(answer)
    for text in ("1 min 35 s", "Deniz deploy", "db-1.example process 4711, connection 815", "4e40c46", "alembic 1.20",
                 "7.0 MB", "Attempts without a lock 2"):  # fmt: skip
        assert text in page, text
    assert f"/ops/backups?id={backup}" in answer.text
    assert f"/ops/rehearsals/{rehearsal}" in answer.text
    assert page.index("patients ShareRowExclusiveLock 80 ms") < page.index("offers AccessExclusiveLock 12 ms")
    assert "offers 4 6" in page.partition("1 other table")[0]
    assert "patients 3 3" in page.partition("1 other table")[2]


def test_a_row_nobody_wrote_is_a_404(ops: Person) -> None:
    for path in ("migrations/history", "rehearsals", "verifications"):
        assert ops.get(f"/ops/{path}/{uuid4()}").status_code == 404


def test_backups_tell_what_they_hold_and_how_they_are_kept(write: Add, ops: Person) -> None:
    assert "Press “Back up now”" in told(ops.get("/ops/backups"))
    wanted = write(Backup)
    write(Backup, kind="clinic", clinic="lale", encrypted=False, proven_at=None, pruned_at=now())
    write(Backup, status="failed", error="pg_dump is missing", bytes=None, finished_at=None)
    page = told(ops.get("/ops/backups"))
    for text in (
        "whole database",
        "clinic lale",
        "4.8 MB",
        "restore proven",
        "encrypted",
        "removed",
        "pg_dump is missing",
    ):
        assert text in page, text
    one = told(ops.get(f"/ops/backups?id={wanted}"))
    assert "Show all backups" in one
    assert "clinic lale" not in one


def test_a_rehearsal_shows_its_slowest_statements_first_and_what_was_wrong(write: Add, ops: Person) -> None:
    assert "Press “Rehearse now”" in told(ops.get("/ops/rehearsals"))
    statements = [*(statement(number) for number in range(14)), statement(99, rewrites=["offers"], times=3)]
    rehearsal = write(
        Rehearsal, status="failed", findings=["After the downgrade: 4 rows became 3."], statements=statements
    )
    assert "1 min 15 s" in told(ops.get("/ops/rehearsals"))
    page = told(ops.get(f"/ops/rehearsals/{rehearsal}"))
    assert "After the downgrade: 4 rows became 3." in page
    assert "Expected on the real database 1 min 15 s" in page
    assert "writes anew: offers" in page
    assert "5 other statements" in page
    order = [int(number) for number in re.findall(r"REFERENCES offers -- (\d+)", page)]
    assert order == [99, *range(13, -1, -1)]
    assert "patient_offers ShareRowExclusiveLock, 100 ms" in page
    assert page.count("patient_offers ShareRowExclusiveLock 100 ms") == 1, "of each table and mode the longest"


def test_a_verification_shows_what_it_found_before_what_was_in_order(write: Add, ops: Person) -> None:
    assert "Press “Verify now”" in told(ops.get("/ops/verifications"))
    found = [{"what": "patient_offers: an offer is missing", "rows": 1000, "fixable": False},
             {"what": "offers lacks a policy", "rows": None, "fixable": True}]  # fmt: skip
    verification = write(Verification, status="failed", checks=[check(), check(title="Rows are whole", findings=found)])
    assert row_names(ops.get("/ops/verifications"))
    page = told(ops.get(f"/ops/verifications/{verification}"))
    assert page.index("Rows are whole") < page.index("an offer is missing 1,000 rows") < page.index("Without findings")
    assert "flask db verify --fix" in page
    assert page.index("Without findings") < page.index("Every reference leads to a row")


def test_sizes_are_a_table_and_from_the_second_day_on_a_chart_without_style_or_script(write: Add, ops: Person) -> None:
    assert "flask db sizes" in told(ops.get("/ops/sizes"))
    tables = {f"table_{letter}": (9 - place) * 1_048_576 for place, letter in enumerate("abcdefgh")}
    add_sizes(write, 1, tables)
    page = ops.get("/ops/sizes")
    assert "the chart begins with the second day" in told(page)
    assert "<svg" not in page.text.partition("<main")[2]
    add_sizes(lambda kind, **row: write(kind, **{**row, "at": row["at"] - timedelta(days=1)}), 3, tables)
    page = ops.get("/ops/sizes")
    assert read(page.text).inline == []
    assert "style=" not in page.text
    charts = re.findall(r"<svg[^>]*role=.img.*?</svg>", page.text, re.DOTALL)
    assert len(charts) == 2
    for chart in charts:
        assert "<title" in chart
        assert "<desc" in chart
        assert len(set(re.findall(r"serie-\d", chart))) == 7, "the six largest and the others"
        assert not re.search(r"<(style|script|foreignObject|image)|https?://(?!www.w3.org/2000/svg)", chart)
    text = told(page)
    assert "table_a 9.0 MB" in text
    assert "All others" in text
    assert text.index("table_a 9.0") < text.index("table_h 2.0")


@contextmanager
def altered(app: Flask, there: str, back: str) -> Iterator[None]:
    """Change the schema of the history for a while."""
    with app.app_context():
        engine = db.engines["owner"].execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(there)
        try:
            yield
        finally:
            connection.exec_driver_sql(back)


def test_without_a_history_every_page_says_what_makes_one(portal: Flask, ops: Person) -> None:
    with altered(portal, "ALTER SCHEMA ops RENAME TO gone", "ALTER SCHEMA gone RENAME TO ops"):
        pages = [ops.get(f"/ops/{place}") for place in (*PLACES[:-1], f"rehearsals/{uuid4()}")]
        part = ops.get("/ops/now")
    for page in pages:
        assert "No history yet" in told(page)
        assert "flask db upgrade" in told(page)
    assert part.status_code == 200
    assert text_of(part.text) == ""


def test_a_history_of_an_older_release_that_lacks_a_table_is_no_failure(portal: Flask, ops: Person) -> None:
    renamed = "ALTER TABLE ops.{} RENAME TO {}"
    with altered(portal, renamed.format("table_size", "other"), renamed.format("other", "table_size")):
        page = ops.get("/ops/sizes")
    assert "No history yet" in told(page)
