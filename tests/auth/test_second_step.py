"""The second step at login: set up, asked for, opened once, and what happens where its key is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.auth.models import PlatformUser, User
from portal.core.clinics import ClinicInfo
from portal.core.keyring import DataKey
from portal.core.work import clinic_work, platform_work
from tests.support.data import PASSWORD
from tests.support.pages import field_errors, flashes, summary
from tests.support.people import Person

START = datetime(2026, 11, 25, 9, 0, 0, tzinfo=UTC)
Setup = tuple[Person, str, list[str]]


def set_up(who: Person) -> tuple[str, list[str]]:
    """Turn the second step on as a reader does; return the secret and the recovery codes."""
    assert who.post("/account/second-step/begin", {"password": PASSWORD}).status_code == 302
    page = who.get("/account/second-step").text
    assert "<svg" in page
    found = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert found
    shown = who.post("/account/second-step/confirm", {"code": pyotp.TOTP(found.group(1)).now()})
    assert shown.status_code == 200, field_errors(shown)
    return found.group(1), re.findall(r"<li><code>([a-z2-7-]{19})</code></li>", shown.text)


def give_password(who: Person, role: str, **fields: str) -> Any:
    name = who.host.partition(".")[0]
    answer = who.post("/login", {"email": f"{role}@{name}.example.com", "password": PASSWORD, **fields})
    who.token = None  # a fresh cookie, so a fresh token
    return answer


def give_code(who: Person, code: str, **fields: str) -> Any:
    answer = who.post("/login/code", {"code": code, **fields})
    who.token = None
    return answer


def is_in(who: Person) -> bool:
    return who.get("/account").status_code == 200


@pytest.fixture(params=[("doctor", "papatya"), ("ops", "admin")], ids=["a clinic", "the platform"])
def protected(request: pytest.FixtureRequest, sign_in: Callable[..., Person], visit: Callable[..., Person]) -> Any:
    """Somebody with a second step, at her host and with a browser that is not signed in; a while after."""
    role, host = request.param
    with time_machine.travel(START, tick=False) as clock:
        secret, codes = set_up(sign_in(role, host))
        clock.shift(timedelta(minutes=10))
        who = visit(host)
        who.client.set_cookie("language", "en", domain=who.host)
        yield who, role, secret, codes, clock


def test_the_password_alone_no_longer_opens(protected: Any) -> None:
    who, role, secret, _codes, _clock = protected
    answer = give_password(who, role)
    assert answer.status_code == 200
    assert not is_in(who)
    assert give_code(who, "000000").status_code == 422
    assert not is_in(who)
    assert give_code(who, pyotp.TOTP(secret).now()).status_code == 302
    assert is_in(who)


def test_a_code_opens_once(protected: Any, visit: Callable[..., Person]) -> None:
    who, role, secret, _codes, clock = protected
    code = pyotp.TOTP(secret).now()
    give_password(who, role)
    assert give_code(who, code).status_code == 302
    thief = visit(who.host.partition(".")[0])
    give_password(thief, role)
    answer = give_code(thief, code)
    assert answer.status_code == 422
    before = pyotp.TOTP(secret).at(int(clock().timestamp()) - 30) if callable(clock) else None
    assert before is None or give_code(thief, before).status_code == 422
    clock.shift(timedelta(seconds=30))
    assert thief.post("/login/code", {"code": f" {pyotp.TOTP(secret).now()} "}).status_code == 302


def test_a_phone_half_a_minute_off_still_opens_and_one_further_off_does_not(protected: Any) -> None:
    who, role, secret, _codes, clock = protected
    late, early = pyotp.TOTP(secret).now(), pyotp.TOTP(secret)
    clock.shift(timedelta(seconds=90))
    give_password(who, role)
    assert give_code(who, late).status_code == 422
    in_a_moment = early.at(START + timedelta(minutes=10, seconds=120))
    assert give_code(who, in_a_moment).status_code == 302


def test_a_recovery_code_opens_once_however_it_is_typed(protected: Any, visit: Callable[..., Person]) -> None:
    who, role, _secret, codes, _clock = protected
    assert len(set(codes)) == 10
    give_password(who, role)
    assert give_code(who, codes[0].upper().replace("-", " ")).status_code == 302
    assert "9 recovery codes are left" in who.get("/account/second-step").text
    other = visit(who.host.partition(".")[0])
    give_password(other, role)
    assert give_code(other, codes[0]).status_code == 422
    assert give_code(other, codes[1]).status_code == 302


def test_guessing_codes_is_limited_even_for_the_right_one(protected: Any) -> None:
    who, role, secret, _codes, _clock = protected
    give_password(who, role)
    answers = [who.post("/login/code", {"code": f"{number:06d}"}).status_code for number in range(6)]
    assert answers[0] == 422
    assert answers[-1] == 429
    assert give_code(who, pyotp.TOTP(secret).now()).status_code == 429


def test_the_first_step_is_forgotten_after_ten_minutes(protected: Any) -> None:
    who, role, secret, _codes, clock = protected
    give_password(who, role)
    clock.shift(timedelta(minutes=10, seconds=1))
    answer = give_code(who, pyotp.TOTP(secret).now())
    assert answer.status_code == 422
    assert "too long" in summary(answer)
    assert not is_in(who)


def test_without_a_password_nobody_is_asked_for_a_code(visit: Callable[..., Person]) -> None:
    answer = visit().post("/login/code", {"code": "123456"})
    assert answer.status_code == 422
    assert 'name="password"' in answer.text


@pytest.mark.parametrize("protected", [("doctor", "papatya")], indirect=True)
def test_the_first_step_counts_at_one_clinic_only(protected: Any, visit: Callable[..., Person]) -> None:
    who, role, secret, _codes, _clock = protected
    give_password(who, role)
    thief = visit("lale")
    thief.client.set_cookie("clinikoop", who.cookie(), domain=thief.host)
    assert 'name="password"' in give_code(thief, pyotp.TOTP(secret).now()).text
    assert not is_in(thief)


@pytest.mark.parametrize("protected", [("doctor", "papatya")], indirect=True)
def test_where_a_visitor_was_going_is_kept_over_both_steps(protected: Any) -> None:
    who, role, secret, _codes, _clock = protected
    page = give_password(who, role, next="/patients/")
    assert 'value="/patients/"' in page.text
    answer = give_code(who, pyotp.TOTP(secret).now(), next="/patients/")
    assert answer.location == "/patients/"


@pytest.mark.parametrize(
    "keys",
    [(), (DataKey("other", b"another one....." * 2),), (DataKey("tests", b"another one....." * 2),)],
    ids=["lost", "another", "another of the same name"],
)
def test_a_lost_key_is_told_and_nothing_is_overwritten(
    keys: tuple[DataKey, ...], protected: Any, portal: Flask, papatya: ClinicInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, role, secret, codes, _clock = protected
    before = stored(portal, papatya, who, role)
    with monkeypatch.context() as patch:
        settings = replace(portal.extensions["portal_settings"], data_keys=keys)
        patch.setitem(portal.extensions, "portal_settings", settings)
        give_password(who, role)
        answer = give_code(who, pyotp.TOTP(secret).now())
        assert answer.status_code == 503
        assert "a key of the portal is missing" in " ".join(field_errors(answer).values())
        assert not is_in(who)
        assert stored(portal, papatya, who, role) == before
        assert give_code(who, codes[3]).status_code == 302, "recovery codes need no key"
        assert who.post("/account/second-step/begin", {"password": PASSWORD}).status_code == 422, "it is on already"
        assert stored(portal, papatya, who, role)[0] == before[0]


def stored(portal: Flask, clinic: ClinicInfo, who: Person, role: str) -> tuple[bytes | None, datetime | None]:
    at_clinic = not who.host.startswith("admin")
    work: Any = clinic_work(portal, clinic.id) if at_clinic else platform_work(portal, "tests")
    model: Any = User if at_clinic else PlatformUser
    with work as session:
        row = session.execute(
            sa.select(model.totp_secret, model.totp_confirmed_at).where(model.email.startswith(f"{role}@"))
        ).one()
        return row[0], row[1]


def test_the_secret_is_sealed_and_the_recovery_codes_are_hashes(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    secret, codes = set_up(sign_in("doctor"))
    with clinic_work(portal, papatya.id) as session:
        rows = "".join(
            str(row) for table in ("users", "activity_logs")
            for row in session.connection().execute(sa.text(f"SELECT t::text FROM {table} AS t")).scalars()
        )  # fmt: skip
    assert secret not in rows
    assert secret.encode().hex() not in rows
    assert not [code for code in codes if code in rows or code.replace("-", "") in rows]


def test_a_wrong_code_turns_nothing_on(sign_in: Callable[..., Person], visit: Callable[..., Person]) -> None:
    doctor = sign_in("doctor")
    doctor.post("/account/second-step/begin", {"password": PASSWORD})
    assert doctor.post("/account/second-step/confirm", {"code": "000000"}).status_code == 422
    assert give_password(visit(), "doctor").status_code == 302


def test_setting_it_up_needs_the_password(sign_in: Callable[..., Person]) -> None:
    doctor = sign_in("doctor")
    answer = doctor.post("/account/second-step/begin", {"password": "not hers at all"})
    assert answer.status_code == 422
    assert "This is not your current password" in " ".join(field_errors(answer).values())
    assert "Type the code it shows" not in doctor.get("/account/second-step").text


def test_turning_it_off_and_new_codes_need_the_password(
    sign_in: Callable[..., Person], visit: Callable[..., Person]
) -> None:
    doctor = sign_in("doctor")
    _secret, codes = set_up(doctor)
    for path in ("/account/second-step/off", "/account/second-step/codes"):
        assert doctor.post(path, {"password": "wrong"}).status_code == 422
    fresh = doctor.post("/account/second-step/codes", {"password": PASSWORD})
    assert codes[0] not in fresh.text
    other = visit()
    give_password(other, "doctor")
    assert give_code(other, codes[0]).status_code == 422, "the codes before are dead"
    assert doctor.post("/account/second-step/off", {"password": PASSWORD}).status_code == 302
    assert give_password(visit(), "doctor").status_code == 302


def test_where_the_clinic_asks_for_it_nothing_else_opens_before_it_is_set_up(
    sign_in: Callable[..., Person], visit: Callable[..., Person]
) -> None:
    owner, coordinator = sign_in("owner"), sign_in("coordinator")
    owner.post("/staff/second-step", {"required": "yes"})
    assert "your own second step first" in flashes(owner.get("/staff/"))[0]
    set_up(owner)
    owner.post("/staff/second-step", {"required": "yes"})
    for answer in (coordinator.get("/patients/"), coordinator.post("/patients/new", {"first_name": "x"})):
        assert (answer.status_code, answer.location) == (303, "/account/second-step")
    assert "asks everybody" in coordinator.get("/account/second-step").text
    assert coordinator.get("/account").status_code == 200
    set_up(coordinator)
    assert coordinator.get("/patients/").status_code == 200
    assert sign_in("owner", "lale").get("/patients/").status_code == 200, "another clinic asks nobody"
    owner.post("/staff/second-step", {"required": "no"})
    assert sign_in("doctor").get("/patients/").status_code == 200


def test_a_manager_helps_whoever_lost_her_phone(
    sign_in: Callable[..., Person], visit: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    doctor, admin = sign_in("doctor"), sign_in("admin")
    set_up(doctor)
    with clinic_work(portal, papatya.id) as session:
        user_id = session.scalars(sa.select(User.id).where(User.role == "doctor")).one()
    assert admin.post(f"/staff/{user_id}/second-step/off").status_code == 302
    assert not is_in(doctor)
    assert give_password(visit(), "doctor").status_code == 302


def test_the_qr_code_scales_with_its_page_and_is_never_cut(sign_in: Callable[..., Person]) -> None:
    doctor = sign_in("doctor")
    doctor.post("/account/second-step/begin", {"password": PASSWORD})
    drawn = re.search(r"<svg[^>]*>", doctor.get("/account/second-step").text)
    assert drawn
    assert "viewBox" in drawn.group()
    assert " width=" not in drawn.group()
