"""The coordinator's whole job in a real browser: from the login to an accepted offer, with and without script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.data import PASSWORD

pytestmark = pytest.mark.browser
Browse = Callable[..., Page]


def log_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("E-mail").fill("coordinator@papatya.example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")


def register_and_find(page: Page, first: str, last: str, typed: str) -> None:
    """Register somebody, then find her by the beginnings of her names as they are typed in a hurry."""
    page.get_by_role("link", name="New patient", exact=True).click()
    page.get_by_label("First name").fill(first)
    page.get_by_label("Last name").fill(last)
    page.get_by_label("City").fill("Iğdır")
    page.get_by_role("button", name="Register").click()
    expect(page.locator(".flash-success")).to_have_text(f"{first} {last} is registered.")
    page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Patients").click()
    page.get_by_role("searchbox").fill(typed)
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("a.row-link")).to_have_text([f"{first} {last}"])
    page.locator("a.row-link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{first} {last}")


def line(page: Page, place: int) -> Locator:
    return page.get_by_role("group", name=f"Line {place}", exact=True)


def fill_lines(page: Page) -> None:
    """Four crowns from the catalogue with 10 % off, and something of one's own with its own price and VAT."""
    line(page, 1).get_by_label("Treatment").select_option(label="Zirconia crown")
    line(page, 1).get_by_label("Teeth").fill("11-13, 21")
    line(page, 1).get_by_label("Discount", exact=True).fill("10")
    line(page, 2).get_by_label("Name on the offer").fill("Diş ipi hediyesi")
    line(page, 2).get_by_label("Quantity").fill("2")
    line(page, 2).get_by_label("Unit price").fill("1.234,50")
    line(page, 2).get_by_label("VAT rate").fill("20")


def expect_amounts(page: Page) -> None:
    """The catalogue's crown is 12,500 TRY with 10 % VAT inside: 45,000 + 2,469, of which 4,090.91 and 411.50 VAT."""
    expect(line(page, 1).locator("output")).to_contain_text("45,000.00")
    expect(line(page, 2).locator("output")).to_contain_text("2,469.00")
    rows = [" ".join(text.split()) for text in page.locator(".totals > div").all_inner_texts()]
    assert [row.split(" ")[0] for row in rows] == ["Subtotal", "Discount", "Net", "VAT", "VAT", "Total"]
    amounts = ["52,469.00", "5,000.00", "42,966.59", "4,090.91", "411.50", "47,469.00"]
    for row, amount in zip(rows, amounts, strict=True):
        assert row.endswith(amount), rows


def send_and_accept(page: Page, name: str) -> None:
    """Move the offer shown through its statuses and find it in the list with its total."""
    for status in ("Sent", "Negotiating", "Accepted"):
        page.get_by_role("button", name=status, exact=True).click()
        expect(page.locator(".flash-success")).to_contain_text(status)
        expect(page.locator("h1 .status")).to_have_text(status)
    page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Offers").click()
    page.get_by_role("navigation", name="Status").get_by_role("link", name="Accepted").click()
    row = page.get_by_role("row", name=name)
    expect(row.locator(".status")).to_have_text("Accepted")
    expect(row.locator(".money")).to_contain_text("47,469.00")


def test_from_the_login_to_an_accepted_offer(browse: Browse) -> None:
    page = browse(None)
    log_in(page)
    register_and_find(page, "Gülşen", "Işıkçıoğlu", "isikc gul")
    page.get_by_role("link", name="New offer").click()
    fill_lines(page)
    page.get_by_role("button", name="Add a line").click()
    line(page, 3).get_by_label("Treatment").select_option(label="Zirconia crown")
    line(page, 3).get_by_label("Teeth").fill("31")
    expect(line(page, 3).locator("output")).to_contain_text("12,500.00")
    line(page, 3).get_by_role("button", name="Remove this line").click()
    expect(page.locator(".totals .grand dd")).to_contain_text("47,469.00")
    expect_amounts(page)
    assert line(page, 1).get_by_label("Quantity").get_attribute("placeholder") == "4"
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator(".flash-success")).to_contain_text("is drafted.")
    expect(page.locator(".totals .grand dd")).to_contain_text("47,469.00")
    send_and_accept(page, "Gülşen Işıkçıoğlu")


def test_the_same_job_without_script(browse: Browse) -> None:
    page = browse(None, java_script_enabled=False)
    log_in(page)
    register_and_find(page, "İclal", "Şengör", "sengo")
    page.get_by_role("link", name="New offer").click()
    fill_lines(page)
    page.get_by_role("button", name="Calculate and add lines").click()
    expect_amounts(page)
    expect(line(page, 7)).to_be_visible()
    assert line(page, 2).get_by_label("Name on the offer").input_value() == "Diş ipi hediyesi"
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator(".totals .grand dd")).to_contain_text("47,469.00")
    send_and_accept(page, "İclal Şengör")


def test_a_mistake_in_a_line_is_told_beside_it_and_the_rest_is_kept(
    browse: Browse, expect_problem: Callable[[str, str], None]
) -> None:
    expect_problem(r"^422 POST .*/offers/new", "an offer with a mistake is sent back")
    page = browse()
    page.goto("/patients/")
    page.locator("a.row-link").first.click()
    page.get_by_role("link", name="New offer").click()
    fill_lines(page)
    line(page, 1).get_by_label("Teeth").fill("19")
    page.get_by_role("button", name="Save draft").click()
    teeth = line(page, 1).get_by_label("Teeth")
    expect(teeth).to_be_focused()
    assert teeth.get_attribute("aria-invalid") == "true"
    assert teeth.input_value() == "19"
    assert line(page, 2).get_by_label("Unit price").input_value() == "1.234,50"
    teeth.fill("16")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator(".flash-success")).to_contain_text("is drafted.")


def test_no_line_is_added_beyond_those_an_offer_may_have(browse: Browse) -> None:
    page = browse()
    page.goto("/patients/")
    page.locator("a.row-link").first.click()
    page.get_by_role("link", name="New offer").click()
    add = page.get_by_role("button", name="Add a line")
    expect(add).to_be_enabled()
    add.evaluate("button => { for (let turn = 0; turn < 150; turn += 1) button.click(); }")
    expect(page.locator("fieldset.line")).to_have_count(100)
    expect(add).to_be_disabled()
    line(page, 100).get_by_role("button", name="Remove this line").click()
    expect(add).to_be_enabled()
