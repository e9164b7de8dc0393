"""The single-clinic baseline.

What it does: creates the tables the portal began with, for one clinic.
Warnings: patient_offers has no foreign keys yet, as in the predecessor's database: rows may point nowhere.
Downgrade: every table is kept with its rows and comes back with the next upgrade.

Revision ID: 20250629190954
Revises:
Create Date: 2025-06-29 19:09:54+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20250629190954"
down_revision = None
branch_labels = None
depends_on = None

STAMPS = "created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()"

# In the order of their references.
TABLES = {
    "users": """
        email varchar(254) NOT NULL CONSTRAINT uq_users_email UNIQUE,
        name varchar(200) NOT NULL,
        role varchar(20) NOT NULL,
        password_hash varchar(255),
    """,
    "referral_sources": """
        name varchar(120) NOT NULL CONSTRAINT uq_referral_sources_name UNIQUE,
        position smallint NOT NULL DEFAULT 0,
        is_active boolean NOT NULL DEFAULT true,
    """,
    "patients": """
        name varchar(200) NOT NULL,
        phone varchar(60),
        email varchar(254),
        birth_date date,
        address varchar(500),
        notes text,
        referral_source_id uuid CONSTRAINT fk_patients_referral_source_id REFERENCES referral_sources (id),
        is_active boolean NOT NULL DEFAULT true,
    """,
    "offer_statuses": """
        key varchar(60) NOT NULL CONSTRAINT uq_offer_statuses_key UNIQUE,
        label_tr varchar(80) NOT NULL,
        colour varchar(7),
        position smallint NOT NULL DEFAULT 0,
        is_active boolean NOT NULL DEFAULT true,
    """,
    "offers": """
        title varchar(200) NOT NULL,
        status varchar(60) NOT NULL DEFAULT 'draft',
        primary_patient_id uuid CONSTRAINT fk_offers_primary_patient_id REFERENCES patients (id),
        created_by_id uuid CONSTRAINT fk_offers_created_by_id REFERENCES users (id),
        currency varchar(3) NOT NULL DEFAULT 'TRY',
        grand_total numeric(14, 2) NOT NULL DEFAULT 0,
        valid_until date,
        patient_note text,
    """,
    "treatments": """
        offer_id uuid NOT NULL CONSTRAINT fk_treatments_offer_id REFERENCES offers (id) ON DELETE CASCADE,
        name varchar(200) NOT NULL,
        quantity numeric(8, 2) NOT NULL DEFAULT 1,
        unit_price numeric(14, 2) NOT NULL DEFAULT 0,
        position smallint NOT NULL DEFAULT 0,
    """,
    "patient_offers": """
        patient_id uuid NOT NULL,
        offer_id uuid NOT NULL,
        assigned boolean NOT NULL DEFAULT false,
        visible boolean NOT NULL DEFAULT true,
        CONSTRAINT uq_patient_offers_patient_id_offer_id UNIQUE (patient_id, offer_id),
    """,
    "notes": """
        author_id uuid CONSTRAINT fk_notes_author_id REFERENCES users (id),
        patient_id uuid CONSTRAINT fk_notes_patient_id REFERENCES patients (id),
        offer_id uuid CONSTRAINT fk_notes_offer_id REFERENCES offers (id),
        body text NOT NULL,
    """,
    "reminders": """
        title varchar(200) NOT NULL,
        description text,
        due_at timestamptz NOT NULL,
        status varchar(10) NOT NULL DEFAULT 'open',
        is_pinned boolean NOT NULL DEFAULT false,
        patient_id uuid CONSTRAINT fk_reminders_patient_id REFERENCES patients (id),
        offer_id uuid CONSTRAINT fk_reminders_offer_id REFERENCES offers (id),
        created_by_id uuid CONSTRAINT fk_reminders_created_by_id REFERENCES users (id),
    """,
    "settings": """
        key varchar(80) NOT NULL CONSTRAINT uq_settings_key UNIQUE,
        value text NOT NULL,
    """,
    "pdf_templates": """
        name varchar(120) NOT NULL CONSTRAINT uq_pdf_templates_name UNIQUE,
        body text NOT NULL,
        is_default boolean NOT NULL DEFAULT false,
    """,
    "support_tickets": """
        ticket_number varchar(20) NOT NULL CONSTRAINT uq_support_tickets_ticket_number UNIQUE,
        subject varchar(200) NOT NULL,
        description text NOT NULL,
        status varchar(60) NOT NULL DEFAULT 'new',
        is_urgent boolean NOT NULL DEFAULT false,
        created_by uuid CONSTRAINT fk_support_tickets_created_by REFERENCES users (id),
    """,
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        evolve.run(f"CREATE TABLE {table} (id uuid CONSTRAINT pk_{table} PRIMARY KEY, {columns} {STAMPS})")
        evolve.restore_table(revision, table)


def downgrade() -> None:
    for table in reversed(TABLES):
        evolve.keep_table(revision, table)
