"""What a clinic is besides its name.

What it does: adds custom domain, status, country, time zone, language, currency and the offer's defaults to
clinics, and the counters that give out numbers.
Warnings: subdomains become lower case by rule; one that is not stops the upgrade.
Phases: constant defaults, so no rewrite; checks NOT VALID, then validated; the domain's index CONCURRENTLY.
Downgrade: the details and the counters are kept.

Revision ID: 20261123100200
Revises: 20261123100100
Create Date: 2026-11-23 10:02:00+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261123100200"
down_revision = "20261123100100"
branch_labels = None
depends_on = None

COLUMNS = {
    "domain": "varchar(253)",
    "status": "varchar(12) NOT NULL DEFAULT 'active'",
    "country": "varchar(2) NOT NULL DEFAULT 'TR'",
    "timezone": "varchar(64) NOT NULL DEFAULT 'Europe/Istanbul'",
    "default_locale": "varchar(8) NOT NULL DEFAULT 'tr'",
    "default_currency": "varchar(3) NOT NULL DEFAULT 'TRY'",
    "prices_include_vat": "boolean NOT NULL DEFAULT true",
    "offer_validity_days": "smallint NOT NULL DEFAULT 30",
}
COUNTERS = """
    CREATE TABLE IF NOT EXISTS counters (
        clinic_id uuid NOT NULL CONSTRAINT fk_counters_clinic_id REFERENCES clinics (id),
        kind varchar(20) NOT NULL,
        year smallint NOT NULL,
        last_no integer NOT NULL,
        CONSTRAINT pk_counters PRIMARY KEY (clinic_id, kind, year)
    )
"""


def upgrade() -> None:
    evolve.refuse_rows(
        "SELECT id, subdomain FROM clinics WHERE subdomain <> lower(subdomain)", "These subdomains have capitals:"
    )
    evolve.add_columns("clinics", *(f"{name} {kind}" for name, kind in COLUMNS.items()))
    evolve.restore_columns(revision, "clinics", list(COLUMNS), key=["id"])
    evolve.run(COUNTERS)
    evolve.restore_table(revision, "counters")
    with evolve.online():
        evolve.add_check("clinics", "ck_clinics_subdomain_lower", "subdomain = lower(subdomain)")
        evolve.add_check(
            "clinics", "ck_clinics_status", "status IN ('trial', 'active', 'past_due', 'suspended', 'closed')"
        )
        evolve.add_unique("clinics", ["domain"])


def downgrade() -> None:
    evolve.keep_table(revision, "counters")
    evolve.drop_constraint("clinics", "ck_clinics_subdomain_lower")
    evolve.keep_columns(revision, "clinics", list(COLUMNS), key=["id"])
