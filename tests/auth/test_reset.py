"""A forgotten password: the answer tells nobody who has an account, and the link opens once."""

# ruff: noqa: PLR0917 - a test asks for its fixtures by name, as many as it needs

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.auth import entering, jobs
from portal.core.clinics import ClinicInfo
from portal.core.clock import now
from portal.core.outbox import OutboxMail
from portal.core.work import clinic_work
from tests.support.pages import field_errors, flashes
from tests.support.people import Person

NEW = "four other quiet words"
KNOWN, UNKNOWN = "doctor@papatya.example.com", "nobody@papatya.example.com"


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is put in the queue, in place of the queue."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(entering, "enqueue", lambda name, **arguments: found.append({"name": name, **arguments}))
    return found


def ask(who: Person, email: str) -> Any:
    return who.post("/password/forgotten", {"email": email})


def mails(portal: Flask, clinic: ClinicInfo) -> list[OutboxMail]:
    with clinic_work(portal, clinic.id) as session:
        return list(session.scalars(sa.select(OutboxMail).where(OutboxMail.kind == "account.reset")))


def link(portal: Flask, clinic: ClinicInfo, queued: list[dict[str, Any]], who: Person, email: str = KNOWN) -> str:
    """Ask for a link, let the worker send it, and return its path."""
    ask(who, email)
    row = queued.pop()
    jobs.send_reset(clinic=row["clinic"], account=row["account"])
    found = re.search(r"localhost:\d+(/password/reset/\S+)", mails(portal, clinic)[-1].body)
    assert found
    return found.group(1)


def choose(who: Person, path: str, password: str = NEW) -> Any:
    return who.post(path, {"new_password": password, "password_again": password})


def comes_in(who: Person, password: str) -> bool:
    return bool(who.post("/login", {"email": KNOWN, "password": password}).status_code == 302)


def test_a_link_comes_by_mail_and_ends_every_session(
    visit: Callable[..., Person], sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo,
    queued: list[dict[str, Any]],
) -> None:  # fmt: skip
    before = sign_in("doctor")
    path = link(portal, papatya, queued, visit())
    mail = mails(portal, papatya)[-1]
    assert mail.to_address == KNOWN
    assert "Papatya doctor" not in mail.subject + mail.body
    assert choose(visit(), path).status_code == 302
    assert before.get("/account").status_code == 302
    assert comes_in(visit(), NEW)
    for answer in (visit().get(path), choose(visit(), path, "quite another long word")):
        assert answer.status_code == 410


def test_the_answer_and_the_work_are_the_same_for_anybody(
    visit: Callable[..., Person], queued: list[dict[str, Any]], statements: list[str]
) -> None:
    answers, work = [], []
    for email in (KNOWN, UNKNOWN, "owner@lale.example.com"):
        who = visit()
        who.get("/login")
        statements.clear()
        answer = ask(who, email)
        work.append(list(statements))
        answers.append((answer.status_code, answer.location, flashes(who.get("/login"))))
    assert answers[0] == answers[1] == answers[2]
    assert work[0] == work[1] == work[2]
    assert not [sent for sent in work[0] if "users" in sent], "nothing is looked up, so nothing takes longer"
    assert len(queued) == 3
    assert not [row for row in queued if "@" in str(row)], "the queue holds no address"


@pytest.mark.parametrize("email", [UNKNOWN, "owner@lale.example.com", "readonly@papatya.example.com"])
def test_a_stranger_and_whoever_cannot_log_in_get_no_mail(
    email: str, visit: Callable[..., Person], sign_in: Callable[..., Person], portal: Flask, papatya: ClinicInfo,
    queued: list[dict[str, Any]],
) -> None:  # fmt: skip
    owner = sign_in("owner")
    page = owner.get("/staff/?q=readonly").text
    owner.post(re.findall(r'href="(/staff/[0-9a-f-]{36})"', page)[0] + "/deactivate")
    ask(visit(), email)
    jobs.send_reset(clinic=queued[0]["clinic"], account=queued[0]["account"])
    assert mails(portal, papatya) == []


def test_a_new_link_ends_the_one_before_and_each_runs_out(
    visit: Callable[..., Person], portal: Flask, papatya: ClinicInfo, queued: list[dict[str, Any]]
) -> None:
    first, second = (link(portal, papatya, queued, visit()) for _time in range(2))
    assert first != second
    assert choose(visit(), first).status_code == 410
    with time_machine.travel(now() + timedelta(hours=1, minutes=1)):
        assert choose(visit(), second).status_code == 410
    assert visit("lale").get(second).status_code == 404
    assert choose(visit(), second, "password123").status_code == 422
    assert choose(visit(), second).status_code == 302


def test_an_account_is_written_to_three_times_and_an_address_asks_so_often_only(
    visit: Callable[..., Person], queued: list[dict[str, Any]]
) -> None:
    asked = [ask(visit(), KNOWN).status_code for _time in range(11)]
    assert asked == [302] * 10 + [429]
    assert len(queued) == 3


def test_guessing_links_is_limited(visit: Callable[..., Person]) -> None:
    who = visit()
    answers = [choose(who, f"/password/reset/{number:043d}").status_code for number in range(22)]
    assert (answers[0], answers[-1]) == (404, 429)


def test_an_invitation_is_no_link_for_a_password(sign_in: Callable[..., Person], visit: Callable[..., Person]) -> None:
    page = sign_in("admin").post(
        "/staff/invite", {"email": "new@example.com", "name": "New", "role": "doctor", "way": "link"}
    )
    found = re.search(r"/welcome/([\w-]+)", page.text)
    assert found
    assert visit().get(f"/password/reset/{found.group(1)}").status_code == 404


@pytest.mark.parametrize("password", ["1q2w3e4r5t", "Papatya doctor 1", "galatasaray1905"])
def test_a_leaked_or_guessable_password_is_refused_with_a_reason(password: str, sign_in: Callable[..., Person]) -> None:
    fields = {"current_password": "tulip meadow window seat", "new_password": password, "password_again": password}
    answer = sign_in("doctor").post("/account", fields)
    assert answer.status_code == 422
    assert "unrelated words" in field_errors(answer)["new_password"]


def test_the_job_is_queued_with_the_request_and_known_to_the_worker(
    visit: Callable[..., Person], portal: Flask
) -> None:
    assert ask(visit(), KNOWN).status_code == 302
    connection = portal.extensions["portal_connections"][None]
    rows = connection.execute(sa.text("SELECT args::text FROM jobs.procrastinate_jobs WHERE task_name = 'auth.reset'"))
    assert len(rows.all()) == 1
