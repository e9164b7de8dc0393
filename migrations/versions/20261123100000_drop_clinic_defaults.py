"""The contract phase of many clinics.

What it does: drops the default clinic's id as the columns' default and the triggers that filled clinic_id, so
a row without a clinic is refused; removes the default clinic where it was never used.
Warnings: releases from before 20250720211648 can no longer write.
Phases: contract only.
Downgrade: defaults, triggers and the default clinic come back.

Revision ID: 20261123100000
Revises: 20250720211648
Create Date: 2026-11-23 10:00:00+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261123100000"
down_revision = "20250720211648"
branch_labels = None
depends_on = None

DEFAULT_CLINIC = "00000000-0000-7000-8000-000000000001"
CONSTANT = (
    "patients", "offers", "reminders", "notes", "settings", "support_tickets", "referral_sources",
    "users", "offer_statuses", "pdf_templates", "activity_logs", "analytics_events",
)  # fmt: skip
FILLED = {
    "treatments": ("offer_id", "offers"),
    "support_messages": ("ticket_id", "support_tickets"),
    "patient_offers": ("offer_id", "offers"),
}
TENANT = (*CONSTANT, *FILLED, "system_logs")
IN_USE = " OR ".join(f"EXISTS (SELECT FROM {table} WHERE clinic_id = '{DEFAULT_CLINIC}')" for table in TENANT)


def upgrade() -> None:
    with evolve.online():
        for table in CONSTANT:
            evolve.run(f"ALTER TABLE {table} ALTER COLUMN clinic_id DROP DEFAULT")
        for table in FILLED:
            evolve.drop_clinic_filler(table)
    if not evolve.query(f"SELECT {IN_USE}").scalar_one():
        columns = ", ".join(evolve.table_columns("clinics"))
        evolve.keep_rows(revision, "clinics", f"SELECT {columns} FROM clinics WHERE id = '{DEFAULT_CLINIC}'")
        evolve.run(f"DELETE FROM clinics WHERE id = '{DEFAULT_CLINIC}'")


def downgrade() -> None:
    evolve.restore_table(revision, "clinics")
    for table, (column, parent) in FILLED.items():
        evolve.add_clinic_filler(table, column, parent)
    for table in CONSTANT:
        evolve.run(f"ALTER TABLE {table} ALTER COLUMN clinic_id SET DEFAULT '{DEFAULT_CLINIC}'")
