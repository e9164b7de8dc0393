"""A stack trace for system logs.

What it does: adds system_logs.stack_trace, empty for old rows.
Downgrade: the traces are kept.

Revision ID: 20250718213623
Revises: 20250718212139
Create Date: 2025-07-18 21:36:23+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20250718213623"
down_revision = "20250718212139"
branch_labels = None
depends_on = None


def upgrade() -> None:
    evolve.add_columns("system_logs", "stack_trace text")
    evolve.restore_columns(revision, "system_logs", ["stack_trace"], key=["id"])


def downgrade() -> None:
    evolve.keep_columns(revision, "system_logs", ["stack_trace"], key=["id"])
