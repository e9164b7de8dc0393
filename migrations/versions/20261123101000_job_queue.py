"""The queue of background jobs.

What it does: creates the tables and functions of the library procrastinate, as it ships them, in a schema of
their own, ``jobs``. Its functions are told to look there, whoever calls them.
Warnings: jobs are not a clinic's rows: their arguments hold ids, never personal data.
Phases: new schema only.
Downgrade: the schema is renamed to ``keep_<revision>_jobs`` with all jobs in it, and comes back as it was.

Revision ID: 20261123101000
Revises: 20261123100900
Create Date: 2026-11-23 10:10:00+00:00
"""

from __future__ import annotations

from procrastinate.schema import SchemaManager

from portal.ops import evolve

revision = "20261123101000"
down_revision = "20261123100900"
branch_labels = None
depends_on = None

KEPT = evolve.keep_name(revision, "jobs")
HAS_KEPT = f"SELECT to_regnamespace('{KEPT}') IS NOT NULL"
FUNCTIONS = """
    SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = 'jobs' ORDER BY 1
"""


def upgrade() -> None:
    if evolve.query(HAS_KEPT).scalar_one():
        evolve.run(f"ALTER SCHEMA {KEPT} RENAME TO jobs")
        return
    evolve.run("CREATE SCHEMA jobs")
    evolve.run_script(SchemaManager.get_schema(), schema="jobs")
    for function in evolve.query(FUNCTIONS).scalars().all():
        evolve.run(f"ALTER FUNCTION {function} SET search_path = jobs, pg_catalog, pg_temp")


def downgrade() -> None:
    evolve.run(f"ALTER SCHEMA jobs RENAME TO {KEPT}")
