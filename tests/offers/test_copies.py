"""An offer's lines taken over into a new one, and drafts that save by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from portal.offers.models import Offer
from tests.support.data import add_patient
from tests.support.pages import form_values, last_part
from tests.support.people import Person

Send = Callable[..., TestResponse]
Stored = Callable[..., Offer]


def test_a_copy_for_another_patient_has_the_lines_and_not_what_was_said_of_the_first(
    *, send: Send, stored: Stored, coordinator: Person, catalogue: Mapping[str, str], portal: Flask, papatya: ClinicInfo
) -> None:
    lines = [
        {"catalog_id": catalogue["zirkonyum-kron"], "teeth": "11-13", "brand": "Ivoclar", "discount_value": "5"},
        {"name": "Diş ipi", "unit_price": "10"},
    ]
    source = last_part(send(lines, internal_note="Eşi ödüyor", title="Gülüş"))
    with clinic_work(portal, papatya.id):
        other = add_patient(first_name="Öteki", last_name="Hasta").id
    picker = coordinator.get(f"/offers/new/patient?source={source}&q=oteki")
    assert f"/offers/new?patient={other}&amp;source={source}" in picker.text
    form = form_values(coordinator.get(f"/offers/new?patient={other}&source={source}"))
    assert (form["title"], form["internal_note"], form["patient_id"]) == ("Gülüş", "", str(other))
    copy = stored(last_part(coordinator.post(f"/offers/new?patient={other}", form)))
    assert copy.primary_patient_id == other and copy.offer_no != stored(source).offer_no
    assert [(line.name, line.unit_price, line.brand) for line in copy.lines] == [
        (line.name, line.unit_price, line.brand) for line in stored(source).lines
    ]


def test_the_last_offer_is_repeated_from_the_patients_page(
    send: Send, coordinator: Person, patient: UUID, catalogue: Mapping[str, str]
) -> None:
    send([{"catalog_id": catalogue["muayene"]}])
    last = last_part(send([{"catalog_id": catalogue["transfer"]}]))
    page = coordinator.get(f"/patients/{patient}").text
    assert f"/offers/new?patient={patient}&amp;source={last}" in page


def test_another_clinics_offer_is_no_source(
    *, send: Send, sign_in: Callable[..., Person], patient: UUID, their_patient: UUID, coordinator: Person
) -> None:
    theirs = last_part(send([], by=sign_in("coordinator", "lale"), to=their_patient))
    assert coordinator.get(f"/offers/new?patient={patient}&source={theirs}").status_code == 404


def test_a_draft_saved_by_itself_goes_on_from_its_new_version(
    send: Send, stored: Stored, coordinator: Person, catalogue: Mapping[str, str]
) -> None:
    offer_id = last_part(send([{"catalog_id": catalogue["transfer"]}]))
    form = form_values(coordinator.get(f"/offers/{offer_id}/edit"))
    answer = coordinator.post(f"/offers/{offer_id}/edit", {**form, "title": "Yeni", "autosave": "yes"})
    assert answer.get_json() == {"version": stored(offer_id).version}
    assert stored(offer_id).title == "Yeni"
    late = coordinator.post(f"/offers/{offer_id}/edit", {**form, "title": "Eski", "autosave": "yes"})
    assert late.status_code == 409 and stored(offer_id).title == "Yeni"
    assert "data-autosave" not in late.text.partition("<main")[2].partition("data-autosaved")[0]
    wrong = coordinator.post(f"/offers/{offer_id}/edit", {**form, "title": "", "autosave": "yes"})
    assert wrong.status_code == 422 and stored(offer_id).title == "Yeni"
