"""From one clinic to many.

What it does: creates the clinics with a default one, and gives the guide's seven tables their clinic.
Warnings: the release before this one keeps inserting; its rows fall to the default clinic, whose id is the
columns' constant default until the contract phase (20261123100000). A constant default rewrites no table.
Phases: clinics; column by column; foreign keys NOT VALID, then validated; indexes CONCURRENTLY; names and
keys unique within a clinic.
Downgrade: clinics and every assignment to another clinic than the default are kept. Refuses, listing the
rows, where names of two clinics would collide.

Revision ID: 20250716200939
Revises: 20250629190954
Create Date: 2025-07-16 20:09:39+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20250716200939"
down_revision = "20250629190954"
branch_labels = None
depends_on = None

DEFAULT_CLINIC = "00000000-0000-7000-8000-000000000001"
TABLES = ("patients", "offers", "reminders", "notes", "settings", "support_tickets", "referral_sources")
UNIQUE = {"settings": "key", "support_tickets": "ticket_number", "referral_sources": "name"}


def upgrade() -> None:
    _create_clinics()
    with evolve.online():
        for table in TABLES:
            evolve.add_columns(table, f"clinic_id uuid NOT NULL DEFAULT '{DEFAULT_CLINIC}'")
    for table in TABLES:
        evolve.restore_columns(revision, table, ["clinic_id"], key=["id"])
    with evolve.online():
        for table in TABLES:
            evolve.add_foreign_key(table, ["clinic_id"], "clinics")
            evolve.create_index(f"ix_{table}_clinic_id", table, "clinic_id")
        for table, column in UNIQUE.items():
            evolve.add_unique(table, ["clinic_id", column])
            evolve.drop_constraint(table, f"uq_{table}_{column}")


def _create_clinics() -> None:
    kept = evolve.keep_name(revision, "clinics")
    if evolve.has_table(kept):
        evolve.run(f"ALTER TABLE {kept} RENAME TO clinics")
    elif not evolve.has_table("clinics"):
        evolve.run(
            """
            CREATE TABLE clinics (
                id uuid CONSTRAINT pk_clinics PRIMARY KEY,
                name text NOT NULL,
                subdomain varchar(63) NOT NULL CONSTRAINT uq_clinics_subdomain UNIQUE,
                created_at timestamptz NOT NULL DEFAULT now(),
                updated_at timestamptz NOT NULL DEFAULT now()
            )
            """
        )
        evolve.run(
            "INSERT INTO clinics (id, name, subdomain) VALUES ('{id}', 'Default Clinic', 'default')", id=DEFAULT_CLINIC
        )


def downgrade() -> None:
    for table, column in UNIQUE.items():
        evolve.refuse_collisions(table, [column])
    for table in TABLES:
        evolve.keep_rows(revision, table, f"SELECT id, clinic_id FROM {table} WHERE clinic_id <> '{DEFAULT_CLINIC}'")
        evolve.run(f"ALTER TABLE {table} DROP COLUMN clinic_id")
    for table, column in UNIQUE.items():
        evolve.run(f"ALTER TABLE {table} ADD CONSTRAINT uq_{table}_{column} UNIQUE ({column})")
    evolve.run(f"ALTER TABLE clinics RENAME TO {evolve.keep_name(revision, 'clinics')}")
