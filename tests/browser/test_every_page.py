"""Every page, from the list of addresses itself: fits a phone, is easy to hit, and axe finds nothing in any colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from portal.core.access import PUBLIC, Site
from portal.core.gate import declared_access
from portal.offers.models import OfferKind
from tests.browser.conftest import Served
from tests.browser.seeding import EMPTY

pytestmark = pytest.mark.browser
Browse = Callable[..., Page]
Expect = Callable[..., None]

FRAGMENTS = {
    "patients.similar",
    "ops.now",
    "offer_documents.pdf",
    "settings.logo",
    "files.show",
    "files.thumbnail",
}  # pieces of pages, and documents
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
MORE_PAGES = (
    "/patients/?q=Nobodyhasthisname", "/patients/?state=archived&sort=name", "/patients/?q=a&state=active",
    "/offers/?q=Nobodyhasthisname", "/offers/?kind=accepted&currency=EUR", "/offers/new/patient?q=Nobodyhasthisname",
    "/catalog/?q=Nobodyhasthisname", "/catalog/?state=inactive",
)  # fmt: skip

# What is wider than the window, and what is too small to hit: below 24 px (WCAG 2.5.8), fields and buttons below 36 px.
_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("main *")]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 3).map((element) => element.outerHTML.slice(0, 120))"""
_SMALL = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .filter((element) => !element.matches(".skip-link, :is(p, dd, li, .page-sub, span) a"))
  .filter((element) => {
    const { width, height } = element.getBoundingClientRect();
    const least = element.matches(".form-control, .form-select, .btn:not(.btn-sm, .btn-link)") ? 36 : 24;
    return width < 24 || height < least - 0.5;
  }).map((element) => element.outerHTML.slice(0, 120))"""


def addresses(served: Served, site: Site) -> Iterator[str]:
    """Return the address of every page of a site that one reaches with GET, with the seeded rows' ids."""
    ids = {
        "patient_id": served.seeded.patient_id, "other_id": served.seeded.archived_id,
        "offer_id": served.seeded.long_offer_id,
        "treatment_id": served.seeded.treatment_id, "price_list_id": served.seeded.price_list_id,
        "source_id": served.seeded.source_id, "recipient_id": served.seeded.recipient_id, **served.seeded.records,
        "status_id": served.seeded.status_id,
        "log_id": served.seeded.log_id, "rehearsal_id": served.seeded.rehearsal_id,
        "verification_id": served.seeded.verification_id, **served.seeded.privacy,
        "user_id": served.seeded.user_id,
    }  # fmt: skip
    for rule in served.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint.endswith("static") or rule.endpoint in FRAGMENTS:
            continue
        access = declared_access(served.app, rule.endpoint)
        if access.site in (site, Site.BOTH) and access.rule is not PUBLIC:
            path = rule.rule
            for name in rule.arguments:
                path = path.replace(f"<uuid:{name}>", str(ids[name]))
            yield path


def faults(page: Page, path: str, axe: Axe) -> list[str]:
    """Return what is wrong with a page at a desk, light and dark, and on a phone."""
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.goto(path)
    page.evaluate(axe.axe_script)
    found = [f"{path}: {text}" for text in violations(page, "light")]
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    found += [f"{path}, dark: {text}" for text in violations(page, "dark")]
    page.evaluate("document.documentElement.dataset.bsTheme = 'light'")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found += [f"{path}, phone: {text}" for text in violations(page, "phone")]
    found += [f"{path}: wider than a phone: {html}" for html in page.evaluate(_WIDE)]
    return found + [f"{path}: too small to hit: {html}" for html in page.evaluate(_SMALL)]


def violations(page: Page, colours: str) -> list[str]:
    # Contrast is all that dark colours can change, and what a narrow window leaves as it is; it takes most of the time.
    options = {
        "light": RULES, "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}},
        "phone": {**RULES, "rules": {"color-contrast": {"enabled": False}}},
    }[colours]  # fmt: skip
    result = page.evaluate("options => axe.run(document, {...options, resultTypes: ['violations']})", options)
    return [f"{rule['id']}: {node['html'][:140]}" for rule in result["violations"] for node in rule["nodes"][:3]]


