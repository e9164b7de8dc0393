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
from tests.support.settings import fields_of, save

LINKS, CLINIC = "/settings/links", "/settings/clinic"
CONTACT = {"sharing_phone": "0216 555 01 01", "sharing_email": "info@papatya.example.com"}
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
    assert save(owner, CLINIC, **CONTACT).location == CLINIC
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
    save(owner, CLINIC, **CONTACT)
    with clinic_work(portal, papatya.id):
        row = get_recipient(case.offer_id, case.recipient_id)
        row.expires_at = now() - timedelta(seconds=1)
        audit.record(SYSTEM, "test", row)
    for address in (path, f"/o/{links.make_token()}"):
        assert all(part in patient.get(address).text for part in TOLD)
    assert not [part for part in TOLD if part in visit("lale").get(path).text], "that is not their clinic"


@pytest.mark.parametrize(
    ("typed", "why"),
    [({"sharing_phone": "call us"}, "not a phone number"), ({"sharing_email": "info@"}, "not an e-mail address"),
     ({"sharing_email": "a@b.example\nBcc: x"}, "not an e-mail address")],
)  # fmt: skip
def test_what_reaches_nobody_is_refused_and_nothing_typed_is_lost(
    owner: Person, typed: dict[str, str], why: str
) -> None:
    answer = save(owner, CLINIC, **{**CONTACT, **typed})
    assert answer.status_code == 422 and why in answer.text
    assert 'value="0216 555 01 01"' in answer.text or "call us" in answer.text
    assert fields_of(owner, CLINIC)["sharing_phone"] == [""]


def test_the_second_factor_is_given_up_and_taken_back_by_a_manager(
    case: Case, owner: Person, coordinator: Person
) -> None:
    fields = {"method": "none", "days": "30", "locale": "tr"}
    assert coordinator.post(LINKS, {"sharing_open_links": "y"}).status_code == 403
    assert coordinator.post(case.path, fields).status_code == 422
    save(owner, LINKS, sharing_open_links="y")
    assert coordinator.post(case.path, fields).status_code == 200
    save(owner, LINKS, sharing_open_links=None)
    assert coordinator.post(case.path, fields).status_code == 422
