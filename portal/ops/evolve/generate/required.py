"""Columns that become required, and ones that no longer are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from portal.ops.evolve.generate.difference import Difference
from portal.ops.evolve.generate.fills import empty_again, fill, filled, hints, note_empty
from portal.ops.evolve.generate.steps import Change, Fill, Phase, Rank, Slot, Step, sql


def required(expand: Change, table: str, column: sa.Column[Any], found: Difference) -> list[Change]:
    """Fill the old rows, and by a trigger those of the old release, which the contract phase drops."""
    name = column.name
    value = fill(table, name, hints(column, found))
    trigger = Step(Slot.OPEN, Rank.FILL, "evolve.add_filler", (table, name, value.mark()))
    expand.fills.append(value)
    expand.up.extend([trigger, Step(Slot.FINISH, Rank.FILL, "evolve.fill_column", (table, name, value.mark()))])
    expand.up.append(require(table, name))
    untrigger = Step(Slot.OPEN, Rank.LOOSEN, "evolve.drop_filler", (table, name))
    expand.down.extend([_drop_not_null(table, name), untrigger])  # in this order: inserts go on
    expand.warnings.append(
        f"{table}.{name} is required: FILL gives the rows there are a value, and a trigger the ones that the release "
        "before this one inserts."
    )
    contract = Change(
        Phase.CONTRACT,
        f"drops the trigger that gave {table}.{name} a value",
        up=[untrigger],
        down=[Step(Slot.OPEN, Rank.FILL, "evolve.add_filler", (table, name, filled(value)))],
        warnings=[f"The release before {name} can no longer insert into {table}."],
        keeps=f"the trigger on {table} comes back, no row is touched",
    )
    return [expand, contract]


def loosen(table: str, column: sa.Column[Any], found: Difference) -> Change:
    """Return the change after which a column may be empty; the way back needs a value for what is empty then."""
    name, back = column.name, Fill(f"{table}.{column.name}", old=True)
    return Change(
        Phase.EXPAND,
        f"lets {table}.{name} be empty",
        up=[
            _drop_not_null(table, name),
            *empty_again(table, name, back, found, Slot.RESTORE),
        ],
        down=[
            note_empty(table, name, found),
            Step(Slot.FINISH, Rank.FILL, "evolve.fill_column", (table, name, back.mark())),
            require(table, name),
        ],
        warnings=[f"BACK is what a downgrade writes where {table}.{name} is empty by then; which rows, is kept."],
        keeps=f"which rows of {table} had no {name}",
        fills=[back],
    )


def tighten(table: str, column: sa.Column[Any], found: Difference) -> list[Change]:
    """Return the changes after which a column may no longer be empty."""
    name = column.name
    value = fill(table, name, hints(column, found))
    given, later = value.mark(), filled(value)
    expand = Change(
        Phase.EXPAND,
        f"fills {table}.{name} where it is empty",
        up=[
            Step(Slot.OPEN, Rank.FILL, "evolve.add_filler", (table, name, given)),
            note_empty(table, name, found),
            Step(Slot.FINISH, Rank.FILL, "evolve.fill_column", (table, name, given)),
        ],
        down=[
            Step(Slot.OPEN, Rank.LOOSEN, "evolve.drop_filler", (table, name)),
            *empty_again(table, name, value, found, Slot.REMOVE),
        ],
        warnings=[f"A trigger gives {table}.{name} its value where the release before this one inserts none."],
        keeps=f"{table}.{name} is empty again where it was and still has FILL's value",
        fills=[value],
    )
    contract = Change(
        Phase.CONTRACT,
        f"makes {table}.{name} required",
        up=[
            Step(Slot.FINISH, Rank.FILL, "evolve.fill_column", (table, name, later)),
            require(table, name),
            Step(Slot.FINISH, Rank.LOOSEN, "evolve.drop_filler", (table, name)),
        ],
        down=[_drop_not_null(table, name), Step(Slot.OPEN, Rank.FILL, "evolve.add_filler", (table, name, later))],
        warnings=[f"A release that leaves {table}.{name} empty can no longer write."],
        keeps=f"{table}.{name} may be empty again, the trigger comes back, no row is touched",
    )
    return [expand, contract]


def require(table: str, name: str) -> Step:
    """Return the step that makes a filled column NOT NULL."""
    return Step(Slot.FINISH, Rank.REQUIRE, "evolve.add_not_null", (table, name))


def _drop_not_null(table: str, name: str) -> Step:
    return sql(Slot.OPEN, Rank.LOOSEN, f"ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL")
