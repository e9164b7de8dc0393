"""Giving a table its clinic: the column, a trigger for the release still running, and the old rows."""

from __future__ import annotations

from portal.ops.evolve.data import Source, backfill
from portal.ops.evolve.ddl import add_columns, add_foreign_key, add_not_null, create_index
from portal.ops.evolve.filler import add_filler, drop_filler


def add_clinic_filler(table: str, column: str, parent: str) -> None:
    """Add ``clinic_id`` to ``table``, filled for the old release's inserts from the row ``column`` names."""
    add_columns(table, "clinic_id uuid")
    add_filler(table, "clinic_id", f"(SELECT p.clinic_id FROM {parent} AS p WHERE p.id = t.{column})")


def finish_clinic(table: str) -> None:
    """Require ``clinic_id`` on ``table``, reference the clinics and index it."""
    add_not_null(table, "clinic_id")
    add_foreign_key(table, ["clinic_id"], "clinics")
    create_index(f"ix_{table}_clinic_id", table, "clinic_id")


def clinic_from_parent(table: str, column: str, parent: str) -> None:
    """Give every row of ``table`` the clinic of the ``parent`` row that ``column`` names. Inside ``online()``."""
    add_clinic_filler(table, column, parent)
    source = Source(f"{parent} AS p", f"p.id = t.{column}")
    backfill(table, "clinic_id = p.clinic_id", where="clinic_id IS NULL", source=source)
    finish_clinic(table)


def drop_clinic_filler(table: str) -> None:
    """Drop the trigger that filled ``clinic_id`` for the old release."""
    drop_filler(table, "clinic_id")
