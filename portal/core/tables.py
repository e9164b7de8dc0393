"""Tables that leave the portal as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import xlsxwriter
from flask import Response

from portal.core.i18n import language
from portal.core.text import fold

_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four are the full-width forms


@dataclass(frozen=True)
class Table:
    """Column headings and rows of plain text."""

    headings: Sequence[str]
    rows: Iterable[Sequence[str | None]]


def csv_download(name: str, table: Table) -> Response:
    """Return the table as a CSV file that spreadsheets open as it is.

    UTF-8 with a mark, semicolons where the language writes decimals with a comma.
    """
    text = csv_text(table, delimiter=";" if language() == "tr" else ",")
    plain_name = fold(name).encode("ascii", "ignore").decode()
    return Response(
        text,
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{plain_name}.csv"'},
    )


def csv_text(table: Table, *, delimiter: str = ",") -> str:
    """Return the table as the text of a CSV file; a cell that a spreadsheet would run as a formula is quoted.

    See OWASP, CSV injection.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(table.headings)
    writer.writerows([_safe(cell) for cell in row] for row in table.rows)
    return "\ufeff" + text.getvalue()


def xlsx_download(name: str, table: Table) -> Response:
    """Return the table as a workbook, written row by row; every cell is text, so that none can be a formula."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"constant_memory": True})
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    for column, heading in enumerate(table.headings):
        sheet.set_column(column, column, 18)
        sheet.write_string(0, column, heading, bold)
    for place, row in enumerate(table.rows, start=1):
        for column, cell in enumerate(row):
            sheet.write_string(place, column, cell or "")
    book.close()
    plain_name = fold(name).encode("ascii", "ignore").decode()
    return Response(
        content.getvalue(),
        mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": f'attachment; filename="{plain_name}.xlsx"'},
    )


def _safe(cell: str | None) -> str:
    return "'" + cell if cell and cell.startswith(_FORMULA) else cell or ""
