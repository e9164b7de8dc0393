"""A price list as CSV: out, in again, and nothing half-taken where a line is wrong."""

# ruff: noqa: PLR0917 - a test asks for its fixtures by name, as many as it needs

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from portal.catalog.models import CatalogTreatment, PriceList
from portal.catalog.price_files import NotTextError, decode, plain, read_sheet
from portal.catalog.price_taking import stored_prices
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from tests.support.pages import field_errors, form_values, main_form, summary, text_of, told
from tests.support.people import Person

SignIn = Callable[..., Person]
Prices = Callable[[], dict[tuple[str, str | None], Decimal]]
Texts = Mapping[str, str]


@pytest.fixture
def owner(sign_in: SignIn) -> Person:
    return sign_in("owner")


@pytest.fixture
def euro(portal: Flask, papatya: ClinicInfo) -> UUID:
    with clinic_work(portal, papatya.id) as session:
        return session.scalars(sa.select(PriceList.id).where(PriceList.currency == "EUR")).one()


@pytest.fixture
def path(euro: UUID) -> str:
    return f"/catalog/price-lists/{euro}/import"


@pytest.fixture
def prices(portal: Flask, papatya: ClinicInfo, euro: UUID) -> Prices:
    def read() -> dict[tuple[str, str | None], Decimal]:
        with clinic_work(portal, papatya.id) as session:
            codes = {row.id: row.code for row in session.scalars(sa.select(CatalogTreatment))}
            return {(codes[key], variant): price for (key, variant), price in stored_prices(euro).items()}

    return read


def pasted(person: Person, path: str, text: str) -> TestResponse:
    return person.post(path, {**form_values(person.get(path)), "text": text})


def sent(person: Person, path: str, content: bytes) -> TestResponse:
    return person.post(path, {"file": (io.BytesIO(content), "prices.csv")})


def take(person: Person, path: str, page: TestResponse) -> TestResponse:
    """Press the button of a preview; the file field is empty again, as a browser leaves it."""
    assert "Take these prices" in page.text or "Bu fiyatları al" in page.text, text_of(page.text)
    return person.post(path, {**_kept(page), "save": "y"})


def _kept(page: TestResponse) -> Texts:
    return {name: value for name, value in form_values(page).items() if name != "file"}


@pytest.mark.parametrize("language", ["tr", "en"])
def test_an_export_taken_in_again_changes_nothing(owner: Person, path: str, prices: Prices, language: str) -> None:
    before = prices()
    owner.post("/preferences/language", {"language": language})
    exported = owner.post(path.replace("import", "export"))
    assert exported.status_code == 200 and exported.mimetype == "text/csv"
    assert exported.data.decode("utf-8-sig").count(";" if language == "tr" else ",") > len(before)
    page = sent(owner, path, exported.data)
    assert page.status_code == 200 and 'name="save"' not in page.text
    assert main_form(page.text) and page.text.count('class="row-main"') == len(before)
    assert prices() == before


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1254", "utf-16"])
def test_a_turkish_spreadsheet_is_shown_and_then_taken(
    owner: Person, path: str, prices: Prices, portal: Flask, papatya: ClinicInfo, encoding: str
) -> None:
    before = prices()
    table = "Kod;Tedavi;Birim fiyat (EUR);Şube\r\nkanal-2;İki kanallı;1.234,50;Çankaya\r\nzirkonyum-kron;;;\r\n"
    page = sent(owner, path, table.encode(encoding))
    shown = told(page)
    assert "€1,234.50" in shown and "1 price will change." in shown and "Columns that are not taken: Şube." in shown
    assert prices() == before, "only shown"
    assert take(owner, path, page).status_code == 302
    assert prices() == {**before, ("kanal-2", None): Decimal("1234.50")}
    with clinic_work(portal, papatya.id) as session:
        logged = session.execute(sa.select(ActivityLog.action, ActivityLog.changes).order_by(ActivityLog.id)).all()
    actions = {row.action: row.changes for row in logged}
    assert actions["price_list.imported"] == {"prices": [None, 1]}
    assert [pair[1] for pair in actions["treatment.changed"].values()] == ["1234.50"]


