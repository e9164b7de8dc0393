from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from portal.offers.models import Offer
from portal.offers.queries import list_options
from tests.support.pages import field_errors, form_values, last_part, text_of
from tests.support.people import Person

Send = Callable[..., TestResponse]
Stored = Callable[..., Offer]
Catalogue = Mapping[str, str]
Fields = Callable[..., dict[str, str]]
Step = Callable[..., TestResponse]

CROWN = {"name": "Crown", "unit_price": "100", "vat_rate": "0"}
IMPLANT = {"name": "Implant", "unit_price": "900", "vat_rate": "0"}
EXAM = {"name": "Examination", "unit_price": "10", "vat_rate": "0"}
CHOICE = {"options-0-title": "Crowns", "options-1-title": "Implants"}
LINES = [EXAM, {**CROWN, "option": "A"}, {**IMPLANT, "option": "B"}]


@pytest.fixture
def options(portal: Flask, papatya: ClinicInfo) -> Callable[[str], list[tuple[str, str | None, bool]]]:
    def read(offer_id: str) -> list[tuple[str, str | None, bool]]:
        with clinic_work(portal, papatya.id):
            return [(row.label, row.title, row.is_recommended) for row in list_options(UUID(offer_id))]

    return read


@pytest.fixture
def step(coordinator: Person, patient: UUID, fields: Fields) -> Step:
    """Press a button of the editor: ``step("option-add", lines, **values)``."""

    def press(name: str, lines: Any = (), **values: Any) -> TestResponse:
        page = coordinator.post("/offers/preview", {**fields(lines, patient_id=patient, **values), "step": name})
        assert page.status_code == 200
        return page

    return press


def parts(offer: Offer) -> list[str]:
    return [line.name for line in offer.lines if line.option_id is None]


def test_an_offer_counts_for_its_recommended_option_with_what_is_part_of_all(
    send: Send, stored: Stored, coordinator: Person, options: Callable[[str], Any]
) -> None:
    offer_id = last_part(send(LINES, **CHOICE, recommended="B"))
    assert options(offer_id) == [("A", "Crowns", False), ("B", "Implants", True)]
    offer = stored(offer_id)
    assert offer.grand_total == 910 and parts(offer) == ["Examination"]
    page = text_of(coordinator.get(f"/offers/{offer_id}").text)
    assert "Option A: Crowns" in page and "TRY110.00" in page and "Option B: Implants Recommended" in page


def test_without_a_recommendation_the_first_option_counts(send: Send, stored: Stored) -> None:
    assert stored(last_part(send(LINES, **CHOICE))).grand_total == 110


def test_a_draft_with_options_opens_as_it_was_saved_and_saving_it_changes_nothing(
    send: Send, stored: Stored, coordinator: Person
) -> None:
    offer_id = last_part(send(LINES, **CHOICE, recommended="B"))
    form = form_values(coordinator.get(f"/offers/{offer_id}/edit"))
    assert (form["options-1-title"], form["recommended"], form["lines-2-option"]) == ("Implants", "B", "B")
    last_part(coordinator.post(f"/offers/{offer_id}/edit", form))
    assert stored(offer_id).version == 1
    last_part(coordinator.post(f"/offers/{offer_id}/edit", {**form, "options-0-title": "Other"}))
    assert stored(offer_id).version == 2
    log = coordinator.get(f"/offers/{offer_id}").text
    assert "changed the offer" in log


def test_the_totals_of_every_option_are_told_while_typing(
    coordinator: Person, patient: UUID, fields: Fields, count: Callable[[], int]
) -> None:
    before = count()
    typed = fields([*LINES, CROWN], patient_id=patient, discount_value="10", **CHOICE)
    shown = text_of(json.loads(coordinator.post("/offers/totals", typed).data)["totals"])
    assert "Option A: Crowns" in shown and "Total TRY189.00" in shown
    assert "Option B: Implants" in shown and "Total TRY909.00" in shown
    assert count() == before


def test_the_first_step_makes_two_options_and_there_are_four_at_most(step: Step) -> None:
    form = form_values(step("option-add", [CROWN]))
    assert (form["options-0-title"], form["options-1-title"], form["lines-0-option"]) == ("", "", "")
    four = {f"options-{place}-title": "" for place in range(4)}
    page = step("option-add", [CROWN], **four)
    assert "options-4-title" not in form_values(page) and 'value="option-add"' not in page.text
    assert step("nonsense B", [CROWN]).status_code == 200


