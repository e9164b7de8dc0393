"""A form sent after the session ended: nothing typed is lost, and nothing is saved unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
import wtforms
from flask import Flask
from werkzeug.test import TestResponse

from portal.auth.resume import load_carried
from portal.core.clinics import ClinicInfo
from portal.core.forms import PortalForm
from portal.core.work import clinic_work
from portal.patients.models import Patient
from tests.architecture.markup import Form, read
from tests.support.data import PASSWORD
from tests.support.people import Person

TYPED = {
    "first_name": "Gülşah",
    "last_name": "İĞDECİOĞLU",
    "phone_raw": "0532 123 45 67",
    "city": 'Çanakkale "Merkez" & <b>köy</b>',
    "notes": "Birinci satır\n\nİkinci: 5 < 6 & 7\nüçüncü 👩‍⚕️",
    "is_active": "y",
}


def count(portal: Flask, clinic: ClinicInfo) -> int:
    with clinic_work(portal, clinic.id) as session:
        return session.scalars(sa.select(sa.func.count()).select_from(Patient)).one()


def login_again(person: Person, page: TestResponse, **changes: str) -> TestResponse:
    """Fill in the login form of ``page`` and send it."""
    form = read(page.text).form("/login")
    return sent(person, form, **{"email": "coordinator@papatya.example.com", "password": PASSWORD, **changes})


def sent(person: Person, form: Form, **changes: str) -> TestResponse:
    return person.post(form.action, form.data(**changes), token=False)


@pytest.fixture
def late(coordinator: Person) -> TestResponse:
    """What comes back for a new patient's form that was opened in time and sent too late."""
    form = read(coordinator.get("/patients/new").text, "/patients/new").form("/patients/new")
    coordinator.sign_out()
    return sent(coordinator, form, **TYPED)


def test_a_form_sent_after_the_logout_is_kept_over_the_login_and_saved_only_when_seen(
    coordinator: Person, late: TestResponse, portal: Flask, papatya: ClinicInfo
) -> None:
    before = count(portal, papatya)
    assert late.status_code == 401
    page = login_again(coordinator, late)
    assert page.status_code == 200
    resumed = read(page.text).form("/patients/new")
    kept = {name: value.replace("\r\n", "\n") for name, value in resumed.fields}
    assert {name: kept[name] for name in TYPED} == TYPED
    shown = sent(coordinator, resumed)
    assert shown.status_code == 200
    assert count(portal, papatya) == before, "nothing may be saved unseen"
    form = read(shown.text, "/patients/new").form("/patients/new")
    filled = {name: value.replace("\r\n", "\n") for name, value in form.fields}
    assert {name: filled[name] for name in TYPED} == TYPED
    assert "_resumed" not in filled
    saved = sent(coordinator, form)
    assert saved.status_code == 302, saved.text
    assert count(portal, papatya) == before + 1
    with clinic_work(portal, papatya.id) as session:
        patient = session.scalars(sa.select(Patient).order_by(Patient.id.desc())).first()
    assert patient is not None
    assert (patient.first_name, patient.last_name, patient.city) == (
        TYPED["first_name"],
        TYPED["last_name"],
        TYPED["city"],
    )
    assert patient.notes == "Birinci satır\n\nİkinci: 5 < 6 & 7\nüçüncü 👩‍⚕️"


def test_a_wrong_password_on_the_way_loses_nothing(coordinator: Person, late: TestResponse) -> None:
    again = login_again(coordinator, late, password="wrong")
    assert again.status_code == 422
    resumed = read(login_again(coordinator, again).text).form("/patients/new")
    assert ("last_name", TYPED["last_name"]) in resumed.fields


def test_a_login_page_open_for_too_long_loses_nothing(coordinator: Person, late: TestResponse) -> None:
    coordinator.client.delete_cookie("clinikoop", domain=coordinator.host)
    again = login_again(coordinator, late)
    assert again.status_code == 400
    resumed = read(login_again(coordinator, again).text).form("/patients/new")
    assert ("last_name", TYPED["last_name"]) in resumed.fields


