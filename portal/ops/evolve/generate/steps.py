"""What a difference between models and database becomes: changes of a phase, made of steps that know their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Any

from portal.ops.evolve.generate.code import Code


class Phase(StrEnum):
    """As portal.ops.schema.scripts.Phase, of which a new revision may be one of two."""

    EXPAND = "expand"
    CONTRACT = "contract"


class Slot(IntEnum):
    """Where in a function a step stands; what is ONLINE commits statement by statement."""

    CREATE = 0  # new tables with their rights, in one transaction
    OPEN = 1  # online: columns, triggers, what makes room
    RESTORE = 2  # kept values come back, in one transaction
    FINISH = 3  # online: old rows filled; constraints and indexes
    REMOVE = 4  # kept and dropped, in the transaction that moves the version


ONLINE = frozenset({Slot.OPEN, Slot.FINISH})


class Rank(IntEnum):
    """The order of steps in one slot."""

    TABLE = 0
    COLUMN = 1
    KEEP = 2
    FILL = 3
    REQUIRE = 4
    CHECK = 5
    UNIQUE = 6
    REFERENCE = 7
    INDEX = 8
    DEFAULT = 9
    LOOSEN = 10
    DROP_COLUMN = 11
    DROP_TABLE = 12


@dataclass(frozen=True)
class Step:
    """One call. Steps of equal ``lead`` whose ``items`` may stand together are merged."""

    slot: Slot
    rank: Rank
    function: str
    lead: tuple[object, ...] = ()
    items: tuple[object, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)  # column -> how its kept value comes back
    named: Mapping[str, object] = field(default_factory=dict)

    @property
    def arguments(self) -> list[object]:
        """The call's positional arguments."""
        if not self.values:
            return [*self.lead, *self.items]
        plain = all(value == f"k.{name}" for name, value in self.values.items())
        return [*self.lead, list(self.values) if plain else dict(self.values)]

    def takes(self, other: Step) -> bool:
        """Tell whether ``other`` is more of the same call."""
        mergeable = bool(self.items and other.items) or bool(self.values and other.values)
        return mergeable and (self.slot, self.function, self.lead, self.named) == (
            other.slot, other.function, other.lead, other.named,
        )  # fmt: skip

    def with_more(self, other: Step) -> Step:
        """Return the call with what ``other`` adds."""
        return replace(self, items=(*self.items, *other.items), values={**self.values, **other.values})


@dataclass(frozen=True)
class Fill:
    """An expression only a person can write: a constant of the file, refused until it is written."""

    place: str  # "table.column"
    old: bool  # for a downgrade: what the older schema asks for
    comment: tuple[str, ...] = ()

    def mark(self) -> Code:
        """Return what stands for the constant until its name is known."""
        return Code(f"<{'BACK' if self.old else 'FILL'} {self.place}>")


@dataclass
class Change:
    """What one difference becomes in one phase, in code and in words."""

    phase: Phase
    does: str
    up: list[Step] = field(default_factory=list)
    down: list[Step] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    keeps: str = ""
    fills: list[Fill] = field(default_factory=list)
    blocks: dict[str, str] = field(default_factory=dict)  # constants that hold SQL


def sql(slot: Slot, rank: Rank, statement: str) -> Step:
    """Return a step that runs one statement."""
    return Step(slot, rank, "evolve.run", (statement,))


def merged(steps: Sequence[Step]) -> list[Step]:
    """Return the steps in their order, calls that say the same put together."""
    result: list[Step] = []
    for step in sorted(steps, key=lambda one: (one.slot, one.rank)):
        same: Any = next((i for i, other in enumerate(result) if other.takes(step)), None)
        if same is None:
            result.append(step)
        else:
            result[same] = result[same].with_more(step)
    return result
