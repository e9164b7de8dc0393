"""Rows of one table come back from a backup, and only where they can stand."""

from __future__ import annotations

import psycopg
import pytest

from portal.ops.evolve.errors import BackupError, EvolveError, ExitCode, MigrationDataError
from portal.ops.schema.backup.recover import Recovery
from portal.ops.schema.backup.source import all_rows, table_rows
from portal.ops.schema.backup.tools import nobody
from tests.ops.schema.backup_support import SECOND, hashes, make, vault_of

ROWS = "SELECT * FROM patient_offers ORDER BY clinic_id, id"


def recover(vault, made, table="patient_offers", *, apply=True, heads=None, **options):
    opened = all_rows(vault, made, nobody, heads=heads) if heads else table_rows(vault, made, table)
    with opened as source:
        return Recovery(vault.place, made, table, **options).run(source, apply=apply)


def numbers(found):
    return found.missing, found.different, found.same, found.inserted, found.put_back


def test_deleted_patient_offers_come_back_and_only_those_asked_for(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made, before = make(vault), current.execute(ROWS)
    chosen, *others = [row[0] for row in current.execute("SELECT id FROM patient_offers ORDER BY id")]
    assert others
    everything = hashes(vault.place)
    current.execute("DELETE FROM patient_offers")
    found = recover(vault, made, where=f"t.id = '{chosen}'")
    assert numbers(found) == (1, 0, 0, 1, 0)
    assert current.execute("SELECT id FROM patient_offers") == [(chosen,)]
    assert numbers(recover(vault, made)) == (len(others), 0, 1, len(others), 0)
    assert current.execute(ROWS) == before
    assert hashes(vault.place) == everything
    log = current.execute(
        "SELECT status, backup_id, logs, rows_after FROM ops.migration_log WHERE direction = 'restore' ORDER BY id"
    )
    assert [row[:2] for row in log] == [("applied", made.id)] * 2
    assert log[0][3] == {"patient_offers": 1}


def test_looking_changes_nothing(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    current.execute("DELETE FROM patient_offers")
    before = hashes(vault.place)
    found = recover(vault, made, apply=False)
    assert found.missing == found.backup > 0
    assert found.inserted == 0
    assert hashes(vault.place) == before


def test_a_condition_cannot_smuggle_in_a_second_statement(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    before = hashes(vault.place)
    smuggled = "true) IS NOT TRUE; DELETE FROM reminders; COMMIT; SELECT (true"
    with pytest.raises(psycopg.errors.SyntaxError, match="multiple commands"):
        recover(vault, made, where=smuggled, apply=False)
    assert hashes(vault.place) == before
    assert before["reminders"].rows


def test_rows_whose_parent_is_gone_are_refused_with_what_to_recover_first(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    for table in ("patient_offers", "treatment_teeth", "treatments", "notes", "reminders", "offer_terms", "offers"):
        current.execute(f"DELETE FROM {table}")
    before = hashes(vault.place)
    with pytest.raises(MigrationDataError, match=rf"flask db recover --table offers --from {made.id}") as caught:
        recover(vault, made)
    assert caught.value.exit_code is ExitCode.DATA
    assert hashes(vault.place) == before
    assert recover(vault, made, apply=False).obstacles
    recover(vault, made, "offers")
    assert recover(vault, made).inserted > 0


def test_overwriting_puts_values_back_and_keeps_what_they_were(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made, before = make(vault), current.execute(ROWS)
    current.execute("UPDATE patient_offers SET visible = NOT visible")
    changed = current.execute(ROWS)
    found = recover(vault, made)
    assert numbers(found) == (0, len(before), 0, 0, 0)
    assert current.execute(ROWS) == changed
    found = recover(vault, made, overwrite=True)
    assert found.put_back == len(before)
    assert current.execute(ROWS) == before
    kept = current.execute(f"SELECT * FROM {found.kept} ORDER BY clinic_id, id")
    assert [row[:-1] for row in kept] == changed
    assert {row[-1] for row in kept} == {"replaced"}


def test_numbers_once_given_out_are_never_given_out_again(current, tmp_path):
    vault = vault_of(current, tmp_path)
    current.execute("INSERT INTO counters SELECT id, 'offer', 2026, 7 FROM clinics ON CONFLICT DO NOTHING")
    made = make(vault)
    current.execute("UPDATE counters SET last_no = last_no + 5")
    higher = current.execute("SELECT * FROM counters ORDER BY 1, 2, 3")
    assert recover(vault, made, "counters", overwrite=True).put_back == 0
    assert current.execute("SELECT * FROM counters ORDER BY 1, 2, 3") == higher
    current.execute("UPDATE counters SET last_no = 1")
    recover(vault, made, "counters", overwrite=True)
    assert {row[3] for row in current.execute("SELECT * FROM counters WHERE kind = 'offer' AND year = 2026")} == {7}


def test_a_row_that_took_the_place_of_a_lost_one_stops_the_recovery_whole(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    current.execute("UPDATE settings SET id = gen_random_uuid()")
    before = hashes(vault.place)
    with pytest.raises(MigrationDataError, match="settings does not take rows of the backup: duplicate key") as caught:
        recover(vault, made, "settings")
    assert "DETAIL" not in str(caught.value)
    assert hashes(vault.place) == before


def test_rows_of_an_older_revision_come_back_with_the_columns_both_have(legacy, tmp_path):
    vault = vault_of(legacy, tmp_path)
    made, before = make(vault), legacy.execute("SELECT id, key, value FROM settings ORDER BY id")
    legacy.upgrade("20250720211648", orphans="quarantine")
    legacy.execute("ALTER TABLE settings ADD COLUMN colour text")
    legacy.execute("DELETE FROM settings")
    assert recover(vault, made, "settings").inserted == len(before) > 0
    assert legacy.execute("SELECT id, key, value FROM settings ORDER BY id") == before


def test_rows_that_lack_a_column_by_now_come_back_through_an_upgraded_copy(legacy, tmp_path):
    vault = vault_of(legacy, tmp_path)
    vault.place.options["orphans"] = "quarantine"  # type: ignore[index]
    made = make(vault)
    legacy.upgrade("20250720211648", orphans="quarantine")
    legacy.execute("ALTER TABLE patient_offers ALTER COLUMN clinic_id DROP DEFAULT")
    before = legacy.execute("SELECT id, clinic_id FROM patient_offers ORDER BY id")
    legacy.execute("DROP TRIGGER IF EXISTS patient_offers_clinic ON patient_offers")
    legacy.execute("DELETE FROM patient_offers")
    with pytest.raises(MigrationDataError, match=r"no clinic_id, and no row goes without; try again with --upgraded"):
        recover(vault, made)
    recover(vault, made, heads="20250720211648")
    assert legacy.execute("SELECT id, clinic_id FROM patient_offers ORDER BY id") == before


def test_rows_come_back_from_one_clinics_backup_too(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault, clinic=SECOND)
    before = hashes(vault.place)
    current.execute("DELETE FROM vat_rules")
    assert recover(vault, made, "vat_rules").inserted == 1
    assert hashes(vault.place) == before


def test_a_table_that_is_not_there_or_has_no_key_is_told(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    with pytest.raises(BackupError, match="has no table nonsense"):
        recover(vault, made, "nonsense")
    current.execute("ALTER TABLE patient_offers RENAME TO gone")
    with pytest.raises(EvolveError, match="no table patient_offers"):
        recover(vault, made)
