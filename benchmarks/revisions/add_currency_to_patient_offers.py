"""Give assigned offers their currency.

What it does: every row of patient_offers gets the currency of its offer, required from then on.
Warnings: patient_offers.currency is required: FILL gives the rows there are a value, and a trigger the ones that the
release before this one inserts. Each ALTER waits at most 100 ms for its lock and is tried again; no table is written
anew.
Phases: expand: column and trigger; old rows filled in batches; NOT NULL; check NOT VALID, then validated; index
CONCURRENTLY.
Downgrade: the currencies are kept.

benchmarks.under_load puts a copy of this file on top of the newest revision; it is none of the portal's own.

Revision ID: 29991231000000
Revises: HEAD
Create Date: 2026-11-25 15:00:00+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "29991231000000"
down_revision = "HEAD"
branch_labels = None
depends_on = None

phase = "expand"

FILL = "(SELECT o.currency FROM offers AS o WHERE o.clinic_id = t.clinic_id AND o.id = t.offer_id)"


def upgrade() -> None:
    """Add the column, fill it, require it."""
    with evolve.online():
        evolve.add_columns("patient_offers", "currency varchar(3)")
        evolve.add_filler("patient_offers", "currency", FILL)
    evolve.restore_columns(revision, "patient_offers", ["currency"])
    with evolve.online():
        evolve.fill_column("patient_offers", "currency", FILL)
        evolve.add_not_null("patient_offers", "currency")
        evolve.add_check("patient_offers", "ck_patient_offers_currency", "currency IN ('TRY', 'EUR', 'USD', 'GBP')")
        evolve.create_index("ix_patient_offers_clinic_id_currency", "patient_offers", "clinic_id, currency")


def downgrade() -> None:
    """Keep the currencies and drop the column."""
    evolve.drop_filler("patient_offers", "currency")
    evolve.run("DROP INDEX ix_patient_offers_clinic_id_currency")
    evolve.drop_constraint("patient_offers", "ck_patient_offers_currency")
    evolve.keep_columns(revision, "patient_offers", ["currency"])
