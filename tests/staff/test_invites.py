"""Inviting colleagues: links that open once, for one clinic, for a while; and the places a package has."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.auth.models import User
from portal.core import delivery
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.jobs import SYSTEM
from portal.core.outbox import OutboxMail
from portal.core.work import clinic_work
from portal.settings.registry import set_setting
from portal.staff.limits import STAFF_LIMIT, count_people, staff_limit
from tests.support.pages import field_errors, flashes, summary, told
from tests.support.people import Person

Work = Callable[[], AbstractContextManager[Any]]
NEW = "four other quiet words"
GUEST = {"email": "Yeni.Kisi@example.com", "name": "Yeni Kişi", "role": "coordinator", "locale": "tr", "way": "link"}


def invite(who: Person, **fields: str) -> str:
    """Invite somebody; return the path of the link that is shown."""
    page = who.post("/staff/invite", {**GUEST, **fields})
    assert page.status_code == 200, (summary(page), page.location)
    return address(page.text)


def address(page: str) -> str:
    found = re.search(r'value="http://papatya\.localhost:\d+(/welcome/[^"]+)"', page)
    assert found, page[-3000:]
    return found.group(1)


def choose(who: Person, path: str, password: str = NEW, again: str | None = None) -> Any:
    fields = {"name": "Yeni Kişi", "new_password": password, "password_again": again or password}
    return who.post(path, fields)


def come_in(who: Person, email: str = "yeni.kisi@example.com", password: str = NEW) -> int:
    return who.post("/login", {"email": email, "password": password}).status_code


def mails(work: Work) -> list[OutboxMail]:
    with work() as session:
        return list(session.scalars(sa.select(OutboxMail).where(OutboxMail.kind == "account.invite")))


def test_who_is_invited_chooses_a_password_and_comes_in(
    sign_in: Callable[..., Person], visit: Callable[..., Person], at_papatya: Work
) -> None:
    path, guest = invite(sign_in("admin")), visit()
    assert come_in(guest, password="") == 422
    page = guest.get(path)
    assert "yeni.kisi@example.com" in page.text
    assert choose(guest, path).status_code == 302
    assert come_in(guest) == 302
    assert "Yeni Kişi" in guest.get("/").text
    with at_papatya() as session:
        person = session.scalars(sa.select(User).where(User.email == "yeni.kisi@example.com")).one()
        assert (person.role, person.name) == ("coordinator", "Yeni Kişi")
        assert person.invited_by_id is not None


def test_the_link_is_kept_only_as_a_hash(sign_in: Callable[..., Person], at_papatya: Work) -> None:
    token = invite(sign_in("admin")).rpartition("/")[2]
    with at_papatya() as session:
        everything = "".join(
            text for table in ("account_tokens", "activity_logs", "users", "outbox_mails")
            for text in session.connection().execute(sa.text(f"SELECT t::text FROM {table} AS t")).scalars()
        )  # fmt: skip
    assert len(token) >= 43
    assert token not in everything


def test_a_link_opens_once(sign_in: Callable[..., Person], visit: Callable[..., Person]) -> None:
    path, guest = invite(sign_in("admin")), visit()
    assert choose(guest, path).status_code == 302
    for answer in (visit().get(path), choose(visit(), path, "quite another long word")):
        assert answer.status_code == 410
        assert "kullanıldı" in answer.text
    assert come_in(guest) == 302


def test_a_link_runs_out(sign_in: Callable[..., Person], visit: Callable[..., Person]) -> None:
    path = invite(sign_in("admin"))
    with time_machine.travel(now() + timedelta(days=7, minutes=1)):
        assert visit().get(path).status_code == 410
        assert choose(visit(), path).status_code == 410


def test_a_link_taken_back_opens_nothing(
    sign_in: Callable[..., Person], visit: Callable[..., Person], at_papatya: Work
) -> None:
    admin = sign_in("admin")
    path = invite(admin)
    with at_papatya() as session:
        user_id = session.scalars(sa.select(User.id).where(User.email == "yeni.kisi@example.com")).one()
    assert admin.post(f"/staff/{user_id}/invite/revoke").status_code == 302
    assert choose(visit(), path).status_code == 410
    assert "No link of this colleague opens" in told(admin.get(f"/staff/{user_id}"))


def test_a_new_link_ends_the_one_before(
    sign_in: Callable[..., Person], visit: Callable[..., Person], at_papatya: Work
) -> None:
    admin = sign_in("admin")
    first = invite(admin)
    with at_papatya() as session:
        user_id = session.scalars(sa.select(User.id).where(User.email == "yeni.kisi@example.com")).one()
    second = address(admin.post(f"/staff/{user_id}/invite", {"way": "link"}).text)
    assert choose(visit(), first).status_code == 410
    assert choose(visit(), second).status_code == 302
    answer = admin.post(f"/staff/{user_id}/invite", {"way": "link"})
    assert answer.status_code == 302, "who has come needs no invitation"


def test_another_clinics_link_is_no_link(sign_in: Callable[..., Person], visit: Callable[..., Person]) -> None:
    path = invite(sign_in("admin"))
    stranger = visit("lale")
    assert stranger.get(path).status_code == 404
    assert choose(stranger, path).status_code == 404
    assert "yeni.kisi" not in stranger.get(path).text


def test_guessing_links_is_limited(visit: Callable[..., Person]) -> None:
    guest = visit()
    guest.client.environ_base["REMOTE_ADDR"] = "192.0.2.44"
    answers = [choose(guest, f"/welcome/{number:043d}").status_code for number in range(22)]
    assert answers[0] == 404
    assert answers[-1] == 429


def test_an_invitation_travels_by_mail_and_is_forgotten_once_sent(
    sign_in: Callable[..., Person], at_papatya: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = sign_in("admin")
    answer = admin.post("/staff/invite", {**GUEST, "way": "mail"})
    assert answer.status_code == 302
    assert "yeni.kisi@example.com" in flashes(admin.get(answer.location))[0]
    (mail,) = mails(at_papatya)
    assert mail.to_address == "yeni.kisi@example.com"
    assert "Yeni" not in mail.subject
    assert "/welcome/" in mail.body
    assert "parolanızı" in mail.body.lower(), "in her own language"
    with at_papatya():
        monkeypatch.setattr(delivery, "_send", lambda _mail, _message: None)
        assert delivery.deliver_next(delivery.MailSettings(host="x", port=1, tls=False, sender="a@example.com"))
    assert mails(at_papatya)[0].body == ""


@pytest.mark.parametrize(
    ("password", "again", "told_as"),
    [
        ("qwerty123456", None, "listelerde"), ("Yeni.Kisi2024", None, "kolay"), ("short", None, "karakter"),
        (NEW, "four other quiet wordz", "eşleşmiyor"), ("", None, ""),
    ],
)  # fmt: skip
def test_a_password_that_will_not_do_leaves_the_link_open(
    password: str, again: str | None, told_as: str, sign_in: Callable[..., Person], visit: Callable[..., Person]
) -> None:
    path, guest = invite(sign_in("admin")), visit()
    answer = choose(guest, path, password, again)
    assert answer.status_code == 422
    assert told_as in " ".join(field_errors(answer).values())
    assert choose(guest, path).status_code == 302


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"email": "doctor@papatya.example.com"}, "already"), ({"email": "no address"}, "e-mail address"),
        ({"role": "owner"}, "valid choice"), ({"name": ""}, "Fill this in"),
    ],
)  # fmt: skip
def test_an_invitation_that_cannot_be_is_told(
    fields: dict[str, str], problem: str, sign_in: Callable[..., Person]
) -> None:
    answer = sign_in("admin").post("/staff/invite", {**GUEST, **fields})
    assert answer.status_code == 422
    assert problem in summary(answer)


def test_somebody_of_another_clinic_can_be_invited_here_too(sign_in: Callable[..., Person]) -> None:
    assert invite(sign_in("admin"), email="doctor@lale.example.com")


def test_a_package_that_is_full_says_so_and_sends_nothing(sign_in: Callable[..., Person], at_papatya: Work) -> None:
    with at_papatya():
        assert staff_limit() == STAFF_LIMIT.default
        set_setting(SYSTEM, STAFF_LIMIT, count_people())
    answer = sign_in("admin").post("/staff/invite", {**GUEST, "way": "mail"})
    assert answer.status_code == 422
    assert "all places are taken" in summary(answer)
    assert mails(at_papatya) == []


def test_a_limit_nobody_can_read_is_the_default(at_papatya: Work, portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        set_setting(SYSTEM, STAFF_LIMIT, 7)
        assert staff_limit() == 7
