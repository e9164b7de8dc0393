"""A reference to another clinic's row becomes impossible.

What it does: every tenant table's key becomes (clinic_id, id), and every reference between tenant tables
names the clinic as well.
Warnings: rows that refer across clinics stop the upgrade with their list. Assignments left without their
offer (-x orphans=patient) must now go to quarantine: give -x orphans again.
Phases: unique indexes CONCURRENTLY; composite foreign keys NOT VALID, then validated; then the old foreign
keys go and each primary key is swapped in one statement. No moment is without a foreign key.
Downgrade: single keys return. Refuses, listing them, where two clinics use one id.

Revision ID: 20261123100100
Revises: 20261123100000
Create Date: 2026-11-23 10:01:00+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261123100100"
down_revision = "20261123100000"
branch_labels = None
depends_on = None

TABLES = (
    "users", "referral_sources", "patients", "offer_statuses", "offers", "treatments", "patient_offers", "notes",
    "reminders", "settings", "pdf_templates", "support_tickets", "support_messages", "activity_logs",
    "analytics_events",
)  # fmt: skip

# table, column, parent, what happens to the row when the parent is deleted
REFERENCES = (
    ("patients", "referral_source_id", "referral_sources", ""),
    ("offers", "status_id", "offer_statuses", ""),
    ("offers", "primary_patient_id", "patients", ""),
    ("offers", "created_by_id", "users", ""),
    ("treatments", "offer_id", "offers", "CASCADE"),
    ("patient_offers", "patient_id", "patients", ""),
    ("patient_offers", "offer_id", "offers", ""),
    ("notes", "author_id", "users", ""),
    ("notes", "patient_id", "patients", ""),
    ("notes", "offer_id", "offers", ""),
    ("reminders", "patient_id", "patients", ""),
    ("reminders", "offer_id", "offers", ""),
    ("reminders", "created_by_id", "users", ""),
    ("support_tickets", "created_by", "users", ""),
    ("support_tickets", "assigned_to", "users", ""),
    ("support_messages", "ticket_id", "support_tickets", "CASCADE"),
    ("support_messages", "user_id", "users", ""),
)
ASSIGNMENT = ("id", "clinic_id", "patient_id", "offer_id", "assigned", "visible", "created_at", "updated_at")
LOST = "NOT EXISTS (SELECT FROM offers o WHERE o.id = t.offer_id)"


def upgrade() -> None:
    _settle_lost_assignments()
    for table, column, parent, _ in REFERENCES:
        evolve.refuse_rows(
            "SELECT t.id, t.clinic_id, p.id AS {column}, p.clinic_id AS its_clinic FROM {table} t"
            " JOIN {parent} p ON p.id = t.{column} WHERE p.clinic_id <> t.clinic_id ORDER BY t.id",
            f"These rows of {table} name a row of another clinic in {column}:",
            table=table,
            column=column,
            parent=parent,
        )
    with evolve.online():
        for table in TABLES:
            if not evolve.has_key(table, ["clinic_id", "id"]):
                evolve.create_index(f"uq_{table}_clinic_id_id", table, "clinic_id, id", unique=True)
        for table, column, parent, ondelete in REFERENCES:
            evolve.add_foreign_key(table, ["clinic_id", column], parent, ["clinic_id", "id"], ondelete=ondelete)
            evolve.drop_constraint(table, f"fk_{table}_{column}")
        for table in TABLES:
            evolve.replace_primary_key(table, ["clinic_id", "id"])
            evolve.drop_index(f"ix_{table}_clinic_id")


def _settle_lost_assignments() -> None:
    if evolve.option("orphans") in ("patient", "quarantine"):
        evolve.quarantine_rows("patient_offers", ASSIGNMENT, LOST, "The offer does not exist.")
    evolve.refuse_rows(
        f"SELECT t.id, t.patient_id, t.offer_id FROM patient_offers t WHERE {LOST} ORDER BY t.id",
        "The offers of these assignments do not exist. -x orphans=quarantine moves them to patient_offers_quarantine:",
    )


def downgrade() -> None:
    for table in TABLES:
        evolve.refuse_collisions(table, ["id"])
    for table, column, _parent, _ondelete in REFERENCES:
        evolve.run(f"ALTER TABLE {table} DROP CONSTRAINT fk_{table}_clinic_id_{column}")
    for table in TABLES:
        evolve.run(f"ALTER TABLE {table} DROP CONSTRAINT pk_{table}, ADD CONSTRAINT pk_{table} PRIMARY KEY (id)")
        evolve.run(f"CREATE INDEX ix_{table}_clinic_id ON {table} (clinic_id)")
    for table, column, parent, ondelete in REFERENCES:
        action = f" ON DELETE {ondelete}" if ondelete else ""
        evolve.run(
            f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}_{column}"
            f" FOREIGN KEY ({column}) REFERENCES {parent} (id){action}"
        )
    _release_assignments()


def _release_assignments() -> None:
    """Return what this revision quarantined; the foreign key on offers cannot hold then."""
    if not evolve.has_table("patient_offers_quarantine"):
        return
    if evolve.query("SELECT EXISTS (SELECT FROM patient_offers_quarantine WHERE clinic_id IS NOT NULL)").scalar_one():
        evolve.drop_constraint("patient_offers", "fk_patient_offers_offer_id")
        evolve.release_rows("patient_offers", ASSIGNMENT, "q.clinic_id IS NOT NULL")
