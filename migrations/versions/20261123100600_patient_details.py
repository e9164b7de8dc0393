"""Patients as people: names apart, phones that can be dialled, numbers, and words that find them.

What it does: splits patients.name before its last word, reads patients.phone as an international number where
it is one, numbers patients by creation within their clinic, and fills what lists sort and search by.
Warnings: the release before this one cannot write patients once name and phone are gone. A phone that cannot
be read keeps its text in phone_raw only.
Phases: columns; batches, resumable; checks, keys and indexes online; then, briefly, NOT NULL and the old
columns' removal. Exact old names and phones stay in a keep table.
Downgrade: name and phone return, exactly where they were not changed since; everything else is kept.

Revision ID: 20261123100600
Revises: 20261123100500
Create Date: 2026-11-23 10:06:00+00:00
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.ops import evolve
from portal.ops.evolve import legacy_text

revision = "20261123100600"
down_revision = "20261123100500"
branch_labels = None
depends_on = None

COLUMNS = {
    "patient_no": "varchar(20)",
    "first_name": "varchar(100)",
    "last_name": "varchar(100)",
    "name_key": 'text COLLATE "C"',
    "phone_e164": "varchar(16)",
    "phone_raw": "varchar(40)",
    "gender": "varchar(10)",
    "nationality": "varchar(2)",
    "residence_country": "varchar(2)",
    "locale": "varchar(8)",
    "city": "varchar(100)",
    "instagram": "varchar(60)",
    "facebook": "varchar(60)",
    "linkedin": "varchar(60)",
    "x_handle": "varchar(60)",
    "archived_at": "timestamptz",
    "form_key": "uuid",
    "version": "integer NOT NULL DEFAULT 1",
}
REQUIRED = ("patient_no", "first_name", "last_name", "name_key")
FROM_NAME = ("first_name", "last_name", "name_key")
FROM_PHONE = ("phone_e164", "phone_raw")
TERMS = """
    CREATE TABLE IF NOT EXISTS patient_terms (
        clinic_id uuid NOT NULL CONSTRAINT fk_patient_terms_clinic_id REFERENCES clinics (id),
        term text COLLATE "C" NOT NULL,
        patient_id uuid NOT NULL,
        CONSTRAINT pk_patient_terms PRIMARY KEY (clinic_id, term, patient_id),
        CONSTRAINT fk_patient_terms_clinic_id_patient_id
            FOREIGN KEY (clinic_id, patient_id) REFERENCES patients (clinic_id, id) ON DELETE CASCADE
    )
"""
INDEXES = {
    "patients": (
        "clinic_id, name_key, id",
        "clinic_id, phone_e164",
        "clinic_id, referral_source_id",
        "clinic_id, created_at",
    ),
    "patient_terms": ("clinic_id, patient_id",),
}
NUMBERS = evolve.keep_name(revision, "numbers")
NUMBER = f"""
    CREATE TABLE IF NOT EXISTS {NUMBERS} AS
    SELECT id, lpad(number, greatest(5, length(number)), '0') AS patient_no FROM (
        SELECT p.id, (coalesce(c.last_no, 0) + row_number() OVER (
                   PARTITION BY p.clinic_id ORDER BY p.created_at, p.id))::text AS number
          FROM patients p LEFT JOIN counters c ON c.clinic_id = p.clinic_id AND c.kind = 'patient' AND c.year = 0
         WHERE p.patient_no IS NULL) AS numbered
"""
COUNT = """
    INSERT INTO counters (clinic_id, kind, year, last_no)
    SELECT clinic_id, 'patient', 0, max(patient_no::integer) FROM patients
     WHERE patient_no ~ '^[0-9]{1,9}$' GROUP BY clinic_id
    ON CONFLICT (clinic_id, kind, year) DO UPDATE SET last_no = greatest(counters.last_no, excluded.last_no)
"""
UNSPLIT = "t.first_name IS NULL"
UNREAD = "(t.phone <> '' AND t.phone_e164 IS NULL AND t.phone_raw IS NULL)"
STALE_TERMS = f"""
    DELETE FROM patient_terms AS x USING patients AS t
     WHERE x.clinic_id = t.clinic_id AND x.patient_id = t.id AND ({UNSPLIT} OR {UNREAD})