def test_an_option_taken_out_goes_with_its_own_lines_and_the_others_move_up(step: Step) -> None:
    three = {**CHOICE, "options-2-title": "Veneers", "recommended": "C"}
    form = form_values(step("option-drop B", [*LINES, {**CROWN, "name": "Veneer", "option": "C"}], **three))
    assert [form[f"lines-{place}-name"] for place in range(3)] == ["Examination", "Crown", "Veneer"]
    assert [form[f"lines-{place}-option"] for place in range(3)] == ["", "A", "B"]
    assert (form["options-1-title"], form["recommended"]) == ("Veneers", "B")


def test_the_last_option_left_is_no_option(step: Step, send: Send) -> None:
    form = form_values(step("option-drop B", LINES, **CHOICE))
    assert "options-0-title" not in form and "lines-1-option" not in form
    assert form["lines-1-name"] == "Crown"


def test_a_line_of_an_option_that_is_gone_is_asked_about(send: Send) -> None:
    page = send([{**CROWN, "option": "C"}], **CHOICE)
    assert page.status_code == 422
    assert "not there any more" in field_errors(page)["lines-0-option"]


def test_an_amount_off_an_offer_with_options_is_refused_for_it_fits_only_one(send: Send) -> None:
    page = send(LINES, **CHOICE, discount_value="50", discount_kind="amount")
    assert "percent" in field_errors(page)["discount_value"]


def test_typed_lines_become_part_of_the_chosen_option(coordinator: Person, patient: UUID, fields: Fields) -> None:
    typed = fields([], patient_id=patient, entry="zir 11-21", entry_option="B", **CHOICE)
    assert form_values(coordinator.post("/offers/entry", typed))["lines-0-option"] == "B"


def test_copies_and_revisions_keep_the_options_and_the_difference_shows_them(
    send: Send, stored: Stored, coordinator: Person, patient: UUID, options: Callable[[str], Any]
) -> None:
    offer_id = last_part(send(LINES, **CHOICE, recommended="A"))
    copied = form_values(coordinator.get(f"/offers/new?patient={patient}&source={offer_id}"))
    copy_id = last_part(coordinator.post(f"/offers/new?patient={patient}", copied))
    assert options(copy_id) == options(offer_id)
    moves = coordinator.get(f"/offers/{offer_id}").text
    sent = moves.split('name="status_id" value="')[1].split('"')[0]
    last_part(coordinator.post(f"/offers/{offer_id}/status", {"status_id": sent}))
    revision = coordinator.post(f"/offers/{offer_id}/revise").headers["Location"]
    form = form_values(coordinator.get(revision))
    assert (form["lines-1-option"], form["options-0-title"]) == ("A", "Crowns")
    revision_id = last_part(coordinator.post(revision, {**form, "options-1-title": "Bridges", "lines-1-option": ""}))
    page = text_of(coordinator.get(f"/offers/{revision_id}/changes").text)
    assert "Option B Implants · TRY910.00 Bridges · TRY1,010.00" in page
    assert "Part of Option A All options" in page


def test_options_set_by_two_editors_stand_side_by_side(
    send: Send, coordinator: Person, sign_in: Callable[..., Person]
) -> None:
    offer_id = last_part(send(LINES, **CHOICE))
    doctor = sign_in("doctor")
    form = form_values(doctor.get(f"/offers/{offer_id}/edit"))
    terms = {"residency": "non_resident", "basis": "opg", "discount_value": "5", "discount_kind": "percent"}
    last_part(coordinator.post(f"/offers/{offer_id}/edit", {**form, "recommended": "B", **terms}))
    page = doctor.post(f"/offers/{offer_id}/edit", {**form, "options-0-title": "Mine"})
    assert page.status_code == 409
    shown = text_of(page.text.partition('class="conflict-table"')[2].partition("</table>")[0])
    assert "Options A: Crowns · B: Implants (Recommended) A: Mine · B: Implants" in shown
    assert "The patient lives abroad in Türkiye" in shown and "The plan rests on a panoramic X-ray —" in shown
    assert "Discount on the whole offer 5% —" in shown
