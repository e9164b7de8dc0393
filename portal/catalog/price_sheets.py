"""How a price list is written as a table, and how a table's prices are shown before they are taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.catalog.details import VARIANTS
from portal.catalog.models import PriceList
from portal.catalog.presenting import names_of
from portal.catalog.price_files import CODE, NAME, UNIT, Sheet, headings, read_sheet
from portal.catalog.price_taking import Key, stored_prices, version_of
from portal.catalog.queries import list_treatments
from portal.core.conflicts import NOTHING
from portal.core.forms import plain_number
from portal.core.tables import Table
from portal.core.templating import money

MAX_SHOWN = 50  # of the problems


@dataclass(frozen=True)
class PriceLine:
    """A price as it is and as the table wants it."""

    code: str
    name: str
    kind: str
    before: str
    after: str
    changed: bool


@dataclass(frozen=True)
class Preview:
    """What taking a table would do; ``version`` is that of the prices it was compared with."""

    sheet: Sheet
    version: str
    lines: Sequence[PriceLine]

    @property
    def changes(self) -> int:
        """How many prices would change."""
        return sum(line.changed for line in self.lines)

    def wanted(self) -> dict[Key, Decimal]:
        """Return every price the table gives."""
        return {
            (row.treatment.id, _variant(column)): price
            for row in self.sheet.rows
            for column, price in row.prices.items()
        }


def preview_of(price_list: PriceList, text: str) -> Preview:
    """Read a table and compare it with a price list."""
    sheet = read_sheet(text, price_list.currency, list_treatments())
    stored = stored_prices(price_list.id)
    lines = [] if sheet.problems else list(_compared(sheet, price_list.currency, stored))
    return Preview(sheet, version_of(stored), lines)


def export_table(price_list: PriceList) -> Table:
    """Return a price list as a table: every treatment, also those without a price, for them to be filled in."""
    stored, treatments = stored_prices(price_list.id), list_treatments()
    used = {variant for row in treatments for variant in VARIANTS.get(row.pricing, ())}
    titles = {key: title for key, title in headings(price_list.currency).items() if key in {CODE, NAME, UNIT, *used}}
    columns = [key for key in titles if key not in {CODE, NAME}]
    rows = [[row.code, names_of(row).main, *(_cell(row, column, stored) for column in columns)] for row in treatments]
    return Table(list(titles.values()), rows)


def _cell(row: Any, column: str, stored: Mapping[Key, Decimal]) -> str:
    """Write a price as it is typed; one that the treatment's pricing no longer asks for is left out."""
    fits = column == UNIT or column in VARIANTS.get(row.pricing, ())
    price = stored.get((row.id, _variant(column))) if fits else None
    return "" if price is None else plain_number(price)


def _compared(sheet: Sheet, currency: str, stored: Mapping[Key, Decimal]) -> Iterator[PriceLine]:
    titles = headings(currency)
    for row in sheet.rows:
        for column, price in row.prices.items():
            before = stored.get((row.treatment.id, _variant(column)))
            yield PriceLine(
                row.treatment.code, names_of(row.treatment).main, titles[column],
                NOTHING if before is None else money(before, currency), money(price, currency), before != price,
            )  # fmt: skip


def _variant(column: str) -> str | None:
    return None if column == UNIT else column
