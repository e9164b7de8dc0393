"""A package such as All-on-4 shows what it is made of: lines of their own, included at no price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from portal.catalog.enums import Scope
from portal.catalog.packages import Component, components_of
from portal.catalog.teeth import format_teeth
from portal.offers.editing import TOOTH_SCOPES, PriceBook, TypedLine
from portal.offers.models import Jaw
from portal.offers.totals import DiscountKind


def with_components(line: TypedLine, book: PriceBook) -> Iterator[TypedLine]:
    """Yield a line, and after it the parts of its package where it is one; what is no longer offered is left out."""
    yield line
    for part in components_of(line.catalog_id) if line.catalog_id else ():
        if part.catalog_id in book.treatments:
            yield from _included(part, line)


def _included(part: Component, package: TypedLine) -> Iterator[TypedLine]:
    scope = Scope(part.scope)
    teeth = _teeth(part, package.arch)
    if scope in TOOTH_SCOPES and not teeth:
        return
    line = TypedLine(
        part.catalog_id, None, teeth, None, None, None, DiscountKind.PERCENT, None, None, included=True,
        option=package.option,
    )  # fmt: skip
    if scope is Scope.ARCH:
        yield replace(line, teeth="", arch=package.arch or Jaw.BOTH)
    else:
        yield line if teeth else replace(line, quantity=part.quantity)


def _teeth(part: Component, arch: Jaw | None) -> str:
    upper = part.upper_teeth if arch is not Jaw.LOWER else ()
    lower = part.lower_teeth if arch is not Jaw.UPPER else ()
    return format_teeth((*upper, *lower)).replace("\N{EN DASH}", "-")
