"""What each database role may touch.

What it does: lets only the four roles in, gives each table's rights to the roles that need them, and puts
row-level security on every table that holds a clinic's rows. The application sees the pinned clinic's rows and
none without one; the platform's people have no right at all on patients, offers, notes or staff.
Warnings: from here on a connection that is not one of the four roles reads nothing. The roles must exist:
``flask db roles`` makes them.
Phases: grants and policies in one transaction: there is no moment with grants and without policies.
Downgrade: policies and grants go; no row is touched.

Revision ID: 20261123101100
Revises: 20261123101000
Create Date: 2026-11-23 10:11:00+00:00
"""

from __future__ import annotations

from portal.ops import evolve

revision = "20261123101100"
down_revision = "20261123101000"
branch_labels = None
depends_on = None

OWNER, APP, PLATFORM, BACKUP = "clinikoop_owner", "clinikoop_app", "clinikoop_platform", "clinikoop_backup"
WORK = "SELECT, INSERT, UPDATE, DELETE"
APPEND = "SELECT, INSERT"
READ = "SELECT"

# Tables with clinic_id, and what the application may do with the pinned clinic's rows.
TENANT = {
    "users": WORK, "login_sessions": WORK, "referral_sources": WORK, "patients": WORK, "patient_terms": WORK,
    "treatment_categories": WORK, "treatment_catalog": WORK, "price_lists": WORK, "price_list_items": WORK,
    "vat_rules": WORK, "offer_statuses": WORK, "offers": WORK, "treatments": WORK, "treatment_teeth": WORK,
    "patient_offers": WORK, "offer_terms": WORK, "notes": WORK, "reminders": WORK, "settings": WORK,
    "pdf_templates": WORK, "counters": "SELECT, INSERT, UPDATE", "support_tickets": WORK, "support_messages": APPEND,
    "activity_logs": APPEND, "system_logs": APPEND, "analytics_events": APPEND,
}  # fmt: skip
LOOKUPS = ("support_categories", "support_priorities", "support_statuses")
SUPPORT = ("support_tickets", "support_messages")
PLATFORM_ONLY = {"platform_users": WORK, "platform_sessions": WORK, "platform_activity_logs": APPEND}
# What a clinic may say of itself; its address, domain and status are the platform's to set.
CLINIC_OWN = (
    "name, country, timezone, default_locale, default_currency, prices_include_vat, offer_validity_days, updated_at"
)
BACKED_UP = "ALTER DEFAULT PRIVILEGES {verb} SELECT ON {kind} {to} " + BACKUP

CURRENT_CLINIC = """
CREATE FUNCTION current_clinic() RETURNS uuid LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    pinned text := current_setting('app.clinic_id', true);
BEGIN
    -- After SET LOCAL ended the setting is '', not NULL.
    IF pinned IS NULL OR pinned = '' THEN
        RAISE insufficient_privilege USING MESSAGE = 'No clinic is pinned to this transaction.';
    END IF;
    RETURN pinned::uuid;
END $$
"""
CLINIC_BY_HOST = """
CREATE FUNCTION clinic_by_host(host_label text, host_name text)
RETURNS TABLE (
    id uuid, name text, subdomain text, status text, country text, timezone text, default_locale text,
    default_currency text, prices_include_vat boolean, offer_validity_days smallint
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.id, c.name, c.subdomain, c.status, c.country, c.timezone, c.default_locale,
           c.default_currency, c.prices_include_vat, c.offer_validity_days
      FROM public.clinics AS c
     WHERE c.subdomain = host_label OR c.domain = host_name
$$
"""
OWN = "{column} = (SELECT current_clinic())"


