"""What each data-moving revision makes of the rows that were there."""

from __future__ import annotations

from decimal import Decimal

FIRST, SECOND = "00000000-0000-7000-8000-000000000001", "c2000000-0000-7000-8000-000000000001"


def test_rows_of_one_clinic_become_the_default_clinics(database):
    database.upgrade("20250629190954")
    database.load("single_clinic.sql")
    database.upgrade("20250716200939")
    assert database.execute("SELECT DISTINCT clinic_id::text FROM patients") == [(FIRST,)]
    assert database.execute("SELECT subdomain FROM clinics") == [("default",)]
    database.execute("INSERT INTO settings (id, key, value) VALUES (gen_random_uuid(), 'old_release', 'writes')")
    assert database.execute("SELECT clinic_id::text FROM settings WHERE key = 'old_release'") == [(FIRST,)]


def test_lines_and_messages_take_the_clinic_of_what_they_belong_to(legacy):
    found = legacy.execute('SELECT name, clinic_id::text FROM treatments ORDER BY name COLLATE "C"')
    assert found == [("Anestezi", SECOND), ("Dolgu", SECOND), ("Zirkonyum kron", FIRST), ("İmplant", FIRST)]
    found = legacy.execute('SELECT body, clinic_id::text FROM support_messages ORDER BY body COLLATE "C"')
    assert found == [("Merhaba", FIRST), ("İç not", SECOND)]


def test_status_texts_become_statuses_of_their_own_clinic(legacy):
    legacy.upgrade("20250720203715")
    found = legacy.execute(
        "SELECT o.title, s.key, s.label_tr, s.clinic_id = o.clinic_id FROM offers o"
        " JOIN offer_statuses s ON s.id = o.status_id ORDER BY o.id"
    )
    assert found == [
        ("İmplant", "sent", "Gönderildi", True),
        ("Zirkonyum", "draft", "Taslak", True),
        ("Temizlik", "Beklemede ", "Beklemede", True),
        ("Dolgu", "accepted", "Kabul", True),
    ]


def test_status_texts_come_back_letter_for_letter_and_follow_later_changes(legacy):
    legacy.upgrade("20250720203715")
    draft = "0d000000-0000-7000-8000-000000000001"
    legacy.execute("UPDATE offers SET status_id = :draft WHERE title = 'Temizlik'", draft=draft)
    legacy.downgrade("20250720190711")
    found = legacy.execute("SELECT title, status FROM offers ORDER BY id")
    assert found == [("İmplant", "SENT"), ("Zirkonyum", "draft"), ("Temizlik", "draft"), ("Dolgu", "accepted")]
    assert legacy.execute("SELECT status FROM support_tickets ORDER BY id") == [("new",), ("Kapalı",), ("new",)]


def test_assigned_offers_take_their_offers_clinic_and_orphans_go_to_quarantine_whole(legacy):
    before = legacy.execute("SELECT * FROM patient_offers ORDER BY id")
    legacy.upgrade("20250720211648", orphans="quarantine")
    columns = "id, patient_id, offer_id, assigned, visible, created_at, updated_at"
    after = legacy.execute(f"SELECT {columns} FROM patient_offers")
    moved = legacy.execute(f"SELECT {columns} FROM patient_offers_quarantine")
    assert sorted(after + moved) == before
    reasons = legacy.execute("SELECT reason FROM patient_offers_quarantine ORDER BY id")
    assert reasons == [("The offer does not exist.",), ("The patient does not exist.",)]
    found = legacy.execute("SELECT clinic_id::text FROM patient_offers ORDER BY id")
    assert found == [(FIRST,), (FIRST,), (SECOND,)]


def test_orphans_may_take_their_patients_clinic_and_wait_in_quarantine_later(legacy):
    legacy.execute("DELETE FROM patient_offers WHERE id = '1a000000-0000-7000-8000-000000000005'")
    legacy.upgrade("20250720211648", orphans="patient")
    lost = "SELECT clinic_id::text FROM {} WHERE id = '1a000000-0000-7000-8000-000000000004'"
    assert legacy.execute(lost.format("patient_offers")) == [(FIRST,)]
    legacy.upgrade("head", orphans="patient")
    assert legacy.execute(lost.format("patient_offers")) == []
    assert legacy.execute(lost.format("patient_offers_quarantine")) == [(FIRST,)]
    legacy.downgrade("20250720211648")
    assert legacy.execute(lost.format("patient_offers")) == [(FIRST,)]


def test_patients_are_split_numbered_and_found(legacy):
    legacy.upgrade(orphans="quarantine")
    found = legacy.execute(
        "SELECT patient_no, first_name, last_name, name_key, phone_e164, phone_raw FROM patients ORDER BY id"
    )
    assert found == [
        ("00002", "Işıl Ayşe", "Çağlar", "is~il ays~e c~ag~lar", "+905321234567", "0532 123 45 67"),
        ("00001", "Madonna", "", "madonna", None, "+44 20 7946 0958 ext"),
        ("00003", "İbrahim", "O'Brien", "i~brahi~m obri~en", None, "eşinin telefonu"),
        ("00001", "John", "Smith", "john smi~th", None, None),
    ]
    terms = "SELECT term FROM patient_terms WHERE patient_id = '0c000000-0000-7000-8000-000000000001' ORDER BY term"
    expected = {"isil", "ayse", "caglar", "2", "5321234567", "isil@example.com"}
    assert {term for (term,) in legacy.execute(terms)} >= expected
    counters = "SELECT kind, year, last_no FROM counters WHERE clinic_id = :clinic ORDER BY kind, year"
    assert legacy.execute(counters, clinic=FIRST) == [("offer", 2025, 3), ("patient", 0, 3)]


