"""Texts that never change, consents with their proof, and nobody written to against her will unwarned."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import RuleError, StaleVersionError
from portal.core.jobs import SYSTEM
from portal.core.patient_texts import PATIENT_LANGUAGES
from portal.core.work import clinic_work
from portal.patients.models import Patient
from portal.privacy import consents, texts
from portal.privacy.consents import Leave, Way, may_contact
from portal.privacy.models import ConsentChannel, ConsentKind, PatientConsent, PrivacyText
from portal.reminders.models import Reminder
from tests.support.data import add_offer, add_patient
from tests.support.pages import field_errors, flashes, form_values, last_part, told
from tests.support.people import Person
from tests.support.privacy import consent_to, publish


@pytest.mark.parametrize("locale", PATIENT_LANGUAGES)
def test_there_is_a_draft_of_every_text_with_the_clinics_name(locale: str) -> None:
    for kind in ConsentKind:
        text = texts.draft(kind, locale, clinic="Papatya {x}")
        assert len(text) > 80 and "Papatya {x}" in text and "{clinic}" not in text, kind


def test_a_published_text_never_changes_and_the_same_words_are_no_new_version(
    portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id) as session:
        first = publish()
        assert publish().id == first.id
        second = texts.publish_text(SYSTEM, kind=ConsentKind.WHATSAPP, locale="tr", body="Neue Worte " * 3, after=1)
        assert (first.version_no, second.version_no) == (1, 2)
        assert texts.list_current()["whatsapp", "tr"].id == second.id
        with pytest.raises(StaleVersionError):
            texts.publish_text(SYSTEM, kind=ConsentKind.WHATSAPP, locale="tr", body="Andere Worte " * 3, after=1)
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(sa.update(PrivacyText).values(body="x"))


def test_a_manager_checks_a_draft_and_publishes_it(sign_in: Callable[..., Person]) -> None:
    owner = sign_in("owner")
    path = "/privacy/texts/edit?kind=notice&locale=tr"
    page = owner.get(path)
    form = form_values(page)
    assert "6698" in form["body"] and "Papatya" in form["body"]
    for body in ("", "kurz"):
        assert field_errors(owner.post(path, {**form, "body": body})), body
    last_part(owner.post(path, {**form, "body": form["body"] + "\nEk."}))
    assert "version 1" in told(owner.get("/privacy/texts"))
    assert owner.post(path, {**form, "body": form["body"] + "\nAyrı."}).status_code == 409
    assert owner.get("/privacy/texts/edit?kind=x&locale=tr").status_code == 404
    assert owner.get("/privacy/texts/edit?kind=notice&locale=fr").status_code == 404


def test_a_consent_is_noted_once_with_its_words_and_withdrawn_without_being_lost(
    coordinator: Person, portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    with clinic_work(portal, papatya.id):
        text = publish()
    path = f"/patients/{patient.id}/privacy"
    form = {**form_values(coordinator.get(path)), "channel": "verbal", "note": "Am Telefon", "text_id": str(text.id)}
    for _ in range(2):
        last_part(coordinator.post(f"{path}/consents", form))
    page = told(coordinator.get(path))
    assert "by word of mouth" in page and "Am Telefon" in page and "Papatya coordinator" in page
    with clinic_work(portal, papatya.id):
        (consent,) = current_session().scalars(sa.select(PatientConsent))
        assert consent.text_sha256 == text.sha256
    last_part(coordinator.post(f"{path}/consents/{consent.id}/withdraw", {"reason": "Will nicht mehr"}))
    page = told(coordinator.get(path))
    assert "withdrawn" in page and "Will nicht mehr" in page
    assert "Messages over WhatsApp : withdrawn" in told(coordinator.get(f"/patients/{patient.id}")).replace(":", " :")


def test_a_consent_of_tomorrow_or_with_another_patients_paper_is_refused(
    coordinator: Person, portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    with clinic_work(portal, papatya.id):
        text, other = publish(), add_patient()
        with pytest.raises(RuleError):
            consents.record_consent(
                SYSTEM, patient, text, channel=ConsentChannel.PAPER, given_at=now() + timedelta(days=1)
            )  # fmt: skip
        with pytest.raises(RuleError):
            consents.record_consent(
                SYSTEM, patient, text, channel=ConsentChannel.PAPER, given_at=now(), file_id=other.id
            )  # fmt: skip
    path = f"/patients/{patient.id}/privacy"
    form = form_values(coordinator.get(path))
    tomorrow = (date.today() + timedelta(days=2)).isoformat()
    assert "given_on" in field_errors(coordinator.post(f"{path}/consents", {**form, "given_on": tomorrow}))
    assert "file_id" in field_errors(coordinator.post(f"{path}/consents", {**form, "file_id": str(other.id)}))


def test_who_may_be_written_to(portal: Flask, papatya: ClinicInfo, patient: Patient) -> None:
    with clinic_work(portal, papatya.id):
        assert may_contact(patient.id, "email") is Leave.GIVEN
        assert may_contact(patient.id, Way.WHATSAPP) is Leave.NOT_ASKED
        assert may_contact(patient.id, "marketing") is Leave.NOT_ASKED
        consent_id = consent_to(patient, publish())
        assert may_contact(patient.id, "whatsapp") is Leave.GIVEN
        consents.withdraw_consent(SYSTEM, consents.get_consent(patient.id, consent_id), reason=None)
        current_session().flush()
        assert may_contact(patient.id, "whatsapp") is Leave.WITHDRAWN
        hers = current_session().get_one(Patient, (papatya.id, patient.id))
        hers.do_not_contact = True
        audit.record(SYSTEM, "tests.changed", hers)
        current_session().flush()
        assert may_contact(patient.id, "email") is Leave.DO_NOT_CONTACT
        assert may_contact(papatya.id, "email") is Leave.DO_NOT_CONTACT  # nobody of that id


def test_the_days_list_offers_no_whatsapp_to_whoever_took_the_consent_back(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    with clinic_work(portal, papatya.id):
        current_session().add(reminder := Reminder(patient_id=patient.id, title="Rückruf", due_at=now()))
        audit.record(SYSTEM, "tests.made", reminder)
        consent_id = consent_to(patient, publish())
    owner = sign_in("owner")
    assert "https://wa.me/905320001122" in owner.get("/?of=all").text
    with clinic_work(portal, papatya.id):
        consents.withdraw_consent(SYSTEM, consents.get_consent(patient.id, consent_id), reason=None)
    page = owner.get("/?of=all")
    assert "https://wa.me/905320001122" not in page.text and "no WhatsApp" in told(page)
    with clinic_work(portal, papatya.id):
        other = add_patient()
        found = consents.list_leaves([patient.id, other.id], Way.WHATSAPP)
        assert found == {patient.id: Leave.WITHDRAWN, other.id: Leave.NOT_ASKED}


def test_handing_a_link_over_warns_of_a_consent_that_is_missing(
    coordinator: Person, portal: Flask, papatya: ClinicInfo, patient: Patient
) -> None:
    with clinic_work(portal, papatya.id):
        offer = add_offer(papatya, patient)
    page = coordinator.get(f"/offers/{offer.id}")
    found = re.search(r'href="(/offers/[^"]*/link)"', page.text)
    assert found
    form = form_values(coordinator.get(found.group(1)))
    answer = coordinator.post(found.group(1), {**form, "method": "code"}, follow_redirects=True)
    assert "There is no consent of this patient" in answer.text
    assert flashes(answer) is not None
