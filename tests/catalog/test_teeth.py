"""Teeth are read exactly: a record never holds a tooth nobody meant."""

import pytest
from babel.support import Translations
from flask import Flask
from flask_babel import Babel, force_locale
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.catalog.teeth import (
    ALL_TEETH,
    PERMANENT_LOWER,
    PERMANENT_UPPER,
    PRIMARY_LOWER,
    PRIMARY_UPPER,
    Arch,
    TeethError,
    TeethProblem,
    arch,
    as_drawn,
    format_teeth,
    is_primary,
    parse_teeth,
    quadrant,
    tooth_name,
)


def test_the_fdi_numbers_are_the_52_teeth_and_no_others() -> None:
    by_rule = {
        number
        for number in range(-100, 200)
        if (number // 10 in range(1, 5) and number % 10 in range(1, 9))
        or (number // 10 in range(5, 9) and number % 10 in range(1, 6))
    }
    assert set(ALL_TEETH) == by_rule
    assert len(ALL_TEETH) == 52


def test_rows_are_in_the_order_a_chart_shows_them() -> None:
    assert PERMANENT_UPPER == (18, 17, 16, 15, 14, 13, 12, 11, 21, 22, 23, 24, 25, 26, 27, 28)
    assert PERMANENT_LOWER == (48, 47, 46, 45, 44, 43, 42, 41, 31, 32, 33, 34, 35, 36, 37, 38)
    assert PRIMARY_UPPER == (55, 54, 53, 52, 51, 61, 62, 63, 64, 65)
    assert PRIMARY_LOWER == (85, 84, 83, 82, 81, 71, 72, 73, 74, 75)


@pytest.mark.parametrize(
    ("text", "teeth"),
    [
        ("", ()),
        (" , ", ()),
        ("36", (36,)),
        ("11-13, 21 36", (13, 12, 11, 21, 36)),
        ("13-11", (13, 12, 11)),
        ("13-23", (13, 12, 11, 21, 22, 23)),
        ("23-13", (13, 12, 11, 21, 22, 23)),
        ("43 - 33", (43, 42, 41, 31, 32, 33)),
        ("11\u201313;21+22", (13, 12, 11, 21, 22)),
        ("53-63 16", (16, 53, 52, 51, 61, 62, 63)),
        ("18-28,48-38", PERMANENT_UPPER + PERMANENT_LOWER),
        ("11\n12", (12, 11)),
    ],
)
def test_teeth_are_read_as_doctors_write_them(text: str, teeth: tuple[int, ...]) -> None:
    assert parse_teeth(text) == teeth


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("19", "unknown_tooth", "19"),
        ("11, 86", "unknown_tooth", "86"),
        ("0", "unknown_tooth", "0"),
        ("011", "unknown_tooth", "011"),
        ("9" * 5000, "unknown_tooth", "9" * 20),
        ("11-19", "unknown_tooth", "19"),
        ("11-85", "bad_range", "11-85"),
        ("11-41", "bad_range", "11-41"),
        ("51-71", "bad_range", "51-71"),
        ("11-11", "bad_range", "11-11"),
        ("11, 12, 11", "duplicate", "11"),
        ("11-13, 12", "duplicate", "12"),
        ("11-13 13-15", "duplicate", "13"),
        ("11-", "syntax", "11-"),
        ("-11", "syntax", "-11"),
        ("11-12-13", "syntax", "11-12-13"),
        ("1.1", "syntax", "1.1"),
        ("11/12", "syntax", "11/12"),
        ("UR6", "syntax", "UR6"),
        ("\u0661\u0661", "syntax", "\u0661\u0661"),
        ("18-28 48-38 55", "too_many", "55"),
    ],
)
def test_a_wrong_list_is_refused_and_the_wrong_piece_named(text: str, code: str, value: str) -> None:
    with pytest.raises(TeethError) as caught:
        parse_teeth(text)
    assert (caught.value.code, caught.value.value) == (code, value)


@pytest.mark.parametrize(
    ("teeth", "text"),
    [
        ((), ""),
        ((13, 12, 11, 21), "11\u201313, 21"),
        ((12, 11), "11, 12"),
        ((36, 11, 13), "13, 11, 36"),
        ((11, 11), "11"),
        (PERMANENT_UPPER, "11\u201318, 21\u201328"),
        ((55, 54, 53, 85), "53\u201355, 85"),
    ],
)
def test_teeth_are_written_compactly_quadrant_by_quadrant(teeth: tuple[int, ...], text: str) -> None:
    assert format_teeth(teeth) == text


@settings(deadline=None)
@given(st.sets(st.sampled_from(ALL_TEETH), max_size=32))
def test_written_teeth_are_read_back_the_same(teeth: set[int]) -> None:
    assert set(parse_teeth(format_teeth(teeth))) == teeth
    assert parse_teeth(format_teeth(teeth)) == as_drawn(teeth)


@settings(deadline=None)
@given(st.text(alphabet="0123456789-, ;+\u2013ab", max_size=40))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    try:
        teeth = parse_teeth(text)
    except TeethError as error:
        assert error.code in set(TeethProblem)  # noqa: PT017 - either way is right, a crash is not
    else:
        assert set(teeth) <= set(ALL_TEETH)
        assert len(set(teeth)) == len(teeth)


def test_each_tooth_has_its_quadrant_arch_and_dentition() -> None:
    assert [quadrant(tooth) for tooth in (11, 28, 36, 41, 55, 61, 75, 81)] == [1, 2, 3, 4, 1, 2, 3, 4]
    assert {arch(tooth) for tooth in PERMANENT_UPPER + PRIMARY_UPPER} == {Arch.UPPER}
    assert {arch(tooth) for tooth in PERMANENT_LOWER + PRIMARY_LOWER} == {Arch.LOWER}
    assert {tooth for tooth in ALL_TEETH if is_primary(tooth)} == set(PRIMARY_UPPER + PRIMARY_LOWER)


@pytest.mark.parametrize("ask", [quadrant, arch, is_primary, tooth_name, lambda tooth: format_teeth([tooth])])
def test_a_number_that_is_no_tooth_has_no_properties(ask: object) -> None:
    with pytest.raises(TeethError, match="unknown_tooth"):
        ask(19)  # type: ignore[operator]


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    Babel(app)
    return app


@pytest.mark.parametrize(
    ("tooth", "words"),
    [
        (16, "upper right first molar"),
        (21, "upper left central incisor"),
        (38, "lower left third molar (wisdom tooth)"),
        (43, "lower right canine"),
        (55, "upper right primary second molar"),
        (84, "lower right primary first molar"),
    ],
)
def test_patients_read_a_tooth_in_words(app: Flask, tooth: int, words: str) -> None:
    with app.test_request_context(), force_locale("en"):
        assert str(tooth_name(tooth)) == words


def test_every_tooth_has_words_of_its_own(app: Flask) -> None:
    with app.test_request_context(), force_locale("en"):
        names = {str(tooth_name(tooth)) for tooth in ALL_TEETH}
    assert len(names) == len(ALL_TEETH)


def test_a_tooth_is_named_in_the_language_of_the_moment(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    name = tooth_name(16)
    turkish = {"upper right first molar": "sağ üst birinci büyük azı dişi"}
    monkeypatch.setattr("flask_babel.Domain.get_translations", lambda _self: _Table(turkish))
    with app.test_request_context(), force_locale("tr"):
        assert str(name) == "sağ üst birinci büyük azı dişi"


class _Table(Translations):
    def __init__(self, table: dict[str, str]) -> None:
        super().__init__()
        self.table = table

    def ugettext(self, message: str) -> str:
        return self.table[message]
