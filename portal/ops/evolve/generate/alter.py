"""Columns that stay and change: their type, default, comment, and whether they are required."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.operations import ops

from portal.ops.evolve.errors import EvolveError
from portal.ops.evolve.generate.code import Code
from portal.ops.evolve.generate.difference import Difference
from portal.ops.evolve.generate.required import loosen, tighten
from portal.ops.evolve.generate.sql import default_sql, short_type
from portal.ops.evolve.generate.steps import Change, Phase, Rank, Slot, Step, sql
from portal.ops.evolve.generate.tables import comment_sql

_REVISION = Code("revision")


def alter_column(op: ops.AlterColumnOp, found: Difference) -> list[Change]:
    """Return the changes of a column that stays; raises EvolveError for a type that needs another column."""
    table = op.table_name
    column = found.model_column(table, op.column_name)
    changes: list[Change] = []
    if op.modify_type is not None:
        changes.append(_retype(table, column, op.existing_type))
    if op.modify_server_default is not False:
        changes.append(_redefault(table, column, op.existing_server_default))
    if op.modify_nullable is True:
        changes.append(loosen(table, column, found))
    elif op.modify_nullable is False:
        changes.extend(tighten(table, column, found))
    if op.modify_comment is not False:
        changes.append(_recomment(table, column, op.existing_comment))
    return changes


def _redefault(table: str, column: sa.Column[Any], existing: Any) -> Change:
    """Return the change of a default: the old release may still live on one that goes."""
    old = None if existing in (None, False) else default_sql(_with_default(column, existing))
    new = default_sql(column)
    place = f"{table}.{column.name}"
    return Change(
        Phase.CONTRACT if new is None else Phase.EXPAND,
        f"drops the default of {place}" if new is None else f"gives {place} the default {new}",
        up=[_set_default(table, column.name, new)],
        down=[_set_default(table, column.name, old)],
        warnings=[f"A release that leaves {place} to its default can no longer insert."] if new is None else [],
        keeps=f"the default of {place} is what it was" if old is not None else f"{place} has no default again",
    )


def _with_default(column: sa.Column[Any], default: Any) -> sa.Column[Any]:
    text: Any = default.arg if isinstance(default, sa.DefaultClause) else default
    copy: sa.Column[Any] = sa.Column(column.name, column.type, server_default=text)
    sa.Table(column.table.name, sa.MetaData(), copy)
    return copy


def _set_default(table: str, name: str, default: str | None) -> Step:
    action = "DROP DEFAULT" if default is None else f"SET DEFAULT {default}"
    return sql(Slot.FINISH, Rank.DEFAULT, f"ALTER TABLE {table} ALTER COLUMN {name} {action}")


def _recomment(table: str, column: sa.Column[Any], before: str | None) -> Change:
    what = f"COLUMN {table}.{column.name}"
    return Change(
        Phase.EXPAND,
        f"says what {table}.{column.name} is for",
        up=[sql(Slot.FINISH, Rank.DEFAULT, comment_sql(what, column.comment))],
        down=[sql(Slot.FINISH, Rank.DEFAULT, comment_sql(what, before))],
    )


def _retype(table: str, column: sa.Column[Any], existing: Any) -> Change:
    """Return the change to a wider type of the same kind, which rewrites nothing; refuse any other."""
    old, new = short_type(existing), short_type(column.type)
    place = f"{table}.{column.name}"
    if not (
        isinstance(existing, sa.String) and isinstance(column.type, sa.String) and _is_wider(existing, column.type)
    ):
        raise EvolveError(
            f"{place} would go from {old} to {new}, which writes the whole table anew while everybody waits. "
            f"Instead: give the models a new column beside it (flask db migrate fills it, FILL is an expression over "
            f"t.{column.name}), release code that writes both and reads the new one, then take {column.name} off the "
            "models in a revision of its own."
        )
    keep, length = f"{table}_{column.name}_long", getattr(existing, "length", None)
    key = ", ".join(one.name for one in column.table.primary_key)
    long = f"SELECT {key}, {column.name} FROM {table} WHERE length({column.name}) > {length}"
    retype = f"ALTER TABLE {table} ALTER COLUMN {column.name} TYPE {{}}"
    return Change(
        Phase.EXPAND,
        f"lets {place} hold {new} instead of {old}",
        up=[
            sql(Slot.OPEN, Rank.COLUMN, retype.format(new)),
            _values_back(keep, table, {column.name: f"k.{column.name}"}, column.table),
        ],
        down=[
            Step(Slot.REMOVE, Rank.KEEP, "evolve.keep_rows", (_REVISION, keep, long)),
            sql(
                Slot.REMOVE,
                Rank.DROP_COLUMN,
                f"{retype.format(old)} USING left({column.name}, {length})",
            ),
        ],
        warnings=[f"Only the downgrade writes {table} anew, under a lock: do that with the portal stopped."],
        keeps=f"values of {place} longer than {length} are cut, and kept whole",
    )


def _is_wider(old: Any, new: Any) -> bool:
    if not isinstance(old, sa.String) or not isinstance(new, sa.String):
        return False
    return old.length is not None and (new.length is None or new.length > old.length) and old.collation == new.collation


def _values_back(keep: str, table: str, values: dict[str, object], model: sa.Table) -> Step:
    key = [column.name for column in model.primary_key]
    name = Code(f'evolve.keep_name(revision, "{keep}")')
    named = {} if key == ["clinic_id", "id"] else {"key": key}
    return Step(Slot.RESTORE, Rank.COLUMN, "evolve.restore_values", (name, table), values=values, named=named)
