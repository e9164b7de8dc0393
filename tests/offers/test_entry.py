"""Lines typed as text: what is understood, what is asked, and that no text is ever lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from flask import Flask
from flask_babel import force_locale
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from portal.core.clinics import ClinicInfo
from portal.core.text import clean_line
from portal.core.work import clinic_work
from portal.offers.editing import PriceBook, TypedLine
from portal.offers.entry import Entry, read_entries
from portal.offers.models import Jaw, Offer
from portal.offers.totals import DiscountKind
from tests.support.pages import field_errors, form_values, last_part
from tests.support.people import Person

Fields = Callable[..., dict[str, str]]
Read = Callable[..., list[Entry]]


@pytest.fixture
def book(portal: Flask, papatya: ClinicInfo) -> PriceBook:
    with clinic_work(portal, papatya.id):
        return PriceBook("TRY", date.today(), "tr", prices_include_vat=True)


@pytest.fixture
def read(portal: Flask, papatya: ClinicInfo, book: PriceBook) -> Read:
    def entries(text: str, **options: object) -> list[Entry]:
        with clinic_work(portal, papatya.id), force_locale("en"):
            return read_entries(text, book, **options)  # type: ignore[arg-type]

    return entries


def code(book: PriceBook, line: TypedLine) -> str:
    assert line.catalog_id
    return str(book.treatments[line.catalog_id].code)


@pytest.mark.parametrize(
    ("text", "treatment", "expected"),
    [
        ("zir 11-21", "zirkonyum-kron", {"teeth": "11-21"}),
        ("ZİRKONYUM 11 – 21", "zirkonyum-kron", {"teeth": "11-21"}),
        ("impl 36 46", "implant", {"teeth": "36 46"}),
        ("36,46 impl", "implant", {"teeth": "36,46"}),
        ("detertraj both", "detertraj", {"arch": Jaw.BOTH}),
        ("DETERTRAJ üst çene", "detertraj", {"arch": Jaw.UPPER}),
        ("kopru 13-16", "kopru", {"teeth": "13-16"}),
        ("KÖPRÜ 13-16", "kopru", {"teeth": "13-16"}),
        ("kompozit dolgu 36 MOD", "kompozit-dolgu", {"teeth": "36", "surfaces": "MOD"}),
        ("kompozit-dolgu 36dom", "kompozit-dolgu", {"teeth": "36", "surfaces": "MOD"}),
        ("all-on-4 üst", "all-on-4", {"arch": Jaw.UPPER}),
        ("all on 4 alt ust", "all-on-4", {"arch": Jaw.BOTH}),
        ("implant straumann 36", "implant", {"teeth": "36", "brand": "Straumann"}),
        ("implant nobel 36", "implant", {"brand": "Nobel Biocare"}),
        ("zir 11-21 x2 -10%", "zirkonyum-kron",
         {"quantity": 2, "discount_value": 10, "discount_kind": DiscountKind.PERCENT}),
        ("zir 11 %12,5", "zirkonyum-kron", {"discount_value": Decimal("12.5")}),
        ("zir 11 -500 TL", "zirkonyum-kron", {"discount_value": 500, "discount_kind": DiscountKind.AMOUNT}),
        ("zir 11 -€50", "zirkonyum-kron", {"discount_value": 50, "discount_kind": DiscountKind.AMOUNT}),
        ("zir 11 @9.500", "zirkonyum-kron", {"unit_price": 9500}),
        ("emax 12 3 adet", "emax-kron", {"quantity": 3}),
        ("sut dis cekim 55", "sut-cekim", {"teeth": "55"}),
    ],
)  # fmt: skip
def test_a_line_of_text_becomes_a_line_of_the_offer(
    read: Read, book: PriceBook, text: str, treatment: str, expected: Mapping[str, object]
) -> None:
    (entry,) = read(text)
    assert entry.message == "" and not entry.candidates
    line, *parts = entry.typed
    assert all(part.included for part in parts)
    assert code(book, line) == treatment
    assert {name: getattr(line, name) for name in expected} == expected


def test_teeth_with_surfaces_of_their_own_become_lines_of_their_own(read: Read) -> None:
    (entry,) = read("kompozit-dolgu 36 MOD 37 O 46 MOD")
    assert [(line.teeth, line.surfaces) for line in entry.typed] == [("36 46", "MOD"), ("37", "O")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zir", "Which teeth?"),
        ("zir 19", "19 is not an FDI tooth number"),
        ("zir 51", "permanent teeth"),
        ("tam-protez", "Choose the upper jaw"),
        ("36 46", "Which treatment?"),
        ("qwxz 36", "No treatment is called “qwxz”"),
        ("zir 11 mavi", "“mavi” is not understood"),
        ("zir 11 -1,2,3%", "is not a number"),
        ("zir 11 -101%", "too large"),
        ("zir 11 x0", "more than zero"),
        ("kanal ted 36", "may mean several"),
    ],
)
def test_what_is_unclear_is_asked_and_the_text_is_kept(read: Read, text: str, message: str) -> None:
    (entry,) = read(text)
    assert (entry.text, entry.typed) == (text, ())
    assert message in entry.message


def test_an_ambiguous_treatment_lists_those_that_it_may_be_and_a_choice_settles_it(read: Read, book: PriceBook) -> None:
    (entry,) = read("kanal ted 36")
    codes = [candidate.code for candidate in entry.candidates]
    assert {"kanal-1", "kanal-2", "kanal-3"} <= set(codes)
    (settled,) = read("kanal ted 36", chosen={0: "kanal-2"})
    assert code(book, settled.typed[0]) == "kanal-2"
    assert settled.typed[0].teeth == "36"


def test_a_misspelt_treatment_is_offered_and_never_taken_by_guess(read: Read) -> None:
    (entry,) = read("zirkonyom 11")
    assert entry.typed == ()
    assert "zirkonyum-kron" in [candidate.code for candidate in entry.candidates]


PIECES = st.sampled_from(
    [
        "zir",
        "impl",
        "kanal",
        "dolgu",
        "36",
        "11-21",
        "19",
        "-10%",
        "x2",
        "MOD",
        "üst",
        "@",
        "-",
        "%",
        "₺",
        "all-on-4",
        "\n",
    ]
)


@given(st.one_of(st.text(max_size=80), st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=8).map(" ".join)))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_whatever_is_lost_or_breaks_anything(read: Read, text: str) -> None:
    entries = read(text)
    assert [entry.text for entry in entries] == [line for line in map(clean_line, text.splitlines()) if line]
    for entry in entries:
        assert bool(entry.typed) != bool(entry.message)


@pytest.fixture
def enter(coordinator: Person, patient: UUID, fields: Fields) -> Callable[..., TestResponse]:
    def post(text: str, lines: list[dict[str, str]] | None = None, **extra: str) -> TestResponse:
        return coordinator.post("/offers/entry", {**fields(lines or [], patient_id=patient, entry=text), **extra})

    return post


def test_the_page_comes_back_with_the_lines_added_and_the_rest_kept(
    enter: Callable[..., TestResponse], catalogue: Mapping[str, str]
) -> None:
    page = enter("zir 11-21\nkanal ted 36\nimplant straumann 46", [{"name": "Diş ipi", "unit_price": "10"}, {}])
    assert page.status_code == 200
    values = form_values(page)
    assert values["entry"] == "kanal ted 36"
    assert values["lines-0-name"] == "Diş ipi"
    assert (values["lines-1-catalog_id"], values["lines-1-teeth"]) == (catalogue["zirkonyum-kron"], "11-21")
    assert (values["lines-2-catalog_id"], values["lines-2-brand"]) == (catalogue["implant"], "Straumann")
    assert "may mean several" in field_errors(page)["entry"]
    assert 'name="entry_pick" value="0 kanal-2"' in page.text
    again = form_values(enter("kanal ted 36", entry_pick="0 kanal-2"))
    assert (again["entry"], again["lines-0-catalog_id"]) == ("", catalogue["kanal-2"])


def test_text_left_in_the_box_is_saved_with_the_offer_or_refused_with_a_reason(
    send: Callable[..., TestResponse], stored: Callable[..., Offer], count: Callable[[], int]
) -> None:
    (line,) = stored(last_part(send(entry="zir 11-21"))).lines
    assert (line.code, int(line.quantity)) == ("zirkonyum-kron", 2)
    before = count()
    page = send([{"name": "Diş ipi", "unit_price": "10"}], entry="zirk")
    assert page.status_code == 422 and count() == before
    assert form_values(page)["entry"] == "zirk" and field_errors(page)["entry"]
    long = send(entry="z" * 4001)
    assert long.status_code == 422 and form_values(long)["entry"] == "z" * 4001


def test_surfaces_roles_brand_and_material_are_stored_and_come_back(
    send: Callable[..., TestResponse], stored: Callable[..., Offer], catalogue: Mapping[str, str], coordinator: Person
) -> None:
    lines = [
        {"catalog_id": catalogue["kompozit-dolgu"], "teeth": "36", "surfaces": "dom"},
        {"catalog_id": catalogue["kopru"], "teeth": "13-16", "pontics": "14"},
        {"catalog_id": catalogue["kopru"], "teeth": "23-25"},
        {"catalog_id": catalogue["implant"], "teeth": "46", "brand": "Osstem", "material": "Ti", "abutment": "Multi"},
    ]
    offer_id = last_part(send(lines))
    filling, bridge, other, implant = stored(offer_id).lines
    assert [tooth.surfaces for tooth in filling.teeth] == ["MOD"]
    assert {tooth.tooth: tooth.role for tooth in bridge.teeth} == {
        16: "pillar", 15: "pillar", 14: "pontic", 13: "pillar"
    }  # fmt: skip
    assert [tooth.role for tooth in other.teeth] == ["pillar", "pontic", "pillar"]
    assert (implant.brand, implant.material, implant.abutment) == ("Osstem", "Ti", "Multi")
    values = form_values(coordinator.get(f"/offers/{offer_id}/edit"))
    assert (values["lines-0-surfaces"], values["lines-1-pontics"], values["lines-2-pontics"]) == ("MOD", "14", "")
    assert values["lines-3-brand"] == "Osstem"


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        ({"code": "kompozit-dolgu", "teeth": "36", "surfaces": "MXD"}, "surfaces", "M, O, D, V and L"),
        ({"code": "zirkonyum-kron", "teeth": "36", "surfaces": "MOD"}, "surfaces", "no surfaces"),
        ({"code": "zirkonyum-kron", "teeth": "36", "pontics": "36"}, "pontics", "Only a bridge"),
        ({"code": "kopru", "teeth": "13-16", "pontics": "17"}, "pontics", "teeth of the bridge"),
        ({"code": "kopru", "teeth": "13-16", "pontics": "13-16"}, "pontics", "must carry it"),
    ],
)
def test_a_detail_that_cannot_be_is_told_beside_its_field(
    send: Callable[..., TestResponse], catalogue: Mapping[str, str], line: dict[str, str], field: str, message: str
) -> None:
    typed = {**line, "catalog_id": catalogue[line["code"]]}
    typed.pop("code")
    errors = field_errors(send([typed]))
    assert message in errors[f"lines-0-{field}"]
