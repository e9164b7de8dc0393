"""Who may touch a new table: the policies that every table of a clinic has, and the platform's rights on its own."""

from __future__ import annotations

from portal.core.roles import APP_ROLE, BACKUP_ROLE, OWNER_ROLE, PLATFORM_ROLE
from portal.ops.evolve.catalog import require_roles
from portal.ops.evolve.run import query, run

# Names and texts as in migrations/versions/20261123101100_roles_and_policies.py.
_OWN = "{column} = (SELECT current_clinic())"
_POLICIES = {
    "clinic": f"TO {APP_ROLE} USING ({_OWN}) WITH CHECK ({_OWN})",
    # Without a policy of its own, a data migration by the owner would silently change no row.
    "migrator": f"TO {OWNER_ROLE} USING (true) WITH CHECK (true)",
    "backup": f"FOR SELECT TO {BACKUP_ROLE} USING (true)",
}


def protect_table(table: str, rights: str = "SELECT, INSERT, UPDATE, DELETE", column: str = "clinic_id") -> None:
    """Give the application ``rights`` on ``table`` and force the policies that show it the pinned clinic's rows only.

    Not inside ``online()``: there must be no moment with rights and without policies.
    Raises MissingRolesError where the roles do not exist.
    """
    require_roles()
    run(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    run(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    present = _policies_of(table)
    for name, text in _POLICIES.items():
        if name not in present:
            run(f"CREATE POLICY {name} ON {table} {text.format(column=column)}")
    run(f"GRANT {rights} ON {table} TO {APP_ROLE}")


def unprotect_table(table: str) -> None:
    """Take the application's rights on ``table`` away, then the policies."""
    run(f"REVOKE ALL ON {table} FROM {APP_ROLE}")
    for name in reversed(_POLICIES):
        run(f"DROP POLICY IF EXISTS {name} ON {table}")
    run(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    run(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


def grant_platform(table: str, rights: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Give the admin host's role ``rights`` on ``table``; never for a table with a clinic's rows."""
    require_roles()
    run(f"GRANT {rights} ON {table} TO {PLATFORM_ROLE}")


def _policies_of(table: str) -> set[str]:
    statement = "SELECT policyname::text FROM pg_policies WHERE schemaname = 'public' AND tablename = :table"
    return set(query(statement, {"table": table}).scalars())
