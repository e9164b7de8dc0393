from __future__ import annotations

import csv
import io

import pytest
from flask import Flask

from portal.core.tables import Table, csv_download


def download(app: Flask, table: Table, *, language: str = "en", name: str = "patients") -> tuple[str, str]:
    with app.test_request_context("/", headers={"Cookie": f"language={language}"}):
        answer = csv_download(name, table)
        assert answer.data.startswith(b"\xef\xbb\xbf"), "without the mark, spreadsheets take it for another encoding"
        return answer.data.decode("utf-8-sig"), answer.headers["Content-Disposition"]


@pytest.mark.parametrize(("language", "separator"), [("tr", ";"), ("en", ",")])
def test_the_separator_is_the_one_the_readers_spreadsheet_expects(app: Flask, language: str, separator: str) -> None:
    text, _ = download(app, Table(["Ad", "Şehir"], [["Işıl", "Köln"]]), language=language)
    assert text == f"Ad{separator}Şehir\r\nIşıl{separator}Köln\r\n"


@pytest.mark.parametrize("cell", ['a;b,c"d', "two\nlines", "", "'quoted'", "boş luk"])
def test_every_text_comes_back_as_it_was(app: Flask, cell: str) -> None:
    text, _ = download(app, Table(["x", "y"], [[cell, "z"]]), language="tr")
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))[1] == [cell, "z"]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+90 532", "-5", "@x", "\t=1", "\r=1", "\n=1", "\uff1d1", '=HYPERLINK("http://x")']
)
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(app: Flask, cell: str) -> None:
    text, _ = download(app, Table(["x", "y"], [[cell, "z"]]))
    assert list(csv.reader(io.StringIO(text, newline="")))[1] == [f"'{cell}", "z"]


def test_what_is_not_known_is_an_empty_cell(app: Flask) -> None:
    text, _ = download(app, Table(["x", "y"], [[None, "z"]]))
    assert text == "x,y\r\n,z\r\n"


def test_the_name_of_the_file_is_plain_ascii(app: Flask) -> None:
    _, disposition = download(app, Table(["x"], []), name="işlemler")
    assert disposition == 'attachment; filename="islemler.csv"'
