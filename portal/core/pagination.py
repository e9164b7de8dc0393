"""Keyset pages: page 3,900 costs what page 1 costs, and nothing is skipped or shown twice."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa

from portal.core.database import current_session

Item = TypeVar("Item")
PAGE_SIZE = 25
EVERY_SIZE = 2000
MAX_CURSOR = 8000  # a sort key is cut at 300 letters of up to four bytes


@dataclass(frozen=True)
class Order:
    """The columns a list is ordered by, the last one unique, all in one direction."""

    columns: tuple[Any, ...]
    descending: bool = False


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A slice of a list, and the cursors of its neighbours (None where there is none)."""

    items: Sequence[Item]
    next_cursor: str | None = None
    previous_cursor: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether this page is the whole list, so that counting it takes no query."""
        return self.next_cursor is None and self.previous_cursor is None


def keyset_page(
    statement: sa.Select[*tuple[Any, ...]], order: Order, cursor: str | None, *, size: int = PAGE_SIZE
) -> Page[Any]:
    """Run ``statement`` for one page.

    The rows must carry the order's columns under their own names. A cursor that cannot be read
    (mistyped, or from another order), or has no row beyond it, shows the first page.
    """
    place = _decode(cursor, order)
    page = _slice(statement, order, place, size)
    return page if page.items or place is None else _slice(statement, order, None, size)


def every_row(statement: sa.Select[*tuple[Any, ...]], order: Order) -> Iterator[Any]:
    """Yield all rows of ``statement`` in order, EVERY_SIZE at a time."""
    page = _slice(statement, order, None, EVERY_SIZE)
    yield from page.items
    while page.next_cursor is not None:
        place = _decode(page.next_cursor, order)
        assert place is not None  # else this would begin anew, for ever
        page = _slice(statement, order, place, EVERY_SIZE)
        yield from page.items


def _slice(
    statement: sa.Select[*tuple[Any, ...]], order: Order, place: tuple[str, list[str]] | None, size: int
) -> Page[Any]:
    backwards = place is not None and place[0] == "b"
    descending = order.descending != backwards
    if place is not None:
        here, there = sa.tuple_(*order.columns), sa.tuple_(*_bind(order, place[1]))
        statement = statement.where(here < there if descending else here > there)
    statement = statement.order_by(*(column.desc() if descending else column.asc() for column in order.columns))
    # A literal limit: PostgreSQL plans a bound one anew at every call.
    statement = statement.limit(sa.literal_column(str(size + 1)))
    rows = list(current_session().execute(statement).all())
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    return _page(rows, order, more=more, backwards=backwards, first=place is None)


def _page(rows: list[Any], order: Order, *, more: bool, backwards: bool, first: bool) -> Page[Any]:
    if not rows:
        return Page(rows)
    onward = more or backwards
    back = more if backwards else not first
    return Page(
        rows,
        next_cursor=_encode("f", rows[-1], order) if onward else None,
        previous_cursor=_encode("b", rows[0], order) if back else None,
    )


def _encode(direction: str, row: Any, order: Order) -> str:
    values = [str(getattr(row, column.key)) for column in order.columns]
    raw = json.dumps([direction, *values], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(cursor: str | None, order: Order) -> tuple[str, list[str]] | None:
    if not cursor or len(cursor) > MAX_CURSOR:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        direction, *values = parts
        if direction not in ("f", "b") or not all(map(_is_storable, values)):
            return None
        _bind(order, values)
    except (ValueError, TypeError, RecursionError):
        return None
    return direction, values


def _is_storable(value: object) -> bool:
    """Tell whether PostgreSQL takes ``value`` as text: neither NUL nor half of a surrogate pair."""
    return isinstance(value, str) and not any(char == "\x00" or "\ud800" <= char <= "\udfff" for char in value)


def _bind(order: Order, values: Sequence[str]) -> list[Any]:
    return [
        sa.bindparam(None, UUID(value) if column.type.python_type is UUID else value, type_=column.type)
        for column, value in zip(order.columns, values, strict=True)
    ]
