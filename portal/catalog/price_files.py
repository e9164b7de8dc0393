"""Price lists as tables: what a spreadsheet's CSV says, read and checked line by line before anything is written."""

from __future__ import annotations

import codecs
import csv
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _

from portal.catalog.detail_forms import VARIANT_LABELS
from portal.catalog.details import VARIANTS
from portal.core.i18n import LANGUAGES
from portal.core.money import Currency, MoneyError, MoneyProblem, parse_decimal, quantize_money
from portal.core.text import clean_line, fold

MAX_ROWS, MAX_TEXT = 2000, 400_000
CODE, NAME, UNIT = "code", "name", "unit"  # columns; the others are named as the variants
_SIGNS = {
    "₺": Currency.TRY, "TL": Currency.TRY, "TRY": Currency.TRY, "€": Currency.EUR, "EUR": Currency.EUR,
    "$": Currency.USD, "USD": Currency.USD, "£": Currency.GBP, "GBP": Currency.GBP,
}  # fmt: skip
_KEPT = frozenset("\t\n\r\f\x1a")  # the last ends files of old programs


class NotTextError(Exception):
    """A file is no table of text: a workbook, a picture, anything renamed."""


@dataclass(frozen=True)
class Problem:
    """What keeps a table from being taken, and where: its line, and the heading of its column."""

    line: int
    column: str
    text: str


@dataclass(frozen=True)
class SheetRow:
    """The prices a line gives a treatment, by column; an empty cell gives none."""

    treatment: Any
    prices: Mapping[str, Decimal]


