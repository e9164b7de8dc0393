from collections.abc import Callable

from flask import Flask
from flask_babel import gettext

from portal.core.clinics import ClinicInfo
from portal.core.work import clinic_work
from tests.support.people import Person


def test_a_text_can_be_written_where_there_is_no_request(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        assert gettext("Patients") == "Hastalar"


def test_a_stranger_reads_the_clinics_language_until_another_is_picked(visit: Callable[..., Person]) -> None:
    visitor = visit()
    assert '<html lang="tr"' in visitor.get("/login", headers={"Accept-Language": "en"}).text
    visitor.post("/preferences/language", {"language": "en", "next": "/login"})
    assert '<html lang="en"' in visitor.get("/login").text


def test_a_persons_own_language_goes_with_the_account_to_another_browser(sign_in: Callable[..., Person]) -> None:
    person = sign_in("coordinator")
    person.post("/preferences/language", {"language": "tr", "next": "/"})
    assert '<html lang="tr"' in sign_in("coordinator").get("/").text


def test_the_admin_host_follows_the_browsers_language(visit: Callable[..., Person]) -> None:
    assert '<html lang="en"' in visit("admin").get("/login", headers={"Accept-Language": "en-GB"}).text
