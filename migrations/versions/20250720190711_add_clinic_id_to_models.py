"""The clinic of the remaining tables.

What it does: treatments take their offer's clinic and messages their ticket's; users, statuses, templates and
logs start in the default clinic; system_logs may have none.
Warnings: a trigger fills treatments and support_messages for the release before this one until the contract
phase (20261123100000).
Phases: column by column, online; e-mails, status keys and template names unique within a clinic.
Downgrade: assignments are kept. Refuses, listing the rows, where two clinics share a unique value.

Revision ID: 20250720190711
Revises: 20250718213704
Create Date: 2025-07-20 19:07:11+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20250720190711"
down_revision = "20250718213704"
branch_labels = None
depends_on = None

DEFAULT_CLINIC = "00000000-0000-7000-8000-000000000001"
CONSTANT = ("users", "offer_statuses", "pdf_templates", "activity_logs", "analytics_events")
FROM_PARENT = {"treatments": ("offer_id", "offers"), "support_messages": ("ticket_id", "support_tickets")}
NULLABLE = "system_logs"
UNIQUE = {"users": "email", "offer_statuses": "key", "pdf_templates": "name"}


def upgrade() -> None:
    with evolve.online():
        for table in CONSTANT:
            evolve.add_columns(table, f"clinic_id uuid NOT NULL DEFAULT '{DEFAULT_CLINIC}'")
        evolve.add_columns(NULLABLE, "clinic_id uuid")
    for table in (*CONSTANT, NULLABLE):
        evolve.restore_columns(revision, table, ["clinic_id"], key=["id"])
    with evolve.online():
        for table, (column, parent) in FROM_PARENT.items():
            evolve.clinic_from_parent(table, column, parent)
        for table in (*CONSTANT, NULLABLE):
            evolve.add_foreign_key(table, ["clinic_id"], "clinics")
            evolve.create_index(f"ix_{table}_clinic_id", table, "clinic_id")
        for table, column in UNIQUE.items():
            evolve.add_unique(table, ["clinic_id", column])
            evolve.drop_constraint(table, f"uq_{table}_{column}")


def downgrade() -> None:
    for table, column in UNIQUE.items():
        evolve.refuse_collisions(table, [column])
    for table in FROM_PARENT:
        evolve.drop_clinic_filler(table)
        evolve.run(f"ALTER TABLE {table} DROP COLUMN clinic_id")
    for table in (*CONSTANT, NULLABLE):
        evolve.keep_rows(revision, table, f"SELECT id, clinic_id FROM {table} WHERE clinic_id <> '{DEFAULT_CLINIC}'")
        evolve.run(f"ALTER TABLE {table} DROP COLUMN clinic_id")
    for table, column in UNIQUE.items():
        evolve.run(f"ALTER TABLE {table} ADD CONSTRAINT uq_{table}_{column} UNIQUE ({column})")
