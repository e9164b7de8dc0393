"""The walls between clinics as the database has them: row-level security, policies, keys, and who may touch what.

What stands here is what revision 20261123101100 makes. A later revision that opens a table on purpose says so here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from portal.core.roles import APP_ROLE, BACKUP_ROLE, OWNER_ROLE, PLATFORM_ROLE, ROLES
from portal.ops.schema.checks.base import Check, Look
from portal.ops.schema.snapshot import is_aside, list_tables

POLICIES_REVISION = "20261123101100"
SHARED = ("clinics", "support_tickets", "support_messages")  # what the platform's people work with, too
PLATFORM_ONLY = ("platform_users", "platform_sessions", "platform_activity_logs")
KEY_WITHOUT_CLINIC = ("system_logs", "clinics")

_SECURITY = """
SELECT c.relname::text AS table, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
       (SELECT a.attname::text FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid
           AND a.attnum = k.conkey[1] WHERE k.conrelid = c.oid AND k.contype = 'p') AS first_of_key
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY (:tables) ORDER BY 1
"""
_POLICIES = """
SELECT tablename::text, policyname::text, permissive, roles::text[], cmd, qual, with_check FROM pg_policies
 WHERE schemaname = 'public' ORDER BY 1, 2
"""
_RIGHTS = """
SELECT EXISTS (
    SELECT FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS r
     WHERE has_table_privilege(:role, to_regclass(:table), r))
    OR has_any_column_privilege(:role, to_regclass(:table), 'SELECT, INSERT, UPDATE, REFERENCES')
"""
_ROLES = "SELECT rolname::text, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = ANY (:roles)"


@dataclass(frozen=True)
class Policy:
    """A policy as pg_policies shows it."""

    name: str
    role: str
    condition: str
    command: str = "ALL"
    permissive: str = "PERMISSIVE"

    @property
    def shown(self) -> tuple[str, list[str], str, str, str | None]:
        """Kind, roles, command, and the conditions for reading and for writing."""
        written = None if self.command == "SELECT" else self.condition
        return self.permissive, [self.role], self.command, self.condition, written

    def creating(self, table: str) -> str:
        """Return the statement that makes it on ``table``."""
        written = "" if self.command == "SELECT" else f" WITH CHECK ({self.condition})"
        return (
            f"CREATE POLICY {self.name} ON {table} AS {self.permissive} FOR {self.command} TO {self.role}"
            f" USING ({self.condition}){written}"
        )


def standard_policies(table: str) -> Iterator[Policy]:
    """Yield the policies that ``table``, which holds clinics' rows, must have."""
    column = "id" if table == "clinics" else "clinic_id"
    yield Policy("migrator", OWNER_ROLE, "true")
    yield Policy("clinic", APP_ROLE, f"({column} = ( SELECT current_clinic() AS current_clinic))")
    yield Policy("backup", BACKUP_ROLE, "true", "SELECT")
    if table in SHARED:
        yield Policy("platform", PLATFORM_ROLE, "true")
    if table == "support_messages":
        yield Policy("internal", APP_ROLE, "(NOT is_internal)", permissive="RESTRICTIVE")


def check_walls(look: Look, check: Check) -> None:
    """Compare policies, keys and rights with what they must be."""
    if not look.has(POLICIES_REVISION):
        check.notes.append(f"Not yet: the policies come with revision {POLICIES_REVISION}.")
        return
    tables = sorted({*look.tenant_tables, "clinics"})
    _check_policies(look, check, tables)
    _check_security(look, check, tables)
    roles = dict(look.ask(_ROLES, roles=list(ROLES)))
    for role in ROLES:
        if role not in roles:
            check.find(f"The role {role} does not exist. `flask db roles` makes it.")
        elif role in (APP_ROLE, PLATFORM_ROLE) and roles[role]:
            check.find(f"The role {role} may bypass row-level security.")
    if {APP_ROLE, PLATFORM_ROLE} <= roles.keys():
        _check_rights(look, check, tables)
    check.looked_at += len(tables)


def _check_policies(look: Look, check: Check, tables: list[str]) -> None:
    """Compare the policies; first, so that a missing one is there again before security is switched on."""
    found = {(table, name): tuple(rest) for table, name, *rest in look.ask(_POLICIES)}
    for table in tables:
        standard = {policy.name: policy for policy in standard_policies(table)}
        for name, policy in standard.items():
            actual = found.get((table, name))
            if actual is None:
                check.find(f"The policy {name} of {table} is missing.", None, policy.creating(table))
            elif actual != policy.shown:
                check.find(
                    f"The policy {name} of {table} is not the one the revisions make. "
                    "Drop it, and --fix makes the right one."
                )
        for there, name in found:
            if there == table and name not in standard:
                check.find(f"The policy {name} of {table} is none of ours: it may let somebody pass.")
        check.looked_at += len(standard)


def _check_security(look: Look, check: Check, tables: list[str]) -> None:
    for row in look.ask(_SECURITY, tables=tables):
        missing = [word for word, on in (("ENABLE", row.enabled), ("FORCE", row.forced)) if not on]
        if missing:
            said = "on" if row.enabled else "off"
            check.find(
                f"Row-level security of {row.table} is {said}{'' if row.forced else ' and not forced'}.",
                None,
                *(f"ALTER TABLE {row.table} {word} ROW LEVEL SECURITY" for word in missing),
            )
        if row.first_of_key != "clinic_id" and row.table not in KEY_WITHOUT_CLINIC:
            check.find(f"The primary key of {row.table} does not begin with clinic_id.")


def _check_rights(look: Look, check: Check, tables: list[str]) -> None:
    """Look for rights that reach over a wall. Taking them back is for a person: something may live on them."""
    aside = [name for name in list_tables(look.connection) if is_aside(name)]
    closed = {
        PLATFORM_ROLE: [*(name for name in tables if name not in SHARED), *aside],
        APP_ROLE: [*(name for name in PLATFORM_ONLY if name in look.columns), *aside],
    }
    for role, names in closed.items():
        for name in names:
            if look.ask_one(_RIGHTS, role=role, table=name):
                check.find(f"{role} has a right on {name}. REVOKE ALL ON {name} FROM {role} takes it back.")
        check.looked_at += len(names)
