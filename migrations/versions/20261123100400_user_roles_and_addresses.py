"""One of six roles, and addresses a login can compare.

What it does: translates the old role names and makes e-mail addresses lower case.
Warnings: a role nobody knows becomes read-only. Two addresses of a clinic that would become one stop the upgrade.
Phases: one statement over the staff, a small table; then the check, NOT VALID and validated.
Downgrade: roles and addresses return as they were, unless they were changed since.

Revision ID: 20261123100400
Revises: 20261123100300
Create Date: 2026-11-23 10:04:00+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261123100400"
down_revision = "20261123100300"
branch_labels = None
depends_on = None

ROLES = "role IN ('owner', 'admin', 'coordinator', 'doctor', 'assistant', 'readonly')"
ROLE = """CASE lower(btrim(role) COLLATE "C")
    WHEN 'owner' THEN 'owner' WHEN 'admin' THEN 'admin' WHEN 'doctor' THEN 'doctor' WHEN 'dentist' THEN 'doctor'
    WHEN 'coordinator' THEN 'coordinator' WHEN 'sales' THEN 'coordinator' WHEN 'user' THEN 'coordinator'
    WHEN 'assistant' THEN 'assistant' ELSE 'readonly' END"""
EMAIL = """lower(btrim(email) COLLATE "C")"""
KEPT = evolve.keep_name(revision, "users")
BACK = f"""
    UPDATE users AS t SET email = CASE WHEN t.email = k.new_email THEN k.email ELSE t.email END,
           role = CASE WHEN t.role = k.new_role THEN k.role ELSE t.role END
      FROM {KEPT} AS k WHERE k.clinic_id = t.clinic_id AND k.id = t.id
"""


def upgrade() -> None:
    evolve.refuse_rows(
        f"SELECT clinic_id, {EMAIL} AS address, array_agg(id::text ORDER BY id) AS ids FROM users"
        " GROUP BY 1, 2 HAVING count(*) > 1",
        "These people of one clinic have the same e-mail address but for capitals:",
    )
    if not evolve.has_table(KEPT):
        evolve.keep_rows(
            revision,
            "users",
            f"SELECT clinic_id, id, email, role, {EMAIL} AS new_email, {ROLE} AS new_role FROM users",
        )
    evolve.run(f"UPDATE users SET email = {EMAIL}, role = {ROLE} WHERE email <> {EMAIL} OR role <> {ROLE}")
    with evolve.online():
        evolve.add_check("users", "ck_users_role", ROLES)


def downgrade() -> None:
    evolve.drop_constraint("users", "ck_users_role")
    evolve.run(BACK)
    evolve.run(f"DROP TABLE {KEPT}")
