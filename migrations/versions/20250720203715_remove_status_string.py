"""Status texts become references.

What it does: offers.status and support_tickets.status give way to status_id. A text that names no status of
its clinic becomes a status of that clinic, labelled as another clinic labels it, else with the text itself.
Warnings: the release before this one cannot write offers once the text column is gone.
Phases: the column and its backfill online; then, under a lock that writers wait for, the last rows, NOT NULL
and the text columns' removal. Exact texts stay in keep tables.
Downgrade: texts are rebuilt: the kept one where the status was not changed since, else the status's key.
The statuses this revision made are kept.

Revision ID: 20250720203715
Revises: 20250720190711
Create Date: 2025-07-20 20:37:15+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20250720203715"
down_revision = "20250720190711"
branch_labels = None
depends_on = None

MADE = evolve.keep_name(revision, "offer_statuses_made")
SAME = """lower(btrim(s.key) COLLATE "C") = lower(btrim({text}) COLLATE "C")"""
MAKE_STATUSES = f"""
WITH unknown AS (
    SELECT DISTINCT o.clinic_id, o.status FROM offers o WHERE o.status_id IS NULL AND NOT EXISTS (
        SELECT FROM offer_statuses s WHERE s.clinic_id = o.clinic_id AND {SAME.format(text="o.status")})
), made AS (
    INSERT INTO offer_statuses (id, clinic_id, key, label_tr, colour, position)
    SELECT md5('{revision}' || u.clinic_id || u.status)::uuid, u.clinic_id, u.status,
           coalesce(like_it.label_tr, nullif(btrim(u.status), ''), 'Belirsiz'), like_it.colour,
           coalesce(like_it.position, 900)
      FROM unknown u LEFT JOIN LATERAL (
        SELECT s.label_tr, s.colour, s.position FROM offer_statuses s WHERE {SAME.format(text="u.status")}
         ORDER BY s.key <> u.status, s.position, s.id LIMIT 1) like_it ON true
    RETURNING id
)
INSERT INTO {MADE} SELECT id FROM made
"""
OFFER_STATUS = f"""status_id = (
    SELECT s.id FROM offer_statuses s WHERE s.clinic_id = t.clinic_id AND {SAME.format(text="t.status")}
     ORDER BY s.key <> t.status, s.position, s.id LIMIT 1)"""
MAKE_TICKET_STATUSES = """
    INSERT INTO support_statuses (id, key, label_tr, label_en)
    SELECT md5('20250718212139' || status)::uuid, status, status, status FROM support_tickets
     WHERE status_id IS NULL GROUP BY status ON CONFLICT (key) DO NOTHING
"""
TICKET_STATUS = "status_id = (SELECT s.id FROM support_statuses s WHERE s.key = t.status)"
REBUILD = """
    UPDATE {table} AS t SET status = CASE WHEN k.status_id = t.status_id THEN k.status ELSE s.key END
      FROM {lookup} AS s, {table} AS o LEFT JOIN {kept} AS k ON k.id = o.id
     WHERE s.id = t.status_id AND o.id = t.id
"""


def upgrade() -> None:
    evolve.add_columns("offers", "status_id uuid")
    evolve.run(f"CREATE TABLE IF NOT EXISTS {MADE} (id uuid)")
    evolve.restore_table(revision, "offer_statuses")
    with evolve.online():
        _fill()
        evolve.add_foreign_key("offers", ["status_id"], "offer_statuses")
    _contract()


def _fill() -> None:
    evolve.run(MAKE_STATUSES)
    evolve.backfill("offers", OFFER_STATUS, where="status_id IS NULL", unchanged=("title", "status", "grand_total"))
    evolve.run(MAKE_TICKET_STATUSES)
    evolve.backfill("support_tickets", TICKET_STATUS, where="status_id IS NULL", unchanged=("subject", "status"))


def _contract() -> None:
    evolve.run("LOCK TABLE offers, support_tickets IN SHARE ROW EXCLUSIVE MODE")
    _fill()
    for table in ("offers", "support_tickets"):
        evolve.keep_rows(revision, table, f"SELECT id, status, status_id FROM {table}")
        evolve.run(f"ALTER TABLE {table} ALTER COLUMN status_id SET NOT NULL, DROP COLUMN status")


def downgrade() -> None:
    for table, lookup, default in (
        ("offers", "offer_statuses", "draft"),
        ("support_tickets", "support_statuses", "new"),
    ):
        kept = evolve.keep_name(revision, table)
        evolve.add_columns(table, f"status varchar(60) NOT NULL DEFAULT '{default}'")
        evolve.run(REBUILD, table=table, lookup=lookup, kept=kept)
        evolve.run(f"DROP TABLE {kept}")
    evolve.run("ALTER TABLE support_tickets ALTER COLUMN status_id DROP NOT NULL")
    evolve.run("ALTER TABLE offers DROP COLUMN status_id")
    columns = ", ".join(evolve.table_columns("offer_statuses"))
    evolve.keep_rows(
        revision, "offer_statuses", f"SELECT {columns} FROM offer_statuses WHERE id IN (SELECT id FROM {MADE})"
    )
    evolve.run(f"DELETE FROM offer_statuses WHERE id IN (SELECT id FROM {MADE})")
