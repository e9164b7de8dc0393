"""Nothing typed is ever lost, and nothing happens twice or by accident."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.conftest import Served
from tests.support.data import PASSWORD

pytestmark = pytest.mark.browser
Browse = Callable[..., Page]
Expect = Callable[..., None]

TEXTS = {
    "first_name": "Nazlı", "last_name": "Çelik-Öğüt", "phone_raw": "+49 30 1234567", "email": "nazli@example.com",
    "birth_date": "1988-02-29", "city": "Muğla", "address": "Işıklar Cad. 5 <b>", "instagram": "nazli.c",
    "notes": "İlk satır\nZweite Zeile & mehr",
}  # fmt: skip
CHOICES = {"gender": "female", "nationality": "DE", "residence_country": "TR", "locale": "de"}


def fill(page: Page, **texts: str) -> None:
    page.locator("details.form-section").evaluate("details => { details.open = true; }")
    for name, text in {**TEXTS, **texts}.items():
        page.locator(f"#{name}").fill(text)
    for name, value in CHOICES.items():
        page.locator(f"#{name}").select_option(value)
    page.locator("#is_active").uncheck()


def held(page: Page) -> dict[str, str]:
    return {name: page.locator(f"#{name}").input_value() for name in (*TEXTS, *CHOICES)}


def test_a_refused_form_keeps_every_field_and_points_at_the_first_mistake(
    browse: Browse, expect_problem: Expect
) -> None:
    expect_problem("^422 POST .*/patients/new", "a form with mistakes is sent back")
    page = browse()
    page.goto("/patients/new")
    wrong = {"phone_raw": "12", "email": "nazli@@example"}
    fill(page, **wrong)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert")).to_contain_text("Please check the following")
    assert held(page) == {**TEXTS, **CHOICES, **wrong}
    expect(page.locator("#is_active")).not_to_be_checked()
    expect(page.locator("#phone_raw")).to_be_focused()
    expect(page.locator("#phone_raw")).to_have_accessible_description(re.compile("This is not a phone number"))
    expect(page.locator("#email")).to_have_accessible_description(re.compile("This is not an e-mail address"))
    page.get_by_role("alert").get_by_role("link", name="E-mail").click()
    expect(page.locator("#email")).to_be_focused()


def test_leaving_a_changed_form_asks_first_and_an_unchanged_one_does_not(browse: Browse) -> None:
    page = browse()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.goto("/patients/new")
    page.locator("#first_name").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page).to_have_url(re.compile("/patients/$"))
    assert asked == []
    page.goto("/patients/new")
    page.locator("#first_name").press_sequentially("Naz")
    page.get_by_role("link", name="Cancel").click(no_wait_after=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    expect(page.locator("#first_name")).to_have_value("Naz")
    page.remove_listener("dialog", stay)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Cancel").click()
    expect(page).to_have_url(re.compile("/patients/$"))


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_form_sent_after_the_session_ended_is_saved_after_the_login(
    script: bool, browse: Browse, served: Served, expect_problem: Expect
) -> None:
    expect_problem("^401 POST .*/patients/new", "the session has ended, so the login page is the answer")
    expect_problem("^401 POST .*/similar", "the hint is asked for a moment after the last letter", sometimes=True)
    person, state = served.sign_in("doctor" if script else "admin", "papatya")
    page = browse(None, storage_state=state, java_script_enabled=script)
    page.goto("/patients/new")
    last_name = f"{TEXTS['last_name']} {'Bir' if script else 'İki'}"
    page.get_by_text("Social media").click()
    for name, text in {**TEXTS, "last_name": last_name, "phone_raw": ""}.items():
        page.locator(f"#{name}").fill(text)
    for name, value in CHOICES.items():
        page.locator(f"#{name}").select_option(value)
    person.sign_out()
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("what you typed is kept")).to_be_visible()
    page.get_by_label("E-mail").fill(f"{'doctor' if script else 'admin'}@papatya.example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Back to the form").click()
    expect(page.get_by_text("You are logged in again")).to_be_visible()
    assert held(page) == {**TEXTS, **CHOICES, "last_name": last_name, "phone_raw": ""}
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Nazlı {last_name}")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_double_click_on_save_makes_one_patient(script: bool, browse: Browse, expect_problem: Expect) -> None:
    if not script:
        expect_problem("^net::ERR_ABORTED POST", "the second click gives up the first one's answer", sometimes=True)
    page = browse(java_script_enabled=script)
    page.goto("/patients/new")
    last_name = "Çiftetıklar" if script else "Çiftebasar"
    page.locator("#first_name").fill("Duygu")
    page.locator("#last_name").fill(last_name)
    page.get_by_role("button", name="Register").dblclick()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Duygu {last_name}")
    page.goto(f"/patients/?q={last_name}")
    expect(page.locator("a.row-link")).to_have_count(1)


def test_who_saves_second_sees_both_values_and_decides(browse: Browse, served: Served, expect_problem: Expect) -> None:
    expect_problem("^409 POST .*/edit", "somebody else was faster, which the page explains")
    path = f"/patients/{served.seeded.patient_id}/edit"
    first, second = browse("coordinator"), browse("owner")
    for page in (first, second):
        page.goto(path)
    first.locator("#city").fill("Edirne")
    first.get_by_role("button", name="Save").click()
    expect(first.locator(".flash-success")).to_have_text("Saved.")
    second.locator("#city").fill("Rize")
    second.locator("#notes").fill("Prefers mornings.")
    second.get_by_role("button", name="Save").click()
    conflict = second.get_by_role("alert")
    expect(conflict).to_contain_text("Somebody else saved this while you were editing")
    expect(conflict).to_be_focused()
    expect(conflict.get_by_role("row", name="City").get_by_role("cell")).to_have_text(["Edirne", "Rize"])
    expect(second.locator("#city")).to_have_value("Rize")
    expect(second.locator("#notes")).to_have_value("Prefers mornings.")
    second.get_by_role("button", name="Save").click()
    expect(second.locator(".facts")).to_contain_text("Rize")


def test_somebody_registered_already_is_pointed_out_while_typing_and_before_saving(
    browse: Browse, expect_problem: Expect
) -> None:
    expect_problem("^422 POST .*/patients/new", "the form comes back with a question first")
    page = browse()
    page.goto("/patients/new")
    page.locator("#first_name").fill("ışıl")
    page.locator("#last_name").fill("ÇAĞLAR")
    expect(page.locator("#similar").get_by_role("link", name="Işıl Çağlar")).to_be_visible()
    page.locator("#last_name").fill("Çağlarbaşı")
    expect(page.locator("#similar")).to_be_empty()
    page.locator("#last_name").fill("Çağlar")
    page.get_by_role("button", name="Register").click()
    expect(page.locator("#similar")).to_contain_text("Is it one of these?")
    expect(page.get_by_label("Register this patient anyway")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Register").click()
    expect(page.locator(".flash-success")).to_contain_text("is registered.")


def test_an_archived_patient_comes_back_with_one_click_on_undo(browse: Browse) -> None:
    page = browse()
    page.goto("/patients/?q=Öztürk")
    page.locator("a.row-link").click()
    page.get_by_role("button", name="Archive").click()
    expect(page.locator(".flash-success")).to_contain_text("İbrahim Öztürk is archived.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".flash-success")).to_contain_text("İbrahim Öztürk is back on the list.")
    page.goto("/patients/?q=Öztürk")
    expect(page.locator("a.row-link")).to_have_count(1)


def test_cancelling_an_offer_for_good_asks_first(browse: Browse, served: Served) -> None:
    page = browse()
    page.goto(f"/offers/{served.seeded.long_offer_id}")
    page.get_by_role("button", name="Cancelled", exact=True).click()
    question = page.get_by_role("dialog", name="Cancel this offer for good?")
    question.get_by_role("button", name="No, go back").click()
    expect(question).to_be_hidden()
    expect(page.locator("h1 .status")).to_have_text("Draft")