def test_a_form_whose_token_is_stale_is_shown_again_too(
    coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    before = count(portal, papatya)
    form = read(coordinator.get("/patients/new").text, "/patients/new").form("/patients/new")
    page = sent(coordinator, form, **TYPED, csrf_token="stale")
    assert page.status_code == 400
    shown = sent(coordinator, read(page.text).form("/patients/new"))
    assert shown.status_code == 200
    assert TYPED["last_name"] in shown.text
    assert count(portal, papatya) == before


def test_the_address_with_its_question_is_kept(coordinator: Person, portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id) as session:
        patient = session.scalars(sa.select(Patient.id)).first()
    path = f"/offers/new?patient={patient}"
    form = read(coordinator.get(path).text, path).form(path)
    coordinator.sign_out()
    page = login_again(coordinator, sent(coordinator, form, title="Gülüş tasarımı"))
    shown = sent(coordinator, read(page.text).form(path))
    assert shown.status_code == 200
    assert "Gülüş tasarımı" in shown.text


def test_passwords_are_never_carried(coordinator: Person) -> None:
    form = read(coordinator.get("/account").text, "/account").form("/account")
    coordinator.sign_out()
    page = sent(
        coordinator, form, current_password=PASSWORD, new_password="a secret new one", password_again="a secret new one"
    )
    assert page.status_code == 401
    assert PASSWORD not in page.text
    assert "a secret new one" not in page.text
    assert "a secret new one" not in login_again(coordinator, page).text


def test_every_password_field_has_password_in_its_name() -> None:
    """It is by their names that secrets are kept out of what is carried."""
    names = [
        name for form in descendants(PortalForm) for name, field in vars(form).items()
        if getattr(field, "field_class", None) is wtforms.PasswordField
    ]  # fmt: skip
    assert len(names) >= 4
    assert [name for name in names if "password" not in name] == []


def descendants(kind: type) -> list[type]:
    return [found for child in kind.__subclasses__() for found in (child, *descendants(child))]


def test_a_button_without_a_page_is_not_pressed_again(coordinator: Person, portal: Flask, papatya: ClinicInfo) -> None:
    """Archiving would act at once after the login; another site could have pressed it."""
    with clinic_work(portal, papatya.id) as session:
        patient = session.scalars(sa.select(Patient.id).order_by(Patient.id)).first()
    coordinator.sign_out()
    page = coordinator.post(
        f"/patients/{patient}/archive", headers={"Referer": f"http://papatya.localhost/patients/{patient}"}
    )
    assert page.status_code == 401
    answer = login_again(coordinator, page)
    assert (answer.status_code, answer.location) == (302, f"/patients/{patient}")
    with clinic_work(portal, papatya.id) as session:
        assert session.scalars(sa.select(Patient.archived_at).where(Patient.id == patient)).one() is None


def test_a_button_pressed_without_its_token_is_not_offered_again(
    coordinator: Person, portal: Flask, papatya: ClinicInfo
) -> None:
    """To a browser the hosts of two clinics are one site: it sends the cookie with what the other asks for."""
    with clinic_work(portal, papatya.id) as session:
        patient = session.scalars(sa.select(Patient.id).order_by(Patient.id)).first()
    answer = coordinator.post(
        f"/patients/{patient}/archive", headers={"Referer": "http://lale.localhost/"}, token=False
    )
    assert (answer.status_code, answer.location) == (302, "/")
    assert "nothing was done" in coordinator.get("/").text


def test_the_page_before_is_taken_from_this_site_only(visit: Callable[..., Person]) -> None:
    for origin in ("http://evil.example/patients/", "http://lale.localhost/patients/", "javascript:alert(1)"):
        person = visit()
        answer = login_again(person, person.post("/logout", headers={"Referer": origin}))
        assert answer.location == "/"


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "null", "[]", "{}", "7", '{"path": "/patients/new"}', '{"path": "/patients/new", "fields": 7}',
        '{"path": "/patients/new", "fields": [["a"]]}', '{"path": "/patients/new", "fields": {"a": "b"}}',
        '{"path": "//evil.example", "fields": []}', '{"path": "https://evil.example/", "fields": []}',
        '{"path": "/\\\\evil.example", "fields": []}', '{"path": 7, "fields": []}',
        '{"path": "/nowhere", "fields": []}',
        '{"path": "/logout", "fields": []}', '{"path": "/patients/export", "fields": []}',
        '{"path": "/healthz", "fields": []}',
        '{"path": "/static/css/theme.css", "fields": []}', '{"path": "/clinics", "fields": []}', "[" * 100_000,
        '{"path": "/patients/new", "fields": [[["a"], "b", "c"]]}', "\x00", '{"path": "/\\u0000", "fields": []}',
        '{"path": "/patients/' + "0" * 8 + '-0000-0000-0000-000000000000/archive", "fields": []}',
        json.dumps({"path": "/patients/new", "fields": [["notes", "x" * 200_001]]}),
    ],
)  # fmt: skip
def test_a_tampered_carried_form_is_ignored(text: str, visit: Callable[..., Person], app: Flask) -> None:
    with app.test_request_context("/login", base_url="http://papatya.localhost"):
        assert load_carried(text) is None
    person = visit()
    answer = person.post("/login", {"email": "coordinator@papatya.example.com", "password": PASSWORD, "resume": text})
    assert (answer.status_code, answer.location) == (302, "/")


def test_a_carried_form_cannot_smuggle_markup_or_another_target(visit: Callable[..., Person]) -> None:
    fields = [['"><script>alert(1)</script>', '"><img src=x onerror=alert(1)>']]
    text = json.dumps({"path": '/patients/new?"><script>alert(1)</script>', "fields": fields})
    person = visit()
    page = person.post("/login", {"email": "coordinator@papatya.example.com", "password": PASSWORD, "resume": text})
    assert page.status_code == 200
    document = read(page.text)
    assert document.inline == []
    assert "<img src=x" not in page.text


def test_what_was_carried_is_one_clinics(coordinator: Person, late: TestResponse, visit: Callable[..., Person]) -> None:
    """Sent to another clinic's host, the form opens there as that clinic's own new form and saves nothing."""
    carried: Any = dict(read(late.text).form("/login").fields)["resume"]
    stranger = visit("lale")
    page = stranger.post("/login", {"email": "owner@lale.example.com", "password": PASSWORD, "resume": carried})
    shown = sent(stranger, read(page.text).form("/patients/new"))
    assert shown.status_code == 200
