from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from portal.offers.editing import PriceBook, TypedLine
from portal.offers.models import Jaw, Offer
from portal.offers.queries import list_visits
from portal.offers.totals import DiscountKind
from portal.offers.visits import Proposal, propose_visits, stored_visits
from tests.support.pages import field_errors, form_values, last_part, placeholder, text_of
from tests.support.people import Person

Send = Callable[..., TestResponse]
Stored = Callable[..., Offer]
Catalogue = Mapping[str, str]
Fields = Callable[..., dict[str, str]]
Propose = Callable[..., Proposal | None]

TWO = {"visits-0-days": "4", "visits-1-days": "5", "visits-1-gap_days": "90", "visits-1-note": "Crowns"}


@pytest.fixture
def propose(portal: Flask, papatya: ClinicInfo, catalogue: Catalogue) -> Propose:
    """Propose visits for lines of (code, teeth, option)."""

    def make(*lines: tuple[str, str, str]) -> Proposal | None:
        with clinic_work(portal, papatya.id), portal.test_request_context():
            book = PriceBook("TRY", date.today(), "tr", prices_include_vat=True)
            return propose_visits([
                book.price_line(TypedLine(
                    UUID(catalogue[code]), None, teeth, None if teeth else Jaw.UPPER, None, None,
                    DiscountKind.PERCENT, None, None, option=option,
                ))
                for code, teeth, option in lines
            ])  # fmt: skip

    return make


@pytest.mark.parametrize(
    ("lines", "visits", "numbers"),
    [
        ([("detertraj", "", "")], [(1, 0)], (1,)),
        ([("zirkonyum-kron", "11-13", "")], [(4, 0)], (1,)),
        ([("implant", "36", "")], [(1, 0), (1, 90)], (1,)),
        ([("implant-ustu-kron", "36", ""), ("implant", "36", "")], [(1, 0), (4, 90)], (2, 1)),
        ([("implant", "36", ""), ("zirkonyum-kron", "11", "")], [(4, 0), (1, 90)], (1, 1)),
        (
            [("kemik-grefti", "36", ""), ("implant", "36", ""), ("implant-ustu-kron", "36", "")],
            [(1, 0), (1, 120), (4, 90)],
            (1, 2, 3),
        ),
        ([("implant", "36", "A"), ("zirkonyum-kron", "36", "B")], [(4, 0), (1, 90)], (1, 1)),
    ],
)
def test_visits_follow_from_what_the_catalogue_knows(
    propose: Propose, lines: list[tuple[str, str, str]], visits: list[tuple[int, int]], numbers: tuple[int, ...]
) -> None:
    found = propose(*lines)
    assert found is not None
    assert [(visit.days, visit.gap_days) for visit in found.visits] == visits
    assert found.numbers == numbers


def test_nothing_is_proposed_where_the_catalogue_says_nothing(propose: Propose) -> None:
    assert propose(("transfer", "", "")) is None


def test_one_button_plans_what_is_proposed_and_each_line_learns_its_visit(
    coordinator: Person, patient: UUID, fields: Fields, catalogue: Catalogue
) -> None:
    lines = [
        {"catalog_id": catalogue["implant-ustu-kron"], "teeth": "36"},
        {"catalog_id": catalogue["implant"], "teeth": "36"},
    ]
    typed = fields(lines, patient_id=patient)
    told = text_of(json.loads(coordinator.post("/offers/totals", typed).data)["proposal"])
    assert "visit 1 of 1 day; visit 2 of 4 days, after 90 days of healing" in told
    page = coordinator.post("/offers/preview", {**typed, "step": "visits-take"})
    form = form_values(page)
    assert (form["visits-0-days"], form["visits-1-days"], form["visits-1-gap_days"]) == ("1", "4", "90")
    assert (form["lines-0-visit_no"], form["lines-1-visit_no"]) == ("2", "1")
    assert placeholder(page, "lines-1-healing_days") == "90" and "Plan it like that" not in page.text


