"""${message[:1].upper() + message[1:].replace("_", " ")}.

What it does: say it in a sentence or two, for the person who runs it at night.
Warnings: what it locks, rewrites or refuses; what the release before it must still be able to do.
Phases: expand (columns, backfill), then contract (constraints the old release would break).
Downgrade: what is kept, and where.

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
from portal.ops import evolve

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
