"""A clinic's own statuses: names, colours that can be read, order, the usual one of each kind, out of use safely."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from portal.offers.models import OfferKind, OfferStatus
from portal.offers.queries import default_status, list_statuses
from portal.offers.status_forms import COLOURS
from portal.offers.statuses import TONES
from tests.support.data import add_offer, add_patient
from tests.support.pages import flashes, text_of, told
from tests.support.people import Person, hidden_fields

PAGE = "/settings/statuses"
THEME = Path(__file__).parents[2] / "static" / "css" / "theme.css"
NAMES = {"label_tr": "Fiyat bekliyor", "label_en": "Waits for a price", "colour": "pink"}


@pytest.fixture
def owner(sign_in: Callable[..., Person]) -> Person:
    """The owner of papatya, signed in."""
    return sign_in("owner")


@pytest.fixture
def rows(portal: Flask, papatya: ClinicInfo) -> Callable[[], list[OfferStatus]]:
    """Return papatya's statuses in their order."""

    def find() -> list[OfferStatus]:
        with clinic_work(portal, papatya.id) as session:
            found = list(list_statuses())
            session.expunge_all()
            return found

    return find


def added(owner: Person, rows: Callable[[], list[OfferStatus]], kind: str = "draft") -> OfferStatus:
    assert owner.post(f"{PAGE}/new", {**NAMES, "kind": kind}).location == PAGE
    return rows()[-1]


def edit(owner: Person, status_id: UUID, **changes: str) -> tuple[int, str]:
    """Save a status as its page shows it, but for the changes; return what came back."""
    path = f"{PAGE}/{status_id}"
    fields = {**hidden_fields(owner.get(path).text), **NAMES, "is_active": "y", **changes}
    answer = owner.post(path, {name: value for name, value in fields.items() if value})
    return answer.status_code, text_of(answer.text)


@pytest.mark.parametrize("role", ["coordinator", "readonly"])
def test_only_managers_look_at_or_change_statuses(
    sign_in: Callable[..., Person], rows: Callable[[], list[OfferStatus]], role: str
) -> None:
    person, path = sign_in(role), f"{PAGE}/{rows()[0].id}"
    assert {person.get(address).status_code for address in (PAGE, f"{PAGE}/new", path)} == {403}
    assert {person.post(f"{path}/{act}").status_code for act in ("move", "usual")} == {403}
    assert person.post(path, NAMES).status_code == 403


def test_a_new_status_shows_by_its_own_name_and_goes_by_its_kind(
    owner: Person, rows: Callable[[], list[OfferStatus]], portal: Flask, papatya: ClinicInfo
) -> None:
    made = added(owner, rows)
    assert (made.kind, made.colour, made.is_default, made.is_active) == ("draft", "pink", False, True)
    assert "Waits for a price Draft 0" in told(owner.get(PAGE))
    with clinic_work(portal, papatya.id):
        offer = add_offer(papatya, add_patient())
        offer_id, usual = offer.id, default_status(OfferKind.DRAFT).id
    assert usual != made.id
    assert f'value="{made.id}"' in owner.get(f"/offers/{offer_id}").text


def test_the_usual_status_is_one_a_kind_and_is_used_from_then_on(
    owner: Person, rows: Callable[[], list[OfferStatus]], portal: Flask, papatya: ClinicInfo
) -> None:
    made = added(owner, rows)
    owner.post(f"{PAGE}/{made.id}/usual")
    assert [row.id for row in rows() if row.kind == "draft" and row.is_default] == [made.id]
    with clinic_work(portal, papatya.id):
        assert default_status(OfferKind.DRAFT).id == made.id


def test_what_is_out_of_use_stays_on_its_offers_and_cannot_be_the_usual_one(
    owner: Person, rows: Callable[[], list[OfferStatus]], portal: Flask, papatya: ClinicInfo
) -> None:
    made = added(owner, rows)
    with clinic_work(portal, papatya.id):
        offer_id = add_offer(papatya, add_patient()).id
    owner.post(f"/offers/{offer_id}/status", {"status_id": str(made.id)})
    usual = next(row for row in rows() if row.kind == "draft" and row.is_default)
    code, page = edit(owner, usual.id, label_tr="Taslak", label_en="Draft", is_active="")
    assert code == 422 and "Make another one usual first" in page
    assert edit(owner, made.id, is_active="")[0] == 302
    owner.post(f"{PAGE}/{made.id}/usual")
    assert "Put it back into use first" in str(flashes(owner.get(PAGE)))
    assert owner.get(f"/offers/{offer_id}").status_code == 200
    assert "Not in use" in told(owner.get(PAGE))
    with clinic_work(portal, papatya.id):
        other = add_offer(papatya, add_patient(last_name="Başka")).id
    assert f'value="{made.id}"' not in owner.get(f"/offers/{other}").text


def test_statuses_move_up_and_down_and_stay_at_the_ends(owner: Person, rows: Callable[[], list[OfferStatus]]) -> None:
    first, second, *rest = [row.id for row in rows()]
    owner.post(f"{PAGE}/{first}/move", {"to": "up"})
    assert [row.id for row in rows()] == [first, second, *rest]
    owner.post(f"{PAGE}/{first}/move", {"to": "down"})
    assert [row.id for row in rows()] == [second, first, *rest]
    owner.post(f"{PAGE}/{rest[-1]}/move", {"to": "down"})
    assert [row.id for row in rows()] == [second, first, *rest]


def test_two_who_edit_one_status_get_the_conflict_page(owner: Person, rows: Callable[[], list[OfferStatus]]) -> None:
    made = added(owner, rows)
    path = f"{PAGE}/{made.id}"
    seen = hidden_fields(owner.get(path).text)["seen"]
    assert edit(owner, made.id, colour="red")[0] == 302
    answer = owner.post(path, {**NAMES, "seen": seen, "colour": "blue", "is_active": "y"})
    assert answer.status_code == 409
    assert "Colour Red Blue" in text_of(answer.text)
    assert rows()[-1].colour == "red"
    assert "changed this status" in told(owner.get(path))


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"label_tr": " "}, "Fill this in"),
        ({"label_en": "x" * 81}, "at most 80"),
        ({"colour": "#ffff00"}, "Not a valid choice"),
        ({"kind": "dragon"}, "Not a valid choice"),
    ],
)
def test_bad_input_is_refused(
    owner: Person, rows: Callable[[], list[OfferStatus]], typed: dict[str, str], why: str
) -> None:
    count = len(rows())
    answer = owner.post(f"{PAGE}/new", {**NAMES, "kind": "draft", **typed})
    assert answer.status_code == 422 and why in text_of(answer.text)
    assert len(rows()) == count


def test_two_statuses_of_one_name_are_refused(owner: Person, rows: Callable[[], list[OfferStatus]]) -> None:
    added(owner, rows)
    answer = owner.post(f"{PAGE}/new", {**NAMES, "kind": "sent"})
    assert answer.status_code == 422 and "has this name already" in answer.text


@pytest.mark.parametrize("tone", TONES)
def test_every_colour_is_legible_in_light_and_dark(tone: str) -> None:
    rules = re.findall(
        rf"^[^\n]*\.tone-{tone}\b[^\n]*--tone-bg: (#\w+); --tone-ink: (#\w+)", THEME.read_text(), re.MULTILINE
    )
    assert len(rules) == 2, "one for light pages, one for dark"
    assert min(_contrast(*rule) for rule in rules) >= 4.5
    assert tone in COLOURS


def _contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
