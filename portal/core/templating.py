"""What every template may use: who and where we are, the menu, and how values are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from babel import Locale
from babel.dates import format_date as babel_date
from flask import Flask, g, request
from flask_babel import LazyString, format_datetime, format_decimal, to_user_timezone
from markupsafe import Markup

from portal.core.access import Permission, Site
from portal.core.forms import plain_number
from portal.core.i18n import language, other_languages
from portal.core.identity import current_identity
from portal.core.money import Currency, format_money
from portal.core.panels import offer_page, patient_alerts
from portal.core.phones import show_phone

THEME_COOKIE = "theme"
_FORBIDDEN = ("script", "style", "foreignObject", "image", "use", "a")
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True)
class MenuEntry:
    """A line of the menu, shown on one site to those who have the permission."""

    key: str
    label: LazyString
    url: str
    icon: str
    site: Site = Site.CLINIC
    permission: Permission | None = None


@dataclass(frozen=True)
class NavItem:
    """A menu entry as the template shows it."""

    key: str
    label: str
    url: str
    icon: str
    active: bool
    count: int = 0


def configure_templating(app: Flask, menu: list[MenuEntry]) -> None:
    """Register the context and the filters of the portal's templates."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(lambda: _context(menu))
    filters: dict[str, Callable[..., Any]] = {
        "money": money,
        "number": plain_number,
        "day": day,
        "moment": moment,
        "local_day": local_day,
        "country": country,
        "phone": show_phone,
        "multiline": multiline,
        "avatar": avatar,
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals["patient_alerts"] = lambda patient_id: patient_alerts.panels(patient_id, current_identity())
    app.jinja_env.globals["offer_panels"] = lambda offer_id: offer_page.panels(offer_id, current_identity())


def _context(menu: list[MenuEntry]) -> dict[str, Any]:
    """Return the common context; it must not touch the database, error pages use it too."""
    theme = request.cookies.get(THEME_COOKIE, THEMES[0])
    return {
        "actor": g.get("identity"),
        "clinic": g.get("clinic"),
        "nav": _navigation(menu),
        "locale": language(),
        "languages": other_languages(),
        "theme": theme if theme in THEMES else THEMES[0],
        "request_id": g.get("request_id", ""),
    }


def _navigation(menu: list[MenuEntry]) -> list[NavItem]:
    identity, site = g.get("identity"), g.get("site")
    if identity is None:
        return []
    return [
        NavItem(
            entry.key, str(entry.label), entry.url, entry.icon, request.blueprint == entry.key,
            identity.counts.get(entry.key, 0),
        )
        for entry in menu
        if entry.site in (site, Site.BOTH) and (entry.permission is None or entry.permission in identity.permissions)
    ]  # fmt: skip


def money(amount: Decimal, currency: str) -> str:
    """Write an amount with its currency as the reader's language does."""
    return format_money(amount, Currency(currency), language())


def day(value: date | None) -> str:
    """Write a day."""
    return "" if value is None else _written_day(value, language())


@lru_cache(maxsize=2048)
def _written_day(value: date, locale: str) -> str:
    return babel_date(value, "medium", locale=locale)


def moment(value: datetime | None) -> str:
    """Write a moment in the clinic's zone, to the minute."""
    return "" if value is None else format_datetime(value, "d MMM y HH:mm")


def local_day(value: datetime | None) -> str:
    """Write the day of a moment, in the clinic's zone."""
    return "" if value is None else _written_day(to_user_timezone(value).date(), language())


def country(code: str | None) -> str:
    """Write a country's name from its ISO 3166 code."""
    return "" if code is None else _countries(language()).get(code, code)


@lru_cache(maxsize=8)
def _countries(locale: str) -> Mapping[str, str]:
    return Locale.parse(locale).territories


def multiline(text: str | None) -> Markup:
    """Escape text and keep its line ends."""
    return Markup("<br>").join((text or "").splitlines())


@lru_cache(maxsize=8192)
def avatar(name: str) -> Markup:
    """Return the initials of the first and the last word on a disc; one name has one colour everywhere."""
    words = name.split() or ["?"]
    initials = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    tone = sum(place * byte for place, byte in enumerate(name.encode(), start=1)) % 8
    return Markup('<span class="avatar av-{}" aria-hidden="true">{}</span>').format(tone, initials)


def drawing(svg: ElementTree.Element) -> Markup:
    """Return an SVG tree as markup, its texts escaped; raises ValueError for what the content policy forbids."""
    for element in svg.iter():
        if element.tag in _FORBIDDEN or any(name == "style" or name.startswith("on") for name in element.attrib):
            raise ValueError(f"A drawing may not hold <{element.tag} {' '.join(element.attrib)}>.")
    return Markup(ElementTree.tostring(svg, encoding="unicode"))  # noqa: S704 - the serializer has escaped it


def count_label(count: int, cap: int, noun: str) -> str:
    """Write a count that was taken no further than ``cap`` + 1: "1,000+ patients"."""
    shown = format_decimal(min(count, cap)) + ("+" if count > cap else "")
    return f"{shown} {noun}"
