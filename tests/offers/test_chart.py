"""The tooth chart: every tooth where it is drawn, what is done on it, and ticks that go with the entry box."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import unescape

from flask import Flask
from flask_babel import force_locale
from werkzeug.test import TestResponse

from portal.offers.chart import Mark, tooth_chart
from portal.offers.models import Offer
from tests.support.pages import form_values, last_part
from tests.support.people import Person


def test_teeth_stand_as_drawn_facing_the_patient_with_the_numbers_of_their_lines(app: Flask) -> None:
    with app.test_request_context(), force_locale("en"):
        chart = tooth_chart([Mark("Crown", (11, 21)), Mark("Cleaning", ()), Mark("Filling", (11, 85))], ticked=[36])
    numbers = [[tooth.number for tooth in row] for row in (*chart.permanent, *chart.primary)]
    assert numbers[0] == [18, 17, 16, 15, 14, 13, 12, 11, 21, 22, 23, 24, 25, 26, 27, 28]
    assert (numbers[1][0], numbers[1][-1]) == (48, 38)
    assert (numbers[2][0], numbers[3][-1]) == (55, 75)
    assert chart.tones() == {"11": ("1,3", "blue"), "21": ("1", "blue"), "85": ("3", "green")}
    assert [(row.number, row.label) for row in chart.legend] == [(1, "Crown"), (3, "Filling")]
    assert chart.uses_primary
    assert {tooth.number for row in chart.permanent for tooth in row if tooth.ticked} == {36}
    assert chart.permanent[0][7].name == "upper right central incisor"


def test_every_tooth_of_the_editors_chart_is_a_checkbox_that_says_which(coordinator: Person, patient: object) -> None:
    page = unescape(coordinator.get(f"/offers/new?patient={patient}").text)
    boxes = re.findall(r'name="chart" value="(\d\d)" aria-label="\1, ([^"]+)"', page)
    assert len(boxes) == len(set(boxes)) == 52
    assert ("85", "lower right primary second molar") in boxes


def test_ticked_teeth_are_used_by_a_text_that_names_none_and_stay_ticked_until_then(
    coordinator: Person, patient: object, fields: Callable[..., dict[str, str]], catalogue: Mapping[str, str]
) -> None:
    def enter(text: str) -> TestResponse:
        form = {**fields([], patient_id=patient, entry=text), "chart": ["12", "11", "99"]}
        return coordinator.post("/offers/entry", form)

    unclear = enter("nothing of the kind")
    assert unclear.text.count(" checked data-tooth") == 2
    taken = enter("zir")
    values = form_values(taken)
    assert (values["lines-0-catalog_id"], values["lines-0-teeth"]) == (catalogue["zirkonyum-kron"], "12 11")
    assert " checked data-tooth" not in taken.text
    named = form_values(enter("zir 21"))
    assert named["lines-0-teeth"] == "21"


def test_the_page_of_an_offer_shows_its_teeth_without_anything_to_tick(
    send: Callable[..., TestResponse], coordinator: Person, catalogue: Mapping[str, str], stored: Callable[..., Offer]
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["zirkonyum-kron"], "teeth": "11-13"}]))
    page = coordinator.get(f"/offers/{offer_id}").text
    assert 'class="tooth tone-blue" title="11: upper right central incisor"' in page
    assert 'name="chart"' not in page
    mouth_only = last_part(send([{"catalog_id": catalogue["transfer"]}]))
    assert "tooth-chart" not in coordinator.get(f"/offers/{mouth_only}").text
