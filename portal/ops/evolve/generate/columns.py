"""Columns that come, go and change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic.operations import ops

from portal.ops.evolve.errors import EvolveError
from portal.ops.evolve.generate.code import Code
from portal.ops.evolve.generate.difference import Difference
from portal.ops.evolve.generate.required import loosen, require, required
from portal.ops.evolve.generate.sql import column_sql, default_sql, is_constant
from portal.ops.evolve.generate.steps import Change, Phase, Rank, Slot, Step, sql
from portal.ops.evolve.generate.tables import comment_sql

_REVISION = Code("revision")


def add_column(op: ops.AddColumnOp, found: Difference) -> list[Change]:
    """Return the changes that give a table a column."""
    column = found.model_column(op.table_name, op.column.name)
    table, name, default = op.table_name, column.name, default_sql(column)
    settled = default is not None and is_constant(default)
    expand = Change(
        Phase.EXPAND,
        f"gives {table} the column {name}",
        up=[
            _add(table, column_sql(column) if column.nullable or settled else column_sql(column, bare=True)),
            _restore(column, table, found, ops.CreateForeignKeyOp),
        ],
        down=[_keep(table, name, found)],
        keeps=f"{table}.{name} of every row",
    )
    if found.grants_columns(table):
        expand.warnings.append(
            f"The application may change some columns of {table} only: where clinics set {name} themselves, add "
            f'evolve.run("GRANT UPDATE ({name}) ON {table} TO clinikoop_app").'
        )
    if column.nullable and default is not None and not settled:
        raise EvolveError(f"{table}.{name}: its default {default} would write the whole table anew; write it by hand.")
    if column.comment:
        expand.up.append(sql(Slot.FINISH, Rank.DEFAULT, comment_sql(f"COLUMN {table}.{name}", column.comment)))
    if column.nullable or settled:
        return [expand]
    if default is not None:
        _default_later(expand, table, name, default)
        return [expand]
    return required(expand, table, column, found)


def _default_later(expand: Change, table: str, name: str, default: str) -> None:
    """Let new rows take a default that is computed for each, and old ones be filled with it in batches."""
    expand.up.append(sql(Slot.OPEN, Rank.DEFAULT, f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default}"))
    expand.up.extend([Step(Slot.FINISH, Rank.FILL, "evolve.fill_column", (table, name, default)), require(table, name)])


def drop_column(op: ops.DropColumnOp, found: Difference) -> list[Change]:
    """Return the changes that take a column off a table."""
    column = op.to_column()
    table, name, default = op.table_name, column.name, default_sql(column)
    settled = default is not None and is_constant(default)
    if not column.nullable and default is not None and not settled:
        raise EvolveError(f"{table}.{name}: its default {default} is computed; write the revision by hand.")
    returning = column_sql(column) if column.nullable or settled else column_sql(column, bare=True)
    contract = Change(
        Phase.CONTRACT,
        f"drops {table}.{name}; its values are kept",
        up=[_keep(table, name, found)],
        down=[_add(table, returning), _restore(column, table, found, ops.DropConstraintOp)],
        warnings=[f"The release before this one can no longer read or write {table}.{name}."],
        keeps=f"{table}.{name} comes back with its values",
    )
    if column.comment:
        contract.down.append(sql(Slot.FINISH, Rank.DEFAULT, comment_sql(f"COLUMN {table}.{name}", column.comment)))
    if column.nullable or settled:
        return [contract]
    return [loosen(table, column, found), contract]


def _add(table: str, definition: str) -> Step:
    return Step(Slot.OPEN, Rank.COLUMN, "evolve.add_columns", (table,), (definition,))


def _keep(table: str, name: str, found: Difference) -> Step:
    return Step(
        Slot.REMOVE, Rank.DROP_COLUMN, "evolve.keep_columns", (_REVISION, table), values={name: f"k.{name}"},
        named=_by_key(table, found),
    )  # fmt: skip


def _restore(column: sa.Column[Any], table: str, found: Difference, kind: type[Any]) -> Step:
    """Return the step that brings kept values back: of references, those whose parent still exists."""
    value = f"k.{column.name}"
    coming = found.added(table) | found.dropped(table)
    for reference in found.references(table, kind):
        names: Sequence[str] = [one.name for one in reference.columns]
        if column.name in names:
            parent = reference.elements[0].target_fullname.rpartition(".")[0]
            there = [element.target_fullname.rpartition(".")[2] for element in reference.elements]
            same = " AND ".join(
                f"p.{other} = {'k' if name in coming else 't'}.{name}" for name, other in zip(names, there, strict=True)
            )
            value = f"CASE WHEN EXISTS (SELECT FROM {parent} AS p WHERE {same}) THEN {value} END"
    return Step(
        Slot.RESTORE, Rank.COLUMN, "evolve.restore_columns", (_REVISION, table), values={column.name: value},
        named=_by_key(table, found),
    )  # fmt: skip


def _by_key(table: str, found: Difference) -> dict[str, object]:
    key = found.key(table)
    return {} if key == ["clinic_id", "id"] else {"key": key}
