"""What coordinators type finds the treatment they mean, whatever keyboard they have."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.catalog.queries import match_treatments


@dataclass(frozen=True)
class Row:
    code: str
    name_tr: str
    name_en: str
    aliases: list[str] = field(default_factory=list, hash=False)
    name_ru: str | None = None


ROWS = [
    Row("implant-ustu-kron", "İmplant Üstü Kron", "Implant crown"),
    Row("implant", "Dental İmplant", "Dental implant", ["impl"]),
    Row("zirkonyum-kron", "Zirkonyum Kron", "Zirconia crown", ["zir", "zirkon"], "Циркониевая коронка"),
    Row("kanal-1", "Kanal Tedavisi (tek kanal)", "Root canal", ["kanal"]),
    Row("kanal-2", "Kanal Tedavisi (iki kanal)", "Root canal (2 canals)"),
    Row("detertraj", "Diş Taşı Temizliği", "Scaling & polishing", ["dis tasi"]),
    Row("all-on-4", "All-on-4", "All-on-4"),
]


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("implant", ["implant", "implant-ustu-kron"]),  # the exact code before a longer one listed first
        ("IMPLANT", ["implant", "implant-ustu-kron"]),
        ("İMPLANT", ["implant", "implant-ustu-kron"]),
        ("ımplant", ["implant", "implant-ustu-kron"]),
        ("impl", ["implant", "implant-ustu-kron"]),  # the alias before the beginning of a code
        ("zir", ["zirkonyum-kron"]),
        ("ZİR", ["zirkonyum-kron"]),
        ("kanal", ["kanal-1", "kanal-2"]),
        ("kanal 2", ["kanal-2"]),
        ("kanal2", ["kanal-2"]),
        ("DIŞ TAŞI", ["detertraj"]),
        ("dıs tası", ["detertraj"]),
        ("all on 4", ["all-on-4"]),
        ("crown zirc", ["zirkonyum-kron"]),
        ("цирк", ["zirkonyum-kron"]),
        ("kron", ["implant-ustu-kron", "zirkonyum-kron"]),
        ("ron", []),
        ("", []),
        (" - ", []),
        ("zir kanal", []),
    ],
)
def test_what_is_typed_finds_what_is_meant(typed: str, codes: list[str]) -> None:
    assert [row.code for row in match_treatments(ROWS, typed)] == codes


@given(st.text(max_size=40))
def test_any_text_is_answered_with_rows_of_the_list(text: str) -> None:
    found = match_treatments(ROWS, text)
    assert len(found) == len({row.code for row in found})
    assert all(row in ROWS for row in found)
