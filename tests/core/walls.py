"""The walls in the database, read from its catalogue: each function returns what is wrong, so nothing means sound."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from portal.core.roles import APP_ROLE, BACKUP_ROLE, OWNER_ROLE, PLATFORM_ROLE

OWN = "(clinic_id = ( SELECT current_clinic() AS current_clinic))"
BASE_POLICIES = {
    ("clinic", "PERMISSIVE", APP_ROLE, "ALL", OWN, OWN),
    ("migrator", "PERMISSIVE", OWNER_ROLE, "ALL", "true", "true"),
    ("backup", "PERMISSIVE", BACKUP_ROLE, "SELECT", "true", None),
}
SUPPORT_POLICY = ("platform", "PERMISSIVE", PLATFORM_ROLE, "ALL", "true", "true")
MORE_POLICIES = {
    "support_tickets": {SUPPORT_POLICY},
    "support_messages": {
        SUPPORT_POLICY,
        ("internal", "RESTRICTIVE", APP_ROLE, "ALL", "(NOT is_internal)", "(NOT is_internal)"),
    },
}
# Indexes of tenant tables that do not begin with the clinic, and why.
OTHER_INDEXES = {
    "ix_support_tickets_status_id_assigned_to": "the platform's agents list tickets over all clinics",
    "ix_system_logs_at": "the platform's operators read the log over all clinics",
    "pk_system_logs": "a line of the log may belong to no clinic, so its key cannot begin with one",
}
# What a role may do beyond a plain yes to every column, table by table; anything else is a finding.
PLATFORM_REACH = {"clinics", "support_tickets", "support_messages"}

_TENANT = """
SELECT c.oid, c.relname::text, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'clinic_id' AND NOT a.attisdropped
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND c.relname !~ '^keep_|_quarantine$'
 ORDER BY c.relname
"""
_POLICIES = """
SELECT policyname::text, permissive, roles::text[], cmd, qual, with_check FROM pg_policies
 WHERE schemaname = 'public' AND tablename = %s
"""
_REFERENCES = """
SELECT k.conname::text, k.conrelid::regclass::text, k.confrelid::regclass::text, k.confdeltype::text,
       k.confupdtype::text,
       (SELECT array_agg(a.attname::text ORDER BY p.place) FROM unnest(k.conkey) WITH ORDINALITY AS p (number, place)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.number),
       (SELECT array_agg(a.attname::text ORDER BY p.place) FROM unnest(k.confkey) WITH ORDINALITY AS p (number, place)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.number),
       (SELECT array_agg(a.attname::text) FROM unnest(k.confdelsetcols) AS p (number)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.number)
  FROM pg_constraint k WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
"""
_INDEXES = """
SELECT c.relname::text, pg_get_indexdef(i.indexrelid, 1, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = %s
"""
_RIGHTS = """
SELECT privilege
  FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
 WHERE has_table_privilege(%(role)s, %(table)s::oid, privilege)
    OR privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
       AND has_any_column_privilege(%(role)s, %(table)s::oid, privilege)
"""
_DEFINER = """
SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
   AND (proconfig IS NULL OR NOT proconfig::text ~ 'search_path')
"""
_VIEWS = """
SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
   AND coalesce(NOT 'security_invoker=true' = ANY (reloptions), true)
"""


def tenant_tables(database: psycopg.Connection) -> dict[str, Any]:
    """Return every table with a clinic_id, by name: its oid and its two row-level security switches."""
    return {name: (oid, enabled, forced) for oid, name, enabled, forced in database.execute(_TENANT)}


def policy_faults(database: psycopg.Connection) -> list[str]:
    """Return tenant tables whose row-level security is off, not forced, or has other policies than expected."""
    faults = []
    for table, (_oid, enabled, forced) in tenant_tables(database).items():
        if not enabled:
            faults.append(f"{table}: row-level security is off")
        if not forced:
            faults.append(f"{table}: row-level security is not forced")
        found = {
            (name, kind, ",".join(roles), command, using, check)
            for name, kind, roles, command, using, check in database.execute(_POLICIES, [table])
        }
        expected = BASE_POLICIES | MORE_POLICIES.get(table, set())
        faults += [f"{table}: lacks the policy {policy[0]}" for policy in sorted(expected - found, key=str)]
        faults += [f"{table}: has the unexpected policy {policy}" for policy in sorted(found - expected, key=str)]
    return faults


def reference_faults(database: psycopg.Connection) -> list[str]:
    """Return references between tenant tables that leave out the clinic, or would clear or move it."""
    faults, tenant = [], tenant_tables(database)
    for name, table, parent, on_delete, on_update, here, there, cleared in database.execute(_REFERENCES):
        if table not in tenant or parent not in tenant:
            continue
        if "clinic_id" not in here or here.index("clinic_id") != (
            there.index("clinic_id") if "clinic_id" in there else -1
        ):
            faults.append(f"{name}: does not name the clinic on both sides")
        if on_delete in "nd" and ("clinic_id" in (cleared or here)):
            faults.append(f"{name}: ON DELETE SET NULL or DEFAULT would change the clinic")
        if on_update != "a":
            faults.append(f"{name}: ON UPDATE would move rows")
    return faults


def index_faults(database: psycopg.Connection) -> list[str]:
    """Return indexes of tenant tables that do not begin with the clinic; a unique one would tell of others' rows."""
    faults = []
    for table, (oid, _enabled, _forced) in tenant_tables(database).items():
        for name, first in database.execute(_INDEXES, [oid]):
            if first != "clinic_id" and name not in OTHER_INDEXES:
                faults.append(f"{table}: the index {name} begins with {first}")
    return faults


def right_faults(database: psycopg.Connection) -> list[str]:
    """Return rights of the platform's role on tenant tables, and rights nobody but the owner may have."""
    faults = []
    for table, (oid, _enabled, _forced) in tenant_tables(database).items():
        for role in (APP_ROLE, PLATFORM_ROLE, BACKUP_ROLE):
            rights = {row[0] for row in database.execute(_RIGHTS, {"role": role, "table": oid})}
            allowed = {APP_ROLE: {"SELECT", "INSERT", "UPDATE", "DELETE"}, BACKUP_ROLE: {"SELECT"}}.get(
                role, {"SELECT", "INSERT", "UPDATE"} if table in PLATFORM_REACH else set()
            )
            faults += [f"{table}: {role} may {right}" for right in sorted(rights - allowed)]
    return faults


def bypass_faults(database: psycopg.Connection) -> list[str]:
    """Return functions and views that would run with their owner's eyes: past the policies of who calls them."""
    definers = [f"{name}(): SECURITY DEFINER without a search_path" for (name,) in database.execute(_DEFINER)]
    return definers + [f"{name}: a view without security_invoker" for (name,) in database.execute(_VIEWS)]


def faults(database: psycopg.Connection) -> list[str]:
    """Return everything that is wrong with the walls of a database."""
    checks = (policy_faults, reference_faults, index_faults, right_faults, bypass_faults)
    return [fault for check in checks for fault in check(database)]


def index_names(database: psycopg.Connection) -> set[str]:
    """Return the names of all indexes of tenant tables."""
    return {
        name for oid, *_rest in tenant_tables(database).values() for name, _first in database.execute(_INDEXES, [oid])
    }


def words(text: str) -> set[str]:
    """Return the words of a fault, for tests that look for a table's name in it."""
    return set(re.findall(r"\w+", text))
