"""What changed between two versions of an offer: line by line, tooth by tooth, and in money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.offers.models import Offer, Treatment

_COMPARED = (
    "name", "arch", "quantity", "unit_price", "discount_kind", "discount_value", "vat_rate", "brand", "material",
    "abutment", "visit_no", "healing_days", "warranty_months", "is_included", "line_gross",
)  # fmt: skip


@dataclass(frozen=True)
class LineChange:
    """A line before and after; one of them is None where it was added or taken out."""

    before: Treatment | None
    after: Treatment | None
    fields: tuple[str, ...] = ()
    teeth_added: tuple[int, ...] = ()
    teeth_removed: tuple[int, ...] = ()

    @property
    def gain(self) -> Decimal:
        """What the total of the line went up by."""
        old = self.before.line_gross if self.before else Decimal(0)
        new = self.after.line_gross if self.after else Decimal(0)
        return new - old


@dataclass(frozen=True)
class ToothChange:
    """A tooth, and the treatments it is no longer given, and is given now."""

    tooth: int
    removed: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """All that changed from one version to another."""

    before: Offer
    after: Offer
    added: list[LineChange] = field(default_factory=list)
    removed: list[LineChange] = field(default_factory=list)
    changed: list[LineChange] = field(default_factory=list)
    teeth: list[ToothChange] = field(default_factory=list)
    unchanged: int = 0

    @property
    def gain(self) -> Decimal | None:
        """What the total went up by; None where the versions are in two currencies."""
        same = self.before.currency == self.after.currency
        return self.after.grand_total - self.before.grand_total if same else None

    @property
    def lines(self) -> list[LineChange]:
        """Every line that changed, those taken out last."""
        return [*self.changed, *self.added, *self.removed]


def difference(before: Offer, after: Offer, labels: Mapping[UUID, str] | None = None) -> Difference:
    """Compare two versions of an offer, both with their lines and teeth; ``labels`` are of the options of both."""
    found = Difference(before, after, teeth=_tooth_changes(before, after))
    unchanged = 0
    for old, new in _pairs(before.lines, after.lines):
        change = _line_change(old, new, labels or {})
        if old is None:
            found.added.append(change)
        elif new is None:
            found.removed.append(change)
        elif change.fields or change.teeth_added or change.teeth_removed:
            found.changed.append(change)
        else:
            unchanged += 1
    return Difference(before, after, found.added, found.removed, found.changed, found.teeth, unchanged)


def _line_change(old: Treatment | None, new: Treatment | None, labels: Mapping[UUID, str]) -> LineChange:
    if old is None or new is None:
        return LineChange(old, new)
    was, now = _numbers(old), _numbers(new)
    moved = option_of(old, labels) != option_of(new, labels)
    return LineChange(
        old,
        new,
        (*(name for name in _COMPARED if getattr(old, name) != getattr(new, name)), *(["option"] if moved else [])),
        tuple(tooth for tooth in now if tooth not in was),
        tuple(tooth for tooth in was if tooth not in now),
    )


def option_of(line: Treatment, labels: Mapping[UUID, str]) -> str:
    """Return the label of the option a line is part of; "" for all of them."""
    return labels.get(line.option_id, "") if line.option_id else ""


def _pairs(before: Sequence[Treatment], after: Sequence[Treatment]) -> list[tuple[Treatment | None, Treatment | None]]:
    """Find for each new line the old one it came from: the same treatment, and the most in common."""
    left = list(before)
    ranked = sorted(
        ((_likeness(old, new), old, new) for old in before for new in after), key=lambda found: -found[0]
    )  # fmt: skip
    partner: dict[int, Treatment] = {}
    for likeness, old, new in ranked:
        if likeness and id(new) not in partner and any(row is old for row in left):
            partner[id(new)] = old
            left = [row for row in left if row is not old]
    pairs = [(partner.get(id(new)), new) for new in after]
    return [*pairs, *((old, None) for old in left)]


def _likeness(old: Treatment, new: Treatment) -> int:
    """Return how alike two lines are; 0 for two different treatments."""
    same = old.catalog_id == new.catalog_id if old.catalog_id or new.catalog_id else old.name == new.name
    if not same:
        return 0
    shared = len(set(_numbers(old)) & set(_numbers(new)))
    equal: int = sum(getattr(old, name) == getattr(new, name) for name in _COMPARED)
    return 1 + 100 * shared + 10 * (old.arch == new.arch) + equal


def _tooth_changes(before: Offer, after: Offer) -> list[ToothChange]:
    was, now = _by_tooth(before), _by_tooth(after)
    changes = []
    for tooth in sorted({*was, *now}):
        removed = tuple(name for name in was[tooth] if name not in now[tooth])
        added = tuple(name for name in now[tooth] if name not in was[tooth])
        if removed or added:
            changes.append(ToothChange(tooth, removed, added))
    return changes


def _by_tooth(offer: Offer) -> defaultdict[int, list[str]]:
    names: defaultdict[int, list[str]] = defaultdict(list)
    for line in offer.lines:
        for tooth in _numbers(line):
            names[tooth].append(line.name)
    return names


def _numbers(line: Any) -> list[int]:
    return [tooth.tooth for tooth in line.teeth]
