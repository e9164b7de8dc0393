"""The first steps: told from what the clinic really did, by managers only, gone when done or hidden."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask import Flask
from PIL import Image

from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.home.checklist import list_steps
from portal.offers.services import send_offer
from portal.settings.services import set_logo
from tests.support.data import add_offer, add_patient
from tests.support.pages import told
from tests.support.people import Person
from tests.support.settings import save


@pytest.fixture
def owner(sign_in: Callable[..., Person]) -> Person:
    """The owner of papatya, signed in."""
    return sign_in("owner")


def test_steps_are_told_from_what_is_there_and_go_when_all_are_done(
    owner: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    assert "First steps" in told(owner.get("/"))
    assert 'href="/settings/clinic"' in owner.get("/").text
    save(owner, "/settings/clinic", clinic_address="Bağdat Cd. 1", sharing_phone="0216 555 01 01")
    assert 'href="/settings/clinic"' not in owner.get("/").text, "done, so it leads nowhere"
    picture = io.BytesIO()
    Image.new("RGB", (30, 10), "#0f6b6f").save(picture, "PNG")
    with clinic_work(portal, papatya.id):
        set_logo(SYSTEM, picture.getvalue())
        send_offer(SYSTEM, add_offer(papatya, add_patient()))
        assert list_steps() == []
    assert "First steps" not in told(owner.get("/"))


def test_a_manager_hides_the_steps_for_everybody_and_takes_it_back(
    owner: Person, sign_in: Callable[..., Person]
) -> None:
    assert owner.post("/first-steps/hide").location == "/"
    page = owner.get("/").text
    assert 'first-steps"' not in page and 'action="/first-steps/show"' in page
    assert "First steps" not in told(sign_in("admin").get("/"))
    owner.post("/first-steps/show")
    assert "First steps" in told(owner.get("/"))


@pytest.mark.parametrize("role", ["coordinator", "doctor", "readonly"])
def test_who_cannot_do_the_steps_neither_sees_nor_hides_them(sign_in: Callable[..., Person], role: str) -> None:
    person = sign_in(role)
    assert "First steps" not in told(person.get("/"))
    assert person.post("/first-steps/hide").status_code == 403
