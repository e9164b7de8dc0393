"""Ninety seconds: from a patient's page to a saved offer of four lines, typed; the tooth chart by hand and by key."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Browse = Callable[..., Page]

TYPED = ("zir 11-21 -10%", "impl straumann 36 46", "detertraj both", "kopru 13-16")
MOST_KEYS, MOST_CLICKS = 75, 2


class Hands:
    """A person's hands on a page, counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.keys, self.clicks = page, 0, 0

    def click(self, role: str, name: str) -> None:
        self.page.get_by_role(role, name=name, exact=True).click()  # type: ignore[arg-type]
        self.clicks += 1

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += len(text)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1


def open_editor(page: Page) -> None:
    page.goto("/patients/")
    page.locator("a.row-link").first.click()
    page.get_by_role("link", name="New offer").click()


def test_an_offer_of_four_lines_takes_few_keys_and_two_clicks(browse: Browse) -> None:
    page = browse()
    page.goto("/patients/")
    page.locator("a.row-link").first.click()
    hands = Hands(page)
    hands.click("link", "New offer")
    expect(page.get_by_label("Quick entry")).to_be_focused()
    for place, text in enumerate(TYPED):
        hands.type(text)
        hands.press("Enter")
        expect(page.locator("fieldset.line output").nth(place)).to_contain_text("00")
        expect(page.get_by_label("Quick entry")).to_be_focused()
        expect(page.get_by_label("Quick entry")).to_have_value("")
    hands.click("button", "Save draft")
    expect(page.locator(".flash-success")).to_contain_text("is drafted.")
    expect(page.locator("table.lines tbody tr")).to_have_count(4)
    assert hands.keys <= MOST_KEYS, hands.keys
    assert hands.clicks <= MOST_CLICKS, hands.clicks


def test_an_unclear_text_is_kept_beside_the_treatments_it_may_mean(browse: Browse) -> None:
    page = browse()
    open_editor(page)
    box = page.get_by_label("Quick entry")
    box.fill("kanal ted 36\nno such thing")
    box.press("Enter")
    expect(box).to_have_value("kanal ted 36\nno such thing")
    page.get_by_role("button", name="Root canal (2 canals", exact=False).click()
    expect(page.locator("[name=lines-0-teeth]")).to_have_value("36")
    expect(box).to_have_value("no such thing")


def test_the_chart_and_the_teeth_of_the_active_line_follow_each_other(browse: Browse) -> None:
    page = browse()
    open_editor(page)
    expect(page.locator("[data-tooth][name]")).to_have_count(0)  # the script is at work
    first = page.get_by_role("group", name="Line 1", exact=True)
    first.get_by_label("Treatment").select_option(label="Zirconia crown")
    first.get_by_label("Treatment").focus()
    tooth = page.get_by_role("checkbox", name="11, upper right central incisor")
    tooth.check(force=True)
    tooth.press("ArrowRight")
    page.keyboard.press("Space")
    expect(first.get_by_label("Teeth")).to_have_value("11, 21")
    expect(page.locator(".tooth.tone-blue")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("checkbox", name="31, lower left central incisor")).to_be_focused()
    first.get_by_label("Teeth").fill("13-11")
    expect(page.get_by_role("checkbox", name="12, upper right lateral incisor")).to_be_checked()
    expect(page.get_by_role("checkbox", name="21, upper left central incisor")).not_to_be_checked()
    page.get_by_label("Quick entry").focus()
    expect(page.locator("[data-tooth]:checked")).to_have_count(0)
    page.get_by_role("checkbox", name="36, lower left first molar").check(force=True)
    page.get_by_label("Quick entry").fill("impl")
    page.get_by_label("Quick entry").press("Enter")
    expect(page.locator("[name=lines-1-teeth]")).to_have_value("36")


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (390, "dark"), (1440, "light"), (1440, "dark")])
def test_teeth_are_large_enough_to_touch_and_the_page_has_no_faults(browse: Browse, width: int, theme: str) -> None:
    page = browse(viewport={"width": width, "height": 900}, has_touch=width < 500, color_scheme=theme)
    open_editor(page)
    page.get_by_label("Quick entry").fill("zir 11-21\nimpl 36\nkanal ted 46")
    page.get_by_role("button", name="Add to the offer").click()
    expect(page.locator(".tooth.tone-amber")).to_have_count(1)
    page.get_by_text("Primary teeth").click()
    sizes = page.locator(".tooth").evaluate_all(
        "teeth => teeth.map(tooth => tooth.getBoundingClientRect()).map(box => [box.width, box.height])"
    )
    assert len(sizes) == 52
    assert min(min(size) for size in sizes) >= 24
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_draft_saves_by_itself_and_is_saved_by_hand_afterwards(browse: Browse) -> None:
    page = browse()
    open_editor(page)
    page.get_by_label("Quick entry").fill("zir 11")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Title").fill("Saved by itself")
    expect(page.locator("[data-autosaved]")).to_contain_text("Saved", timeout=10_000)
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Saved by itself")
    page.get_by_label("Title").fill("Saved by hand")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Saved by hand")


def test_a_draft_that_was_overtaken_shows_both_versions(
    browse: Browse, expect_problem: Callable[[str, str], None]
) -> None:
    expect_problem(r"^409 POST .*/edit", "somebody else saved meanwhile")
    page = browse()
    open_editor(page)
    page.get_by_label("Quick entry").fill("zir 11")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    other = browse()
    other.goto(page.url)
    other.get_by_label("Title").fill("Theirs")
    other.get_by_role("button", name="Save draft").click()
    expect(other.get_by_role("heading", level=1)).to_contain_text("Theirs")
    page.get_by_label("Title").fill("Mine")
    expect(page.get_by_text("Theirs")).to_be_visible(timeout=10_000)
    expect(page.get_by_label("Title")).to_have_value("Mine")
