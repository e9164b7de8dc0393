"""The list page of the catalogue: its filters from the address, its headings with their rows, and its links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from portal.catalog.presenting import Names, names_of, price_title, pricing_text, scope_text, vat_text
from portal.catalog.queries import PriceListInfo, list_price_lists, list_prices, list_treatments, vat_rates
from portal.core.links import ListLinks, Option, chosen
from portal.core.search import clean_query
from portal.core.templating import money
from portal.core.text import words

PATH = "/catalog/"


class CatalogState(StrEnum):
    """Which treatments the list shows."""

    ACTIVE = "active"
    INACTIVE = "inactive"


STATES = {None: _l("All"), CatalogState.ACTIVE: _l("Offered"), CatalogState.INACTIVE: _l("Switched off")}


@dataclass(frozen=True)
class CatalogFilter:
    """What the list is limited to; ``category`` is a heading's key."""

    query: str = ""
    category: str | None = None
    state: CatalogState | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """The query parameters that ask for this filter."""
        given = {"q": self.query, "category": self.category, "state": self.state}
        return {name: str(value) for name, value in given.items() if value}


@dataclass(frozen=True)
class Line:
    """A treatment as the list writes it; ``prices`` has one text a price list, "" where there is no price."""

    id: UUID
    code: str
    is_active: bool
    names: Names
    scope: str
    pricing: str
    vat: str
    prices: Sequence[str]


@dataclass(frozen=True)
class Heading:
    """A category and those of its treatments that the list shows."""

    names: Names
    lines: Sequence[Line]


def filter_from_args(args: Mapping[str, str]) -> CatalogFilter:
    """Read the filter from an address or a form; what makes no sense counts as not given."""
    return CatalogFilter(
        query=clean_query(args.get("q", "")),
        category=clean_query(args.get("category", "")) or None,
        state=chosen(CatalogState, args.get("state")),
    )


class CatalogView:
    """What the list's template and its export show: the catalogue as it stands on one day."""

    def __init__(self, wanted: CatalogFilter, on: date) -> None:
        self.wanted = wanted
        self._treatments = list_treatments()
        self.lists: list[PriceListInfo] = list_price_lists(on)
        self.prices: dict[tuple[UUID, UUID], Decimal] = list_prices(on)
        self.rates: dict[str, Decimal] = vat_rates(on)
        self.rows = [row for row in self._treatments if _matches(row, wanted)]
        self.links = ListLinks(PATH, wanted.parameters)

    @property
    def is_empty(self) -> bool:
        """Whether the clinic has no treatment at all, whatever the filter."""
        return not self._treatments

    @property
    def total(self) -> str:
        """How many treatments are shown, in words."""
        return str(ngettext("%(num)s treatment", "%(num)s treatments", len(self.rows)))

    def headings(self) -> list[Heading]:
        """Return the categories that have something to show, in the catalogue's order."""
        return [
            Heading(names_of(first, "category"), [self._line(row) for row in (first, *rest)])
            for _key, (first, *rest) in groupby(self.rows, key=lambda row: row.category_key)
        ]

    def price_titles(self) -> list[str]:
        """Return the heading of each price column."""
        return [price_title(price_list) for price_list in self.lists]

    def states(self) -> list[Option]:
        """Return the links that pick the offered ones or the others."""
        return self.links.options("state", STATES)

    def categories(self) -> list[Option]:
        """Return the links that pick a category."""
        names = {row.category_key: names_of(row, "category").main for row in self._treatments}
        return self.links.options("category", {None: _l("All"), **names})

    def _line(self, row: Any) -> Line:
        found = ((price_list.currency, self.prices.get((row.id, price_list.id))) for price_list in self.lists)
        return Line(
            row.id, row.code, row.is_active, names_of(row),
            scope=scope_text(row), pricing=pricing_text(row), vat=vat_text(row, self.rates),
            prices=["" if price is None else money(price, currency) for currency, price in found],
        )  # fmt: skip


def _matches(row: Any, wanted: CatalogFilter) -> bool:
    """Tell whether a treatment is in its filter: each word searched for begins a word of its names or its code."""
    if wanted.category is not None and row.category_key != wanted.category:
        return False
    if wanted.state is not None and row.is_active != (wanted.state is CatalogState.ACTIVE):
        return False
    own = words(f"{row.name_tr} {row.name_en} {row.code}")
    return all(any(word.startswith(part) for word in own) for part in words(wanted.query))
