"""One's own sessions, and a colleague's: seen, and ended."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.auth.models import LoginSession, User
from portal.auth.sessions import device_of
from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from tests.support.data import PASSWORD
from tests.support.pages import told
from tests.support.people import Person

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


def is_in(who: Person) -> bool:
    return who.get("/account").status_code == 200


def ends(page: str) -> list[str]:
    return re.findall(r'action="(/account/sessions/[0-9a-f-]{36}/end)"', page)


def test_sessions_are_told_by_device_and_address_and_ended_one_by_one(visit: Callable[..., Person]) -> None:
    here, there = visit(), visit()
    there.client.environ_base["HTTP_USER_AGENT"] = FIREFOX
    there.client.environ_base["REMOTE_ADDR"] = "192.0.2.55"
    for who in (there, here):
        who.log_in("doctor")
    page = here.get("/account/sessions")
    assert "Firefox, Linux" in told(page)
    assert "192.0.2.55" in told(page)
    assert "This session" in told(page)
    (end,) = ends(page.text)
    assert here.post(end).status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)
    assert here.post(end).status_code == 404


@pytest.mark.parametrize(("role", "host"), [("doctor", "papatya"), ("ops", "admin")])
def test_all_others_end_at_once(role: str, host: str, sign_in: Callable[..., Person]) -> None:
    here, others = sign_in(role, host), [sign_in(role, host), sign_in(role, host)]
    assert here.post("/account/sessions/end").status_code == 302
    assert is_in(here)
    assert not [who for who in others if is_in(who)]


def test_nobody_ends_a_colleagues_session_as_her_own(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    doctor, owner = sign_in("doctor"), sign_in("owner")
    with clinic_work(portal, papatya.id) as session:
        mine = sa.select(LoginSession.id).join(
            User, sa.and_(User.clinic_id == LoginSession.clinic_id, User.id == LoginSession.user_id)
        )
        session_id = session.scalars(mine.where(User.role == "doctor")).one()
    assert owner.post(f"/account/sessions/{session_id}/end").status_code == 404
    assert is_in(doctor)


def test_a_manager_ends_a_colleagues_sessions_but_no_owners(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    doctor, owner, admin = sign_in("doctor"), sign_in("owner"), sign_in("admin")
    with clinic_work(portal, papatya.id) as session:
        ids = dict(session.execute(sa.select(User.role, User.id)).all())  # type: ignore[arg-type]
    assert "127.0.0.1" in told(admin.get(f"/staff/{ids['doctor']}"))
    admin.post(f"/staff/{ids['doctor']}/sessions/end")
    admin.post(f"/staff/{ids['owner']}/sessions/end")
    assert (is_in(doctor), is_in(owner)) == (False, True)


def test_who_must_choose_a_new_password_does_nothing_else_first(
    sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo
) -> None:
    doctor, admin = sign_in("doctor"), sign_in("admin")
    with clinic_work(portal, papatya.id) as session:
        user_id = session.scalars(sa.select(User.id).where(User.role == "doctor")).one()
    assert admin.post(f"/staff/{user_id}/password").status_code == 302
    answer = doctor.get("/patients/")
    assert (answer.status_code, answer.location) == (303, "/account")
    new = "four other quiet words"
    fields = {"current_password": PASSWORD, "new_password": new, "password_again": new}
    assert doctor.post("/account", fields).status_code == 302
    assert doctor.get("/patients/").status_code == 200


@pytest.mark.parametrize("told_by_browser", [None, "", "tests", "\x00" * 40, "Mozilla/5.0 (" * 22])
def test_a_browser_that_says_nothing_is_no_device(told_by_browser: str | None) -> None:
    assert device_of(told_by_browser) == ""
