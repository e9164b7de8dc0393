"""One clinic's rows come back, whole, and no row of another clinic changes."""

from __future__ import annotations

import threading

import pytest

from portal.ops.evolve.errors import DivergedError, EvolveError, ExitCode, MigrationDataError
from portal.ops.schema.backup import clinic as module
from portal.ops.schema.backup.clinic import ClinicRestore
from portal.ops.schema.backup.source import all_rows
from portal.ops.schema.backup.tools import nobody
from tests.ops.schema.backup_support import SECOND, SECOND_ID, clinic_hashes, hashes, make, vault_of
from tests.support.chain import HEAD

# Children first.
EVERYTHING = (
    "treatment_teeth", "treatments", "offer_terms", "patient_offers", "notes", "reminders", "support_messages",
    "support_tickets", "offers", "patient_terms", "patients", "price_list_items", "price_lists", "treatment_catalog",
    "treatment_categories", "vat_rules", "offer_statuses", "pdf_templates", "settings", "referral_sources",
)  # fmt: skip


def restore(vault, made, *, apply=True, heads=HEAD, **options):
    with all_rows(vault, made, nobody, heads=heads) as source:
        return ClinicRestore(vault.place, made, SECOND, by="Ada", **options).run(source, apply=apply)


def wipe(database, clinic=SECOND_ID) -> None:
    for table in EVERYTHING:
        database.execute(f"DELETE FROM {table} WHERE clinic_id = '{clinic}'")


def of(result, table):
    return next(one for one in result.tables if one.table == table)


@pytest.mark.parametrize("whole", [True, False], ids=["from a whole backup", "from its own backup"])
def test_deleted_rows_come_back_and_the_other_clinic_is_left_alone(current, tmp_path, whole):
    vault = vault_of(current, tmp_path)
    made = make(vault) if whole else make(vault, clinic=SECOND)
    before = clinic_hashes(current)
    assert before["patients"].rows > 0
    wipe(current)
    current.execute("UPDATE patients SET city = 'Ankara' WHERE clinic_id <> :clinic", clinic=SECOND_ID)
    current.execute("DELETE FROM patient_offers")
    others = clinic_hashes(current, others=True)
    result = restore(vault, made)
    assert clinic_hashes(current) == before
    assert clinic_hashes(current, others=True) == others
    assert result.others >= sum(rows.rows for rows in others.values()) > 0
    assert of(result, "patients").inserted == before["patients"].rows
    log = current.execute("SELECT name, status, backup_id FROM ops.migration_log WHERE direction = 'restore'")
    assert log == [("clinic", "applied", made.id)]


