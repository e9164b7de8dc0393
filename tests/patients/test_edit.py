from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.core import audit
from portal.core.audit import ActivityLog
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.patients import services
from portal.patients.models import Patient
from portal.referrals.models import ReferralSource
from portal.referrals.queries import list_sources
from tests.support.data import add_patient
from tests.support.pages import field_errors, flashes, form_values, last_part, row_names, text_of
from tests.support.people import Person

Stored = Callable[..., list[Patient]]


@pytest.fixture
def patient(portal: Flask, papatya: ClinicInfo) -> str:
    """A patient of papatya, as the path of her page."""
    with clinic_work(portal, papatya.id):
        values = {"phone_raw": "0532 123 45 67", "phone_e164": "+905321234567", "city": "İzmir", "notes": "Alerji: yok"}
        return f"/patients/{add_patient(first_name='Nazlı', last_name='Ilgın', **values).id}"


@pytest.fixture
def foreign(portal: Flask, lale: ClinicInfo) -> str:
    """A patient of another clinic, as the path her page would have."""
    with clinic_work(portal, lale.id):
        return f"/patients/{add_patient(first_name='Uzak', last_name='Hasta').id}"


def save(person: Person, path: str, form: dict[str, str], **changed: str) -> TestResponse:
    return person.post(f"{path}/edit", {**form, **changed})


def edit_form(person: Person, path: str) -> dict[str, str]:
    page = person.get(f"{path}/edit")
    assert page.status_code == 200
    return form_values(page)


def entries(page: TestResponse) -> list[str]:
    return [text_of(item) for item in re.findall(r"<li>\s*<p>\s*<strong>.*?</li>", page.text, re.DOTALL)]


def test_the_form_shows_what_is_stored_and_saves_what_is_changed(
    coordinator: Person, patient: str, stored: Stored
) -> None:
    form = edit_form(coordinator, patient)
    assert (form["first_name"], form["phone_raw"], form["city"]) == ("Nazlı", "0532 123 45 67", "İzmir")
    last_part(save(coordinator, patient, form, city="Muğla", phone_raw="", birth_date="2001-02-28"))
    page = coordinator.get(patient)
    assert flashes(page) == ["Saved."]
    assert "Muğla" in page.text and "İzmir" not in page.text
    (now,) = stored(last_name="Ilgın")
    assert (now.phone_raw, now.phone_e164, now.version) == (None, None, 2)


def test_saving_an_unchanged_form_writes_nothing(coordinator: Person, patient: str, stored: Stored) -> None:
    form = edit_form(coordinator, patient)
    last_part(save(coordinator, patient, form))
    (now,) = stored(last_name="Ilgın")
    assert now.version == 1
    assert len(entries(coordinator.get(patient))) == 1


def test_an_error_keeps_what_is_typed_and_changes_nothing(coordinator: Person, patient: str, stored: Stored) -> None:
    form = edit_form(coordinator, patient)
    page = save(coordinator, patient, form, city="Muğla", birth_date="31.02.1990", email="x")
    assert page.status_code == 422
    assert set(field_errors(page)) == {"birth_date", "email"}
    kept = form_values(page)
    assert (kept["city"], kept["birth_date"], kept["email"]) == ("Muğla", "31.02.1990", "x")
    (now,) = stored(last_name="Ilgın")
    assert (now.city, now.version) == ("İzmir", 1)


def test_the_second_of_two_editors_sees_both_values_and_may_save_again(
    coordinator: Person, sign_in: Callable[..., Person], patient: str, stored: Stored
) -> None:
    first, second = edit_form(coordinator, patient), edit_form(sign_in("doctor"), patient)
    last_part(save(coordinator, patient, first, city="Muğla"))
    page = save(coordinator, patient, second, city="Bodrum", notes="Penisilin alerjisi")
    assert page.status_code == 409
    conflict = text_of(page.text.partition('<div class="conflict"')[2].partition("</table>")[0])
    assert "City Muğla Bodrum" in conflict and "Notes Alerji: yok Penisilin alerjisi" in conflict
    assert stored(last_name="Ilgın")[0].city == "Muğla"
    kept = form_values(page)
    assert (kept["city"], kept["notes"]) == ("Bodrum", "Penisilin alerjisi")
    last_part(save(coordinator, patient, kept))
    (now,) = stored(last_name="Ilgın")
    assert (now.city, now.notes) == ("Bodrum", "Penisilin alerjisi")


def test_the_same_change_sent_twice_is_no_conflict(coordinator: Person, patient: str, stored: Stored) -> None:
    form = edit_form(coordinator, patient)
    for _ in range(3):
        last_part(save(coordinator, patient, form, city="Muğla"))
    (now,) = stored(last_name="Ilgın")
    assert (now.city, now.version) == ("Muğla", 2)


@pytest.mark.parametrize("version", ["", "0", "99", "x", "9" * 30, "-1", "²"])
def test_a_mangled_version_never_overwrites(coordinator: Person, patient: str, stored: Stored, version: str) -> None:
    form = edit_form(coordinator, patient)
    assert save(coordinator, patient, form, city="Muğla", version=version).status_code == 409
    assert stored(last_name="Ilgın")[0].city == "İzmir"