def test_visits_are_kept_shown_and_saving_them_again_changes_nothing(
    *, send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue, portal: Flask, papatya: ClinicInfo
) -> None:
    line = {"catalog_id": catalogue["implant"], "teeth": "36", "visit_no": "1"}
    offer_id = last_part(send([line], **TWO))
    (implant,) = stored(offer_id).lines
    assert (implant.visit_no, implant.healing_days) == (1, 90)
    page = text_of(coordinator.get(f"/offers/{offer_id}").text)
    assert "visit 1 of 4 days" in page and "visit 2 of 5 days, after 90 days of healing, Crowns" in page
    form = form_values(coordinator.get(f"/offers/{offer_id}/edit"))
    assert (form["visits-1-gap_days"], form["lines-0-healing_days"]) == ("90", "")
    last_part(coordinator.post(f"/offers/{offer_id}/edit", form))
    assert stored(offer_id).version == 1
    without = {name: value for name, value in form.items() if not name.startswith("visits-1-")}
    last_part(coordinator.post(f"/offers/{offer_id}/edit", {**without, "lines-0-healing_days": "120"}))
    with clinic_work(portal, papatya.id):
        assert [visit.days for visit in stored_visits(list_visits(UUID(offer_id)))] == [4]
    assert stored(offer_id).lines[0].healing_days == 120


def test_a_visit_taken_out_moves_the_later_ones_up(coordinator: Person, patient: UUID, fields: Fields) -> None:
    lines = [{"name": name, "unit_price": "1", "visit_no": number} for name, number in (("a", 1), ("b", 2), ("c", 3))]
    typed = fields(lines, patient_id=patient, **TWO, **{"visits-2-days": "7"})
    form = form_values(coordinator.post("/offers/preview", {**typed, "step": "visit-drop 2"}))
    assert (form["visits-1-days"], "visits-2-days" in form) == ("7", False)
    assert [form[f"lines-{place}-visit_no"] for place in range(3)] == ["1", "", "2"]
    added = form_values(coordinator.post("/offers/preview", {**typed, "step": "visit-add"}))
    assert added["visits-3-days"] == "1"
    assert coordinator.post("/offers/preview", {**typed, "step": "visit-drop ²"}).status_code == 200


@pytest.mark.parametrize(
    ("values", "line", "field"),
    [
        ({"visits-0-days": "0"}, {}, "visits-0-days"),
        ({"visits-0-days": "1", "visits-1-gap_days": "-1"}, {}, "visits-1-gap_days"),
        ({"visits-0-starts_on": "31.02.2030"}, {}, "visits-0-starts_on"),
        ({"visits-0-days": "1"}, {"visit_no": "2"}, "lines-0-visit_no"),
        ({}, {"healing_days": "soon"}, "lines-0-healing_days"),
    ],
)
def test_what_cannot_be_a_visit_is_told_beside_its_field(
    send: Send, values: dict[str, str], line: dict[str, str], field: str
) -> None:
    page = send([{"name": "Crown", "unit_price": "1", **line}], **values)
    assert page.status_code == 422 and list(field_errors(page)) == [field]


def test_other_visits_in_a_revision_and_of_another_editor_are_shown(
    send: Send, coordinator: Person, sign_in: Callable[..., Person]
) -> None:
    offer_id = last_part(send([{"name": "Crown", "unit_price": "1"}], **TWO))
    doctor = sign_in("doctor")
    form = form_values(doctor.get(f"/offers/{offer_id}/edit"))
    last_part(coordinator.post(f"/offers/{offer_id}/edit", {**form, "visits-1-days": "6"}))
    page = doctor.post(f"/offers/{offer_id}/edit", {**form, "visits-0-days": "2"})
    shown = text_of(page.text.partition('class="conflict-table"')[2].partition("</table>")[0])
    assert page.status_code == 409 and "Visits visit 1 of 4 days · visit 2 of 6 days" in shown
    sent = coordinator.get(f"/offers/{offer_id}").text.split('name="status_id" value="')[1].split('"')[0]
    last_part(coordinator.post(f"/offers/{offer_id}/status", {"status_id": sent}))
    revision = coordinator.post(f"/offers/{offer_id}/revise").headers["Location"]
    changed = {**form_values(coordinator.get(revision)), "visits-0-days": "3"}
    revision_id = last_part(coordinator.post(revision, changed))
    assert "visit 1 of 3 days" in text_of(coordinator.get(f"/offers/{revision_id}/changes").text)
