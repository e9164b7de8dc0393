"""Add treatment packages and exchange rates.

What it does: lets a treatment of the catalogue be a package with parts, have aliases, brands, healing time and
words for patients in four languages; prices for more surfaces and for pontics; exemptions from VAT by residence;
the central bank's bulletins, which belong to no clinic.
Warnings: none; the release before this one does not look at any of it. Each ALTER waits at most 100 ms for its
lock and is tried again; no table is written anew.
Phases: expand: new tables; columns; indexes CONCURRENTLY.
Downgrade: the tables and the new columns of treatment_catalog are kept in keep_20261125144341_<table>.

Revision ID: 20261125144341
Revises: 20261123101100
Create Date: 2026-11-25 14:43:41+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261125144341"
down_revision = "20261123101100"
branch_labels = None
depends_on = None

phase = "expand"

TABLE_EXCHANGE_BULLETINS = """
    CREATE TABLE IF NOT EXISTS exchange_bulletins (
        source varchar(10) NOT NULL,
        day date NOT NULL,
        bulletin_no varchar(20),
        fetched_at timestamptz NOT NULL DEFAULT now(),
        id uuid NOT NULL,
        CONSTRAINT pk_exchange_bulletins PRIMARY KEY (id),
        CONSTRAINT uq_exchange_bulletins_source_day UNIQUE (source, day)
    )
"""
TABLE_EXCHANGE_RATES = """
    CREATE TABLE IF NOT EXISTS exchange_rates (
        bulletin_id uuid NOT NULL,
        currency varchar(3) NOT NULL,
        unit integer NOT NULL,
        forex_buying numeric(18, 8),
        forex_selling numeric(18, 8),
        banknote_buying numeric(18, 8),
        banknote_selling numeric(18, 8),
        CONSTRAINT pk_exchange_rates PRIMARY KEY (bulletin_id, currency),
        CONSTRAINT fk_exchange_rates_bulletin_id FOREIGN KEY (bulletin_id)
            REFERENCES exchange_bulletins (id) ON DELETE CASCADE
    )
"""
TABLE_VAT_EXEMPTIONS = """
    CREATE TABLE IF NOT EXISTS vat_exemptions (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        vat_class varchar(20) NOT NULL,
        residency varchar(12) NOT NULL,
        code varchar(20) NOT NULL,
        valid_from date NOT NULL,
        valid_to date,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_vat_exemptions PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_vat_exemptions_clinic_id_vat_class_residency_valid_from UNIQUE (clinic_id, vat_class,
            residency, valid_from),
        CONSTRAINT ck_vat_exemptions_dates CHECK (valid_to >= valid_from),
        CONSTRAINT ck_vat_exemptions_residency CHECK (residency IN ('resident', 'non_resident')),
        CONSTRAINT ck_vat_exemptions_vat_class CHECK (vat_class IN ('treatment', 'aesthetic_review',
            'non_medical')),
        CONSTRAINT fk_vat_exemptions_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id)
    )
"""
TABLE_PRICE_LIST_VARIANTS = """
    CREATE TABLE IF NOT EXISTS price_list_variants (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        price_list_id uuid NOT NULL,
        catalog_id uuid NOT NULL,
        variant varchar(12) NOT NULL,
        unit_price numeric(14, 2) NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_price_list_variants PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_price_list_variants_clinic_id_price_list_id_catalog__9cd6 UNIQUE (clinic_id, price_list_id,
            catalog_id, variant),
        CONSTRAINT ck_price_list_variants_unit_price CHECK (unit_price >= 0),
        CONSTRAINT ck_price_list_variants_variant CHECK (variant IN ('surfaces_2', 'surfaces_3', 'pontic')),
        CONSTRAINT fk_price_list_variants_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_price_list_variants_clinic_id_catalog_id FOREIGN KEY (clinic_id, catalog_id)
            REFERENCES treatment_catalog (clinic_id, id) ON DELETE CASCADE,
        CONSTRAINT fk_price_list_variants_clinic_id_price_list_id FOREIGN KEY (clinic_id, price_list_id)
            REFERENCES price_lists (clinic_id, id) ON DELETE CASCADE
    )
