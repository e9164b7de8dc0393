"""What a check is, what it finds, and what it asks the database with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from portal.ops.evolve.retry import patiently
from portal.ops.schema.snapshot import is_aside
from portal.ops.schema.state import State

Tell = Callable[[str, Mapping[str, Any]], None]
SCHEMAS = ("public", "jobs")  # the portal's rows; `ops` is looked at by the history's own check

_COLUMNS = """
SELECT a.attrelid::regclass::text, quote_ident(a.attname), format_type(a.atttypid, NULL)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY (:schemas) AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY 1, a.attnum
"""
# A forced policy hides rows from the owner without a word: what it cannot see must not count as sound.
_BLIND = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY (:schemas) AND row_security_active(c.oid)
   AND NOT EXISTS (
       SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd IN ('*', 'r')
          AND pg_get_expr(p.polqual, p.polrelid) = 'true'
          AND (0 = ANY (p.polroles) OR EXISTS (
              SELECT FROM unnest(p.polroles) AS r WHERE r <> 0 AND pg_has_role(current_user, r, 'USAGE'))))
"""


def nobody(_event: str, _facts: Mapping[str, Any]) -> None:
    """Take progress that nobody wants to see."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be. ``fix`` are statements that mend it and can lose nothing."""

    what: str
    rows: int | None = None
    fix: tuple[str, ...] = ()

    @property
    def fixable(self) -> bool:
        """Whether `--fix` mends it."""
        return bool(self.fix)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept and printed."""
        kept: dict[str, Any] = {"what": self.what, "rows": self.rows, "fixable": self.fixable}
        return {**kept, "fix": "; ".join(self.fix)} if self.fix else kept


@dataclass
class Check:
    """One group of questions and their answers. ``notes`` are told, and are nothing to worry about."""

    name: str
    title: str
    skipped: bool = False
    looked_at: int = 0
    ms: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def find(self, what: str, rows: int | None = None, *fix: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(what, rows, fix))

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept and printed; ``ms`` in milliseconds."""
        return {
            "name": self.name,
            "title": self.title,
            "skipped": self.skipped,
            "looked_at": self.looked_at,
            "ms": self.ms,
            "findings": [finding.as_json() for finding in self.findings],
            "notes": self.notes,
        }


@dataclass
class Look:
    """One look at the database: its connection, in one read-only snapshot, and what is known already."""

    connection: sa.Connection
    state: State
    tell: Tell = nobody
    broken: dict[Any, int] = field(default_factory=dict)  # reference -> rows without a parent

    def ask(self, statement: str, **parameters: Any) -> list[Any]:
        """Return the rows of a statement; a lock that is not to be had is asked for again."""
        question = sa.text(statement)
        return patiently(self.connection, statement, lambda: list(self.connection.execute(question, parameters).all()))

    def ask_one(self, statement: str, **parameters: Any) -> Any:
        """Return the first column of the only row."""
        return self.ask(statement, **parameters)[0][0]

    def has(self, revision: str) -> bool:
        """Tell whether the database stands at ``revision`` or beyond."""
        return any(applied.id == revision for applied in self.state.applied)

    @cached_property
    def columns(self) -> dict[str, dict[str, str]]:
        """The tables with rows of the portal, and the type of each column."""
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self.ask(_COLUMNS, schemas=list(SCHEMAS)):
            found.setdefault(table, {})[column] = kind
        return found

    @cached_property
    def tenant_tables(self) -> list[str]:
        """The tables whose rows name a clinic, those put aside left out."""
        return [name for name, columns in self.columns.items() if "clinic_id" in columns and not is_aside(name)]

    @cached_property
    def blind(self) -> frozenset[str]:
        """The tables that hide rows from the owner."""
        return frozenset(name for (name,) in self.ask(_BLIND, schemas=list(SCHEMAS)))


@dataclass(frozen=True)
class Kind:
    """A check there is. One that ``reads_rows`` takes its time on a large database and is left out of a quick look."""

    name: str
    title: str
    run: Callable[[Look, Check], None]
    reads_rows: bool = False


def listed(names: Sequence[str], most: int = 5) -> str:
    """Write names one after the other, the first ``most`` of them."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(rows: int, noun: str = "row") -> str:
    """Write a number with its noun."""
    return f"{rows:,} {noun}{'' if rows == 1 else 's'}"
