"""Rows in the way stop a migration with their list, and leave the database as it was."""

from __future__ import annotations

import pytest

from portal.ops.evolve import MigrationDataError
from portal.ops.evolve.errors import EvolveError
from portal.ops.evolve.naming import refuse_vague

SECOND = "c2000000-0000-7000-8000-000000000001"
ORPHANS = ("1a000000-0000-7000-8000-000000000004", "1a000000-0000-7000-8000-000000000005")


def refused(database, action, *named: str) -> None:
    """Assert that ``action`` raises with exit code 16, naming the rows, and changes nothing."""
    rows, schema = database.rows(), database.schema()
    with pytest.raises(MigrationDataError) as caught:
        action()
    assert caught.value.exit_code == 16
    for name in named:
        assert name in str(caught.value)
    assert database.rows() == rows
    assert database.schema() == schema


def test_assignments_without_offer_or_patient_stop_the_upgrade(legacy):
    legacy.upgrade("20250720203715")
    refused(legacy, legacy.upgrade, *ORPHANS)


def test_taking_the_patients_clinic_needs_a_patient(legacy):
    legacy.upgrade("20250720203715")
    refused(legacy, lambda: legacy.upgrade(orphans="patient"), ORPHANS[1])


def test_an_offer_and_a_patient_of_different_clinics_stop_the_upgrade_whatever_the_option(legacy):
    legacy.upgrade("20250720203715")
    legacy.execute("UPDATE offers SET clinic_id = :clinic WHERE title = 'İmplant'", clinic=SECOND)
    refused(legacy, lambda: legacy.upgrade(orphans="quarantine"), "1a000000-0000-7000-8000-000000000001", SECOND)


def test_references_across_clinics_stop_the_composite_keys(legacy):
    legacy.upgrade("20261123100000", orphans="quarantine")
    legacy.execute("UPDATE notes SET clinic_id = :clinic", clinic=SECOND)
    refused(legacy, legacy.upgrade, "1b000000-0000-7000-8000-000000000001")


def test_addresses_that_differ_only_by_capitals_stop_the_upgrade(legacy):
    legacy.upgrade("20261123100300", orphans="quarantine")
    legacy.execute("UPDATE users SET email = 'MERT@gulus.example' WHERE role = 'intern'")
    refused(legacy, legacy.upgrade, "mert@gulus.example")


def test_an_unknown_currency_stops_the_upgrade(legacy):
    legacy.upgrade("20261123100800", orphans="quarantine")
    legacy.execute("UPDATE offers SET currency = 'CHF' WHERE title = 'Dolgu'")
    refused(legacy, legacy.upgrade, "CHF")


@pytest.mark.parametrize(
    ("start", "target", "column", "shared"),
    [
        ("20250720190711", "20250718213704", ("users", "email"), "mert@gulus.example"),
        ("20250716200939", "20250629190954", ("referral_sources", "name"), "Instagram"),
    ],
)
def test_what_two_clinics_share_stops_the_downgrade_that_makes_it_unique(legacy, start, target, column, shared):
    table, name = column
    legacy.downgrade(start)
    legacy.execute(f"UPDATE {table} SET {name} = :shared WHERE clinic_id = :clinic", shared=shared, clinic=SECOND)
    refused(legacy, lambda: legacy.downgrade(target), shared)


@pytest.mark.parametrize("name", ["update", "fix_models", "AddClinic", "add", "fix_the_db", None])
def test_a_revision_name_that_says_nothing_is_refused(name):
    with pytest.raises(EvolveError):
        refuse_vague(name)


def test_a_revision_name_that_says_what_it_does_is_taken():
    refuse_vague("add_clinic_id_to_patient_offer")