def test_looking_changes_nothing_and_tells_what_would(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    wipe(current)
    before = hashes(vault.place)
    result = restore(vault, made, exact=True, apply=False)
    assert result.changes > 5
    assert hashes(vault.place) == before
    assert current.execute("SELECT count(*) FROM ops.migration_log WHERE direction = 'restore'") == [(0,)]


def change_much(database) -> None:
    """Do to the second clinic what people do: change, delete, make, and let old rows name new ones."""
    c = f"clinic_id = '{SECOND_ID}'"
    database.execute(f"UPDATE clinics SET name = 'Başka' WHERE id = '{SECOND_ID}'")
    database.execute(f"UPDATE referral_sources SET name = 'Gone' WHERE {c}")
    database.execute(
        f"INSERT INTO referral_sources (id, clinic_id, name) VALUES (gen_random_uuid(), '{SECOND_ID}', 'Google')"
    )
    database.execute(f"DELETE FROM settings WHERE {c}")
    database.execute(
        f"INSERT INTO settings (id, clinic_id, key, value) VALUES (gen_random_uuid(), '{SECOND_ID}', 'farewell', 'x')"
    )
    database.execute(f"UPDATE patients SET city = 'Ankara' WHERE {c}")
    # A new category; the old product is moved into it, and its old category deleted.
    database.execute(
        "INSERT INTO treatment_categories (clinic_id, id, key, name_tr, name_en, position)"
        f" VALUES ('{SECOND_ID}', '99000000-0000-7000-8000-000000000001', 'yeni', 'Yeni', 'New', 9)"
    )
    database.execute(f"UPDATE treatment_catalog SET category_id = '99000000-0000-7000-8000-000000000001' WHERE {c}")
    database.execute(f"DELETE FROM treatment_categories WHERE {c} AND key <> 'yeni'")


def test_exactly_means_exactly_and_what_goes_is_kept(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made, before = make(vault), clinic_hashes(current)
    others = clinic_hashes(current, others=True)
    change_much(current)
    changed = current.execute(f"SELECT name FROM referral_sources WHERE clinic_id = '{SECOND_ID}' ORDER BY 1")
    result = restore(vault, made, exact=True)
    assert clinic_hashes(current) == before
    assert clinic_hashes(current, others=True) == others
    sources = of(result, "referral_sources")
    assert (sources.put_back, sources.removed) == (1, 1)
    kept = current.execute(f"SELECT name, kept_why FROM {sources.kept} ORDER BY 1")
    assert kept == [("Gone", "replaced"), ("Google", "removed")]
    assert [name for name, _ in kept] == [name for (name,) in changed]
    assert of(result, "treatment_categories").removed == 1
    assert of(result, "patients").kept
    assert current.execute("SELECT count(*) FROM treatment_catalog WHERE clinic_id = :c", c=SECOND_ID) == [(1,)]


def test_without_exactly_nothing_that_is_there_changes(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    current.execute(f"UPDATE patients SET city = 'Ankara' WHERE clinic_id = '{SECOND_ID}'")
    current.execute(f"DELETE FROM vat_rules WHERE clinic_id = '{SECOND_ID}'")
    result = restore(vault, made)
    assert result.changes == of(result, "vat_rules").inserted == 1
    assert {city for (city,) in current.execute(f"SELECT city FROM patients WHERE clinic_id = '{SECOND_ID}'")} == {
        "Ankara"
    }
    assert current.execute("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'keep_restore_%'") == [(0,)]


def test_logs_and_numbers_never_go_back(current, tmp_path):
    vault = vault_of(current, tmp_path)
    current.execute(f"INSERT INTO counters VALUES ('{SECOND_ID}', 'offer', 2026, 7)")
    made = make(vault)
    current.execute("UPDATE counters SET last_no = 12")
    current.execute(f"INSERT INTO counters VALUES ('{SECOND_ID}', 'patient', 2026, 3)")
    current.execute(
        "INSERT INTO activity_logs (clinic_id, id, actor_kind, actor_name, action, object_type)"
        f" VALUES ('{SECOND_ID}', gen_random_uuid(), 'system', 'x', 'patient.created', 'patients')"
    )
    logged = current.execute("SELECT count(*) FROM activity_logs")
    result = restore(vault, made, exact=True)
    numbers = current.execute(
        f"SELECT kind, last_no FROM counters WHERE clinic_id = '{SECOND_ID}' AND year = 2026 ORDER BY 1"
    )
    assert numbers == [("offer", 12), ("patient", 3)]
    assert current.execute("SELECT count(*) FROM activity_logs") == logged
    assert of(result, "activity_logs").extra == 1
    current.execute("UPDATE counters SET last_no = 2 WHERE kind = 'offer' AND year = 2026")
    restore(vault, made)
    assert current.execute(
        f"SELECT last_no FROM counters WHERE clinic_id = '{SECOND_ID}' AND kind = 'offer' AND year = 2026"
    ) == [(7,)]


def test_what_a_row_that_stays_names_stays_and_nothing_goes_by_cascade(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    status = current.execute("SELECT id FROM support_statuses LIMIT 1")[0][0]
    current.execute(
        "INSERT INTO support_tickets (clinic_id, id, ticket_number, subject, description, status_id)"
        f" VALUES ('{SECOND_ID}', '99000000-0000-7000-8000-000000000002', 'D-9', 'x', 'x', '{status}')"
    )
    columns = {
        name
        for (name,) in current.execute(
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'support_messages'"
        )
    }
    body = "message" if "message" in columns else "body"
    current.execute(
        f"INSERT INTO support_messages (clinic_id, id, ticket_id, {body})"
        f" VALUES ('{SECOND_ID}', gen_random_uuid(), '99000000-0000-7000-8000-000000000002', 'x')"
    )
    messages = current.execute("SELECT count(*) FROM support_messages")
    result = restore(vault, made, exact=True)
    assert current.execute("SELECT count(*) FROM support_messages") == messages
    assert (of(result, "support_tickets").extra, of(result, "support_tickets").removed) == (1, 0)


def test_logins_that_ended_stay_ended(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    assert made.counts["login_sessions"] > 0
    current.execute("DELETE FROM login_sessions")
    restore(vault, made, exact=True)
    assert current.execute("SELECT count(*) FROM login_sessions") == [(0,)]


def test_a_change_to_another_clinic_takes_everything_back(current, tmp_path, monkeypatch):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    wipe(current)
    before = hashes(vault.place)
    write = ClinicRestore._write

    def and_more(self, catalogue, clinic, pairs):
        write(self, catalogue, clinic, pairs)
        pairs[0][0].connection.exec_driver_sql(f"UPDATE patients SET city = 'X' WHERE clinic_id <> '{SECOND_ID}'")

    monkeypatch.setattr(ClinicRestore, "_write", and_more)
    with pytest.raises(MigrationDataError, match=r"Rows of others would have changed in patients\.") as caught:
        restore(vault, made)
    assert caught.value.exit_code is ExitCode.DATA
    assert hashes(vault.place) == before


def test_rows_whose_parent_outside_the_clinic_is_gone_stop_it_whole(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    wipe(current)
    current.execute("UPDATE support_tickets SET assigned_to = NULL")
    current.execute("DELETE FROM platform_sessions")
    current.execute("DELETE FROM support_messages")
    current.execute("DELETE FROM platform_users")
    before = hashes(vault.place)
    with pytest.raises(MigrationDataError, match=r"support_tickets cannot come back:\n.*platform_users that is gone"):
        restore(vault, made)
    assert hashes(vault.place) == before


def test_a_clinic_that_is_gone_whole_comes_back_whole(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made, before = make(vault, clinic=SECOND), clinic_hashes(current)
    wipe(current)
    for table in ("login_sessions", "activity_logs", "analytics_events", "system_logs", "counters", "users"):
        current.execute(f"DELETE FROM {table} WHERE clinic_id = '{SECOND_ID}'")
    for (table,) in current.execute(
        "SELECT tablename::text FROM pg_tables WHERE tablename LIKE 'keep%' OR tablename LIKE '%quarantine'"
    ):
        current.execute(f"DROP TABLE {table}")
    current.execute(f"DELETE FROM clinics WHERE id = '{SECOND_ID}'")
    restore(vault, made)
    after = clinic_hashes(current)
    assert after.pop("login_sessions").rows == 0
    before.pop("login_sessions")
    assert after == before


def test_a_backup_from_before_an_upgrade_is_taken_along(legacy, tmp_path):
    vault = vault_of(legacy, tmp_path)
    vault.place.options["orphans"] = "quarantine"  # type: ignore[index]
    made = make(vault)
    legacy.upgrade("20250720211648", orphans="quarantine")
    before = clinic_hashes(legacy)
    legacy.execute(f"DELETE FROM patient_offers WHERE clinic_id = '{SECOND_ID}'")
    restore(vault, made, heads="20250720211648")
    after = clinic_hashes(legacy)
    assert after["patient_offers"] == before["patient_offers"]


def test_one_clinics_file_of_another_revision_is_refused(legacy, tmp_path):
    vault = vault_of(legacy, tmp_path)
    made = make(vault, clinic=SECOND)
    legacy.upgrade("20250720203715")
    with pytest.raises(DivergedError, match="use a backup of the whole database"):
        restore(vault, made)


def test_a_clinic_the_backup_does_not_have_is_told(current, tmp_path):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    with all_rows(vault, made, nobody) as source, pytest.raises(EvolveError, match="no clinic 'nobody'"):
        ClinicRestore(vault.place, made, "nobody").run(source, apply=True)
    own = make(vault, clinic=SECOND)
    with all_rows(vault, own, nobody) as source, pytest.raises(EvolveError, match="no clinic 'default'"):
        ClinicRestore(vault.place, own, "default").run(source, apply=True)


def test_somebody_else_changing_a_row_at_the_same_time_loses_nothing(current, tmp_path, monkeypatch):
    vault = vault_of(current, tmp_path)
    made = make(vault)
    current.execute(f"UPDATE patients SET city = 'Ankara' WHERE clinic_id = '{SECOND_ID}'")
    look = module._others

    def meanwhile(connection, catalogue, clinic):
        found = look(connection, catalogue, clinic)
        writer = threading.Thread(
            target=current.execute, args=(f"UPDATE patients SET city = 'Bursa' WHERE clinic_id = '{SECOND_ID}'",)
        )
        writer.start()
        writer.join()
        return found

    monkeypatch.setattr(module, "_others", meanwhile)
    with pytest.raises(MigrationDataError, match="run the command again"):
        restore(vault, made, exact=True)
    assert {city for (city,) in current.execute(f"SELECT city FROM patients WHERE clinic_id = '{SECOND_ID}'")} == {
        "Bursa"
    }
