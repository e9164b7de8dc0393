"""A new offer survives a reload and a wrong click, and nothing of it stays behind once saved or logged out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Browse = Callable[..., Page]


def begin(page: Page) -> str:
    """Type a line into a new offer of the first patient, and return the editor's address."""
    page.goto("/patients/")
    page.locator("a.row-link").first.click()
    page.get_by_role("link", name="New offer").click()
    page.get_by_label("Quick entry").fill("zir 11-21")
    page.get_by_label("Quick entry").press("Enter")
    expect(page.locator("fieldset.line output").first).to_contain_text("00")
    page.get_by_label("Note for colleagues").fill("Call first")
    return page.url


def kept(page: Page) -> int:
    count: int = page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('offer:')).length")
    return count


def test_an_unsaved_offer_is_offered_again_and_forgotten_once_saved(browse: Browse) -> None:
    page = browse()
    page.on("dialog", lambda dialog: dialog.accept())
    address = begin(page)
    page.goto(address)
    page.get_by_role("button", name="Take it up again").click()
    expect(page.get_by_label("Note for colleagues")).to_have_value("Call first")
    expect(page.locator("[name=lines-0-teeth]")).to_have_value("11-21")
    expect(page.locator("[data-kept]")).to_be_hidden()
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator(".flash-success")).to_contain_text("is drafted.")
    assert kept(page) == 0


def test_it_is_thrown_away_on_demand_and_by_a_logout(browse: Browse) -> None:
    page = browse()
    page.on("dialog", lambda dialog: dialog.accept())
    address = begin(page)
    page.goto(address)
    page.get_by_role("button", name="Throw it away").click()
    expect(page.locator("[data-kept]")).to_be_hidden()
    assert kept(page) == 0
    page.get_by_label("Note for colleagues").fill("Once more")
    assert kept(page) == 1
    page.route("**/logout", lambda route: route.fulfill(body="Goodbye", content_type="text/plain"))  # others go on
    page.evaluate("document.querySelector('form[action$=\"/logout\"]').requestSubmit()")
    expect(page.get_by_text("Goodbye")).to_be_visible()
    assert kept(page) == 0
