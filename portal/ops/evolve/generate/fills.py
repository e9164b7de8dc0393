"""Values that only a person knows, and rows that had none."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import sqlalchemy as sa

from portal.ops.evolve.errors import EvolveError
from portal.ops.evolve.generate.code import Code
from portal.ops.evolve.generate.difference import Difference
from portal.ops.evolve.generate.steps import Fill, Rank, Slot, Step

_REVISION = Code("revision")


def fill(table: str, column: str, comment: Sequence[str]) -> Fill:
    """Return the constant that gives rows of the old release their ``column``."""
    return Fill(f"{table}.{column}", old=False, comment=tuple(comment))


def filled(value: Fill) -> Code:
    """Return what stands, in the contract phase, for the constant written in the expand phase."""
    return Code(f"<WRITTEN {value.place}>")


def hints(column: sa.Column[Any], found: Difference) -> list[str]:
    """Return lines that help to write a value: the parent's column of that name, the models' own default.

    Raises EvolveError where batches cannot go along the key.
    """
    table = column.table
    if not all(isinstance(one.type, sa.Uuid) for one in table.primary_key):
        raise EvolveError(
            f"{table.name}.{column.name} is required, and rows are filled along keys of UUIDs only, which "
            f"{table.name} has not. Write the revision by hand (flask db revision)."
        )
    lines = []
    for reference in table.foreign_key_constraints:
        parent = reference.referred_table
        pairs = [one for one in reference.elements if one.parent.name != column.name]
        known = bool(pairs) and not {one.parent.name for one in pairs} & found.added(table.name)
        if column.name in parent.columns and known:
            same = " AND ".join(f"p.{one.column.name} = t.{one.parent.name}" for one in pairs)
            value = f"(SELECT p.{column.name} FROM {parent.name} AS p WHERE {same})"
            lines.append(f'From its {parent.name}: "{value}"')
    default = column.default
    if isinstance(default, sa.ColumnDefault) and default.is_scalar:
        given = default.arg.value if isinstance(default.arg, Enum) else default.arg
        lines.append(f"The models give new rows {given!r}.")
    return lines


def note_empty(table: str, column: str, found: Difference) -> Step:
    """Return the step that keeps which rows have no ``column``."""
    select = f"SELECT {', '.join(found.key(table))} FROM {table} WHERE {column} IS NULL"
    return Step(Slot.RESTORE, Rank.KEEP, "evolve.keep_rows", (_REVISION, _keep(table, column), select))


def empty_again(table: str, column: str, value: Fill, found: Difference, slot: Slot) -> list[Step]:
    """Return the step that empties the rows noted, where they still have what they were filled with."""
    key = found.key(table)
    named = {} if key == ["clinic_id", "id"] else {"key": key}
    name = Code(f'evolve.keep_name(revision, "{_keep(table, column)}")')
    constant = value.mark()
    emptied = Code(f'f"CASE WHEN t.{column} IS DISTINCT FROM {{{constant}}} THEN t.{column} END"')
    return [Step(slot, Rank.KEEP, "evolve.restore_values", (name, table), values={column: emptied}, named=named)]


def _keep(table: str, column: str) -> str:
    return f"{table}_{column}_empty"
