"""What holds for all links of a clinic: the way back to it, and whether a second factor is needed."""

# ruff: noqa: PLR0917 - a test asks for its fixtures by name, as many as it needs

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.offers.queries import get_recipient
from portal.sharing import links
from tests.sharing.conftest import Case
from tests.support.people import Person

PAGE = "/settings/links"
CONTACT = {"phone": "0216 555 01 01", "email": "info@papatya.example.com"}
TOLD = ('href="tel:+902165550101"', "+90 216 555 01 01", 'href="mailto:info@papatya.example.com"')


@pytest.fixture
def owner(sign_in: Callable[..., Person]) -> Person:
    """The owner of papatya, signed in."""
    return sign_in("owner")


def test_whoever_is_locked_out_reads_how_to_reach_the_clinic(
    case: Case, make_link: Callable[..., str], owner: Person, visit: Callable[..., Person]
) -> None:
    path, patient = make_link(case), visit()
    assert not [part for part in TOLD if part in patient.get(path).text], "the clinic has not told it yet"
    assert owner.post(PAGE, CONTACT).location == PAGE
    for _try in range(5):
        patient.post(path, {"answer": "0000"}, token=False)
    locked = patient.get(path).text
    assert "<form" not in locked
    assert all(part in locked for part in TOLD)


def test_a_link_that_ran_out_and_one_that_never_was_lead_to_the_clinic_too(
    case: Case, make_link: Callable[..., str], owner: Person, visit: Callable[..., Person], portal: Flask,
    papatya: ClinicInfo,
) -> None:  # fmt: skip
    path, patient = make_link(case), visit()
    owner.post(PAGE, CONTACT)
    with clinic_work(portal, papatya.id):
        row = get_recipient(case.offer_id, case.recipient_id)
        row.expires_at = now() - timedelta(seconds=1)
        audit.record(SYSTEM, "test", row)
    for address in (path, f"/o/{links.make_token()}"):
        assert all(part in patient.get(address).text for part in TOLD)
    assert not [part for part in TOLD if part in visit("lale").get(path).text], "that is not their clinic"


@pytest.mark.parametrize(
    ("typed", "why"),
    [({"phone": "call us"}, "not a phone number"), ({"email": "info@"}, "not an e-mail address"),
     ({"email": "a@b.example\nBcc: x"}, "not an e-mail address")],
)  # fmt: skip
def test_what_reaches_nobody_is_refused_and_nothing_typed_is_lost(
    owner: Person, typed: dict[str, str], why: str
) -> None:
    answer = owner.post(PAGE, {**CONTACT, **typed})
    assert answer.status_code == 422 and why in answer.text
    assert 'value="0216 555 01 01"' in answer.text or "call us" in answer.text
    assert 'value=""' in owner.get(PAGE).text


def test_the_second_factor_is_given_up_and_taken_back_by_a_manager(
    case: Case, owner: Person, coordinator: Person
) -> None:
    fields = {"method": "none", "days": "30", "locale": "tr"}
    assert coordinator.post(PAGE, {"open_links": "y"}).status_code == 403
    assert coordinator.post(case.path, fields).status_code == 422
    owner.post(PAGE, {**CONTACT, "open_links": "y"})
    assert coordinator.post(case.path, fields).status_code == 200
    owner.post(PAGE, CONTACT)
    assert coordinator.post(case.path, fields).status_code == 422
    assert 'value="+90 216 555 01 01"' in owner.get(PAGE).text
