"""The clinic's catalogue.

What it does: creates treatment categories, the catalogue, price lists with their items, and dated VAT rules.
Warnings: none; all tables are new.
Phases: new tables only.
Downgrade: the tables are kept with their rows.

Revision ID: 20261123100700
Revises: 20261123100600
Create Date: 2026-11-23 10:07:00+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261123100700"
down_revision = "20261123100600"
branch_labels = None
depends_on = None

STAMPS = "created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()"
VAT_CLASSES = "vat_class IN ('treatment', 'aesthetic_review', 'non_medical')"

# In the order of their references.
TABLES = {
    "treatment_categories": """
        key varchar(40) NOT NULL,
        name_tr varchar(120) NOT NULL,
        name_en varchar(120) NOT NULL,
        position smallint NOT NULL,
        CONSTRAINT uq_treatment_categories_clinic_id_key UNIQUE (clinic_id, key)
    """,
    "treatment_catalog": f"""
        category_id uuid NOT NULL,
        code varchar(40) NOT NULL,
        name_tr varchar(200) NOT NULL,
        name_en varchar(200) NOT NULL,
        scope varchar(10) NOT NULL CONSTRAINT ck_treatment_catalog_scope
            CHECK (scope IN ('tooth', 'multi', 'quadrant', 'arch', 'mouth')),
        pricing varchar(12) NOT NULL CONSTRAINT ck_treatment_catalog_pricing
            CHECK (pricing IN ('flat', 'per_tooth', 'per_surface', 'per_role', 'per_arch', 'per_session')),
        vat_class varchar(20) NOT NULL CONSTRAINT ck_treatment_catalog_vat_class CHECK ({VAT_CLASSES}),
        dentition varchar(10) NOT NULL CONSTRAINT ck_treatment_catalog_dentition
            CHECK (dentition IN ('permanent', 'primary', 'both')),
        allowed_teeth smallint[],
        duration_min smallint,
        position smallint NOT NULL DEFAULT 0,
        is_active boolean NOT NULL DEFAULT true,
        version integer NOT NULL DEFAULT 1,
        CONSTRAINT uq_treatment_catalog_clinic_id_code UNIQUE (clinic_id, code),
        CONSTRAINT fk_treatment_catalog_clinic_id_category_id
            FOREIGN KEY (clinic_id, category_id) REFERENCES treatment_categories (clinic_id, id)
    """,
    "price_lists": """
        name varchar(120) NOT NULL,
        currency varchar(3) NOT NULL CONSTRAINT ck_price_lists_currency
            CHECK (currency IN ('TRY', 'EUR', 'USD', 'GBP')),
        audience varchar(15) NOT NULL CONSTRAINT ck_price_lists_audience
            CHECK (audience IN ('domestic', 'international', 'partner')),
        valid_from date NOT NULL,
        valid_to date,
        CONSTRAINT uq_price_lists_clinic_id_name UNIQUE (clinic_id, name),
        CONSTRAINT ck_price_lists_dates CHECK (valid_to >= valid_from)
    """,
    "price_list_items": """
        price_list_id uuid NOT NULL,
        catalog_id uuid NOT NULL,
        unit_price numeric(14, 2) NOT NULL CONSTRAINT ck_price_list_items_unit_price CHECK (unit_price >= 0),
        CONSTRAINT uq_price_list_items_clinic_id_price_list_id_catalog_id
            UNIQUE (clinic_id, price_list_id, catalog_id),
        CONSTRAINT fk_price_list_items_clinic_id_price_list_id
            FOREIGN KEY (clinic_id, price_list_id) REFERENCES price_lists (clinic_id, id) ON DELETE CASCADE,
        CONSTRAINT fk_price_list_items_clinic_id_catalog_id
            FOREIGN KEY (clinic_id, catalog_id) REFERENCES treatment_catalog (clinic_id, id) ON DELETE CASCADE
    """,
    "vat_rules": f"""
        vat_class varchar(20) NOT NULL CONSTRAINT ck_vat_rules_vat_class CHECK ({VAT_CLASSES}),
        rate numeric(5, 2) NOT NULL CONSTRAINT ck_vat_rules_rate CHECK (rate >= 0 AND rate <= 100),
        valid_from date NOT NULL,
        valid_to date,
        CONSTRAINT uq_vat_rules_clinic_id_vat_class_valid_from UNIQUE (clinic_id, vat_class, valid_from)
    """,
}
INDEXES = {"treatment_catalog": "clinic_id, category_id, position", "price_list_items": "clinic_id, catalog_id"}


def upgrade() -> None:
    for table, columns in TABLES.items():
        evolve.run(
            f"CREATE TABLE {table} ("
            f"clinic_id uuid NOT NULL CONSTRAINT fk_{table}_clinic_id REFERENCES clinics (id), id uuid NOT NULL,"
            f" CONSTRAINT pk_{table} PRIMARY KEY (clinic_id, id), {STAMPS}, {columns})"
        )
        evolve.restore_table(revision, table)
    for table, columns in INDEXES.items():
        evolve.run(f"CREATE INDEX ix_{table}_{columns.replace(', ', '_')} ON {table} ({columns})")


def downgrade() -> None:
    for table in reversed(TABLES):
        evolve.keep_table(revision, table)
