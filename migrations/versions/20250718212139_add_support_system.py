"""The support system.

What it does: creates the lists tickets are sorted by and their messages; tickets get category, priority,
status and assignee. A status row is made for each status text found; the text itself stays until
20250720203715.
Downgrade: lists, messages and the tickets' new columns are kept.

Revision ID: 20250718212139
Revises: 20250718210613
Create Date: 2025-07-18 21:21:39+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20250718212139"
down_revision = "20250718210613"
branch_labels = None
depends_on = None

STAMPS = "created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()"
LOOKUPS = {"support_categories": "", "support_priorities": "level smallint NOT NULL DEFAULT 0,", "support_statuses": ""}
LOOKUP = """
    CREATE TABLE {table} (
        id uuid CONSTRAINT pk_{table} PRIMARY KEY,
        key varchar(60) NOT NULL CONSTRAINT uq_{table}_key UNIQUE,
        label_tr varchar(80) NOT NULL,
        label_en varchar(80) NOT NULL,
        position smallint NOT NULL DEFAULT 0,
        is_active boolean NOT NULL DEFAULT true,
        {more}
        {stamps}
    )
"""
MESSAGES = """
    CREATE TABLE support_messages (
        id uuid CONSTRAINT pk_support_messages PRIMARY KEY,
        ticket_id uuid NOT NULL
            CONSTRAINT fk_support_messages_ticket_id REFERENCES support_tickets (id) ON DELETE CASCADE,
        user_id uuid CONSTRAINT fk_support_messages_user_id REFERENCES users (id),
        body text NOT NULL,
        is_internal boolean NOT NULL DEFAULT false,
        {stamps}
    )
"""
NEW_COLUMNS = ("category_id", "priority_id", "status_id", "assigned_to")
STATUS_OF_TEXT = """
    INSERT INTO support_statuses (id, key, label_tr, label_en)
    SELECT md5('20250718212139' || status)::uuid, status, status, status FROM support_tickets
     WHERE status_id IS NULL GROUP BY status ORDER BY status ON CONFLICT (key) DO NOTHING
"""


def upgrade() -> None:
    for table, more in LOOKUPS.items():
        evolve.run(LOOKUP, table=table, more=more, stamps=STAMPS)
        evolve.restore_table(revision, table)
    evolve.run(MESSAGES, stamps=STAMPS)
    evolve.add_columns(
        "support_tickets",
        "category_id uuid CONSTRAINT fk_support_tickets_category_id REFERENCES support_categories (id)",
        "priority_id uuid CONSTRAINT fk_support_tickets_priority_id REFERENCES support_priorities (id)",
        "status_id uuid CONSTRAINT fk_support_tickets_status_id REFERENCES support_statuses (id)",
        "assigned_to uuid CONSTRAINT fk_support_tickets_assigned_to REFERENCES users (id)",
    )
    evolve.restore_columns(revision, "support_tickets", NEW_COLUMNS, key=["id"])
    evolve.restore_table(revision, "support_messages")
    evolve.run(STATUS_OF_TEXT)
    evolve.run(
        "UPDATE support_tickets AS t SET status_id = s.id FROM support_statuses AS s"
        " WHERE t.status_id IS NULL AND s.key = t.status"
    )


def downgrade() -> None:
    evolve.keep_table(revision, "support_messages")
    evolve.keep_columns(revision, "support_tickets", NEW_COLUMNS, key=["id"])
    for table in reversed(LOOKUPS):
        evolve.keep_table(revision, table)