"""
UNFOUND = "NOT EXISTS (SELECT FROM patient_terms x WHERE x.clinic_id = t.clinic_id AND x.patient_id = t.id)"
BEFORE = evolve.keep_name(revision, "patients_before")
FULL_NAME = "left(btrim(t.first_name || ' ' || t.last_name), 200)"


def upgrade() -> None:
    evolve.add_columns("patients", *(f"{name} {kind}" for name, kind in COLUMNS.items()))
    values = {name: f"k.{name}" for name in COLUMNS}
    values |= {name: f"CASE WHEN k.name = t.name THEN k.{name} END" for name in FROM_NAME}
    values |= {name: f"CASE WHEN k.phone IS NOT DISTINCT FROM t.phone THEN k.{name} END" for name in FROM_PHONE}
    evolve.restore_columns(revision, "patients", values)
    evolve.run(TERMS)
    evolve.restore_table(revision, "patient_terms")
    evolve.run(STALE_TERMS)
    with evolve.online():
        _split_names()
        _number()
        _index("patient_terms")
        _find()
        _constrain()
    evolve.keep_rows(revision, "patients_before", _originals())
    evolve.run("ALTER TABLE patients DROP COLUMN name, DROP COLUMN phone")


def _split_names() -> None:
    fields = (
        "t.clinic_id, t.id, t.name, t.phone, t.first_name, t.last_name, t.phone_e164, t.phone_raw,"
        " (SELECT c.country FROM clinics c WHERE c.id = t.clinic_id) AS country"
    )
    for batch in evolve.batches("patients", fields, where=f"{UNSPLIT} OR {UNREAD}"):
        evolve.update_rows("patients", [_person(row) for row in batch])


def _person(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the patient's new columns: what a keep table brought back stays, the rest comes from the old ones."""
    first, last = legacy_text.split_name(row["name"])
    if row["first_name"] is not None:
        first, last = row["first_name"], row["last_name"]
    phone = (row["phone"] or "").strip()
    e164, raw = legacy_text.e164(phone, row["country"]), phone[: legacy_text.RAW_PHONE_LENGTH] or None
    if row["phone_e164"] or row["phone_raw"]:
        e164, raw = row["phone_e164"], row["phone_raw"]
    return {
        "clinic_id": row["clinic_id"],
        "id": row["id"],
        "first_name": first,
        "last_name": last,
        "name_key": legacy_text.sort_key(f"{first} {last}"),
        "phone_e164": e164,
        "phone_raw": raw,
    }


def _number() -> None:
    """Number in rounds: an interrupted round's numbers are kept, rows that came since get theirs in the next."""
    source = evolve.Source(f"{NUMBERS} AS n", "n.id = t.id")
    while True:
        evolve.run(NUMBER)
        evolve.run(f"CREATE INDEX IF NOT EXISTS ix_{NUMBERS} ON {NUMBERS} (id)")
        evolve.run(f"ANALYZE {NUMBERS}")
        evolve.backfill("patients", "patient_no = n.patient_no", where="patient_no IS NULL", source=source)
        evolve.run(COUNT)
        evolve.run(f"DROP TABLE {NUMBERS}")
        if not evolve.query("SELECT EXISTS (SELECT FROM patients WHERE patient_no IS NULL)").scalar_one():
            return


def _find() -> None:
    fields = "t.clinic_id, t.id, t.first_name, t.last_name, t.patient_no, t.phone_e164, t.phone_raw, t.email"
    for batch in evolve.batches("patients", fields, where=UNFOUND):
        evolve.insert_rows("patient_terms", [term for row in batch for term in _terms(row)])


def _terms(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    name = f"{row['first_name']} {row['last_name']}"
    terms = legacy_text.patient_terms(name, row["patient_no"], row["phone_e164"], row["phone_raw"], row["email"])
    return [{"clinic_id": row["clinic_id"], "term": term, "patient_id": row["id"]} for term in sorted(terms)]


def _constrain() -> None:
    for column in REQUIRED:
        evolve.add_not_null("patients", column)
    evolve.add_unique("patients", ["clinic_id", "patient_no"])
    evolve.add_unique("patients", ["clinic_id", "form_key"])
    evolve.add_check("patients", "ck_patients_gender", "gender IN ('female', 'male', 'other')")
    _index("patients")


def _index(table: str) -> None:
    for columns in INDEXES[table]:
        evolve.create_index(f"ix_{table}_{columns.replace(', ', '_')}", table, columns)


def _originals() -> str:
    return f"SELECT clinic_id, id, name, phone, {', '.join((*FROM_NAME, *FROM_PHONE))} FROM patients"


def downgrade() -> None:
    evolve.keep_table(revision, "patient_terms")
    evolve.add_columns("patients", "name varchar(200)", "phone varchar(60)")
    evolve.run(f"UPDATE patients AS t SET name = {FULL_NAME}, phone = coalesce(phone_raw, phone_e164)")
    same_name = " AND ".join(f"t.{name} = k.{name}" for name in FROM_NAME)
    same_phone = " AND ".join(f"t.{name} IS NOT DISTINCT FROM k.{name}" for name in FROM_PHONE)
    evolve.restore_values(
        BEFORE,
        "patients",
        {
            "name": f"CASE WHEN {same_name} THEN k.name ELSE t.name END",
            "phone": f"CASE WHEN {same_phone} THEN k.phone ELSE t.phone END",
        },
    )
    evolve.run("ALTER TABLE patients ALTER COLUMN name SET NOT NULL")
    evolve.keep_rows(revision, "patients", f"SELECT clinic_id, id, name, phone, {', '.join(COLUMNS)} FROM patients")
    evolve.run("DROP INDEX ix_patients_clinic_id_referral_source_id, ix_patients_clinic_id_created_at")
    evolve.run("ALTER TABLE patients " + ", ".join(f"DROP COLUMN {column}" for column in COLUMNS))
