"""Take the README's screenshots of a running `make demo`: `python docs/screenshots.py 8000`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

HERE = Path(__file__).resolve().parent / "img"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
ACCOUNT, PASSWORD = "koordinator@demo.example.com", "demo-klinik-2026"


def open_demo(browser: Browser, base: str, size: dict[str, int], theme: str, language: str) -> Page:
    """Return a window of the demonstration clinic's coordinator, in the theme and the language asked for."""
    context = browser.new_context(base_url=base, viewport=size, reduced_motion="reduce", locale=language)  # type: ignore[arg-type]
    context.add_cookies([{"name": "theme", "value": theme, "url": base}])
    page = context.new_page()
    page.goto("/login")
    page.fill("#email", ACCOUNT)
    page.fill("#password", PASSWORD)
    page.click(".plain-card button[type=submit]")
    page.wait_for_selector(".rail", state="attached")
    if page.get_attribute("html", "lang") != language:
        page.click(f"button[name=language][value={language}]")
        page.wait_for_selector(f"html[lang={language}]")
    return page


def shoot(page: Page, name: str) -> None:
    """Save what the window shows, without a focus ring that says nothing on paper."""
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=HERE / f"{name}.png")


def first_row(page: Page, path: str) -> str:
    """Return where the first row of a list leads."""
    page.goto(path)
    return page.get_attribute("a.row-link", "href") or path


def patient_of_offer(page: Page) -> str:
    """Return the address of the patient of the newest accepted offer in euro."""
    page.goto(first_row(page, "/offers/?kind=accepted&currency=EUR"))
    return page.get_attribute(".page-sub a", "href") or "/patients/"


def fill_editor(page: Page, patient: str) -> None:
    """Put together an offer with lines from the catalogue, and wait for its amounts."""
    page.goto(f"/offers/new?patient={patient.rpartition('/')[2]}")
    page.select_option("#currency", "EUR")
    lines = [("Dental implant (brand)", "36, 46", "10"), ("Zirconia crown", "11-13, 21", "")]
    for place, (treatment, teeth, discount) in enumerate(lines):
        page.select_option(f"[name=lines-{place}-catalog_id]", label=treatment)
        page.fill(f"[name=lines-{place}-teeth]", teeth)
        page.fill(f"[name=lines-{place}-discount_value]", discount)
        expect(page.locator("output").nth(place)).to_contain_text("00")


def main(port: int) -> None:
    """Take all four."""
    base = f"http://demo.localhost:{port}"
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = open_demo(browser, base, DESK, "light", "en")
        page.goto("/?of=all")
        shoot(page, "today")
        patient = patient_of_offer(page)
        page.goto(patient)
        shoot(page, "patient")
        fill_editor(page, patient)
        shoot(page, "offer-editor")
        page = open_demo(browser, base, PHONE, "dark", "tr")
        page.goto("/offers/")
        shoot(page, "phone-dark")
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
