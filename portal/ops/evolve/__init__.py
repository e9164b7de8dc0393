"""What the revisions under migrations/ are written with: DDL that can be re-run, data that is never lost.

A revision inside ``online()`` commits statement by statement, so each step must find its own work done
when the upgrade is killed and started again; every helper here does.
"""

from portal.ops.evolve.adopt import clinic_from_parent, drop_clinic_filler
from portal.ops.evolve.catalog import has_column, has_constraint, has_table, index_state, require_roles, table_columns
from portal.ops.evolve.checks import RowFingerprint, fingerprint, refuse_collisions, refuse_rows
from portal.ops.evolve.data import backfill, backfill_rows
from portal.ops.evolve.ddl import (
    add_check,
    add_columns,
    add_foreign_key,
    add_not_null,
    add_unique,
    create_index,
    drop_constraint,
    drop_index,
    replace_primary_key,
)
from portal.ops.evolve.errors import MigrationDataError, MigrationLockedError, MissingRolesError
from portal.ops.evolve.keep import keep_columns, keep_name, keep_rows, keep_table, restore_columns, restore_table
from portal.ops.evolve.run import online, option, query, run

__all__ = [
    "MigrationDataError",
    "MigrationLockedError",
    "MissingRolesError",
    "RowFingerprint",
    "add_check",
    "add_columns",
    "add_foreign_key",
    "add_not_null",
    "add_unique",
    "backfill",
    "backfill_rows",
    "clinic_from_parent",
    "create_index",
    "drop_clinic_filler",
    "drop_constraint",
    "drop_index",
    "fingerprint",
    "has_column",
    "has_constraint",
    "has_table",
    "index_state",
    "keep_columns",
    "keep_name",
    "keep_rows",
    "keep_table",
    "online",
    "option",
    "query",
    "refuse_collisions",
    "refuse_rows",
    "replace_primary_key",
    "require_roles",
    "restore_columns",
    "restore_table",
    "run",
    "table_columns",
]
