"""From Alembic's operations to changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic.operations import ops

from portal.ops.evolve.errors import EvolveError
from portal.ops.evolve.generate.alter import alter_column
from portal.ops.evolve.generate.columns import add_column, drop_column
from portal.ops.evolve.generate.constraints import add_constraint, create_index, drop_constraint, drop_index
from portal.ops.evolve.generate.difference import Difference
from portal.ops.evolve.generate.steps import Change
from portal.ops.evolve.generate.tables import comment_on, create_table, drop_table


def _create_table(op: ops.CreateTableOp, found: Difference) -> list[Change]:
    return create_table(found.metadata.tables[op.table_name], found)


def _drop_table(op: ops.DropTableOp, found: Difference) -> list[Change]:
    return drop_table(found.dropped_tables[op.table_name], found)


def _comment(op: ops.CreateTableCommentOp, _found: Difference) -> list[Change]:
    return comment_on(op.table_name, op.comment, op.existing_comment)


def _uncomment(op: ops.DropTableCommentOp, _found: Difference) -> list[Change]:
    return comment_on(op.table_name, None, op.existing_comment)


_TRANSLATORS: dict[type[Any], Callable[[Any, Difference], list[Change]]] = {
    ops.CreateTableOp: _create_table,
    ops.DropTableOp: _drop_table,
    ops.AddColumnOp: add_column,
    ops.DropColumnOp: drop_column,
    ops.AlterColumnOp: alter_column,
    ops.CreateForeignKeyOp: add_constraint,
    ops.CreateUniqueConstraintOp: add_constraint,
    ops.CreateCheckConstraintOp: add_constraint,
    ops.DropConstraintOp: drop_constraint,
    ops.CreateIndexOp: create_index,
    ops.DropIndexOp: drop_index,
    ops.CreateTableCommentOp: _comment,
    ops.DropTableCommentOp: _uncomment,
}


def translate(found: Difference) -> list[Change]:
    """Return the changes of a difference; raises EvolveError for what only a person can write."""
    changes: list[Change] = []
    for op in found.operations:
        translator = _TRANSLATORS.get(type(op))
        if translator is None:
            raise EvolveError(f"{type(op).__name__} cannot be generated: write it with `flask db revision -m ...`.")
        changes.extend(translator(op, found))
    return changes