"""
TABLE_TREATMENT_COMPONENTS = """
    CREATE TABLE IF NOT EXISTS treatment_components (
        clinic_id uuid NOT NULL,
        id uuid NOT NULL,
        package_id uuid NOT NULL,
        component_id uuid NOT NULL,
        upper_teeth smallint[] NOT NULL DEFAULT '{}',
        lower_teeth smallint[] NOT NULL DEFAULT '{}',
        quantity numeric(8, 2) NOT NULL DEFAULT '1',
        position smallint NOT NULL DEFAULT '0',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_treatment_components PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_treatment_components_clinic_id_package_id_component_id UNIQUE (clinic_id, package_id,
            component_id),
        CONSTRAINT ck_treatment_components_quantity CHECK (quantity > 0),
        CONSTRAINT fk_treatment_components_clinic_id FOREIGN KEY (clinic_id) REFERENCES clinics (id),
        CONSTRAINT fk_treatment_components_clinic_id_component_id FOREIGN KEY (clinic_id, component_id)
            REFERENCES treatment_catalog (clinic_id, id),
        CONSTRAINT fk_treatment_components_clinic_id_package_id FOREIGN KEY (clinic_id, package_id)
            REFERENCES treatment_catalog (clinic_id, id) ON DELETE CASCADE
    )
"""


def upgrade() -> None:
    evolve.run(TABLE_EXCHANGE_BULLETINS)
    evolve.restore_table(revision, "exchange_bulletins")
    evolve.grant_platform("exchange_bulletins", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run("GRANT SELECT ON exchange_bulletins TO clinikoop_app")
    evolve.run(TABLE_EXCHANGE_RATES)
    evolve.restore_table(revision, "exchange_rates")
    evolve.grant_platform("exchange_rates", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run("GRANT SELECT ON exchange_rates TO clinikoop_app")
    evolve.run(TABLE_VAT_EXEMPTIONS)
    evolve.restore_table(revision, "vat_exemptions")
    evolve.protect_table("vat_exemptions", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_PRICE_LIST_VARIANTS)
    evolve.restore_table(revision, "price_list_variants")
    evolve.protect_table("price_list_variants", "SELECT, INSERT, UPDATE, DELETE")
    evolve.run(TABLE_TREATMENT_COMPONENTS)
    evolve.restore_table(revision, "treatment_components")
    evolve.protect_table("treatment_components", "SELECT, INSERT, UPDATE, DELETE")
    with evolve.online():
        evolve.add_columns(
            "treatment_catalog",
            "name_de varchar(200)",
            "name_ru varchar(200)",
            "aliases text[] NOT NULL DEFAULT '{}'",
            "about jsonb NOT NULL DEFAULT '{}'",
            "brands text[] NOT NULL DEFAULT '{}'",
            "visits smallint",
            "healing_days smallint",
            "warranty_months smallint",
        )
    evolve.restore_columns(
        revision,
        "treatment_catalog",
        ["name_de", "name_ru", "aliases", "about", "brands", "visits", "healing_days", "warranty_months"],
    )
    with evolve.online():
        evolve.create_index(
            "ix_price_list_variants_clinic_id_catalog_id", "price_list_variants", "clinic_id, catalog_id"
        )
        evolve.create_index(
            "ix_treatment_components_clinic_id_component_id", "treatment_components", "clinic_id, component_id"
        )


def downgrade() -> None:
    with evolve.online():
        evolve.drop_index("ix_treatment_components_clinic_id_component_id")
        evolve.drop_index("ix_price_list_variants_clinic_id_catalog_id")
    evolve.keep_rows(
        revision,
        "treatment_catalog",
        "SELECT clinic_id, id, warranty_months, healing_days, visits, brands, about, aliases, name_ru, name_de"
        " FROM treatment_catalog",
    )
    evolve.keep_rows(revision, "treatment_components", "TABLE treatment_components")
    evolve.keep_rows(revision, "price_list_variants", "TABLE price_list_variants")
    evolve.keep_rows(revision, "vat_exemptions", "TABLE vat_exemptions")
    evolve.keep_rows(revision, "exchange_rates", "TABLE exchange_rates")
    evolve.keep_rows(revision, "exchange_bulletins", "TABLE exchange_bulletins")
    evolve.run(
        "ALTER TABLE treatment_catalog DROP COLUMN warranty_months, DROP COLUMN healing_days, DROP COLUMN visits,"
        " DROP COLUMN brands, DROP COLUMN about, DROP COLUMN aliases, DROP COLUMN name_ru, DROP COLUMN name_de",
    )
    evolve.run("DROP TABLE treatment_components")
    evolve.run("DROP TABLE price_list_variants")
    evolve.run("DROP TABLE vat_exemptions")
    evolve.run("DROP TABLE exchange_rates")
    evolve.run("DROP TABLE exchange_bulletins")
