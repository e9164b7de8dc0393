"""Who acted, and who answers.

What it does: the activity log names its actors and what changed; tickets are assigned to people of the platform and
messages say who wrote them.
Warnings: tickets assigned to a clinic's own staff lose that assignee; a keep table remembers it.
Phases: columns; backfill of the log in batches; checks and indexes online.
Downgrade: the new columns are kept; the old assignees return.

Revision ID: 20261123100500
Revises: 20261123100400
Create Date: 2026-11-23 10:05:00+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261123100500"
down_revision = "20261123100400"
branch_labels = None
depends_on = None

ACTORS = "actor_kind IN ('user', 'platform', 'system')"
AUTHORS = "author_kind IN ('user', 'platform', 'system')"
KINDS = "kind IN ('new', 'open', 'waiting_clinic', 'resolved', 'closed')"
LOG_COLUMNS = {
    "actor_kind": "varchar(10)",
    "actor_name": "varchar(200)",
    "changes": "jsonb NOT NULL DEFAULT '{}'",
    "request_id": "varchar(40)",
}
MESSAGE_COLUMNS = {"author_kind": "varchar(10) NOT NULL DEFAULT 'user'", "platform_user_id": "uuid"}
ACTOR = """
    actor_kind = CASE WHEN t.actor_id IS NULL THEN 'system' ELSE 'user' END,
    actor_name = coalesce((SELECT u.name FROM users u WHERE u.clinic_id = t.clinic_id AND u.id = t.actor_id), '')
"""
KIND = """kind = CASE lower(btrim(key) COLLATE "C")
    WHEN 'new' THEN 'new' WHEN 'waiting' THEN 'waiting_clinic' WHEN 'waiting_clinic' THEN 'waiting_clinic'
    WHEN 'resolved' THEN 'resolved' WHEN 'closed' THEN 'closed' ELSE 'open' END"""
INDEXES = (
    ("system_logs", "clinic_id, at"),
    ("system_logs", "at"),
    ("analytics_events", "clinic_id, name, at"),
    ("support_tickets", "clinic_id, created_by"),
    ("support_tickets", "clinic_id, status_id"),
    ("support_tickets", "status_id, assigned_to"),
    ("support_messages", "clinic_id, ticket_id, id"),
    ("support_messages", "clinic_id, user_id"),
)
STAFF = evolve.keep_name(revision, "assigned_staff")
AGENTS = evolve.keep_name(revision, "assigned_agents")
ASSIGNED = "SELECT clinic_id, id, assigned_to FROM support_tickets WHERE assigned_to IS NOT NULL"


def upgrade() -> None:
    evolve.add_columns("activity_logs", *(f"{name} {kind}" for name, kind in LOG_COLUMNS.items()))
    evolve.restore_columns(revision, "activity_logs", list(LOG_COLUMNS))
    evolve.add_columns("support_messages", *(f"{name} {kind}" for name, kind in MESSAGE_COLUMNS.items()))
    evolve.restore_columns(revision, "support_messages", list(MESSAGE_COLUMNS))
    evolve.add_columns("system_logs", "request_id varchar(40)")
    evolve.restore_columns(revision, "system_logs", ["request_id"], key=["id"])
    _swap_assignees()
    if not evolve.has_column("support_statuses", "kind"):
        evolve.add_columns("support_statuses", "kind varchar(20) NOT NULL DEFAULT 'open'")
        evolve.run(f"UPDATE support_statuses SET {KIND} WHERE kind = 'open'")
        evolve.restore_columns(revision, "support_statuses", ["kind"], key=["id"])
    with evolve.online():
        evolve.backfill("activity_logs", ACTOR, where="actor_kind IS NULL OR actor_name IS NULL")
        evolve.add_not_null("activity_logs", "actor_kind")
        evolve.add_not_null("activity_logs", "actor_name")
        _constrain()


def _swap_assignees() -> None:
    """Let tickets be assigned to the platform's people; remember the staff they were assigned to."""
    if evolve.has_table(STAFF):
        return  # done before an interruption
    evolve.drop_constraint("support_tickets", "fk_support_tickets_clinic_id_assigned_to")
    evolve.keep_rows(revision, "assigned_staff", ASSIGNED)
    evolve.run("UPDATE support_tickets SET assigned_to = NULL WHERE assigned_to IS NOT NULL")
    evolve.restore_values(AGENTS, "support_tickets", ["assigned_to"])


def _constrain() -> None:
    evolve.add_check("activity_logs", "ck_activity_logs_actor_kind", ACTORS)
    evolve.create_index("ix_activity_logs_object", "activity_logs", "clinic_id, object_type, object_id, id")
    evolve.add_check("support_statuses", "ck_support_statuses_kind", KINDS)
    evolve.add_check("support_messages", "ck_support_messages_author_kind", AUTHORS)
    evolve.add_foreign_key("support_messages", ["platform_user_id"], "platform_users")
    evolve.add_foreign_key("support_tickets", ["assigned_to"], "platform_users")
    for table, columns in INDEXES:
        evolve.create_index(f"ix_{table}_{columns.replace(', ', '_')}", table, columns)
    evolve.drop_index("ix_system_logs_clinic_id")


def downgrade() -> None:
    evolve.run("CREATE INDEX ix_system_logs_clinic_id ON system_logs (clinic_id)")
    evolve.keep_columns(revision, "system_logs", ["request_id"], key=["id"])
    for table, columns in INDEXES:
        evolve.run(f"DROP INDEX IF EXISTS ix_{table}_{columns.replace(', ', '_')}")
    evolve.keep_columns(revision, "support_statuses", ["kind"], key=["id"])
    evolve.keep_columns(revision, "support_messages", list(MESSAGE_COLUMNS))
    evolve.run("DROP INDEX ix_activity_logs_object")
    evolve.keep_columns(revision, "activity_logs", list(LOG_COLUMNS))
    evolve.drop_constraint("support_tickets", "fk_support_tickets_assigned_to")
    evolve.keep_rows(revision, "assigned_agents", ASSIGNED)
    evolve.run("UPDATE support_tickets SET assigned_to = NULL WHERE assigned_to IS NOT NULL")
    evolve.restore_values(STAFF, "support_tickets", ["assigned_to"])
    evolve.run(
        "ALTER TABLE support_tickets ADD CONSTRAINT fk_support_tickets_clinic_id_assigned_to"
        " FOREIGN KEY (clinic_id, assigned_to) REFERENCES users (clinic_id, id)"
    )