def test_a_change_that_slips_in_between_reading_and_writing_is_a_conflict_too(
    coordinator: Person, patient: str, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = edit_form(coordinator, patient)
    apply = services._apply

    def slower(row: Patient, values: dict[str, Any]) -> None:
        statement = sa.update(Patient).where(Patient.id == row.id).values(city="Muğla", version=2)
        with current_session().no_autoflush:
            current_session().execute(statement, execution_options={"synchronize_session": False})
        apply(row, values)

    with monkeypatch.context() as patched:
        patched.setattr(services, "_apply", slower)
        page = save(coordinator, patient, form, city="Bodrum")
    assert page.status_code == 409
    assert form_values(page)["city"] == "Bodrum"
    assert "Saved now" in page.text
    assert stored(last_name="Ilgın")[0].city == "İzmir", "nothing of the refused request may stay"


def test_archiving_takes_a_patient_off_the_list_and_undo_brings_her_back(coordinator: Person, patient: str) -> None:
    assert coordinator.post(f"{patient}/archive").headers["Location"] == "/patients/"
    page = coordinator.get("/patients/")
    assert flashes(page) == ["Nazlı Ilgın is archived."]
    assert f'action="{patient}/restore"' in page.text
    assert "Nazlı Ilgın" not in row_names(page)
    assert "Archived" in coordinator.get(patient).text
    assert coordinator.post(f"{patient}/restore").headers["Location"] == patient
    assert flashes(coordinator.get(patient)) == ["Nazlı Ilgın is back on the list."]
    assert "Nazlı Ilgın" in row_names(coordinator.get("/patients/"))


def test_archiving_and_restoring_twice_is_logged_once(coordinator: Person, patient: str) -> None:
    for action in ("archive", "archive", "restore", "restore"):
        assert coordinator.post(f"{patient}/{action}").status_code == 302
    told = [entry.partition(" the patient")[0] for entry in entries(coordinator.get(patient))]
    assert told == ["Papatya coordinator restored", "Papatya coordinator archived", "Clinikoop registered"]


def test_the_log_says_what_changed_and_hides_personal_values(
    coordinator: Person, patient: str, portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        source = list_sources()[0]
    form = edit_form(coordinator, patient)
    changed = {"phone_raw": "0555 111 22 33", "notes": "Gizli bilgi", "gender": "female", "nationality": "DE"}
    last_part(save(coordinator, patient, form, **changed, referral_source_id=str(source.id), is_active=""))
    entry = entries(coordinator.get(patient))[0]
    assert entry.startswith("Papatya coordinator changed the patient")
    assert "Phone hidden" in entry and "Notes hidden" in entry
    assert "Gender hidden" in entry and "Nationality hidden" in entry
    assert f"Referral source empty {source.name}" in entry
    assert "0555" not in entry and "Gizli" not in entry
    with clinic_work(portal, papatya.id):
        statement = sa.select(ActivityLog.changes).where(ActivityLog.action == "patient.changed")
        (logged,) = current_session().scalars(statement)
    assert logged["notes"] is None and logged["phone_e164"] is None and logged["nationality"] is None
    assert logged["is_active"] == [True, False]


@pytest.mark.parametrize(("method", "path"), [
    ("get", ""), ("get", "/edit"), ("post", "/edit"), ("post", "/archive"), ("post", "/restore"),
])  # fmt: skip
def test_another_clinics_patient_is_not_there(
    coordinator: Person, sign_in: Callable[..., Person], foreign: str, method: str, path: str
) -> None:
    form = {"first_name": "Ele", "last_name": "Geçirildi", "version": "1"}
    answer = coordinator.post(foreign + path, form) if method == "post" else coordinator.get(foreign + path)
    assert answer.status_code == 404
    assert "Uzak" not in answer.text
    assert "Uzak Hasta" in sign_in("owner", "lale").get(foreign).text


def test_who_may_only_read_sees_no_button_and_changes_nothing(
    sign_in: Callable[..., Person], patient: str, stored: Stored
) -> None:
    reader = sign_in("readonly")
    page = reader.get(patient)
    assert page.status_code == 200 and f"{patient}/edit" not in page.text and "archive" not in page.text
    form = {"first_name": "X", "last_name": "Y", "version": "1"}
    for path in ("edit", "archive", "restore"):
        assert reader.post(f"{patient}/{path}", form).status_code == 403
    assert stored(last_name="Ilgın")[0].archived_at is None


def test_an_inactive_source_stays_with_the_patient_who_has_it_and_is_offered_to_nobody_else(
    coordinator: Person, patient: str, portal: Flask, papatya: ClinicInfo, stored: Stored
) -> None:
    with clinic_work(portal, papatya.id):
        source = list_sources()[0]
    form = edit_form(coordinator, patient)
    last_part(save(coordinator, patient, form, referral_source_id=str(source.id)))
    with clinic_work(portal, papatya.id) as session:
        session.execute(sa.update(ReferralSource).where(ReferralSource.id == source.id).values(is_active=False))
        audit.record(SYSTEM, "tests.changed", ReferralSource)
    form = edit_form(coordinator, patient)
    assert form["referral_source_id"] == str(source.id)
    last_part(save(coordinator, patient, form, city="Muğla"))
    assert stored(last_name="Ilgın")[0].referral_source_id == source.id
    assert str(source.id) not in coordinator.get("/patients/new").text


def test_a_language_that_is_not_offered_stays_with_the_patient_who_has_it(
    coordinator: Person, portal: Flask, papatya: ClinicInfo, stored: Stored
) -> None:
    with clinic_work(portal, papatya.id):
        imported = add_patient(first_name="Astrid", last_name="Lindqvist", locale="sv")
    path = f"/patients/{imported.id}"
    last_part(save(coordinator, path, edit_form(coordinator, path), city="Malmö"))
    with clinic_work(portal, papatya.id):
        kept = current_session().get_one(Patient, (papatya.id, imported.id))
        assert (kept.city, kept.locale) == ("Malmö", "sv")
