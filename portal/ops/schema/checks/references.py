"""Foreign keys asked of the rows: a constraint marked valid can still have orphans, a missing one hides them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.core.database import Base
from portal.ops.schema.checks.base import SCHEMAS, Check, Look, counted, listed

COMPOSITE_KEYS = "20261123100100"
NO_CLINIC = "system_logs"  # its rows may belong to no clinic
EXAMPLES = 3
_CATALOGUE = """
SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, quote_ident(c.conname), c.convalidated,
       array_agg(quote_ident(own.attname) ORDER BY k.place), array_agg(quote_ident(other.attname) ORDER BY k.place)
  FROM pg_constraint c CROSS JOIN unnest(c.conkey, c.confkey) WITH ORDINALITY AS k (own, other, place)
  JOIN pg_attribute own ON own.attrelid = c.conrelid AND own.attnum = k.own
  JOIN pg_attribute other ON other.attrelid = c.confrelid AND other.attnum = k.other
  JOIN pg_namespace n ON n.oid = c.connamespace
 WHERE c.contype = 'f' AND n.nspname = ANY (:schemas) GROUP BY c.oid ORDER BY 1, 3
"""
_UNCHECKED = """
SELECT c.conrelid::regclass::text, quote_ident(c.conname), pg_get_expr(c.conbin, c.conrelid)
  FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
 WHERE c.contype = 'c' AND NOT c.convalidated AND n.nspname = ANY (:schemas) ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Reference:
    """Columns of a table that name a row of another. ``name`` is the constraint's; None: only the models know it."""

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    name: str | None = None
    valid: bool = True

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Which column names which, whatever the order."""
        return frozenset(zip(self.columns, self.parent_columns, strict=True))

    @property
    def given(self) -> str:
        """The condition that row ``t`` names a parent: with a NULL among its columns it names none."""
        return " AND ".join(f"t.{column} IS NOT NULL" for column in self.columns)

    @property
    def lost(self) -> str:
        """The condition that row ``t`` names a parent that does not exist."""
        same = " AND ".join(f"p.{there} = t.{here}" for here, there in sorted(self.pairs))
        return f"{self.given} AND NOT EXISTS (SELECT FROM {self.parent} AS p WHERE {same})"

    @property
    def said(self) -> str:
        """The reference in words."""
        return f"{self.table} ({', '.join(self.columns)}) → {self.parent} ({', '.join(self.parent_columns)})"


def check_references(look: Look, check: Check) -> None:
    """Look for rows without a parent, under every foreign key of the catalogue and of the models."""
    known = catalogue_references(look)
    missing = missing_references(look, known)
    references = [*known, *missing]
    hidden = sorted({table for one in references for table in (one.table, one.parent)} & look.blind)
    if hidden:
        check.find(f"The owner sees not all rows of {listed(hidden)}, so their references were not looked at.")
    for number, reference in enumerate(references, 1):
        if not {reference.table, reference.parent} & look.blind:
            _check_one(look, check, reference)
        look.tell("part", {"what": "foreign keys", "done": number, "total": len(references)})
    if not look.state.pending:
        for reference in missing:
            check.find(f"The foreign key {reference.said} is in the models, but not in the database.")
    _check_unchecked(look, check)
    check.looked_at = len(references)


def _check_one(look: Look, check: Check, reference: Reference) -> None:
    rows = look.broken[reference] = count_lost(look, reference)
    if rows:
        named = f", which {reference.name} forbids" if reference.name else ""
        check.find(
            f"{counted(rows)} of {reference.table} whose ({', '.join(reference.columns)}) is no row of "
            f"{reference.parent}{named}{_examples(look, reference.table, reference.lost)}",
            rows,
        )
    if not reference.valid:
        fix = () if rows else (f"ALTER TABLE {reference.table} VALIDATE CONSTRAINT {reference.name}",)
        check.find(f"The foreign key {reference.name} of {reference.table} is NOT VALID.", rows, *fix)


def _check_unchecked(look: Look, check: Check) -> None:
    """Look at CHECK constraints that old rows were never held against."""
    for table, name, condition in look.ask(_UNCHECKED, schemas=list(SCHEMAS)):
        rows = int(look.ask_one(f"SELECT count(*) FROM {table} WHERE NOT ({condition})"))
        sure = rows == 0 and table not in look.blind
        fix = (f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}",) if sure else ()
        check.find(f"The check {name} of {table} is NOT VALID; {counted(rows)} break it.", rows, *fix)


def check_clinics(look: Look, check: Check) -> None:
    """Look for rows that name another clinic's row, and for keys between clinics' tables that leave the clinic out."""
    tenant = set(look.tenant_tables) - {NO_CLINIC}
    known = catalogue_references(look)
    inside = [
        one
        for one in (*known, *missing_references(look, known))
        if one.table in tenant and one.parent in tenant and "id" in one.parent_columns
    ]
    for reference in inside:
        with_clinic = ("clinic_id", "clinic_id") in reference.pairs
        if not with_clinic and look.has(COMPOSITE_KEYS):
            check.find(f"The foreign key {reference.said} leaves the clinic out.")
        # No row without a parent in its own clinic: then none has one in another either.
        if (
            not (with_clinic and look.broken.get(reference) == 0)
            and not {reference.table, reference.parent} & look.blind
        ):
            _check_across(look, check, reference)
    check.looked_at = len(inside)


def _check_across(look: Look, check: Check, reference: Reference) -> None:
    column = next(here for here, there in reference.pairs if there == "id")
    across = (
        f"EXISTS (SELECT FROM {reference.parent} AS p WHERE p.id = t.{column} AND p.clinic_id <> t.clinic_id)"
        f" AND NOT EXISTS (SELECT FROM {reference.parent} AS p WHERE p.id = t.{column} AND p.clinic_id = t.clinic_id)"
    )
    rows = int(look.ask_one(f"SELECT count(*) FROM {reference.table} AS t WHERE {across}"))
    if rows:
        check.find(
            f"{counted(rows)} of {reference.table} whose {column} is a row of {reference.parent} of another clinic"
            f"{_examples(look, reference.table, across)}",
            rows,
        )


def catalogue_references(look: Look) -> list[Reference]:
    """Return the foreign keys the database has."""
    return [
        Reference(table, tuple(columns), parent, tuple(parent_columns), name, valid)
        for table, parent, name, valid, columns, parent_columns in look.ask(_CATALOGUE, schemas=list(SCHEMAS))
    ]


def missing_references(look: Look, known: Iterable[Reference]) -> list[Reference]:
    """Return the foreign keys of the models that the database lacks, where it has their columns.

    Before a table knows its clinic, the rest of the key is looked at: orphans show before a revision meets them.
    """
    have = {(one.table, one.parent, one.pairs) for one in known}
    wanted = (
        _comparable(look.columns, constraint)
        for table in Base.metadata.tables.values()
        for constraint in sorted(table.foreign_key_constraints, key=lambda one: tuple(one.column_keys))
    )
    return [one for one in wanted if one is not None and (one.table, one.parent, one.pairs) not in have]


def _comparable(columns: dict[str, dict[str, str]], constraint: sa.ForeignKeyConstraint) -> Reference | None:
    """Return the part of a models' foreign key that can be asked of the database, None where there is none."""
    table, parent = constraint.table.name, constraint.referred_table.name
    own, other = columns.get(table, {}), columns.get(parent, {})
    pairs = [(element.parent.name, element.column.name) for element in constraint.elements]
    asked = [(here, there) for here, there in pairs if here in own and own[here] == other.get(there)]
    if not asked or (len(asked) < len(pairs) and "id" not in {there for _here, there in asked}):
        return None
    return Reference(table, tuple(here for here, _ in asked), parent, tuple(there for _, there in asked))


def count_lost(look: Look, reference: Reference) -> int:
    """Return how many rows name a parent that does not exist."""
    return int(look.ask_one(f"SELECT count(*) FROM {reference.table} AS t WHERE {reference.lost}"))


def count_given(look: Look, reference: Reference) -> int:
    """Return how many rows name a parent."""
    return int(look.ask_one(f"SELECT count(*) FROM {reference.table} AS t WHERE {reference.given}"))


def _examples(look: Look, table: str, condition: str) -> str:
    """Return some ids to begin the search with; never a value a person typed."""
    if "id" not in look.columns.get(table, {}):
        return "."
    found = look.ask(f"SELECT t.id::text FROM {table} AS t WHERE {condition} ORDER BY t.id LIMIT {EXAMPLES}")
    return f"; for example id {', '.join(name for (name,) in found)}."
