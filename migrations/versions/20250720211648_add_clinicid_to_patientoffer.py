"""The clinic of assigned offers.

What it does: every row of patient_offers takes its offer's clinic, and its references become foreign keys.
Warnings: the guide's inner join silently lost the rows whose offer is gone. Here such rows stop the upgrade
with their list, unless ``-x orphans=patient`` gives them their patient's clinic or ``-x orphans=quarantine``
moves them, whole, to patient_offers_quarantine. Rows whose offer and patient are of different clinics stop it
always: somebody has to decide.
Phases: column and trigger; backfill in batches, each proven to leave the old columns alone; NOT NULL;
foreign keys NOT VALID, then validated; unique within a clinic.
Downgrade: quarantined rows return; clinics that cannot be derived again are kept.

Revision ID: 20250720211648
Revises: 20250720203715
Create Date: 2025-07-20 21:16:48+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20250720211648"
down_revision = "20250720203715"
branch_labels = None
depends_on = None

TABLE = "patient_offers"
OLD_COLUMNS = ("id", "patient_id", "offer_id", "assigned", "visible", "created_at", "updated_at")
NO_OFFER = "NOT EXISTS (SELECT FROM offers o WHERE o.id = t.offer_id)"
NO_PATIENT = "NOT EXISTS (SELECT FROM patients p WHERE p.id = t.patient_id)"
LISTED = "SELECT t.id, t.patient_id, t.offer_id FROM patient_offers t WHERE {condition} ORDER BY t.id"
DIFFERENT = """
    SELECT t.id, o.id AS offer_id, o.clinic_id AS offer_clinic, p.id AS patient_id, p.clinic_id AS patient_clinic
      FROM patient_offers t JOIN offers o ON o.id = t.offer_id JOIN patients p ON p.id = t.patient_id
     WHERE o.clinic_id <> p.clinic_id ORDER BY t.id
"""


def upgrade() -> None:
    evolve.refuse_rows(DIFFERENT, "These assignments name an offer of one clinic and a patient of another:")
    evolve.add_clinic_filler(TABLE, "offer_id", "offers")
    evolve.restore_columns(revision, TABLE, ["clinic_id"], key=["id"])
    _settle_orphans()
    with evolve.online():
        for parent, column in (("offers", "offer_id"), ("patients", "patient_id")):
            source = evolve.Source(f"{parent} AS p", f"p.id = t.{column}")
            evolve.backfill(
                TABLE, "clinic_id = p.clinic_id", where="clinic_id IS NULL", source=source, unchanged=OLD_COLUMNS
            )
        evolve.finish_clinic(TABLE)
        evolve.add_foreign_key(TABLE, ["patient_id"], "patients")
        if not evolve.query(f"SELECT EXISTS ({LISTED.format(condition=NO_OFFER)})").scalar_one():
            evolve.add_foreign_key(TABLE, ["offer_id"], "offers")
        evolve.add_unique(TABLE, ["clinic_id", "patient_id", "offer_id"])
        evolve.drop_constraint(TABLE, "uq_patient_offers_patient_id_offer_id")


def _settle_orphans() -> None:
    """Deal with rows that have no clinic yet and miss their offer or their patient, as the options say."""
    choice = evolve.option("orphans")
    if choice == "quarantine":
        _quarantine()
    missing = NO_PATIENT if choice == "patient" else f"({NO_OFFER} OR {NO_PATIENT})"
    evolve.refuse_rows(
        LISTED.format(condition=f"t.clinic_id IS NULL AND {missing}"),
        "These assignments miss their offer or their patient. Choose with -x orphans=patient (take the patient's "
        "clinic, where there is one) or -x orphans=quarantine (move them to patient_offers_quarantine):",
    )


def _quarantine() -> None:
    """Move the orphans, and prove that rows and old columns are all still there."""
    evolve.run("LOCK TABLE patient_offers IN SHARE ROW EXCLUSIVE MODE")
    places = (TABLE, f"{TABLE}_quarantine")
    before = [evolve.fingerprint(place, OLD_COLUMNS) for place in places]
    for condition, reason in ((NO_OFFER, "The offer does not exist."), (NO_PATIENT, "The patient does not exist.")):
        evolve.quarantine_rows(TABLE, OLD_COLUMNS, f"t.clinic_id IS NULL AND {condition}", reason)
    after = [evolve.fingerprint(place, OLD_COLUMNS) for place in places]
    if evolve.combined(before) != evolve.combined(after):
        raise evolve.MigrationDataError(f"{before} became {after}: rows were lost or changed on the way.")


def downgrade() -> None:
    evolve.run("ALTER TABLE patient_offers DROP CONSTRAINT IF EXISTS fk_patient_offers_offer_id")
    evolve.run("ALTER TABLE patient_offers DROP CONSTRAINT fk_patient_offers_patient_id")
    evolve.keep_rows(revision, TABLE, f"SELECT t.id, t.clinic_id FROM patient_offers t WHERE {NO_OFFER}")
    evolve.drop_clinic_filler(TABLE)
    evolve.run("ALTER TABLE patient_offers DROP COLUMN clinic_id")
    evolve.release_rows(TABLE, OLD_COLUMNS)
    evolve.run(
        "ALTER TABLE patient_offers ADD CONSTRAINT uq_patient_offers_patient_id_offer_id UNIQUE (patient_id, offer_id)"
    )
