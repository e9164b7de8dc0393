"""A revision file of the house's shape: header, constants, phase, an upgrade and a downgrade that keeps."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from portal.ops.evolve.generate.code import WIDTH, Code, block, call, value
from portal.ops.evolve.generate.steps import ONLINE, Change, Fill, Phase, Rank, Slot, Step, merged, sql

_TAB = "    "
# What a person still has to say stands in these; `flask db lint` refuses a header that holds one.
SAY = "<{}>"
_STEPS = {
    Rank.TABLE: "new tables", Rank.COLUMN: "columns", Rank.FILL: "old rows filled in batches", Rank.REQUIRE: "NOT NULL",
    Rank.CHECK: "checks NOT VALID, then validated", Rank.UNIQUE: "unique constraints on indexes built CONCURRENTLY",
    Rank.REFERENCE: "foreign keys NOT VALID, then validated", Rank.INDEX: "indexes CONCURRENTLY",
    Rank.DEFAULT: "defaults and comments", Rank.LOOSEN: "what is no longer needed goes",
    Rank.DROP_COLUMN: "columns are kept and dropped", Rank.DROP_TABLE: "tables are kept and dropped",
}  # fmt: skip


@dataclass(frozen=True)
class RevisionFile:
    """One file to write. Without changes it is an empty one of the right shape."""

    name: str
    id: str
    phase: Phase = Phase.EXPAND
    changes: Sequence[Change] = ()
    expand: RevisionFile | None = None  # of a contract phase: the file it belongs to
    fills: Mapping[str, str] = field(default_factory=dict)  # mark -> constant

    @property
    def title(self) -> str:
        """What the docstring begins with."""
        name = self.expand.name if self.expand else self.name
        words = name[:1].upper() + name[1:].replace("_", " ")
        return f"{words}, the contract phase" if self.expand else words

    @property
    def created(self) -> str:
        """The moment in the id, as Alembic writes it."""
        return f"{datetime.strptime(self.id, '%Y%m%d%H%M%S')}+00:00"

    @property
    def header(self) -> str:
        """The docstring's sections."""
        if not self.changes:
            return "\n".join(
                f"{section}: {SAY.format(hint)}"
                for section, hint in (
                    ("What it does", "a sentence or two for the person who runs it at night"),
                    ("Warnings", "what it locks, rewrites or refuses; what the release before it must still do"),
                    ("Phases", "the steps, in their order"),
                    ("Downgrade", "what is kept, and where"),
                )
            )
        parts = (
            ("What it does", self._listed(change.does for change in self.changes)),
            ("Warnings", self._warnings()),
            ("Phases", self._phases()),
            ("Downgrade", self._keeps()),
        )
        return "\n".join(_filled(f"{section}: {text}") for section, text in parts)

    @property
    def constants(self) -> str:
        """What stands between the revision's own attributes and its functions."""
        lines: list[str] = []
        for one in self._all_fills():
            what = "what a downgrade writes where it is empty by then" if one.old else "for every row that has none"
            lines.append(f"# {one.place}, {what}: an SQL expression over the row t, such as \"'normal'\".")
            for hint in one.comment:
                lines.extend(f"# {line}" for line in textwrap.wrap(hint, WIDTH - 2, break_long_words=False))
            lines.append(f"{self.fills[one.mark()]} = evolve.UNWRITTEN")
        for change in self.changes:
            for name, text in change.blocks.items():
                lines.extend(block(name, text))
        return "\n" + "\n".join(lines) + "\n" if lines else ""

    @property
    def upgrade(self) -> str:
        """The body of ``upgrade()``."""
        names = [self.fills[one.mark()] for one in self._all_fills()]
        guard = call("evolve.require_written", (Code("__file__"),), {name: Code(name) for name in names}, 1)
        return "\n".join([*(guard if names else ()), *self._body([step for one in self.changes for step in one.up])])

    @property
    def downgrade(self) -> str:
        """The body of ``downgrade()``: what was done last is undone first."""
        return "\n".join(self._body([step for one in reversed(self.changes) for step in one.down]))

    def _body(self, steps: Sequence[Step]) -> list[str]:
        lines: list[str] = []
        online = False
        for step in apart(merged(steps)):
            if step.slot in ONLINE and not online:
                lines.append(f"{_TAB}with evolve.online():")
            online = step.slot in ONLINE
            arguments = [self._resolved(item) for item in step.arguments]
            named = {name: self._resolved(item) for name, item in step.named.items()}
            lines.extend(call(step.function, arguments, named, 2 if online else 1))
        return lines or [f"{_TAB}pass"]

    def _resolved(self, item: object) -> object:
        """Put the constants' names where their marks stand."""
        if isinstance(item, Mapping):
            return {name: self._resolved(entry) for name, entry in item.items()}
        if not isinstance(item, Code):
            return item
        text = str(item)
        for mark, name in self.fills.items():
            text = text.replace(mark, name)
        for mark, name in (self.expand.fills if self.expand else {}).items():
            written = f"evolve.written({value(self.expand.id)}, {value(name)})" if self.expand else ""
            text = text.replace(mark.replace("<FILL", "<WRITTEN"), written)
        return Code(text)

    def _all_fills(self) -> list[Fill]:
        return list(dict.fromkeys(one for change in self.changes for one in change.fills))

    def _warnings(self) -> str:
        told = list(dict.fromkeys(text for change in self.changes for text in change.warnings))
        steps = [step for change in self.changes for step in change.up]
        if any(step.rank is not Rank.TABLE for step in steps):
            told.append("Each ALTER waits at most 100 ms for its lock and is tried again; no table is written anew.")
        if self.expand is not None:
            told.insert(0, "Deploy the new release first.")
        return " ".join(told) or "None; the release before this one looks at none of it."

    def _phases(self) -> str:
        ranks = dict.fromkeys(step.rank for step in merged([step for one in self.changes for step in one.up]))
        return f"{self.phase}: {'; '.join(_STEPS[rank] for rank in ranks if rank in _STEPS)}."

    def _keeps(self) -> str:
        kept = self._listed(change.keeps for change in self.changes if change.keeps)
        tables = f"kept in keep_{self.id}_<table>: " if self.phase is Phase.EXPAND else ""
        return f"{tables}{kept}" if kept else "constraints and indexes go; no row is touched."

    @staticmethod
    def _listed(texts: Iterable[str]) -> str:
        listed = "; ".join(dict.fromkeys(texts))
        return f"{listed}." if listed else ""


