"""Getting in and out: what is asked, what is remembered, and how it ends."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import bcrypt
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from portal.auth import services
from portal.auth.models import LoginBucket, LoginSession, User
from portal.auth.passwords import check_password, hash_password
from portal.auth.resume import local_path
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from tests.support.data import PASSWORD
from tests.support.people import Person, hidden_fields

WRONG = "The e-mail or the password is not right."


def attempt(person: Person, email: str, password: str = PASSWORD, **fields: str) -> TestResponse:
    return person.post("/login", {"email": email, "password": password, **fields})


def is_in(person: Person) -> bool:
    return person.get("/account").status_code == 200


def in_english(person: Person) -> Person:
    person.client.set_cookie("language", "en", domain=person.host)
    return person


def sessions(portal: Flask, clinic: ClinicInfo) -> list[LoginSession]:
    with clinic_work(portal, clinic.id) as session:
        return list(session.scalars(sa.select(LoginSession).order_by(LoginSession.id)))


def test_the_right_password_opens_the_first_page(visit: Callable[..., Person]) -> None:
    person = visit()
    answer = attempt(person, "coordinator@papatya.example.com")
    assert (answer.status_code, answer.location) == (302, "/")
    assert "Papatya coordinator" in person.get("/").text


def test_the_address_is_read_in_any_case_and_with_spaces(visit: Callable[..., Person]) -> None:
    assert attempt(visit(), "  Coordinator@PAPATYA.example.com ").status_code == 302


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("coordinator@papatya.example.com", "wrong"),
        ("nobody@papatya.example.com", PASSWORD),
        ("owner@lale.example.com", PASSWORD),
        ("agent@admin.example.com", PASSWORD),
        ("doctor@papatya.example.com", PASSWORD),
        ("coordinator@papatya.example.com", PASSWORD + " "),
        ("coordinator@papatya.example.com", "\x00" + PASSWORD),
        ("coordinator@papatya.example.com'--", PASSWORD),
    ],
    ids=["wrong", "unknown", "another clinic's", "the platform's", "switched off", "longer", "NUL", "SQL"],
)
def test_whatever_is_wrong_the_answer_is_the_same(
    email: str, password: str, visit: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    switch_off(portal, papatya, "doctor@papatya.example.com")
    person = in_english(visit())
    answer = attempt(person, email, password)
    assert answer.status_code == 422
    assert WRONG in answer.text
    assert not is_in(person)


def switch_off(portal: Flask, clinic: ClinicInfo, email: str) -> None:
    with clinic_work(portal, clinic.id) as session:
        session.execute(sa.update(User).where(User.email == email).values(is_active=False))
        audit.record(SYSTEM, "tests.changed", User)


def test_switching_an_account_off_ends_its_sessions_at_once(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    doctor = sign_in("doctor")
    assert is_in(doctor)
    switch_off(portal, papatya, "doctor@papatya.example.com")
    assert not is_in(doctor)


def test_a_role_taken_away_is_gone_with_the_next_request(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    owner = sign_in("owner")
    assert owner.get("/catalog/new").status_code == 200
    with clinic_work(portal, papatya.id) as session:
        session.execute(sa.update(User).where(User.email == "owner@papatya.example.com").values(role="readonly"))
        audit.record(SYSTEM, "tests.changed", User)
    assert owner.get("/catalog/new").status_code == 403


def test_the_cookie_stays_at_its_host_and_away_from_scripts(visit: Callable[..., Person]) -> None:
    person = visit()
    answer = attempt(person, "coordinator@papatya.example.com")
    headers = [value for value in answer.headers.getlist("Set-Cookie") if value.startswith("clinikoop=")]
    assert len(headers) == 1
    assert "Domain" not in headers[0]
    assert "HttpOnly" in headers[0]
    assert "SameSite=Lax" in headers[0]
    assert "Path=/" in headers[0]


def test_a_login_starts_a_fresh_cookie(visit: Callable[..., Person]) -> None:
    """Else somebody who planted a cookie before the login would share it afterwards."""
    person = visit()
    person.get("/login")
    before = person.cookie()
    attempt(person, "coordinator@papatya.example.com")
    assert person.cookie() != before
    person.client.set_cookie("clinikoop", before, domain=person.host)
    assert not is_in(person)


def test_static_files_do_not_carry_the_cookie(coordinator: Person) -> None:
    assert "Set-Cookie" not in coordinator.get("/static/css/theme.css").headers


@pytest.mark.parametrize("host", ["lale", "admin", "lale-dis.example"])
def test_the_cookie_of_one_clinic_finds_nobody_elsewhere(
    host: str, coordinator: Person, visit: Callable[..., Person]
) -> None:
    thief = visit(host)
    thief.client.set_cookie("clinikoop", coordinator.cookie(), domain=thief.host)
    assert not is_in(thief)
    assert thief.get("/patients/").status_code in (302, 404)
    assert is_in(coordinator)


def test_the_platforms_cookie_finds_nobody_at_a_clinic(
    sign_in: Callable[..., Person], visit: Callable[..., Person]
) -> None:
    agent, thief = sign_in("agent", "admin"), visit("papatya")
    thief.client.set_cookie("clinikoop", agent.cookie(), domain=thief.host)
    assert not is_in(thief)


def test_a_cookie_with_a_changed_letter_finds_nobody(coordinator: Person) -> None:
    value = coordinator.cookie()
    coordinator.client.set_cookie(
        "clinikoop", value[:-2] + ("A" if value[-2] != "A" else "B") + value[-1], domain=coordinator.host
    )
    assert not is_in(coordinator)


def test_logging_out_ends_the_session_in_the_database(coordinator: Person, portal: Flask, papatya: ClinicInfo) -> None:
    replayed = coordinator.cookie()
    assert len(sessions(portal, papatya)) == 1
    assert coordinator.sign_out().status_code == 302
    assert sessions(portal, papatya) == []
    coordinator.client.set_cookie("clinikoop", replayed, domain=coordinator.host)
    assert not is_in(coordinator)


def test_the_token_is_stored_only_as_a_hash(coordinator: Person, portal: Flask, papatya: ClinicInfo) -> None:
    with coordinator.client.session_transaction(base_url=f"http://{coordinator.host}") as cookie:
        token = cookie["_user_id"]
    assert len(token) >= 43
    row = sessions(portal, papatya)[0]
    assert row.token_hash == hashlib.sha256(token.encode()).digest()
    with clinic_work(portal, papatya.id) as session:
        everything = "".join(
            str(found) for table in ("login_sessions", "users", "activity_logs")
            for found in session.connection().execute(sa.text(f"SELECT t::text FROM {table} AS t")).scalars()
        )  # fmt: skip
    assert token not in everything
    assert PASSWORD not in everything


def test_two_logins_of_one_person_are_two_sessions(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    first, second = sign_in("doctor"), sign_in("doctor")
    assert len({row.token_hash for row in sessions(portal, papatya)}) == 2
    first.sign_out()
    assert is_in(second)


def test_changing_the_password_ends_every_other_session_but_not_this_one(
    sign_in: Callable[..., Person], visit: Callable[..., Person]
) -> None:
    here, there, colleague = sign_in("doctor"), sign_in("doctor"), sign_in("coordinator")
    fields = {
        "current_password": PASSWORD,
        "new_password": "four other quiet words",
        "password_again": "four other quiet words",
    }
    assert here.post("/account", fields).status_code == 302
    assert (is_in(here), is_in(there), is_in(colleague)) == (True, False, True)
    assert attempt(visit(), "doctor@papatya.example.com").status_code == 422
    assert attempt(visit(), "doctor@papatya.example.com", "four other quiet words").status_code == 302


@pytest.mark.parametrize(
    ("current", "new", "again"),
    [
        ("wrong", "four other quiet words", "four other quiet words"),
        (PASSWORD, "short", "short"),
        (PASSWORD, "four other quiet words", "four other quiet word"),
        (PASSWORD, "aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaa"),
        (PASSWORD, "1234567890", "1234567890"),
        (PASSWORD, "x" * 201, "x" * 201),
        (PASSWORD, "", ""),
    ],
    ids=["wrong current", "short", "different", "one letter", "running", "too long", "empty"],
)
def test_a_password_that_is_not_good_enough_changes_nothing(
    current: str, new: str, again: str, sign_in: Callable[..., Person], visit: Callable[..., Person]
) -> None:
    doctor = sign_in("doctor")
    answer = doctor.post("/account", {"current_password": current, "new_password": new, "password_again": again})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert attempt(visit(), "doctor@papatya.example.com").status_code == 302


def test_guessing_the_current_password_is_limited(sign_in: Callable[..., Person]) -> None:
    doctor = sign_in("doctor")
    fields = {"new_password": "four other quiet words", "password_again": "four other quiet words"}
    for _guess in range(8):
        doctor.post("/account", {"current_password": "wrong", **fields})
    doctor.post("/account", {"current_password": PASSWORD, **fields})
    assert doctor.post("/account", {"current_password": PASSWORD, **fields}).status_code == 422
    assert is_in(doctor)


def test_an_idle_session_ends(app: Flask, sign_in: Callable[..., Person]) -> None:
    idle = app.extensions["portal_settings"].session_idle
    start = datetime.now(UTC)
    doctor = sign_in("doctor")
    with time_machine.travel(start + idle - timedelta(minutes=1), tick=False):
        assert is_in(doctor)  # and starts the idle time anew
    with time_machine.travel(start + 2 * idle - timedelta(minutes=2), tick=False):
        assert is_in(doctor)
    with time_machine.travel(start + 3 * idle, tick=False):
        assert not is_in(doctor)


def test_a_session_ends_after_its_lifetime_however_busy(app: Flask, sign_in: Callable[..., Person]) -> None:
    settings = app.extensions["portal_settings"]
    start = datetime.now(UTC)
    doctor = sign_in("doctor")
    moment = start
    while moment + settings.session_idle / 2 < start + settings.session_lifetime:
        moment += settings.session_idle / 2
        with time_machine.travel(moment, tick=False):
            assert is_in(doctor), moment - start
    with time_machine.travel(start + settings.session_lifetime + timedelta(minutes=1), tick=False):
        assert not is_in(doctor)


def test_ended_sessions_are_deleted_and_live_ones_kept(
    app: Flask, sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    doctor = sign_in("doctor")
    with time_machine.travel(datetime.now(UTC) + app.extensions["portal_settings"].session_lifetime * 2, tick=False):
        sign_in("coordinator")
        with clinic_work(portal, papatya.id):
            assert services.purge_sessions() == 1
    assert len(sessions(portal, papatya)) == 1
    assert not is_in(doctor)


def test_the_ninth_try_is_refused_and_so_is_the_right_password(visit: Callable[..., Person]) -> None:
    guesser = in_english(visit())
    for _guess in range(8):
        assert attempt(guesser, "owner@papatya.example.com", "wrong").status_code == 422
    for password in ("wrong", PASSWORD):
        answer = attempt(guesser, "owner@papatya.example.com", password)
        assert answer.status_code == 429
        assert "Too many attempts. Wait a few minutes, then try again." in answer.text
    assert not is_in(guesser)


def test_the_limit_is_one_accounts_and_not_its_neighbours(visit: Callable[..., Person]) -> None:
    guesser, other = visit(), visit()
    for _guess in range(9):
        attempt(guesser, "owner@papatya.example.com", "wrong")
    other.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert attempt(other, "owner@papatya.example.com").status_code == 429, "another address does not help"
    assert attempt(other, "doctor@papatya.example.com").status_code == 302


def test_the_same_address_at_another_clinic_is_another_account(visit: Callable[..., Person]) -> None:
    guesser = visit()
    for _guess in range(9):
        attempt(guesser, "owner@lale.example.com", "wrong")
    assert attempt(visit("lale"), "owner@lale.example.com").status_code == 302


def test_spelling_the_address_otherwise_does_not_get_around_the_limit(visit: Callable[..., Person]) -> None:
    guesser = visit()
    for guess in range(8):
        spelling = "owner@papatya.example.com".upper() if guess % 2 else "  owner@Papatya.example.com "
        attempt(guesser, spelling, "wrong")
    assert attempt(guesser, "owner@papatya.example.com").status_code == 429


def test_one_internet_address_cannot_try_account_after_account(visit: Callable[..., Person]) -> None:
    guesser, other = visit(), visit()
    answers = [attempt(guesser, f"nobody{number}@papatya.example.com").status_code for number in range(41)]
    assert set(answers[:40]) == {422}
    assert answers[40] == 429
    other.client.environ_base["REMOTE_ADDR"] = "192.0.2.8"
    assert attempt(other, "doctor@papatya.example.com").status_code == 302


def test_a_forwarded_address_is_not_believed_without_a_proxy(visit: Callable[..., Person]) -> None:
    guesser = visit()
    for number in range(40):
        guesser.post(
            "/login", {"email": f"nobody{number}@papatya.example.com", "password": "x"},
            headers={"X-Forwarded-For": f"192.0.2.{number}"},
        )  # fmt: skip
    assert attempt(guesser, "doctor@papatya.example.com").status_code == 429


def test_a_success_forgives_earlier_slips(visit: Callable[..., Person]) -> None:
    person = visit()
    for _round in range(3):
        for _slip in range(6):
            attempt(person, "owner@papatya.example.com", "wrong")
        assert attempt(person, "owner@papatya.example.com").status_code == 302


def test_the_limits_tell_nobodys_name(visit: Callable[..., Person], portal: Flask) -> None:
    attempt(visit(), "owner@papatya.example.com", "wrong")
    keys = portal.extensions["portal_connections"][None].scalars(sa.select(LoginBucket.key)).all()
    assert keys
    assert all(len(key) == 32 and b"owner" not in key for key in keys)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ("/patients/", "/patients/"),
        ("/patients/?q=ay%C5%9Fe&sort=name", "/patients/?q=ay%C5%9Fe&sort=name"),
        ("//evil.example", "/"), ("///evil.example", "/"), ("/\\evil.example", "/"), ("\\/evil.example", "/"),
        ("https://evil.example", "/"), ("http:evil.example", "/"), ("javascript:alert(1)", "/"), ("evil.example", "/"),
        ("/\t/evil.example", "/"), ("/\n/evil.example", "/"), ("/a\r\nSet-Cookie: x=1", "/"), ("", "/"), (" /x", "/"),
        ("/a\\b", "/"), ("/" + "x" * 2001, "/"), ("/%2F/evil.example", "/%2F/evil.example"), ("@evil.example", "/"),
        ("?x", "/"), ("/\x00", "/"), ("/;@evil.example", "/;@evil.example"),
    ],
)  # fmt: skip
def test_after_the_login_the_way_leads_only_within_the_site(
    wanted: str, taken: str, visit: Callable[..., Person]
) -> None:
    assert (local_path(wanted) or "/") == taken
    person = visit()
    answer = attempt(person, "coordinator@papatya.example.com", next=wanted)
    assert answer.status_code == 302
    assert answer.location == taken
    shown = hidden_fields(visit().get("/login", query_string={"next": wanted}).text)
    assert html.unescape(shown["next"]) in ("", taken)


def test_a_page_asked_for_is_the_page_after_the_login(visit: Callable[..., Person]) -> None:
    person = visit()
    answer = person.get("/patients/?q=a&sort=name")
    assert answer.location == "/login?next=/patients/?q%3Da%26sort%3Dname"


def test_an_imported_bcrypt_password_works_once_as_such_and_is_hashed_anew(
    visit: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    with clinic_work(portal, papatya.id) as session:
        session.execute(sa.update(User).where(User.email == "doctor@papatya.example.com").values(password_hash=old))
        audit.record(SYSTEM, "tests.changed", User)
    assert attempt(visit(), "doctor@papatya.example.com", "wrong").status_code == 422
    assert attempt(visit(), "doctor@papatya.example.com").status_code == 302
    with clinic_work(portal, papatya.id) as session:
        stored = session.scalars(sa.select(User.password_hash).where(User.email == "doctor@papatya.example.com")).one()
    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert attempt(visit(), "doctor@papatya.example.com").status_code == 302


@pytest.mark.parametrize(
    "password",
    ["x" * 200, "ş" * 200, "a\x00b", "", "\ud7ff"],
    ids=["long", "long and not ASCII", "NUL", "empty", "odd"],
)
@pytest.mark.parametrize("kind", ["argon2", "bcrypt", "none", "nonsense", "damaged bcrypt", "damaged argon2"])
def test_no_password_crashes_the_check(kind: str, password: str) -> None:
    stored = {
        "argon2": hash_password("right"), "bcrypt": bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode(),
        "none": None, "nonsense": "!locked", "damaged bcrypt": "$2b$12$short", "damaged argon2": "$argon2id$v=19$short",
    }[kind]  # fmt: skip
    assert check_password(password, stored) == (False, None)


def test_a_long_imported_password_works_and_counts_in_full_from_then_on() -> None:
    password = "ş" * 60
    old = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    right, fresh = check_password(password, old)
    assert right
    assert check_password(password, fresh) == (True, None)
    assert check_password("ş" * 36, fresh) == (False, None)


def test_an_account_without_a_password_cannot_log_in(
    visit: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id) as session:
        session.execute(sa.update(User).where(User.email == "doctor@papatya.example.com").values(password_hash=None))
        audit.record(SYSTEM, "tests.changed", User)
    for password in (PASSWORD, "None", "nobody has this password"):
        assert attempt(visit(), "doctor@papatya.example.com", password).status_code == 422


def test_the_password_is_hashed_as_strongly_as_decided() -> None:
    assert hash_password("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(("choice", "text"), [("tr", "Oturum aç"), ("en", "Log in")])
def test_the_language_is_remembered_before_the_login(choice: str, text: str, visit: Callable[..., Person]) -> None:
    person = visit()
    answer = person.post("/preferences/language", {"language": choice, "next": "/login"})
    assert (answer.status_code, answer.location) == (302, "/login")
    page = person.get("/login").text
    assert f'<html lang="{choice}"' in page


def test_the_language_follows_the_person_to_another_browser(sign_in: Callable[..., Person]) -> None:
    here = sign_in("doctor")
    assert '<html lang="en"' in here.get("/").text
    here.post("/preferences/language", {"language": "tr"})
    assert '<html lang="tr"' in sign_in("doctor").get("/").text


@pytest.mark.parametrize("path", ["language", "theme"])
@pytest.mark.parametrize("value", ["", "xx", "en\r\nSet-Cookie: a=b", "../en", "EN"])
def test_a_preference_that_does_not_exist_is_refused(path: str, value: str, visit: Callable[..., Person]) -> None:
    assert visit().post(f"/preferences/{path}", {path: value}).status_code == 400


def test_a_preference_leads_back_only_within_the_site(visit: Callable[..., Person]) -> None:
    answer = visit().post("/preferences/theme", {"theme": "dark", "next": "//evil.example"})
    assert answer.location == "/"


def test_a_theme_is_remembered_and_a_forged_cookie_ignored(visit: Callable[..., Person]) -> None:
    person = visit()
    person.post("/preferences/theme", {"theme": "dark"})
    assert 'data-theme="dark"' in person.get("/login").text
    person.client.set_cookie("theme", '"><script>', domain=person.host)
    assert 'data-theme="auto"' in person.get("/login").text
