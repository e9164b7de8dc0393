"""What a status means, and who is to be reminded.

What it does: an offer status gets a kind, an English label, and is the default of its kind or not; reminders get
an assignee and their completion; notes can be pinned.
Warnings: a status whose key says nothing known counts as negotiating: the offer went out and waits. Reports go
by kind, so look at such statuses afterwards.
Phases: columns; the short list of statuses in one statement; constraints and indexes online.
Downgrade: the new columns are kept.

Revision ID: 20261123100800
Revises: 20261123100700
Create Date: 2026-11-23 10:08:00+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261123100800"
down_revision = "20261123100700"
branch_labels = None
depends_on = None

COLUMNS = {
    "offer_statuses": {
        "kind": "varchar(12)",
        "label_en": "varchar(80)",
        "is_default": "boolean NOT NULL DEFAULT false",
    },
    "reminders": {"assigned_to_id": "uuid", "completed_at": "timestamptz"},
    "notes": {"is_pinned": "boolean NOT NULL DEFAULT false"},
}
KINDS = ("draft", "sent", "viewed", "negotiating", "accepted", "declined", "expired", "cancelled")
KEYS = {
    "draft": "draft taslak",
    "sent": "sent gonderildi gönderildi",
    "viewed": "viewed görüldü goruldu görüntülendi",
    "accepted": "accepted approved kabul onaylandı onaylandi",
    "declined": "declined rejected red reddedildi",
    "expired": "expired süresi-doldu",
    "cancelled": "cancelled canceled iptal",
}
KIND = (
    'CASE lower(btrim(key) COLLATE "C") '
    + " ".join(f"WHEN '{key}' THEN '{kind}'" for kind, keys in KEYS.items() for key in keys.split())
    + " ELSE 'negotiating' END"
)
DEFAULTS = """
    UPDATE offer_statuses AS t SET is_default = true FROM (
        SELECT DISTINCT ON (clinic_id, kind) clinic_id, id,
               bool_or(is_default) OVER (PARTITION BY clinic_id, kind) AS has
          FROM offer_statuses WHERE is_active ORDER BY clinic_id, kind, position, id
    ) AS first WHERE t.clinic_id = first.clinic_id AND t.id = first.id AND NOT first.has
"""
INDEXES = {
    "reminders": (
        "clinic_id, assigned_to_id, status, due_at", "clinic_id, patient_id", "clinic_id, offer_id",
        "clinic_id, created_by_id",
    ),
    "notes": ("clinic_id, patient_id, id", "clinic_id, offer_id, id", "clinic_id, author_id"),
}  # fmt: skip


def upgrade() -> None:
    evolve.refuse_rows(
        "SELECT id, status FROM reminders WHERE status NOT IN ('open', 'done', 'cancelled') ORDER BY id",
        "These reminders are neither open, done nor cancelled:",
    )
    for table, columns in COLUMNS.items():
        evolve.add_columns(table, *(f"{name} {kind}" for name, kind in columns.items()))
        evolve.restore_columns(revision, table, list(columns))
    evolve.run(
        f"UPDATE offer_statuses SET kind = coalesce(kind, {KIND}), label_en = coalesce(label_en, label_tr)"
        " WHERE kind IS NULL OR label_en IS NULL"
    )
    evolve.run(DEFAULTS)
    with evolve.online():
        for column in ("kind", "label_en"):
            evolve.add_not_null("offer_statuses", column)
        evolve.add_check("offer_statuses", "ck_offer_statuses_kind", f"kind IN {KINDS}")
        evolve.create_index(
            "uq_offer_statuses_default", "offer_statuses", "clinic_id, kind", unique=True, where="is_default"
        )
        evolve.add_check("reminders", "ck_reminders_status", "status IN ('open', 'done', 'cancelled')")
        evolve.add_foreign_key("reminders", ["clinic_id", "assigned_to_id"], "users", ["clinic_id", "id"])
        for table, indexes in INDEXES.items():
            for columns in indexes:
                evolve.create_index(f"ix_{table}_{columns.replace(', ', '_')}", table, columns)


def downgrade() -> None:
    for table, indexes in INDEXES.items():
        for columns in indexes:
            evolve.run(f"DROP INDEX IF EXISTS ix_{table}_{columns.replace(', ', '_')}")
    evolve.drop_constraint("reminders", "ck_reminders_status")
    for table, columns in COLUMNS.items():
        evolve.keep_columns(revision, table, list(columns))