def upgrade() -> None:
    evolve.require_roles()
    evolve.run("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    evolve.run(f"GRANT USAGE ON SCHEMA public TO {OWNER}, {APP}, {PLATFORM}, {BACKUP}")
    _create_functions()
    for table, rights in TENANT.items():
        evolve.run(f"GRANT {rights} ON {table} TO {APP}")
        _protect(table, "clinic_id")
    evolve.run(
        f"CREATE POLICY internal ON support_messages AS RESTRICTIVE TO {APP}"
        " USING (NOT is_internal) WITH CHECK (NOT is_internal)"
    )
    _open_clinics()
    _open_support()
    for table, rights in PLATFORM_ONLY.items():
        evolve.run(f"GRANT {rights} ON {table} TO {PLATFORM}")
    evolve.run(f"GRANT {WORK} ON login_buckets TO {APP}, {PLATFORM}")
    _open_jobs()
    _let_backup_read()


def _create_functions() -> None:
    evolve.run(CURRENT_CLINIC)
    evolve.run(CLINIC_BY_HOST)
    for function in ("current_clinic()", "clinic_by_host(text, text)"):
        evolve.run(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        evolve.run(f"GRANT EXECUTE ON FUNCTION {function} TO {APP}, {PLATFORM}")


def _protect(table: str, column: str) -> None:
    """Force row-level security on ``table``: the pinned clinic's rows for the application, all for the owner."""
    own = OWN.format(column=column)
    evolve.run(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    evolve.run(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    evolve.run(f"CREATE POLICY clinic ON {table} TO {APP} USING ({own}) WITH CHECK ({own})")
    # Without a policy of its own, a data migration by the owner would silently change no row.
    evolve.run(f"CREATE POLICY migrator ON {table} TO {OWNER} USING (true) WITH CHECK (true)")
    evolve.run(f"CREATE POLICY backup ON {table} FOR SELECT TO {BACKUP} USING (true)")


def _open_clinics() -> None:
    _protect("clinics", "id")
    evolve.run(f"GRANT SELECT, UPDATE ({CLINIC_OWN}) ON clinics TO {APP}")
    evolve.run(f"GRANT SELECT, INSERT, UPDATE ON clinics TO {PLATFORM}")
    evolve.run(f"CREATE POLICY platform ON clinics TO {PLATFORM} USING (true) WITH CHECK (true)")


def _open_support() -> None:
    """Give the platform its lists and every clinic's tickets, and clinics the lists to choose from."""
    for table in LOOKUPS:
        evolve.run(f"GRANT {READ} ON {table} TO {APP}")
        evolve.run(f"GRANT {WORK} ON {table} TO {PLATFORM}")
    for table in SUPPORT:
        evolve.run(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {PLATFORM}")
        evolve.run(f"CREATE POLICY platform ON {table} TO {PLATFORM} USING (true) WITH CHECK (true)")


def _open_jobs() -> None:
    evolve.run(f"GRANT USAGE ON SCHEMA jobs TO {APP}, {PLATFORM}, {BACKUP}")
    evolve.run(f"GRANT {WORK} ON ALL TABLES IN SCHEMA jobs TO {APP}, {PLATFORM}")
    evolve.run(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA jobs TO {APP}, {PLATFORM}")
    evolve.run(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA jobs TO {APP}, {PLATFORM}")


def _let_backup_read() -> None:
    """Let dumps read every table there is and will be, those that downgrades keep included."""
    for schema in ("public", "jobs"):
        evolve.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {BACKUP}")
        evolve.run(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {BACKUP}")
    for kind in ("TABLES", "SEQUENCES"):
        evolve.run(BACKED_UP.format(verb="GRANT", kind=kind, to="TO"))


def downgrade() -> None:
    for kind in ("TABLES", "SEQUENCES"):
        evolve.run(BACKED_UP.format(verb="REVOKE", kind=kind, to="FROM"))
    evolve.run("DROP POLICY internal ON support_messages")
    for table in (*SUPPORT, "clinics"):
        evolve.run(f"DROP POLICY platform ON {table}")
    for table in (*TENANT, "clinics"):
        for policy in ("backup", "migrator", "clinic"):
            evolve.run(f"DROP POLICY {policy} ON {table}")
        evolve.run(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        evolve.run(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    evolve.run("DROP FUNCTION clinic_by_host(text, text)")
    evolve.run("DROP FUNCTION current_clinic()")
    roles = f"{APP}, {PLATFORM}, {BACKUP}"
    for schema in ("public", "jobs"):
        for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
            evolve.run(f"REVOKE ALL ON ALL {kind} IN SCHEMA {schema} FROM {roles}")
        evolve.run(f"REVOKE ALL ON SCHEMA {schema} FROM {roles}")
    evolve.run("GRANT USAGE ON SCHEMA public TO PUBLIC")
