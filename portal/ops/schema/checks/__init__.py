"""What `flask db verify` looks at: each module holds one group of checks, in the order of `CHECKS`."""

from portal.ops.schema.checks.base import Check, Finding, Kind, Look, Tell, nobody
from portal.ops.schema.checks.history import check_counts, check_history, check_kept
from portal.ops.schema.checks.indexes import check_indexes
from portal.ops.schema.checks.numbers import check_counters, check_sequences
from portal.ops.schema.checks.references import check_clinics, check_references
from portal.ops.schema.checks.walls import check_walls

CHECKS = (
    Kind("history", "History and revision files", check_history),
    Kind("walls", "Policies, keys and rights", check_walls),
    Kind("indexes", "Valid indexes", check_indexes),
    Kind("foreign_keys", "Foreign keys on data", check_references, reads_rows=True),
    Kind("clinics", "References within one clinic", check_clinics, reads_rows=True),
    Kind("sequences", "Sequences", check_sequences),
    Kind("counters", "Numbers given out", check_counters, reads_rows=True),
    Kind("counts", "Row counts against the history", check_counts, reads_rows=True),
    Kind("kept", "Rows that migrations put aside", check_kept, reads_rows=True),
)

__all__ = ["CHECKS", "Check", "Finding", "Kind", "Look", "Tell", "nobody"]
