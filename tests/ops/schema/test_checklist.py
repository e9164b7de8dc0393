"""The checklists say only what there is evidence for, and what a person must sign is not done until she has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from uuid_utils.compat import uuid7

from config import BackupSettings
from portal.app import create_app
from portal.core.bootstrap import prepare_embedded
from portal.core.database import db
from portal.core.roles import APP_ROLE, OWNER_ROLE
from portal.ops.commands.checks import preflight, verify_command
from portal.ops.evolve.errors import EvolveError
from portal.ops.schema.checklist import Checklist, ItemState, after, before, keep_reads, sign
from portal.ops.schema.checks import before as before_items
from portal.ops.schema.checks.reads import measure_reads, slower_reads
from portal.ops.schema.place import Place, current_place
from portal.ops.schema.tables import Backup, MigrationLog, Rehearsal, Signature
from portal.ops.schema.verify import verify
from tests.ops.schema.test_verify import foreign_keys
from tests.support.chain import BELOW_HEAD, HEAD
from tests.support.data import settings_for

LAST, BELOW = HEAD, BELOW_HEAD
DONE, OPEN, TO_SIGN = ItemState.DONE, ItemState.OPEN, ItemState.TO_SIGN
GUIDE_BEFORE = ["backup", "tested", "downtime", "rollback", "monitoring"]
GUIDE_AFTER = ["data", "performance", "functionality", "monitoring", "backup"]
now = lambda: datetime.now(UTC)  # noqa: E731


@pytest.fixture
def app(server, current, tmp_path) -> Iterator[Flask]:
    """The portal over the copy, with a folder for backups."""
    base = settings_for(prepare_embedded(server, current.name))
    made = create_app(replace(base, backups=BackupSettings(folder=tmp_path / "backups")))
    with made.app_context():
        yield made
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def place(app: Flask) -> Place:
    """The copy, where the newest revision has run."""
    return current_place({"lock_wait": "5"})


@pytest.fixture
def pending(current, place: Place) -> Place:
    """The copy, one revision before the newest."""
    current.downgrade(BELOW)
    return place


def add(place: Place, model: Any, **values: Any) -> None:
    with place.engine.begin() as connection:
        connection.execute(sa.insert(model).values(id=uuid7(), **values))


def add_backup(app: Flask, place: Place, *, heads: str, **values: Any) -> None:
    """Note a backup and put its file where it belongs."""
    folder = app.extensions["portal_settings"].backups.folder
    folder.mkdir(exist_ok=True)
    (folder / "a.dump").write_bytes(b"x")
    known = {
        "kind": "database",
        "status": "ok",
        "reason": "test",
        "file": "a.dump",
        "proven_at": now(),
        "started_at": now(),
    }
    add(place, Backup, heads=heads, **{**known, **values})


def add_rehearsal(place: Place, **values: Any) -> None:
    revision = next(revision for revision in place.revisions() if revision.id == LAST)
    known = {
        "status": "ok", "from_heads": BELOW, "to_heads": LAST, "checksums": {LAST: revision.ast_checksum},
        "longest_lock_ms": 12, "downgrade_ms": 900, "expected_ms": 2500, "started_at": now(),
    }  # fmt: skip
    add(place, Rehearsal, **{**known, **values})


def states(items) -> dict[str, ItemState]:
    return {item.key: item.state for item in items}


def evidence(items, key: str) -> str:
    return next(item.evidence for item in items if item.key == key)


def test_with_nothing_pending_nothing_is_left_to_do_before(place):
    items = before(place)
    assert [item.key for item in items][:5] == GUIDE_BEFORE
    assert set(states(items).values()) == {DONE}


def test_before_a_migration_everything_without_evidence_is_open(pending):
    items = before(pending)
    assert states(items) == {
        "backup": OPEN, "tested": OPEN, "downtime": TO_SIGN, "rollback": OPEN, "monitoring": TO_SIGN,
        "state": DONE, "runs": DONE, "transactions": DONE, "disk": DONE, "roles": DONE,
    }  # fmt: skip
    [made_by_the_upgrade] = [item.key for item in items if item.automatic]
    assert made_by_the_upgrade == "backup"
    assert evidence(items, "monitoring").startswith("Who watches http://admin.localhost:8000/ops/migrations")


def test_a_backup_and_a_rehearsal_are_evidence(app, pending):
    add_backup(app, pending, heads=BELOW)
    add_rehearsal(pending)
    items = before(pending)
    assert {key: state for key, state in states(items).items() if state is not DONE} == {"monitoring": TO_SIGN}
    assert evidence(items, "backup").startswith("a.dump of ")
    assert evidence(items, "rollback") == "`flask db downgrade` brought the copy back in 0.9 s, every row as before."


def test_a_backup_that_proves_nothing_is_no_evidence(app, pending):
    for values in (
        {"started_at": now() - timedelta(hours=2)}, {"proven_at": None}, {"heads": LAST}, {"status": "failed"},
        {"kind": "clinic"}, {"pruned_at": now()}, {"file": "gone.dump"},
    ):  # fmt: skip
        add_backup(app, pending, **{"heads": BELOW, **values})
        assert states(before(pending))["backup"] is OPEN, values


def test_a_backup_from_before_the_last_run_is_no_evidence(app, pending, current):
    add_backup(app, pending, heads=BELOW)
    assert states(before(pending))["backup"] is DONE
    current.upgrade()
    current.downgrade(BELOW)
    assert states(before(pending))["backup"] is OPEN


def test_a_backup_is_looked_for_where_the_caller_says(app, pending):
    add_backup(app, pending, heads=BELOW, file="far/away.dump")
    assert states(before(pending))["backup"] is OPEN
    assert states(before(pending, ["far/away.dump"]))["backup"] is DONE


def test_a_rehearsal_that_proves_nothing_is_no_evidence(pending, current):
    for values, why in (
        ({"status": "failed"}, "failed"),
        ({"checksums": {LAST: "other"}}, "other code"),
        ({"started_at": now() - timedelta(days=8)}, "older than seven days"),
        ({"from_heads": "20261123100900"}, "not rehearsed"),
        ({"to_heads": "20991231235959"}, "not rehearsed"),
        ({"status": "running"}, "not rehearsed"),
    ):
        current.execute("DELETE FROM ops.migration_rehearsal")
        add_rehearsal(pending, **values)
        items = before(pending)
        found = states(items)
        assert (found["tested"], found["downtime"], found["rollback"]) == (OPEN, TO_SIGN, OPEN), values
        assert why in evidence(items, "tested") and why in evidence(items, "rollback")


def test_a_failed_rehearsal_outweighs_an_older_good_one(pending):
    add_rehearsal(pending, started_at=now() - timedelta(days=1))
    add_rehearsal(pending, status="failed")
    assert states(before(pending))["tested"] is OPEN


def test_a_window_is_planned_by_a_person_where_locks_are_long_or_the_old_release_cannot_stay(current, pending):
    add_rehearsal(pending, longest_lock_ms=501)
    assert states(before(pending))["downtime"] is TO_SIGN
    current.downgrade("20261123100500")
    items = before(pending)
    assert "20261123100600: the release before cannot work beside it" in evidence(items, "downtime")


def test_a_signature_holds_for_the_pending_revision_only(current, pending):
    sign(pending, Checklist.BEFORE, "downtime", " Ada Yalın ", "22:00")
    [item] = [item for item in before(pending) if item.key == "downtime"]
    assert (item.state, item.signed_by, item.note) == (DONE, "Ada Yalın", "22:00")
    current.execute("UPDATE ops.migration_checklist SET heads = '20991231235959'")
    assert states(before(pending))["downtime"] is TO_SIGN


def test_nobody_signs_what_a_machine_must_find_out(pending):
    for item, name in (("backup", "Ada"), ("tested", "Ada"), ("nothing", "Ada"), ("downtime", " ")):
        with pytest.raises(EvolveError):
            sign(pending, Checklist.BEFORE, item, name)


def test_a_run_that_failed_must_be_looked_at_by_somebody(current, pending):
    current.execute(f"UPDATE ops.migration_log SET status = 'failed' WHERE revision = '{LAST}' AND direction = 'down'")
    assert states(before(pending))["runs"] is TO_SIGN
    sign(pending, Checklist.BEFORE, "runs", "Ada")
    assert states(before(pending))["runs"] is DONE


def test_a_transaction_open_for_long_is_seen(current, pending, monkeypatch):
    with connect(current) as reader:
        reader.execute("BEGIN; SELECT 1")
        assert states(before(pending))["transactions"] is DONE  # it is young
        for name in ("_TRANSACTIONS", "_PREPARED"):
            query = getattr(before_items, name)
            monkeypatch.setattr(before_items, name, query.replace("5 minutes", "0 minutes"))
        items = before(pending)
    assert states(items)["transactions"] is OPEN
    assert evidence(items, "transactions").startswith("1 open for over five minutes")


def test_of_another_roles_transaction_only_that_it_is_open_can_be_seen(current, pending):
    with connect(current, APP_ROLE) as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        items = before(pending)
    assert evidence(items, "transactions").endswith("Of 1 more, of other roles, the age is hidden.")


def connect(database, role: str = OWNER_ROLE) -> psycopg.Connection:
    return psycopg.connect(host=str(database.server.socket), user=role, dbname=database.name, autocommit=True)


def test_divergence_is_seen(current, pending):
    current.execute("UPDATE alembic_version SET version_num = '20991231235959'")
    items = before(pending)
    assert states(items)["state"] is OPEN and "20991231235959" in evidence(items, "state")


def test_a_database_without_a_history_can_be_signed_for(current, pending):
    current.execute("DROP SCHEMA ops CASCADE")
    assert states(before(pending))["monitoring"] is TO_SIGN
    sign(pending, Checklist.BEFORE, "monitoring", "Ada")
    assert states(before(pending))["monitoring"] is DONE


def test_after_a_migration_each_item_of_the_guide_is_judged(app, place):
    items = after(place, app)
    assert [item.key for item in items] == GUIDE_AFTER
    assert states(items) == {
        "data": OPEN, "performance": TO_SIGN, "functionality": DONE, "monitoring": DONE, "backup": OPEN
    }  # fmt: skip
    assert evidence(items, "functionality") == (
        "http://admin.localhost:8000/readyz 200, http://default.localhost:8000/login 200."
    )


def test_after_a_check_a_measure_and_a_backup_all_is_done(app, place, current):
    add(place, Signature, checklist="before", item="reads", heads=LAST, signed_by="machine",
        note=json.dumps({"patients": 5.0, "offers": 5.0}), at=now() - timedelta(days=1))  # fmt: skip
    verify(place, by=None)
    add_backup(app, place, heads=LAST)
    items = after(place, app)
    assert set(states(items).values()) == {DONE}
    assert evidence(items, "data").startswith("9 checks at ")


def test_a_quick_check_and_one_with_findings_are_not_enough(app, place, current):
    verify(place, by=None, quick=True)
    assert "Only a quick check" in evidence(after(place, app), "data")
    current.execute("DROP POLICY backup ON notes")
    verify(place, by=None)
    items = after(place, app)
    assert states(items)["data"] is OPEN and "1 findings" in evidence(items, "data")


def test_a_portal_that_does_not_answer_and_errors_in_its_log_are_seen(app, place, current):
    current.execute("UPDATE clinics SET status = 'suspended' WHERE subdomain = 'default'")
    assert "http://deniz.localhost:8000/login 200" in evidence(after(place, app), "functionality")
    current.execute("ALTER FUNCTION clinic_by_host(text, text) RENAME TO gone")
    app.extensions["clinic_directory"].forget()
    current.execute(
        "INSERT INTO system_logs (id, level, logger, message) VALUES (gen_random_uuid(), 'error', 'x', 'x')"
    )
    add(place, MigrationLog, run_id=uuid7(), revision=LAST, name="x", direction="up", status="failed",
        from_heads=BELOW, to_heads=LAST)  # fmt: skip
    items = after(place, app)
    assert (states(items)["functionality"], states(items)["monitoring"]) == (OPEN, OPEN)
    assert evidence(items, "monitoring").startswith("1 failed runs and 1 errors")


def test_slower_reads_are_open_until_somebody_signs(app, place, monkeypatch):
    add(place, Signature, checklist="before", item="reads", heads=LAST, signed_by="machine",
        note=json.dumps({"patients": 1.0, "offers": 1.0}), at=now() - timedelta(days=1))  # fmt: skip
    monkeypatch.setattr("portal.ops.schema.checks.after.measure_reads", lambda _: {"patients": 90.0, "offers": 1.0})
    items = after(place, app)
    assert states(items)["performance"] is OPEN
    assert evidence(items, "performance").startswith("Slower: patients. ")
    sign(place, Checklist.AFTER, "performance", "Ada", "More rows are shown now.")
    assert states(after(place, app))["performance"] is DONE


@pytest.mark.parametrize(
    ("was", "is_now", "slower"), [(1.0, 20.9, []), (1.0, 21.1, ["x"]), (30.0, 59.0, []), (30.0, 61.0, ["x"])]
)
def test_only_what_a_person_notices_counts_as_slower(was, is_now, slower):
    assert slower_reads({"x": was}, {"x": is_now, "y": 900.0}) == slower


def test_reads_are_measured_at_every_revision(database, legacy, place):
    for made in (database, legacy):
        with made.engine().connect() as connection:
            reads = measure_reads(connection)
        assert set(reads) == (set() if made is database else {"patients", "offers"})
    assert keep_reads(place).keys() == {"patients", "offers"}


def run(app: Flask, command: Any, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(command, list(arguments))


def test_preflight_ends_with_what_is_missing(app, pending):
    nothing = run(app, preflight)
    assert nothing.exit_code == 17, nothing.output
    assert "Rollback plan" in nothing.output and "Not ready." in nothing.output
    add_backup(app, pending, heads=BELOW)
    add_rehearsal(pending)
    assert run(app, preflight).exit_code == 1
    ready = run(app, preflight, "--json", "--sign", "Ada Yalın", "--item", "monitoring")
    assert ready.exit_code == 0, ready.output
    document = json.loads(ready.stdout)
    assert document["ready"] is True and set(document["reads_ms"]) == {"patients", "offers"}
    [signed] = [item for item in document["checklist"] if item["signed_by"]]
    assert (signed["key"], signed["signed_by"], signed["state"]) == ("monitoring", "Ada Yalın", "done")


def test_a_signature_without_its_item_is_a_wrong_call(app, pending):
    assert run(app, preflight, "--sign", "Ada").exit_code == 2
    assert run(app, preflight, "--sign", "Ada", "--item", "backup").exit_code == 1


def test_verify_shows_checks_and_checklist_and_ends_with_16_on_findings(app, place, current):
    whole = run(app, verify_command)
    assert whole.exit_code == 0, whole.output
    assert "Foreign keys on data" in whole.output and "New backup" in whole.output
    current.execute("DROP POLICY clinic ON notes")
    current.execute("UPDATE counters SET last_no = 0")
    broken = run(app, verify_command)
    assert broken.exit_code == 16
    assert "✗ The policy clinic of notes is missing. fixable" in broken.output
    fixed = run(app, verify_command, "--fix")
    assert fixed.exit_code == 0, fixed.output
    assert "mended The policy clinic of notes is missing." in fixed.output
    assert "CREATE POLICY clinic ON notes" in fixed.output
    document = json.loads(run(app, verify_command, "--json", "--quick").stdout)
    assert document["ok"] is True and document["mended"] == [] and len(document["checklist"]) == 5


def test_verify_lists_foreign_keys_as_the_guide_does_with_their_rows(app, place, current):
    listed = run(app, verify_command, "--foreign-keys", "--json")
    assert listed.exit_code == 0, listed.output
    document = json.loads(listed.stdout)
    assert len(document["foreign_keys"]) == foreign_keys(current)
    assert ["notes", "patient_id", "patients", "id"] in document["query"]
    with psycopg.connect(host=str(current.server.socket), user="postgres", dbname=current.name) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM offer_statuses")
    assert run(app, verify_command, "--foreign-keys").exit_code == 16


def test_verify_takes_signatures_for_the_second_checklist(app, place):
    signed = run(app, verify_command, "--sign", "Ada", "--item", "performance", "--note", "looked at", "--json")
    assert signed.exit_code == 0, signed.output
    [item] = [item for item in json.loads(signed.stdout)["checklist"] if item["signed_by"]]
    assert (item["key"], item["note"]) == ("performance", "looked at")
