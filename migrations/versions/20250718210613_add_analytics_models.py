"""Activity, system logs and analytics.

What it does: creates activity_logs, system_logs and analytics_events.
Downgrade: the three tables are kept with their rows.

Revision ID: 20250718210613
Revises: 20250716200939
Create Date: 2025-07-18 21:06:13+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20250718210613"
down_revision = "20250716200939"
branch_labels = None
depends_on = None

TABLES = {
    "activity_logs": """
        at timestamptz NOT NULL DEFAULT now(),
        actor_id uuid,
        action varchar(60) NOT NULL,
        object_type varchar(40) NOT NULL,
        object_id uuid,
        ip varchar(45)
    """,
    "system_logs": """
        at timestamptz NOT NULL DEFAULT now(),
        level varchar(10) NOT NULL,
        logger varchar(120) NOT NULL,
        message text NOT NULL
    """,
    "analytics_events": """
        at timestamptz NOT NULL DEFAULT now(),
        name varchar(80) NOT NULL
    """,
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        evolve.run(f"CREATE TABLE {table} (id uuid CONSTRAINT pk_{table} PRIMARY KEY, {columns})")
        evolve.restore_table(revision, table)


def downgrade() -> None:
    for table in reversed(TABLES):
        evolve.keep_table(revision, table)