def test_offers_are_numbered_by_the_year_of_their_clinic_and_keep_their_total(legacy):
    legacy.upgrade(orphans="quarantine")
    found = legacy.execute("SELECT offer_no, subtotal, discount_total, net_total, grand_total FROM offers ORDER BY id")
    assert found == [
        ("2025-00002", Decimal("1000.00"), Decimal("100.00"), Decimal("900.00"), Decimal("900.00")),
        ("2025-00003", Decimal("2000.00"), Decimal("0.00"), Decimal("2000.00"), Decimal("2000.00")),
        ("2025-00001", Decimal("0.00"), Decimal("0.00"), Decimal("0.00"), Decimal("0.00")),  # 01:30 in Istanbul
        ("2025-00001", Decimal("150.50"), Decimal("0.00"), Decimal("150.50"), Decimal("150.50")),
    ]
    assert legacy.execute("SELECT line_base, line_gross FROM treatments WHERE name = 'Dolgu'") == [
        (Decimal("150.50"), Decimal("150.50"))
    ]


def test_numbers_go_on_where_the_counters_stand_and_may_grow_beyond_five_digits(legacy):
    legacy.upgrade("20261123100500", orphans="quarantine")
    counter = "INSERT INTO counters VALUES (:clinic, 'patient', 0, 99998), (:clinic, 'offer', 2025, 99998)"
    legacy.execute(counter, clinic=FIRST)
    legacy.upgrade()
    numbers = "SELECT patient_no FROM patients WHERE clinic_id = :clinic ORDER BY created_at"
    assert legacy.execute(numbers, clinic=FIRST) == [("99999",), ("100000",), ("100001",)]
    numbers = "SELECT offer_no FROM offers WHERE clinic_id = :clinic ORDER BY created_at"
    assert legacy.execute(numbers, clinic=FIRST) == [("2025-99999",), ("2025-100000",), ("2025-100001",)]


def test_statuses_get_the_kind_their_key_tells_and_one_default_each(legacy):
    legacy.upgrade(orphans="quarantine")
    kinds = "SELECT key, kind, is_default FROM offer_statuses WHERE clinic_id = :clinic ORDER BY key"
    found = legacy.execute(kinds, clinic=FIRST)
    assert found == [
        ("Beklemede ", "negotiating", True),
        ("accepted", "accepted", True),
        ("draft", "draft", True),
        ("sent", "sent", True),
    ]


def test_staff_get_one_of_six_roles_and_an_unknown_one_may_only_read(legacy):
    legacy.upgrade(orphans="quarantine")
    found = legacy.execute("SELECT email, role FROM users ORDER BY id")
    assert found == [
        ("ayse@gulus.example", "admin"),
        ("mert@gulus.example", "coordinator"),
        ("stajyer@gulus.example", "readonly"),
        ("deniz@deniz.example", "doctor"),
    ]


def test_tickets_forget_assignees_of_the_clinic_only_until_the_downgrade(legacy):
    legacy.upgrade(orphans="quarantine")
    assigned = "SELECT assigned_to::text FROM support_tickets WHERE ticket_number = 'T-1'"
    assert legacy.execute(assigned) == [(None,)]
    legacy.downgrade("20250720190711")
    assert legacy.execute(assigned) == [("0a000000-0000-7000-8000-000000000002",)]


def test_a_name_changed_under_the_old_release_wins_over_the_kept_one(current):
    current.downgrade("20250720190711")
    current.execute("UPDATE patients SET name = 'Işıl Kara' WHERE name = 'Işıl Ayşe Demir'")
    current.execute("UPDATE treatments SET unit_price = 200 WHERE name = 'Dolgu'")
    current.upgrade(orphans="quarantine")
    names = "SELECT first_name, last_name, city FROM patients WHERE id = '0c000000-0000-7000-8000-000000000001'"
    found = current.execute(names)
    assert found == [("Işıl", "Kara", "İzmir")]
    terms = current.execute("SELECT term FROM patient_terms WHERE patient_id = '0c000000-0000-7000-8000-000000000001'")
    assert ("kara",) in terms
    assert ("demir",) not in terms
    assert current.execute("SELECT line_gross FROM treatments WHERE name = 'Dolgu'") == [(Decimal("300.00"),)]


def test_kept_rows_whose_parent_is_gone_stay_kept(current):
    current.downgrade("20250720190711")
    current.execute("DELETE FROM treatments WHERE name = 'Dolgu'")
    current.upgrade(orphans="quarantine")
    assert current.execute("SELECT count(*) FROM treatment_teeth") == [(0,)]
    assert current.execute("SELECT tooth FROM keep_20261123100900_treatment_teeth") == [(11,)]
