"""Constraints and indexes that come and go."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.operations import ops

from portal.ops.evolve.errors import EvolveError
from portal.ops.evolve.generate.difference import Difference, named_columns
from portal.ops.evolve.generate.sql import IndexSql, constraint_sql, index_sql, plain, readable
from portal.ops.evolve.generate.steps import Change, Phase, Rank, Slot, Step

_KINDS: dict[type[Any], type[Any]] = {
    sa.ForeignKeyConstraint: ops.CreateForeignKeyOp,
    sa.UniqueConstraint: ops.CreateUniqueConstraintOp,
    sa.CheckConstraint: ops.CreateCheckConstraintOp,
}


def add_constraint(op: ops.AddConstraintOp, found: Difference) -> list[Change]:
    """Return the change that adds a constraint: old rows are looked at while everybody goes on writing."""
    constraint = op.to_constraint()
    table, name = _place(constraint)
    if found.is_new(table):
        return []
    phase = _phase(table, constraint_sql(constraint), found)
    return [
        Change(
            phase,
            f"adds {name} to {table}",
            up=[_make(constraint)],
            down=[Step(Slot.FINISH, Rank.LOOSEN, "evolve.drop_constraint", (table, name))],
            warnings=_tightened(phase, table, name),
            keeps="",
        )
    ]


def drop_constraint(op: ops.DropConstraintOp, found: Difference) -> list[Change]:
    """Return the change that drops a constraint: at once, for the new release may write what it forbids."""
    constraint = op.to_constraint()
    table, name = _place(constraint)
    if table in found.dropped_tables:
        return []
    again = _is_replaced(constraint, found)
    going = found.loses(table, constraint_sql(constraint)) or _parent(constraint) in found.dropped_tables
    phase = Phase.CONTRACT if going or again else Phase.EXPAND
    slot = Slot.OPEN if phase is Phase.EXPAND or again == name else Slot.FINISH
    change = Change(
        phase,
        f"drops {name} of {table}",
        up=[Step(slot, Rank.LOOSEN, "evolve.drop_constraint", (table, name))],
        down=[_make(constraint)],
        keeps=f"{name} comes back, and stops the downgrade where rows break it",
    )
    if phase is Phase.EXPAND:
        change.warnings.append(f"If the release before this one relies on {name} (ON CONFLICT), drop it later.")
    return [change]


def create_index(op: ops.CreateIndexOp, found: Difference) -> list[Change]:
    """Return the change that builds an index beside running writes."""
    index = index_sql(op.to_index())
    phase = _phase(index.table, index.columns, found) if index.unique else Phase.EXPAND
    return [
        Change(
            phase,
            f"builds the index {index.name}",
            up=[_index(index)],
            down=[Step(Slot.FINISH, Rank.LOOSEN, "evolve.drop_index", (index.name,))],
            warnings=_tightened(phase, index.table, index.name) if index.unique else [],
        )
    ]


def drop_index(op: ops.DropIndexOp, found: Difference) -> list[Change]:
    """Return the change that drops an index: when the old release is gone, unless the new one needs it gone."""
    index = index_sql(op.to_index())
    unique = index.unique and not found.loses(index.table, index.columns)
    return [
        Change(
            Phase.EXPAND if unique else Phase.CONTRACT,
            f"drops the index {index.name}",
            up=[Step(Slot.FINISH, Rank.LOOSEN, "evolve.drop_index", (index.name,))],
            down=[_index(index)],
            warnings=[] if index.unique else [f"Queries that went by {index.name} get slow: see that none does."],
            keeps=f"{index.name} is built again",
        )
    ]


def _phase(table: str, text: str, found: Difference) -> Phase:
    """Expand where the old release cannot break it: a trigger or a default fills the new columns it is about."""
    words = set(text.replace("(", " ").replace(")", " ").replace(",", " ").split())
    return Phase.EXPAND if words & found.added(table) or found.is_new(table) else Phase.CONTRACT


def _tightened(phase: Phase, table: str, name: str) -> list[str]:
    if phase is Phase.EXPAND:
        return []
    return [f"Rows of {table} that break {name} stop the upgrade, and a release that writes such rows fails."]


def _is_replaced(constraint: sa.Constraint, found: Difference) -> str | None:
    """Return the name of a constraint of the same kind that the table gets in the contract phase, or None."""
    kind = next((op for is_it, op in _KINDS.items() if isinstance(constraint, is_it)), None)
    table, name = _place(constraint)
    result = None
    for op in found.operations:
        if kind is not None and isinstance(op, kind):
            other = op.to_constraint()
            if other.table.name == table and _phase(table, constraint_sql(other), found) is Phase.CONTRACT:
                result = name if str(other.name) == name else result or str(other.name)
    return result


def _place(constraint: sa.Constraint) -> tuple[str, str]:
    table = constraint.table
    if constraint.name is None:
        raise EvolveError(f"A constraint of {table.name} has no name, so no revision can drop it.")
    return table.name, str(constraint.name)


def _parent(constraint: sa.Constraint) -> str | None:
    if not isinstance(constraint, sa.ForeignKeyConstraint):
        return None
    return constraint.elements[0].target_fullname.rpartition(".")[0]


def _make(constraint: sa.Constraint) -> Step:
    """Return the step that adds a constraint; raises EvolveError where the house's helpers would name it otherwise."""
    table, name = _place(constraint)
    columns = list(named_columns(constraint))
    if isinstance(constraint, sa.CheckConstraint):
        condition = plain(readable(str(constraint.sqltext.compile(compile_kwargs={"literal_binds": True}))))
        return Step(Slot.FINISH, Rank.CHECK, "evolve.add_check", (table, name, condition))
    prefix = "fk" if isinstance(constraint, sa.ForeignKeyConstraint) else "uq"
    if name != f"{prefix}_{table}_{'_'.join(columns)}":
        raise EvolveError(f"{name} of {table} is not named as the models name constraints: write it by hand.")
    if isinstance(constraint, sa.UniqueConstraint):
        return Step(Slot.FINISH, Rank.UNIQUE, "evolve.add_unique", (table, columns))
    assert isinstance(constraint, sa.ForeignKeyConstraint)
    return _reference(constraint, table, columns)


def _reference(constraint: sa.ForeignKeyConstraint, table: str, columns: list[str]) -> Step:
    if constraint.onupdate or constraint.deferrable or constraint.match:
        raise EvolveError(f"{constraint.name} of {table} is of a special kind: write its revision by hand.")
    there = [element.target_fullname.rpartition(".")[2] for element in constraint.elements]
    arguments: list[Any] = [table, columns, _parent(constraint), *([] if there == ["id"] else [there])]
    named = {"ondelete": constraint.ondelete} if constraint.ondelete else {}
    return Step(Slot.FINISH, Rank.REFERENCE, "evolve.add_foreign_key", tuple(arguments), named=named)


def _index(index: IndexSql) -> Step:
    named: dict[str, object] = {"unique": True} if index.unique else {}
    if index.where:
        named["where"] = index.where
    return Step(Slot.FINISH, Rank.INDEX, "evolve.create_index", (index.name, index.table, index.columns), named=named)
