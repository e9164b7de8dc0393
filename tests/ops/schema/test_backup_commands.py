"""The commands about backups: what they print, ask, and end with."""

from __future__ import annotations

import json
from dataclasses import replace

import click
import pytest

from config import BackupSettings
from portal.app import create_app
from portal.core.bootstrap import prepare_embedded
from portal.core.database import db
from portal.core.jobs import configure_jobs
from portal.ops.commands.backups import COMMANDS
from tests.ops.schema.backup_support import SECOND, SECOND_ID, hashes, left_behind, place_of
from tests.support.chain import HEAD
from tests.support.data import settings_for

GROUP = click.Group("db", commands={command.name: command for command in COMMANDS})


@pytest.fixture
def portal_over(app, current, tmp_path):
    """The portal over a database that a test may break."""
    settings = settings_for(prepare_embedded(current.server, current.name))
    made = create_app(replace(settings, backups=BackupSettings(folder=tmp_path / "backups")))
    configure_jobs(app)  # jobs of other tests work for their own portal
    yield made
    with made.app_context():
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def run(portal_over):
    def command(*arguments, code=0):
        result = portal_over.test_cli_runner().invoke(GROUP, list(arguments))
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if "--json" in arguments else " ".join(result.output.split())

    return command


def test_from_backup_to_list_to_check_to_prune(run, current, tmp_path):
    said = run("backup", "--reason", "before [the] price change")
    assert "proven by a restore" in said
    made = run("backups", "--json")
    assert [(one["status"], one["reason"], one["heads"]) for one in made] == [("ok", "before [the] price change", HEAD)]
    number = made[0]["id"]
    listed = run("backups")
    assert HEAD[:5] in listed
    assert "is whole" in run("backups", "--check", number[:13])
    assert "Every backup is to be kept" in run("backups", "--prune")
    file = tmp_path / "backups" / made[0]["file"]
    file.write_bytes(file.read_bytes()[:-1])
    assert "damaged" in run("backups", "--check", "latest", code=17)
    assert run("backups", "--check", "latest", "--json", code=17)["exit_code"] == 17
    assert "no backup 'zz'" in run("restore", "zz", code=17)


def test_recovering_only_shows_where_nobody_can_be_asked(run, current, tmp_path):
    run("backup", "--no-proof")
    before = hashes(place_of(current))
    current.execute("DELETE FROM patient_offers")
    lost = hashes(place_of(current))
    said = run("recover", "--table", "patient_offers", "--from", "latest")
    assert "Say --yes" in said
    assert hashes(place_of(current)) == lost
    told = run("recover", "--table", "public.patient_offers", "--from", "latest", "--json")
    assert told["applied"] is False
    assert told["missing"] == before["patient_offers"].rows
    told = run(
        "recover",
        "--table",
        "patient_offers",
        "--from",
        "latest",
        "--where",
        "t.id IS NULL OR 'a%' LIKE 'a%%'",
        "--yes",
        "--json",
    )
    assert (told["applied"], told["inserted"]) == (True, before["patient_offers"].rows)
    assert hashes(place_of(current)) == before
    assert "syntax error" in run("recover", "--table", "notes", "--from", "latest", "--where", "(", code=1)


def test_a_parent_that_is_gone_ends_with_16(run, current):
    run("backup", "--no-proof")
    for table in ("patient_offers", "treatment_teeth", "treatments", "notes", "reminders", "offer_terms", "offers"):
        current.execute(f"DELETE FROM {table}")
    assert "Recover that first" in run("recover", "--table", "patient_offers", "--from", "latest")
    assert "Recover that first" in run("recover", "--table", "patient_offers", "--from", "latest", "--yes", code=16)


def test_one_clinic_is_backed_up_and_comes_back_alone(run, current, tmp_path):
    run("backup", "--clinic", SECOND)
    number = run("backups", "--json")[0]["id"]
    assert f"restore {number} --clinic deniz" in run("restore", number, code=1)
    before = hashes(place_of(current))
    current.execute(f"DELETE FROM patient_offers WHERE clinic_id = '{SECOND_ID}'")
    current.execute(f"DELETE FROM vat_rules WHERE clinic_id = '{SECOND_ID}'")
    told = run("restore", number, "--clinic", SECOND, "--json")
    assert told["applied"] is False
    assert sum(one["inserted"] for one in told["tables"]) > 0
    assert "Say --yes" in run("restore", number, "--clinic", SECOND)
    assert "rows of others are what they were" in run("restore", number, "--clinic", SECOND, "--exact", "--yes")
    assert hashes(place_of(current)) == before
    run("backup", "--clinic", "nobody", code=1)


def test_replacing_closes_the_commands_own_connections_and_says_what_was_kept(run, portal_over, current):
    run("backup", "--no-proof")
    before = hashes(place_of(current))
    current.execute("DELETE FROM patient_offers")
    with portal_over.app_context(), db.engine.connect():
        pass  # as the start-up check does: a connection stays in the pool
    current.disconnect()
    assert "with --yes" in run("restore", "latest", "--replace")
    told = run("restore", "latest", "--replace", "--yes", "--json")
    assert hashes(place_of(current)) == before
    with place_of(current).on("postgres").engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
            f'DROP DATABASE "{told["kept"]}" WITH (FORCE)'
        )


@pytest.mark.parametrize(
    "arguments",
    [
        ["backups", "--check", "x", "--prune"],
        ["restore", "latest", "--exact"],
        ["restore", "latest", "--replace", "--clinic", "x"],
        ["recover", "--table", "x"],
    ],
)
def test_calls_that_make_no_sense_are_wrong_calls(run, arguments):
    run(*arguments, code=2)


def test_without_pg_dump_it_ends_with_17(run, portal_over, tmp_path):
    settings = portal_over.extensions["portal_settings"]
    portal_over.extensions["portal_settings"] = replace(settings, backups=replace(settings.backups, programs=tmp_path))
    assert "Install postgresql-client-" in run("backup", code=17)
    assert left_behind(tmp_path) == []


def test_every_command_has_its_help_and_examples(run):
    for command in COMMANDS:
        assert "Examples:" in run(command.name, "--help")
