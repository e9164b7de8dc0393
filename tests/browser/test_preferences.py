"""Language, theme and logins belong where they were chosen; an empty clinic says what to do first."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served
from tests.browser.seeding import EMPTY
from tests.support.data import PASSWORD

pytestmark = pytest.mark.browser
Browse = Callable[..., Page]


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_the_language_is_remembered_on_the_account_and_the_page_stays(script: bool, browse: Browse) -> None:
    page = browse("assistant", java_script_enabled=script)
    page.goto("/patients/?state=archived")
    page.get_by_role("button", name="Türkçe").click()
    expect(page.locator("html")).to_have_attribute("lang", "tr")
    assert page.url.endswith("/patients/?state=archived")
    elsewhere = browse("assistant")  # another browser of the same person
    elsewhere.goto("/offers/")
    expect(elsewhere.locator("html")).to_have_attribute("lang", "tr")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_the_theme_is_remembered_by_the_browser(script: bool, browse: Browse) -> None:
    page = browse("readonly", java_script_enabled=script, color_scheme="light")
    page.goto("/patients/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") if script else None
    page.locator("summary", has_text="Appearance").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/offers/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    if script:
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_the_theme_follows_the_device_until_one_is_chosen(browse: Browse) -> None:
    page = browse("readonly", color_scheme="dark")
    page.goto("/patients/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_two_clinics_in_one_browser_do_not_share_a_login(browse: Browse, served: Served) -> None:
    page = browse("coordinator")
    page.goto(served.url("lale") + "/patients/")
    expect(page.locator("#password")).to_be_visible()
    page.locator("#email").fill("coordinator@lale.example.com")
    page.locator("#password").fill(PASSWORD)
    page.locator(".plain-card button[type=submit]").click()
    expect(page.locator(".bar-name")).to_have_text("Lale Ağız ve Diş Sağlığı")
    expect(page.locator("a.row-link", has_text="Zeynep Gizlioğlu")).to_be_visible()
    page.goto("/patients/")
    expect(page.locator(".bar-name")).to_have_text("Papatya Diş Kliniği")
    expect(page.locator("body")).not_to_contain_text("Gizlioğlu")
    page.goto(served.url("lale") + "/account")
    page.locator(".bar-account").click()
    page.locator("form[action='/logout'] button").click()
    expect(page.locator("#password")).to_be_visible()
    page.goto("/account")
    expect(page.locator("dl.facts")).to_contain_text("coordinator@papatya.example.com")


@pytest.mark.parametrize(
    ("path", "text", "action"),
    [
        ("/patients/", "No patients yet", "New patient"),
        ("/offers/", "No offers yet", "New offer"),
        ("/offers/new/patient", "Register the patient first", "New patient"),
        ("/", "No patient yet", "New patient"),
    ],
)
def test_an_empty_clinic_says_what_to_do_and_takes_one_there(
    path: str, text: str, action: str, browse: Browse, served: Served
) -> None:
    leads_to = {"New patient": "/patients/new", "New offer": "/offers/new/patient"}[action]
    page = browse("coordinator", EMPTY)
    page.goto(path)
    expect(page.locator("main")).to_contain_text(text)
    page.locator("main").get_by_role("link", name=action, exact=True).last.click()
    expect(page).to_have_url(served.url(EMPTY) + leads_to)


def test_whoever_may_not_write_is_not_told_to(browse: Browse) -> None:
    page = browse("readonly", EMPTY)
    for path in ("/patients/", "/offers/", "/"):
        page.goto(path)
        expect(page.locator("main")).to_contain_text(re.compile("No (patients|offers?) yet"))
        expect(page.locator("main")).not_to_contain_text(re.compile("Register the first|Open a patient to draft"))
        expect(page.locator("main .btn-primary")).to_have_count(0)
