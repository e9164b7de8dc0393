"""Messages to patients: shipped in four languages, the clinic's own in place of them, filled in and never run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clinics import ClinicInfo
from portal.core.patient_texts import PATIENT_LANGUAGES
from portal.core.work import clinic_work
from portal.settings.messages import (
    DEFAULTS,
    NEEDED,
    SLOTS,
    Message,
    MessageChannel,
    Occasion,
    default_message,
    fill,
    find_faults,
    render_message,
)
from portal.settings.models import MessageTemplate
from portal.sharing.messages import share_message
from tests.support.pages import field_errors, form_values, told
from tests.support.people import Person

PATH = "/settings/messages"
VALUES = {"clinic": "Papatya", "link": "https://x/o/1", "patient": "Ayşe", "valid_until": "1 May"}


@pytest.fixture
def owner(sign_in: Callable[..., Person]) -> Person:
    return sign_in("owner")


@pytest.mark.parametrize("locale", PATIENT_LANGUAGES)
def test_every_shipped_text_is_whole_in_every_language(locale: str) -> None:
    for key, english in DEFAULTS.items():
        found = default_message(key, MessageChannel.EMAIL, locale)
        assert not find_faults(found.body, slots=SLOTS[key], needed=NEEDED.get(key, ())).any, (key, found)
        assert found.subject and not find_faults(found.subject, slots=("clinic",)).any
        assert locale == "en" or found.body != english
        assert "patient" not in found.body, "no name unless the clinic wants it"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{link}", False), ("{name} {link}", True), ("{link", True), ("{link}}", True), ("{link.__class__}", True),
        ("{0} {link}", True), ("{} {link}", True), ("no link", True), ("{{link}}", True),
    ],
)  # fmt: skip
def test_only_known_placeholders_and_whole_braces_are_taken(text: str, wrong: bool) -> None:
    assert find_faults(text, slots=("link",), needed=("link",)).any is wrong


def test_what_is_filled_in_is_never_read_as_a_placeholder_again() -> None:
    values = {**VALUES, "clinic": "{link}", "patient": "%(link)s"}
    assert fill(Message("{clinic} {patient} {gone}"), values).body == "{link} %(link)s "


def test_a_clinics_own_text_is_used_in_its_language_only(portal: Flask, papatya: ClinicInfo, owner: Person) -> None:
    path = f"{PATH}?of=share_link&by=whatsapp&lang=de"
    form = {**form_values(owner.get(path)), "body": "Guten Tag {patient}: {link}"}
    assert owner.post(path, form).status_code == 302
    assert "Your own text" in told(owner.get(path))
    with clinic_work(portal, papatya.id):
        german = render_message(Occasion.SHARE, MessageChannel.WHATSAPP, "de_AT", VALUES)
        assert german == Message("Guten Tag Ayşe: https://x/o/1")
        assert share_message("de", clinic="Papatya", link="L", patient="Can") == "Guten Tag Can: L"
        english = render_message(Occasion.SHARE, MessageChannel.WHATSAPP, "fr", VALUES)
        assert english.body == "Hello! Papatya has prepared your personal offer. You can read it here: https://x/o/1"
    assert owner.post(f"{PATH}/reset?of=share_link&by=whatsapp&lang=de").status_code == 302
    with clinic_work(portal, papatya.id) as session:
        assert session.scalars(sa.select(MessageTemplate)).all() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("body", ""), ("body", "{link} {phone}"), ("body", "no link"), ("subject", "{patient}"), ("subject", " ")],
)
def test_a_text_that_cannot_be_sent_is_said_beside_its_field(owner: Person, field: str, value: str) -> None:
    path = f"{PATH}?of=share_link&by=email&lang=en"
    page = owner.post(path, {**form_values(owner.get(path)), field: value})
    assert (page.status_code, set(field_errors(page))) == (422, {field})


def test_what_is_typed_is_shown_filled_in_and_not_saved(owner: Person) -> None:
    path = f"{PATH}?of=thanks&by=whatsapp&lang=en"
    page = owner.post(path, {**form_values(owner.get(path)), "body": "Bye <b>{patient}</b>", "preview": "y"})
    assert "Bye &lt;b&gt;Ayşe Yılmaz&lt;/b&gt;" in page.text
    assert "The text that comes with Clinikoop" in told(owner.get(path))


def test_of_two_editors_the_second_sees_both_texts(owner: Person) -> None:
    path = f"{PATH}?of=thanks&by=whatsapp&lang=tr"
    opened = form_values(owner.get(path))
    owner.post(path, {**opened, "body": "Bir"})
    late = owner.post(path, {**opened, "body": "İki"})
    assert late.status_code == 409 and "Bir" in late.text
    assert owner.post(path, form_values(late)).status_code == 302
    assert form_values(owner.get(path))["body"] == "İki"