def name_fills(changes: Sequence[Change]) -> dict[str, str]:
    """Return the constants' names by their marks: FILL and BACK, longer where there are several."""
    found = list(dict.fromkeys(one for change in changes for one in change.fills))
    names = {}
    for one in found:
        short = "BACK" if one.old else "FILL"
        several = sum(other.old == one.old for other in found) > 1
        names[str(one.mark())] = f"{short}_{one.place.replace('.', '_').upper()}" if several else short
    return names


def apart(steps: Sequence[Step]) -> list[Step]:
    """Where several tables lose something, keep everything first: no lock is held while others are copied."""
    going = [step for step in steps if step.slot is Slot.REMOVE and step.function.startswith("evolve.keep_")]
    dropping = [step for step in going if step.rank in (Rank.DROP_COLUMN, Rank.DROP_TABLE)]
    if len(dropping) < 2:
        return list(steps)
    result = [step for step in steps if step not in dropping]
    for step in dropping:
        table, columns = str(step.lead[1]), list(step.values)
        kept = f"TABLE {table}"
        if columns:
            key = step.named.get("key", ["clinic_id", "id"])
            assert isinstance(key, list)
            kept = f"SELECT {', '.join([*key, *columns])} FROM {table}"
        drop = f"ALTER TABLE {table} " + ", ".join(f"DROP COLUMN {one}" for one in columns)
        result.append(replace(step, rank=Rank.KEEP, function="evolve.keep_rows", items=(kept,), values={}, named={}))
        result.append(sql(Slot.REMOVE, step.rank, drop if columns else f"DROP TABLE {table}"))
    return sorted(result, key=lambda one: (one.slot, one.rank))


def _filled(text: str) -> str:
    return "\n".join(textwrap.wrap(text, WIDTH - 4, break_long_words=False, break_on_hyphens=False))
