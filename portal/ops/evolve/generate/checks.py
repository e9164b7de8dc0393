"""Checks whose text changed and whose name did not: Alembic compares names only, so the database is asked.

PostgreSQL writes a check its own way. So the models' one is put on an empty temporary copy of the table, and the two
are compared as the catalogue shows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import sqlalchemy as sa

from portal.ops.evolve.generate.difference import Difference
from portal.ops.evolve.generate.sql import constraint_sql, plain, readable
from portal.ops.evolve.generate.steps import Change, Phase, Rank, Slot, Step

_VALUE = re.compile(r"'(?:[^']|'')*'")
_TEXTS = """
SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint
 WHERE contype = 'c' AND conrelid = to_regclass(:table)
"""
_COPY = "pg_temp.check_copy"


@dataclass(frozen=True)
class ChangedCheck:
    """A check of the models, and the condition the database still has under its name."""

    table: str
    name: str
    new: str
    old: str

    @property
    def only_allows_more(self) -> bool:
        """Whether it is a list of values that grew: the old release writes none that the new one forbids."""
        before, after = (set(_VALUE.findall(text)) for text in (self.old, self.new))
        frames = {_VALUE.sub("", text).replace(",", "").replace(" ", "") for text in (self.old, self.new)}
        return before <= after and len(frames) == 1


def changed_checks(metadata: sa.MetaData, connection: sa.Connection) -> Iterator[ChangedCheck]:
    """Yield the checks that stand in models and database under one name with two meanings. Nothing stays changed."""
    for table in metadata.sorted_tables:
        found = connection.execute(sa.text(_TEXTS), {"table": f"public.{table.name}"})
        before = {str(name): str(text) for name, text in found}
        for constraint in table.constraints:
            name = str(constraint.name)
            if not isinstance(constraint, sa.CheckConstraint) or name not in before:
                continue
            after = _as_shown(connection, table.name, constraint)
            if after is not None and after != before[name]:
                yield ChangedCheck(table.name, name, _condition(constraint_sql(constraint)), _condition(before[name]))


def _as_shown(connection: sa.Connection, table: str, constraint: sa.CheckConstraint) -> str | None:
    """Return how the catalogue shows a check; None where it names a column that is yet to come."""
    attempt = connection.begin_nested()
    try:
        connection.execute(sa.text(f"CREATE TEMPORARY TABLE check_copy (LIKE public.{table})"))
        connection.execute(sa.text(f"ALTER TABLE {_COPY} ADD {constraint_sql(constraint)}"))
        return str(connection.execute(sa.text(_TEXTS), {"table": _COPY}).one()[1])
    except sa.exc.ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.UndefinedColumn):
            raise
        return None
    finally:
        attempt.rollback()


def _condition(text: str) -> str:
    """Return what stands between CHECK's parentheses."""
    inside = readable(text.partition("CHECK (")[2].rpartition(")")[0])
    while inside.startswith("(") and inside.endswith(")") and _closes_last(inside):
        inside = inside[1:-1]
    return plain(inside)


def _closes_last(text: str) -> bool:
    """Tell whether the first parenthesis closes with the last."""
    depth = 0
    for i, letter in enumerate(_VALUE.sub(lambda one: "x" * len(one[0]), text)):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return i == len(text) - 1
    return False


def change_check(check: ChangedCheck, found: Difference) -> Change:
    """Return the change that swaps one check for the other, and back where no row is in the way."""
    table, name = check.table, check.name
    rows = f"SELECT {', '.join(found.key(table))} FROM {table} WHERE NOT ({check.old})"
    why = f"These rows of {table} are not what {name} asked for before this revision; change them first:"
    change = Change(
        Phase.EXPAND if check.only_allows_more else Phase.CONTRACT,
        f"changes {name} of {table}",
        up=[Step(Slot.FINISH, Rank.CHECK, "evolve.replace_check", (table, name, check.new))],
        down=[
            Step(Slot.CREATE, Rank.TABLE, "evolve.refuse_rows", (rows, why)),
            Step(Slot.FINISH, Rank.CHECK, "evolve.replace_check", (table, name, check.old)),
        ],
        keeps=f"{name} is what it was; rows it forbids stop the downgrade with their list",
    )
    if change.phase is Phase.CONTRACT:
        change.warnings.append(f"Rows of {table} that break {name} stop it, and a release that writes such rows fails.")
    return change
