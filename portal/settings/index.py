"""The parts of the settings as their first page lists them; modules add pages of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.core.access import Permission
from portal.settings.registry import Section


@dataclass(frozen=True)
class SettingsPage:
    """One part of the settings: where it is, what it is called, what it is about, and who may open it."""

    endpoint: str
    label: LazyString
    help: LazyString
    icon: str
    permission: Permission = Permission.SETTINGS_WRITE


SECTIONS = {
    Section.CLINIC: SettingsPage(
        "settings.section_clinic", _l("Clinic"), _l("Name, address and contact, tax number and licence."), "hospital"
    ),
    Section.LANGUAGES: SettingsPage(
        "settings.section_languages", _l("Languages"), _l("The clinic's own, and those offered to patients."),
        "translate",
    ),
    Section.MONEY: SettingsPage(
        "settings.section_money", _l("Currencies and VAT"), _l("What offers are written in, and how VAT is shown."),
        "cash-coin",
    ),
    Section.HOURS: SettingsPage(
        "settings.section_hours", _l("Time zone and hours"), _l("Where your day begins, and when you are open."),
        "clock",
    ),
    Section.NUMBERS: SettingsPage(
        "settings.section_numbers", _l("Numbering"), _l("What numbers of patients and offers look like."), "123"
    ),
    Section.OFFERS: SettingsPage(
        "settings.section_offers", _l("Offers"), _l("How long they hold, and who signs them off."),
        "file-earmark-check",
    ),
    Section.LINKS: SettingsPage(
        "settings.section_links", _l("Private links"), _l("What opens a patient's link, and for how long."),
        "link-45deg",
    ),
    Section.NOTIFICATIONS: SettingsPage(
        "settings.section_notifications", _l("Notifications"), _l("What colleagues are told, and when."), "bell"
    ),
    Section.RETENTION: SettingsPage(
        "settings.section_retention", _l("Retention"), _l("How long records are kept."), "archive"
    ),
}  # fmt: skip

pages: list[SettingsPage] = [
    SettingsPage("settings.documents", _l("Documents"), _l("Logo, colour, letterhead, terms of printed offers."),
                 "file-earmark-richtext"),
]  # fmt: skip


def add_page(page: SettingsPage) -> None:
    """List a page of another module among the settings."""
    if page not in pages:
        pages.append(page)


_previews: list[tuple[Section, LazyString, Callable[[], str]]] = []


def add_preview(section: Section, label: LazyString, show: Callable[[], str]) -> None:
    """Show under a section's form what its settings come to."""
    _previews.append((section, label, show))


def previews(section: Section) -> list[tuple[str, str]]:
    """Return label and text of what a section's settings come to now."""
    return [(str(label), show()) for place, label, show in _previews if place == section]