@dataclass
class Sheet:
    """What a table says: its rows, what is wrong with it, and the headings that mean nothing here."""

    rows: list[SheetRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def refuse(self, line: int, column: str, text: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(line, column, text))


def headings(currency: str) -> dict[str, str]:
    """Return column -> heading in the reader's language, in the order of the export."""
    variants = {str(key): str(label) % {"currency": currency} for key, label in VARIANT_LABELS.items()}
    unit = _("Unit price in %(currency)s", currency=currency)
    return {CODE: _("Code"), NAME: _("Treatment"), UNIT: unit, **variants}


def decode(content: bytes) -> str:
    """Return the text of a file in UTF-8, UTF-16 with its mark, or Windows-1254. Raises NotTextError."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1254"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if all(char in _KEPT or unicodedata.category(char) != "Cc" for char in text):
            return text
        break
    raise NotTextError


def plain(text: str) -> str:
    """Return a pasted or decoded text with ordinary line ends and without characters that nobody sees."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in lines if char in "\t\n" or unicodedata.category(char) not in {"Cc", "Cs", "Cf"})


def read_sheet(text: str, currency: str, treatments: Sequence[Any]) -> Sheet:
    """Read a table of prices in one currency; ``treatments`` are those it can name, by their codes."""
    sheet = Sheet()
    try:
        lines = list(_lines(text))
    except csv.Error:
        sheet.refuse(1, "", _("This is not a table that can be read. Save it as CSV and try again."))
        return sheet
    if len(lines) > MAX_ROWS + 1:
        sheet.refuse(MAX_ROWS + 2, "", _("Send at most %(count)d lines at a time.", count=MAX_ROWS))
    elif lines:
        columns = _columns(sheet, *lines[0], currency)
        if not sheet.problems:
            _read_rows(sheet, lines, columns, Reader(currency, {row.code: row for row in treatments}))
    if not sheet.problems and not sheet.rows:
        sheet.refuse(1, "", _("There is no line with a treatment."))
    return sheet


@dataclass(frozen=True)
class Reader:
    """Reads the cells of one list's table."""

    currency: str
    treatments: Mapping[str, Any]

    def price(self, cell: str) -> Decimal:
        """Return the price in a cell. Raises ValueError that says what is wrong."""
        upper = cell.upper()
        if any(sign in upper for sign, currency in _SIGNS.items() if currency != self.currency):
            raise ValueError(_("This price list is in %(currency)s.", currency=self.currency))
        try:
            price = parse_decimal(cell)
            rounded = quantize_money(price)
        except MoneyError as error:
            raise ValueError(_refusal(error.reason)) from error
        if rounded != price:
            raise ValueError(_("A price has at most two decimals."))
        return rounded

    def has(self, treatment: Any, column: str) -> bool:
        """Tell whether a treatment has the price of a column."""
        return column == UNIT or column in VARIANTS.get(treatment.pricing, ())


def _refusal(reason: MoneyProblem) -> str:
    if reason is MoneyProblem.NEGATIVE:
        return _("A price cannot be less than 0.")
    if reason is MoneyProblem.TOO_LARGE:
        return _("This price is too large.")
    return _("Write a number such as 1.234,56 or 1234.56.")


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of every line that holds something. Raises csv.Error."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    reader = csv.reader(text.split("\n"), delimiter=max(";\t,", key=first.count))
    start = 1
    for cells in reader:
        cleaned = [clean_line(cell) for cell in cells]
        if any(cleaned):
            yield start, cleaned
        start = reader.line_num + 1


def _columns(sheet: Sheet, line: int, cells: Sequence[str], currency: str) -> list[tuple[str | None, str]]:
    """Return (column, heading) of the first line; headings count in any of the portal's languages."""
    names: dict[str, str] = {}
    for language in LANGUAGES:
        with force_locale(language):
            names |= {fold(heading): column for column, heading in headings(currency).items()}
            names[fold(_("Price"))] = UNIT
    found = [(names.get(fold(cell)), cell) for cell in cells]
    while found and not found[-1][1]:
        found.pop()
    taken = [column for column, _heading in found if column]
    wanted = headings(currency)
    for column, heading in found:
        if column and taken.count(column) > 1:
            sheet.refuse(line, heading, _("This heading is there more than once."))
    if CODE not in taken:
        sheet.refuse(line, wanted[CODE], _("The first line must name this column."))
    if not set(taken) - {CODE, NAME}:
        sheet.refuse(line, wanted[UNIT], _("The first line must name this column."))
    sheet.ignored = [heading for column, heading in found if column is None and heading]
    return found


def _read_rows(
    sheet: Sheet, lines: Sequence[tuple[int, list[str]]], columns: Sequence[tuple[str | None, str]], reader: Reader
) -> None:
    """Read the lines under the headings."""
    at = next(place for place, (column, _heading) in enumerate(columns) if column == CODE)
    first_lines: dict[str, int] = {}
    for line, cells in lines[1:]:
        code = cells[at] if at < len(cells) else ""
        treatment = reader.treatments.get(code)
        if any(cells[len(columns) :]):
            text = _("There are more cells than headings. A price with a comma needs quotes, or semicolons around it.")
            sheet.refuse(line, "", text)
        elif not code:
            sheet.refuse(line, columns[at][1], _("The code is missing."))
        elif treatment is None:
            sheet.refuse(line, columns[at][1], _("No treatment has the code “%(code)s”.", code=code[:60]))
        elif code in first_lines:
            text = _("“%(code)s” is on line %(line)d already.", code=code, line=first_lines[code])
            sheet.refuse(line, columns[at][1], text)
        else:
            first_lines[code] = line
            prices = dict(_read_prices(sheet, line, zip(columns, cells, strict=False), treatment, reader))
            sheet.rows.append(SheetRow(treatment, prices))


def _read_prices(
    sheet: Sheet, line: int, cells: Iterator[tuple[tuple[str | None, str], str]], treatment: Any, reader: Reader
) -> Iterator[tuple[str, Decimal]]:
    """Yield (column, price) of a line's cells that hold one."""
    for (column, heading), cell in cells:
        if column in {None, CODE, NAME} or not cell:
            continue
        if not reader.has(treatment, str(column)):
            sheet.refuse(line, heading, _("This treatment has no such price."))
            continue
        try:
            yield str(column), reader.price(cell)
        except ValueError as error:
            sheet.refuse(line, heading, str(error))
