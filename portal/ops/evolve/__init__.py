"""What the revisions under migrations/ are written with: DDL that can be re-run, data that is never lost.

A revision inside ``online()`` commits statement by statement, so each step must find its own work done
when the upgrade is killed and started again; every helper here does.
"""

from portal.ops.evolve.adopt import add_clinic_filler, clinic_from_parent, drop_clinic_filler, finish_clinic
from portal.ops.evolve.catalog import (
    has_column,
    has_constraint,
    has_key,
    has_table,
    index_state,
    require_roles,
    table_columns,
)
from portal.ops.evolve.checks import RowFingerprint, combined, fingerprint, refuse_collisions, refuse_rows
from portal.ops.evolve.data import Source, backfill, batches, insert_rows, update_rows
from portal.ops.evolve.ddl import (
    add_check,
    add_columns,
    add_foreign_key,
    add_not_null,
    add_unique,
    create_index,
    drop_constraint,
    drop_index,
    replace_check,
    replace_primary_key,
)
from portal.ops.evolve.errors import MigrationDataError, MigrationLockedError, MissingRolesError
from portal.ops.evolve.filler import UNWRITTEN, add_filler, drop_filler, fill_column, require_written, written
from portal.ops.evolve.keep import (
    keep_columns,
    keep_name,
    keep_rows,
    keep_table,
    restore_columns,
    restore_table,
    restore_values,
)
from portal.ops.evolve.protect import grant_platform, protect_table, unprotect_table
from portal.ops.evolve.quarantine import quarantine_rows, release_rows
from portal.ops.evolve.run import online, option, query, run, run_script

__all__ = [
    "UNWRITTEN",
    "MigrationDataError",
    "MigrationLockedError",
    "MissingRolesError",
    "RowFingerprint",
    "Source",
    "add_check",
    "add_clinic_filler",
    "add_columns",
    "add_filler",
    "add_foreign_key",
    "add_not_null",
    "add_unique",
    "backfill",
    "batches",
    "clinic_from_parent",
    "combined",
    "create_index",
    "drop_clinic_filler",
    "drop_constraint",
    "drop_filler",
    "drop_index",
    "fill_column",
    "fingerprint",
    "finish_clinic",
    "grant_platform",
    "has_column",
    "has_constraint",
    "has_key",
    "has_table",
    "index_state",
    "insert_rows",
    "keep_columns",
    "keep_name",
    "keep_rows",
    "keep_table",
    "online",
    "option",
    "protect_table",
    "quarantine_rows",
    "query",
    "refuse_collisions",
    "refuse_rows",
    "release_rows",
    "replace_check",
    "replace_primary_key",
    "require_roles",
    "require_written",
    "restore_columns",
    "restore_table",
    "restore_values",
    "run",
    "run_script",
    "table_columns",
    "unprotect_table",
    "update_rows",
    "written",
]
