"""People, their logins, and the platform's own people.

What it does: users get language, activity and last login; creates login sessions, the buckets that limit logins, and
the platform's people, their sessions and their activity log.
Warnings: none; the release before this one does not look at any of it.
Phases: new tables and columns with constant defaults: nothing is rewritten.
Downgrade: tables and columns are kept.

Revision ID: 20261123100300
Revises: 20261123100200
Create Date: 2026-11-23 10:03:00+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261123100300"
down_revision = "20261123100200"
branch_labels = None
depends_on = None

STAMPS = "created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()"
PLATFORM_ROLES = "role IN ('owner', 'agent', 'ops')"
ACTORS = "actor_kind IN ('user', 'platform', 'system')"
SESSION = """
    token_hash bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    ip varchar(45),
    user_agent varchar(300),
    created_at timestamptz NOT NULL DEFAULT now()
"""
TABLES = {
    "platform_users": f"""
        id uuid CONSTRAINT pk_platform_users PRIMARY KEY,
        email varchar(254) NOT NULL CONSTRAINT uq_platform_users_email UNIQUE,
        name varchar(200) NOT NULL,
        role varchar(20) NOT NULL CONSTRAINT ck_platform_users_role CHECK ({PLATFORM_ROLES}),
        password_hash varchar(255),
        locale varchar(8),
        is_active boolean NOT NULL DEFAULT true,
        last_login_at timestamptz,
        {STAMPS}
    """,
    "platform_sessions": f"""
        id uuid CONSTRAINT pk_platform_sessions PRIMARY KEY,
        user_id uuid NOT NULL
            CONSTRAINT fk_platform_sessions_user_id REFERENCES platform_users (id) ON DELETE CASCADE,
        {SESSION},
        CONSTRAINT uq_platform_sessions_token_hash UNIQUE (token_hash)
    """,
    "platform_activity_logs": f"""
        id uuid CONSTRAINT pk_platform_activity_logs PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        actor_kind varchar(10) NOT NULL CONSTRAINT ck_platform_activity_logs_actor_kind CHECK ({ACTORS}),
        actor_id uuid,
        actor_name varchar(200) NOT NULL,
        action varchar(60) NOT NULL,
        object_type varchar(40) NOT NULL,
        object_id uuid,
        changes jsonb NOT NULL DEFAULT '{{}}',
        ip varchar(45),
        request_id varchar(40)
    """,
    "login_sessions": f"""
        clinic_id uuid NOT NULL CONSTRAINT fk_login_sessions_clinic_id REFERENCES clinics (id),
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        {SESSION},
        CONSTRAINT pk_login_sessions PRIMARY KEY (clinic_id, id),
        CONSTRAINT uq_login_sessions_clinic_id_token_hash UNIQUE (clinic_id, token_hash),
        CONSTRAINT fk_login_sessions_clinic_id_user_id
            FOREIGN KEY (clinic_id, user_id) REFERENCES users (clinic_id, id) ON DELETE CASCADE
    """,
    "login_buckets": """
        key bytea CONSTRAINT pk_login_buckets PRIMARY KEY,
        tokens double precision NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
    """,
}
INDEXES = {"platform_sessions": "user_id", "login_sessions": "clinic_id, user_id"}
USER_COLUMNS = {
    "locale": "varchar(8)",
    "is_active": "boolean NOT NULL DEFAULT true",
    "last_login_at": "timestamptz",
}


def upgrade() -> None:
    for table, columns in TABLES.items():
        evolve.run(f"CREATE TABLE {table} ({columns})")
        evolve.restore_table(revision, table)
    for table, columns in INDEXES.items():
        evolve.run(f"CREATE INDEX ix_{table}_{columns.replace(', ', '_')} ON {table} ({columns})")
    evolve.add_columns("users", *(f"{name} {kind}" for name, kind in USER_COLUMNS.items()))
    evolve.restore_columns(revision, "users", list(USER_COLUMNS))


def downgrade() -> None:
    evolve.keep_columns(revision, "users", list(USER_COLUMNS))
    for table in reversed(TABLES):
        evolve.keep_table(revision, table)
