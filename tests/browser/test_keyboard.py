"""The portal by keyboard alone: every key of the help does what it says, and one always sees where one is."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.data import PASSWORD

pytestmark = pytest.mark.browser
Browse = Callable[..., Page]

# Where the focus is: the element's name, whether it is marked, and whether nothing lies over its middle.
_FOCUS = """() => {
  const element = document.activeElement, style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const invisible = style.outlineStyle === "none" || /, 0\\)$/.test(style.outlineColor);
  const outlined = !invisible && parseFloat(style.outlineWidth) >= 2;
  return {
    name: element.name || element.textContent.trim(),
    marked: outlined || /[2-9]px$/.test(style.boxShadow),
    uncovered: element.contains(middle) || Boolean(middle && middle.closest("label")?.control === element),
  };
}"""


def tab_through(page: Page, count: int) -> list[str]:
    """Press Tab ``count`` times; return what had the focus, which must be visible each time."""
    names = []
    for _press in range(count):
        page.keyboard.press("Tab")
        focus = page.evaluate(_FOCUS)
        assert focus["marked"], f"{focus['name']} has the focus and does not show it"
        assert focus["uncovered"], f"{focus['name']} has the focus under something else"
        names.append(focus["name"])
    return names


def test_one_logs_in_without_a_mouse(browse: Browse) -> None:
    page = browse(None)
    page.goto("/login")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type("coordinator@papatya.example.com")
    assert tab_through(page, 1) == ["password"]
    page.keyboard.type(PASSWORD)
    assert tab_through(page, 1) == ["Log in"]
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")


def test_the_first_tab_skips_the_menu(browse: Browse) -> None:
    page = browse()
    page.goto("/patients/")
    assert tab_through(page, 1) == ["Skip to the content"]
    page.keyboard.press("Enter")
    assert tab_through(page, 1) == ["Export"]


def test_tab_walks_the_patient_form_in_reading_order_and_never_under_the_buttons_bar(browse: Browse) -> None:
    page = browse(viewport={"width": 1440, "height": 500})
    page.goto("/patients/new")
    expect(page.get_by_label("First name")).to_be_focused()
    expected = ["last_name", "phone_raw", "email", *["birth_date"] * 4, "gender", "nationality", "residence_country"]
    assert tab_through(page, len(expected)) == expected
    assert tab_through(page, 6) == ["locale", "city", "address", "referral_source_id", "Social media", "notes"]
    assert tab_through(page, 3) == ["is_active", "Register", "Cancel"]


def test_slash_searches_and_j_k_enter_open_a_row(browse: Browse) -> None:
    page = browse()
    page.goto("/patients/")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("oberst njk?/")  # in a field the keys are letters
    expect(page.get_by_role("searchbox")).to_have_value("oberst njk?/")
    page.get_by_role("searchbox").fill("oberst")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=oberst"))
    rows = page.locator("a.row-link")
    assert rows.count() == 10
    for key, place in [("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)]:
        page.keyboard.press(key)
        expect(rows.nth(place)).to_be_focused()
    name = rows.nth(0).inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


@pytest.mark.parametrize(
    ("path", "heading"),
    [("/patients/", "New patient"), ("/offers/", "For whom is the offer?"), ("/", "New patient")],
)
def test_n_starts_a_new_record(path: str, heading: str, browse: Browse) -> None:
    page = browse()
    page.goto(path)
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def test_the_question_mark_shows_every_key_and_escape_closes_it(browse: Browse) -> None:
    page = browse()
    page.goto("/offers/")
    page.keyboard.press("?")
    help_text = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(help_text).to_be_visible()
    assert help_text.locator("kbd").all_inner_texts() == ["/", "j", "k", "Enter", "d", "s", "w", "n", "?", "Esc"]
    page.keyboard.press("n")  # nothing behind the dialog moves
    page.keyboard.press("Escape")
    expect(help_text).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Offers")


def test_escape_closes_a_menu_and_gives_the_focus_back(browse: Browse) -> None:
    page = browse()
    page.goto("/patients/")
    menu = page.locator("summary", has_text="Sort")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Newest first")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Newest first")).to_be_hidden()
    expect(menu).to_be_focused()
