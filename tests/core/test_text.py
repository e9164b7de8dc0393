"""Search and sorting know Turkish letters, and stored texts hold nothing invisible."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.pagination import MAX_CURSOR
from portal.core.text import MAX_KEY, clean_line, clean_text, fold, sort_key, words

TURKISH_ALPHABET = [*"abcçdefgğhıijklmnoöpqrsştuüvwxyz"]
UPPER = {"i": "İ", "ı": "I"}


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("İSTANBUL ISPARTA ılgın iğne", "istanbul isparta ilgin igne"),
        ("ŞÜKRÜ ÇAĞLA Ömer", "sukru cagla omer"),
        ("Kâmil Nâlân", "kamil nalan"),
        ("Straße GROẞ Łódź Ørsted Æther Đorđe", "strasse gross lodz orsted aether dorde"),
        ("Zoë Ñandú Dvořák Əliyev", "zoe nandu dvorak eliyev"),
        ("Фёдор Йод Їжак", "федор йод їжак"),
        ("i\u0307 I\u0307 c\u0327", "i i c"),  # marks typed apart, as some systems send them
        ("ﬁne \uff21\uff22", "fine ab"),
        ("Σίσυφος", "σισυφοσ"),
        ("", ""),
    ],
)
def test_folding_makes_spellings_of_one_name_equal(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_every_case_of_a_turkish_name_is_found() -> None:
    assert {fold(name) for name in ("Işıl", "IŞIL", "ışıl", "İşil", "isil", "I\u015eIL")} == {"isil"}


@settings(deadline=None)
@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_folding_any_single_character_is_stable() -> None:
    unstable = [hex(code) for code in range(0x30000) if fold(fold(chr(code))) != fold(chr(code))]
    assert unstable == []


def test_words_are_folded_split_at_punctuation_and_listed_once() -> None:
    assert words("O'Brien-Smith, Ayşe AYŞE (Kadıköy) ayse@x.com no_12") == [
        *("o", "brien", "smith", "ayse", "kadikoy", "x", "com", "no", "12")
    ]
    assert words(" -- ") == []


def test_sort_keys_follow_the_turkish_alphabet() -> None:
    backwards = TURKISH_ALPHABET[::-1]
    assert sorted(backwards, key=sort_key) == TURKISH_ALPHABET
    assert [sort_key(UPPER.get(letter, letter.upper())) for letter in TURKISH_ALPHABET] == [
        sort_key(letter) for letter in TURKISH_ALPHABET
    ]


@pytest.mark.parametrize(
    "ordered",
    [
        ["Can", "Cüneyt", "Çağla", "Çınar", "Deniz"],
        ["Ilgaz", "Işıl", "Iyi", "İbrahim", "İnci", "Jale"],
        ["Gül", "Gülşen", "Güzel", "Ğ", "Hale"],
        ["Oya", "Ozan", "Öykü", "Özge", "Pınar"],
        ["Ali Veli", "Ali Zorlu", "Alican", "Alpay"],
        ["7 Mehmet", "70 Mehmet", "Ayşe"],
        ["Ärzte", "Zülal", "Ольга", "Ярослав"],
        ["cz", "cй", "ça"],
        ["Елена", "Ёлкин", "Жанна", "Иван", "Йод", "Яна"],
    ],
)
def test_names_sort_as_in_a_turkish_telephone_book(ordered: list[str]) -> None:
    backwards = ordered[::-1]
    assert sorted(backwards, key=sort_key) == ordered
    assert len({sort_key(name) for name in ordered}) == len(ordered)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kâmil", "KAMİL"),
        ("André", "andre"),
        ("O'Brien", "O\u2019Brien"),
        ("Al-Masri", "al masri"),
        ("  Ayşe \n Gül", "AYŞE GÜL"),
        ("c\u0327ag\u0306la", "çağla"),
        ("ILGIN", "ılgın"),
    ],
)
def test_case_foreign_marks_and_punctuation_do_not_change_the_order(one: str, other: str) -> None:
    assert sort_key(one) == sort_key(other)


def turkish_order(word: str) -> list[int]:
    return [TURKISH_ALPHABET.index(letter) for letter in word]


@settings(deadline=None)
@given(st.text(alphabet="".join(TURKISH_ALPHABET)), st.text(alphabet="".join(TURKISH_ALPHABET)))
def test_code_point_order_of_keys_is_alphabet_order_of_words(one: str, other: str) -> None:
    assert (sort_key(one) < sort_key(other)) == (turkish_order(one) < turkish_order(other))


def test_a_sort_key_stays_short_enough_for_a_link_to_the_next_page() -> None:
    longest = sort_key("\ufdfa" * 200)  # one letter that stands for eighteen
    assert len(longest) == MAX_KEY
    assert len(base64.urlsafe_b64encode(longest.encode())) < MAX_CURSOR / 2


@settings(deadline=None)
@given(st.text())
def test_sort_keys_can_be_stored(text: str) -> None:
    key = sort_key(text)
    assert "\x00" not in key
    assert key == key.strip()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  Ayşe \t Gül\n", "Ayşe Gül"),
        ("a\x00b\x07c\x7f", "abc"),
        ("A\u0308nne", "Änne"),
        ("x\u00a0\u2003y", "x y"),
        ("in\u200bvis\ufeffible \u202egnp\u202c", "invisible gnp"),
        ("\ud800x", "x"),
        ("👩\u200d⚕\ufe0f", "👩\u200d⚕\ufe0f"),
        (" \x00 ", ""),
    ],
)
def test_a_cleaned_line_has_no_control_characters_and_single_spaces(text: str, clean: str) -> None:
    assert clean_line(text) == clean


def test_a_cleaned_text_keeps_its_paragraphs() -> None:
    assert clean_text("\r\n one\x00  two \r\n\r\n\r\n\r\nthree\rfour\u2028five \n") == "one two\n\nthree\nfour\nfive"


@settings(deadline=None)
@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean_line(clean_line(text)) == clean_line(text)
    assert clean_text(clean_text(text)) == clean_text(text)
    assert "\n\n\n" not in clean_text(text)
    clean_text(text).encode()