def test_axe_and_the_measures_find_what_is_wrong(browse: Browse) -> None:
    """The sweep itself must be able to fail."""
    page = browse("readonly")
    page.goto("/account")
    page.add_init_script("""addEventListener("DOMContentLoaded", () => {
      const spoilt = document.createElement("div");
      spoilt.append("pale", document.createElement("input"), document.createElement("button"));
      spoilt.style.cssText = "width: 900px; color: #ccc";
      spoilt.lastChild.style.cssText = "height: 9px; padding: 0";
      document.querySelector("main").append(spoilt);
    })""")
    found = "\n".join(faults(page, "/account", Axe()))
    for part in ("color-contrast", "label", "wider than a phone", "too small to hit"):
        assert part in found


def test_every_page_of_a_clinic_is_accessible_and_fits_a_phone(browse: Browse, served: Served) -> None:
    page, axe = browse("owner"), Axe()
    paths = list(addresses(served, Site.CLINIC))
    assert len(paths) >= 12
    assert [fault for path in paths for fault in faults(page, path, axe)] == []


def test_so_are_lists_without_a_match_and_offers_of_every_status(browse: Browse, served: Served) -> None:
    page, axe = browse("owner"), Axe()
    seeded = served.seeded
    paths = [
        *MORE_PAGES, f"/patients/{seeded.archived_id}", f"/offers/new?patient={seeded.patient_id}",
        *(f"/offers/{seeded.offer_ids[kind]}" for kind in (OfferKind.DRAFT, OfferKind.SENT, OfferKind.ACCEPTED)),
    ]  # fmt: skip
    assert [fault for path in paths for fault in faults(page, path, axe)] == []


def test_so_are_an_empty_clinic_the_platform_and_the_login(browse: Browse, served: Served) -> None:
    axe, found = Axe(), []
    for role, host, paths in (
        ("coordinator", EMPTY, ["/", "/patients/", "/offers/", "/offers/new/patient"]),
        ("ops", "admin", list(addresses(served, Site.PLATFORM))),
        (None, "papatya", ["/login?stale=1"]),
        (None, "admin", ["/login"]),
    ):
        page = browse(role, host)
        found += [fault for path in paths for fault in faults(page, path, axe)]
    assert found == []


def test_so_are_error_pages_and_forms_with_mistakes(browse: Browse, served: Served, expect_problem: Expect) -> None:
    expect_problem("^404 GET .*/nothing-here", "an address that leads nowhere")
    expect_problem("^403 GET .*/catalog/new", "a page this role may not open")
    expect_problem("^422 POST", "forms with mistakes")
    axe, page = Axe(), browse("coordinator")
    page.on("dialog", lambda dialog: dialog.accept())  # leaving a form with mistakes asks first
    found = [fault for path in ("/nothing-here", "/catalog/new") for fault in faults(page, path, axe)]
    for path, button, texts in (
        ("/patients/new", "Register", {"first_name": "Işıl", "last_name": "Çağlar"}),  # registered already
        ("/patients/new", "Register", {"email": "x" * 80, "phone_raw": "none"}),
        (f"/offers/new?patient={served.seeded.patient_id}", "Save draft", {"title": "", "lines-0-teeth": "99"}),
        ("/account", "Change the password", {"current_password": "wrong"}),
    ):
        found += [f"{path} with mistakes: {fault}" for fault in after_sending(page, path, button, texts, axe)]
    assert found == []


def after_sending(page: Page, path: str, button: str, texts: dict[str, str], axe: Axe) -> list[str]:
    """Return what is wrong with the page that a form with mistakes comes back as."""
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(path)
    for name, text in texts.items():
        page.locator(f"[name={name}]").fill(text)
    page.get_by_role("button", name=button).click()
    page.get_by_text("Please check the following").or_(page.get_by_text("Is it one of these?")).first.wait_for()
    page.evaluate(axe.axe_script)
    return [*violations(page, "phone"), *page.evaluate(_WIDE), *page.evaluate(_SMALL)]
