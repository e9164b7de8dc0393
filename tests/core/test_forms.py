from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from wtforms import FormField, StringField

from portal.core.forms import (
    DayField,
    DecimalField,
    LineField,
    PortalForm,
    RowsField,
    TextField,
    UuidField,
    VersionField,
    plain_number,
)

_ID = "0193c000-0000-7000-8000-000000000000"


class _Row(PortalForm):
    class Meta:
        csrf = False

    word = StringField()


class _Form(PortalForm):
    class Meta:
        csrf = False

    line = LineField(limit=5)
    needed = LineField(limit=5, required=True)
    text = TextField(limit=20)
    key = UuidField()
    version = VersionField(default=7)
    amount = DecimalField(low=Decimal(1), high=Decimal("99.5"))
    day = DayField()
    rows = RowsField(FormField(_Row), max_entries=3)


@pytest.fixture
def sent(app: Flask) -> Iterator[Callable[..., _Form]]:
    """Make the form as sent with these fields, in English unless told otherwise."""

    def make(language: str = "en", **fields: str) -> _Form:
        headers = {"Cookie": f"language={language}"}
        data = {"needed": "x", **{name.replace("__", "-"): value for name, value in fields.items()}}
        context = app.test_request_context("/", method="POST", data=data, headers=headers)
        context.push()
        contexts.append(context)
        form = _Form()
        form.validate()
        return form

    contexts: list[Any] = []
    yield make
    for context in reversed(contexts):
        context.pop()


@pytest.mark.parametrize(
    ("typed", "kept"), [("  a \t b ", "a b"), ("a\x00b", "ab"), ("\u202ea", "a"), ("I\u0307", "İ"), ("\r\n", "")]
)
def test_one_line_is_kept_clean(sent: Callable[..., _Form], typed: str, kept: str) -> None:
    form = sent(line=typed)
    assert (form.line.data, form.line.errors) == (kept, [])


def test_several_lines_keep_their_line_ends(sent: Callable[..., _Form]) -> None:
    assert sent(text=" a \r\nb\x00\r\n\r\n\r\n\r\nc").text.data == "a\nb\n\nc"


@pytest.mark.parametrize("typed", ["", " ", "\u00a0", "\x00", "\u200b", "\n"])
def test_what_is_needed_must_be_more_than_white_space(sent: Callable[..., _Form], typed: str) -> None:
    assert sent(needed=typed).needed.errors == ["Fill this in."]


def test_the_limit_is_said_with_its_number_and_counts_what_is_kept(sent: Callable[..., _Form]) -> None:
    assert sent(line="123456").line.errors == ["Use at most 5 characters."]
    assert sent(line="  12345  ").line.errors == []


@pytest.mark.parametrize(("typed", "number"), [(_ID, UUID(_ID)), ("", None), ("x", None), ("\x00", None)])
def test_an_id_is_an_id_or_nothing(sent: Callable[..., _Form], typed: str, number: UUID | None) -> None:
    assert sent(key=typed).key.data == number


@pytest.mark.parametrize(
    ("typed", "number"),
    [("3", 3), ("", 0), ("-1", 0), ("²", 0), ("٣", 0), ("9" * 9, 999999999), ("9" * 10, 0), ("1\n", 0)],
)
def test_a_version_is_a_small_whole_number_or_one_that_is_never_current(
    sent: Callable[..., _Form], typed: str, number: int
) -> None:
    assert sent(version=typed).version.data == number


@pytest.mark.parametrize(
    ("typed", "number", "error"),
    [
        ("12,5", Decimal("12.5"), []), ("12.50", Decimal("12.50"), []), ("", None, []), ("  ", None, []),
        ("0.5", None, ["It cannot be less than 1."]), ("-3", None, ["It cannot be less than 1."]),
        ("99,51", None, ["It cannot be more than 99.5."]), ("9" * 30, None, ["It cannot be more than 99.5."]),
        ("1e400", None, ["Write a number such as 1.234,56 or 1234.56."]),
        ("inf", None, ["Write a number such as 1.234,56 or 1234.56."]),
    ],
)  # fmt: skip
def test_an_amount_is_read_within_its_bounds_and_stays_as_typed(
    sent: Callable[..., _Form], typed: str, number: Decimal | None, error: list[str]
) -> None:
    form = sent(amount=typed)
    assert (form.amount.data, form.amount.errors) == (number, error)
    assert f'value="{typed}"' in form.amount()


def test_bounds_and_numbers_are_written_as_the_reader_writes_them(sent: Callable[..., _Form]) -> None:
    assert "99,5" in sent("tr", amount="100").amount.errors[0]
    assert [plain_number(Decimal(text)) for text in ("1234.50", "10", "0.00", "1E+2")] == ["1234,5", "10", "0", "100"]


@pytest.mark.parametrize("typed", ["2001-02-28", "28.02.2001", "28/02/2001", " 28.2.2001 "])
def test_a_day_is_read_as_browsers_and_people_write_it(sent: Callable[..., _Form], typed: str) -> None:
    assert sent(day=typed).day.data == date(2001, 2, 28)


@pytest.mark.parametrize("typed", ["29.02.2001", "31.04.2001", "2001-13-01", "02/28/2001", "28.02.01", "0", "²"])
def test_a_day_that_does_not_exist_is_an_error_and_stays_as_typed(sent: Callable[..., _Form], typed: str) -> None:
    form = sent(day=typed)
    assert form.day.data is None
    assert form.day.errors == ["This day does not exist. Write it as 31.12.1990."]
    assert f'value="{typed}"' in form.day()


def test_rows_keep_their_order_and_no_number_is_too_strange(sent: Callable[..., _Form]) -> None:
    strange = {"rows-²-word": "a", f"rows-{'9' * 5000}-word": "b", "rows--1-word": "c", "rows": "d", "rows-x-word": "e"}
    form = sent(**{"rows-7-word": "second", "rows-2-word": "first", **strange})
    assert [row.form.word.data for row in form.rows] == ["first", "second"]


def test_no_more_rows_are_read_than_the_form_holds(sent: Callable[..., _Form]) -> None:
    form = sent(**{f"rows-{place}-word": str(place) for place in range(10)})
    assert [row.form.word.data for row in form.rows] == ["0", "1", "2"]
