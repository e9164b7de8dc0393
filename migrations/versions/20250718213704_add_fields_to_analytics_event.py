"""More fields for analytics events.

What it does: adds who (as a hash), on which page, and free properties; old rows have none.
Downgrade: the new fields' values are kept.

Revision ID: 20250718213704
Revises: 20250718213623
Create Date: 2025-07-18 21:37:04+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20250718213704"
down_revision = "20250718213623"
branch_labels = None
depends_on = None

COLUMNS = ("actor_hash", "page", "props")


def upgrade() -> None:
    evolve.add_columns(
        "analytics_events", "actor_hash varchar(64)", "page varchar(200)", "props jsonb NOT NULL DEFAULT '{}'"
    )
    evolve.restore_columns(revision, "analytics_events", COLUMNS, key=["id"])


def downgrade() -> None:
    evolve.keep_columns(revision, "analytics_events", COLUMNS, key=["id"])