def test_every_problem_is_told_with_its_line_and_column_and_nothing_is_taken(
    owner: Person, path: str, prices: Prices
) -> None:
    before = prices()
    table = (
        "Code;Price;Pontic, EUR\nkanal-2;150;\nkanal-9;10;\nkanal-3;abc;\nkanal-2;160;\nkanal-1;-5;\n"
        ";7;\nkanal-1;1,999;8\nkanal-3;₺ 5;;9\nzirkonyum-kron;1,2345;"
    )
    page = pasted(owner, path, table)
    said = summary(page)
    assert page.status_code == 422
    for problem in (
        "Line 3, Code: No treatment has the code “kanal-9”.",
        "Line 4, Price: Write a number such as 1.234,56 or 1234.56.",
        "Line 5, Code: “kanal-2” is on line 2 already.",
        "Line 6, Price: A price cannot be less than 0.",
        "Line 7, Code: The code is missing.",
        "Line 9: There are more cells than headings.",
        "Line 10, Price: A price has at most two decimals.",
    ):
        assert problem in said, (problem, said)
    assert 'name="save"' not in page.text
    assert owner.post(path, {**_kept(page), "save": "y"}).status_code == 422, "also where somebody insists"
    assert prices() == before


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("kanal-2;150", "Line 1, Code: The first line must name this column."),
        ("Code;Unit price in TRY\nkanal-2;150", "Line 1, Unit price in EUR: The first line must name this column."),
        ("Code;Price;Price\nkanal-2;1;2", "Line 1, Price: This heading is there more than once."),
        ("Code;Price\nkanal-2;150 TL", "Line 2, Price: This price list is in EUR."),
        ("Code,Price\nkanal-2,1,50", "Line 2: There are more cells than headings."),
        ("Code;Price;Pontic, EUR\nkanal-2;1;2", "Line 2, Pontic, EUR: This treatment has no such price."),
        ("Code;Price\nkanal-2;=1+1", "Line 2, Price: Write a number"),
        ("Code;Price\nkanal-2;99999999999", "Line 2, Price: This price is too large."),
        ("Code;Price", "There is no line with a treatment."),
        ("Code;Price" + "\nx;1" * 2001, "Line 2002: Send at most 2000 lines at a time."),
        ('Code;Price\n"' + "x" * 140_000, "This is not a table that can be read."),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(owner: Person, path: str, table: str, problem: str) -> None:
    page = pasted(owner, path, table)
    assert page.status_code == 422 and problem in summary(page)


def test_of_many_problems_the_first_fifty_are_shown(owner: Person, path: str) -> None:
    page = pasted(owner, path, "Code;Price" + "\nx;1" * 70)
    assert page.text.count("No treatment has the code") == 50
    assert "There are 70 problems in all" in text_of(page.text)


def test_a_pasted_nul_is_dropped(owner: Person, path: str, prices: Prices) -> None:
    page = pasted(owner, path, "Code\tPri\0ce\r\nkanal-2\t151\0\r\n")
    assert take(owner, path, page).status_code == 302
    assert prices()["kanal-2", None] == 151


@pytest.mark.parametrize("content", [b"PK\x03\x04\x14\0\x06\0", b"\x89PNG\r\n\x1a\n\0", b"%PDF-1.7\n\x81\x8d", b"a\0"])
def test_a_renamed_file_is_refused_clearly(owner: Person, path: str, content: bytes) -> None:
    page = sent(owner, path, content)
    assert page.status_code == 422
    assert set(field_errors(page)) == {"file"}
    assert "This is not a CSV file. In your spreadsheet, save the table as CSV." in summary(page)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n"])
def test_an_empty_file_and_nothing_at_all_are_told(owner: Person, path: str, content: bytes) -> None:
    assert "This file is empty." in summary(sent(owner, path, content))
    assert "Choose a file, or paste the table." in summary(pasted(owner, path, " "))


def test_prices_changed_meanwhile_are_shown_anew(owner: Person, path: str, prices: Prices) -> None:
    first = pasted(owner, path, "Code;Price\nkanal-2;171")
    other = pasted(owner, path, "Code;Price\nkanal-2;172")
    assert take(owner, path, other).status_code == 302
    late = take(owner, path, first)
    assert late.status_code == 409 and "Somebody else changed these prices meanwhile" in late.text
    assert "€172.00" in late.text and prices()["kanal-2", None] == 172
    assert take(owner, path, late).status_code == 302, "seen, and wanted still"
    assert prices()["kanal-2", None] == 171


def test_a_table_changed_after_its_preview_is_shown_first(owner: Person, path: str, prices: Prices) -> None:
    page = pasted(owner, path, "Code;Price\nkanal-2;181")
    changed = owner.post(path, {**_kept(page), "text": "Code;Price\nkanal-2;18100", "save": "y"})
    assert "€18,100.00" in told(changed)
    assert prices()["kanal-2", None] not in {181, 18100}


def test_further_prices_are_taken_too(owner: Person, path: str, prices: Prices) -> None:
    code = next(code for code, variant in prices() if variant == "surfaces_2")
    page = pasted(owner, path, f'Code,Name,"Two surfaces, EUR"\n{code},,"77,50"')
    before = prices()
    assert take(owner, path, page).status_code == 302
    assert prices() == {**before, (code, "surfaces_2"): Decimal("77.50")}


def test_nobody_else_gets_there(sign_in: SignIn, path: str) -> None:
    for role, host, status in (("readonly", "papatya", 403), ("owner", "lale", 404)):
        person = sign_in(role, host)
        table = {"text": "Code;Price\nkanal-2;1", "save": "y"}
        answers = [person.get(path), person.post(path, table), person.post(path.replace("import", "export"))]
        assert [answer.status_code for answer in answers] == [status] * 3


@given(st.binary(max_size=60))
def test_no_file_breaks_the_reading(content: bytes) -> None:
    try:
        text = plain(decode(content))
    except NotTextError:
        return
    assert not re.search(r"[\0\r]", text)


def test_no_table_breaks_the_reading(portal: Flask) -> None:
    @given(st.text("Code;Price,\t\n\"'-=@0123456789.", max_size=60))
    def read(text: str) -> None:
        sheet = read_sheet(plain(text), "EUR", [])
        assert sheet.problems and not sheet.rows

    with portal.test_request_context():
        read()
