from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from uuid import UUID

from werkzeug.test import TestResponse

from portal.offers.models import Offer
from tests.support.pages import form_values, last_part
from tests.support.people import Person

Send = Callable[..., TestResponse]
Stored = Callable[..., Offer]
Catalogue = Mapping[str, str]
Fields = Callable[..., dict[str, str]]


def codes(offer: Offer) -> list[str | None]:
    return [line.code for line in offer.lines]


def quadrants(form: Mapping[str, str]) -> set[str]:
    """Return the first digits of every tooth of a form's lines."""
    teeth = " ".join(value for name, value in form.items() if name.endswith("-teeth"))
    return {number[0] for number in re.findall(r"\d\d", teeth)}


def test_a_package_chosen_from_the_list_saves_its_parts_as_lines_of_the_same_option(
    send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue
) -> None:
    typed = stored(last_part(send(entry="all-on-4 üst")))
    options = {"options-0-title": "", "options-1-title": ""}
    package = {"catalog_id": catalogue["all-on-4"], "arch": "upper", "option": "B"}
    chosen = stored(last_part(send([package, {"name": "Last", "unit_price": "1"}], **options)))
    assert codes(chosen) == [*codes(typed), None] and len(typed.lines) > 1
    parts = chosen.lines[1:-1]
    assert all(line.is_included and line.line_gross == 0 for line in parts)
    assert {line.option_id for line in parts} == {chosen.lines[0].option_id} != {None}
    assert {tooth.tooth // 10 for line in parts for tooth in line.teeth} <= {1, 2}


def test_parts_taken_out_stay_out_and_opening_and_saving_changes_nothing(
    send: Send, stored: Stored, coordinator: Person, catalogue: Catalogue
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["all-on-4"], "arch": "upper"}]))
    before = codes(stored(offer_id))
    form = form_values(coordinator.get(f"/offers/{offer_id}/edit"))
    last_part(coordinator.post(f"/offers/{offer_id}/edit", form))
    assert stored(offer_id).version == 1
    without = {name: value for name, value in form.items() if not name.startswith("lines-1-")}
    last_part(coordinator.post(f"/offers/{offer_id}/edit", without))
    assert codes(stored(offer_id)) == before[:1] + before[2:]


def test_another_jaw_or_treatment_takes_the_old_parts_along(
    coordinator: Person, patient: UUID, fields: Fields, catalogue: Catalogue
) -> None:
    typed = fields([{"catalog_id": catalogue["all-on-4"], "arch": "upper"}], patient_id=patient, step="parts")
    upper = form_values(coordinator.post("/offers/preview", typed))
    lower = form_values(coordinator.post("/offers/preview", {**upper, "lines-0-arch": "lower", "step": "parts"}))
    assert quadrants(upper) == {"1", "2"} and quadrants(lower) == {"3", "4"}
    other = {**lower, "lines-0-catalog_id": catalogue["transfer"], "step": "parts"}
    form = form_values(coordinator.post("/offers/preview", other))
    assert form["lines-1-catalog_id"] == "" and form["lines-0-catalog_id"] == catalogue["transfer"]


def test_the_script_is_told_once_the_jaw_of_a_package_is_chosen(
    coordinator: Person, patient: UUID, fields: Fields, catalogue: Catalogue
) -> None:
    def told(**line: str) -> bool:
        typed = fields([{"catalog_id": catalogue["all-on-4"], **line}], patient_id=patient)
        answer: bool = json.loads(coordinator.post("/offers/totals", typed).data)["packages"]
        return answer

    assert not told()
    assert told(arch="upper")
    assert not told(arch="upper", parts_of=f"{catalogue['all-on-4']} upper")
    assert not told(arch="left") and not told(catalog_id="no-id", parts_of="²")
