"""Reading a bulletin of the Turkish central bank (TCMB): XML from outside, so nothing in it is trusted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES = 1024 * 1024  # a bulletin has 10 kB
ROOT = "Tarih_Date"
_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
_UNIT = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,8})?", re.ASCII)
_SHOWN = 30


class BulletinError(ValueError):
    """A bulletin cannot be taken; the message says why, for the person who fetched it."""


@dataclass(frozen=True)
class ParsedRate:
    """What a bulletin says of one currency, in lira for ``unit`` of it; what it leaves out is None."""

    currency: str
    unit: int
    forex_buying: Decimal | None
    forex_selling: Decimal | None
    banknote_buying: Decimal | None
    banknote_selling: Decimal | None


@dataclass(frozen=True)
class ParsedBulletin:
    """One day's bulletin."""

    day: date
    number: str | None
    rates: tuple[ParsedRate, ...]


def parse_bulletin(content: bytes) -> ParsedBulletin:
    """Read a bulletin; entities and document types are refused, decimals are written with a dot.

    A rate may be empty or missing: it is None. A currency without its unit is left out, for nobody could
    tell what its rates count. Raises BulletinError.
    """
    if len(content) > MAX_BYTES:
        raise BulletinError(f"The bulletin is larger than {MAX_BYTES // 1024} kB; a real one has about 10.")
    try:
        root = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise BulletinError("The bulletin declares a document type or entities; a real one does not.") from error
    except (ParseError, ValueError, LookupError) as error:
        raise BulletinError(f"The bulletin is not XML that can be read: {error}.") from error
    if root.tag != ROOT:
        raise BulletinError(f"The bulletin's root is {_quoted(root.tag)}, not {ROOT!r}.")
    rates = tuple(rate for element in root.iterfind("Currency") if (rate := _rate(element)))
    codes = [rate.currency for rate in rates]
    if doubled := sorted({code for code in codes if codes.count(code) > 1}):
        raise BulletinError(f"The bulletin has {', '.join(doubled)} more than once.")
    if not any(rate.forex_buying for rate in rates):
        raise BulletinError("The bulletin has no rate of any currency.")
    return ParsedBulletin(_day(root), _number(root), rates)


def _day(root: Element) -> date:
    """Return the day in Tarih (31.12.2026) or Date (12/31/2026); where both are there, they must agree."""
    days = {
        _read_day(name, text.strip(), form)
        for name, form in (("Tarih", "%d.%m.%Y"), ("Date", "%m/%d/%Y"))
        if (text := root.get(name)) and text.strip()
    }
    if len(days) != 1:
        why = "Tarih and Date name different days" if days else "it has neither Tarih nor Date"
        raise BulletinError(f"The bulletin's day is not known: {why}.")
    return days.pop()


def _read_day(name: str, text: str, form: str) -> date:
    try:
        return datetime.strptime(text, form).date()
    except ValueError as error:
        raise BulletinError(f"The bulletin's {name} is {_quoted(text)}, which is no day.") from error


def _number(root: Element) -> str | None:
    return (root.get("Bulten_No") or "").strip()[:20] or None


def _rate(element: Element) -> ParsedRate | None:
    codes = {code.strip() for name in ("Kod", "CurrencyCode") if (code := element.get(name)) and code.strip()}
    code = codes.pop() if len(codes) == 1 else ", ".join(sorted(codes))
    if not _CODE.fullmatch(code):
        raise BulletinError(f"A currency of the bulletin has no clear code: {_quoted(code)}.")
    unit = (element.findtext("Unit") or "").strip()
    if not unit:
        return None
    if not _UNIT.fullmatch(unit):
        raise BulletinError(f"{code}: Unit is {_quoted(unit)}, not a whole number.")
    return ParsedRate(
        code, int(unit),
        *(_decimal(element, code, name) for name in (
            "ForexBuying", "ForexSelling", "BanknoteBuying", "BanknoteSelling"
        )),
    )  # fmt: skip


def _decimal(element: Element, code: str, name: str) -> Decimal | None:
    text = (element.findtext(name) or "").strip()
    if not text:
        return None
    if "," in text:
        raise BulletinError(f"{code}: {name} is {_quoted(text)}, with a comma; the bank writes decimals with a dot.")
    if not _NUMBER.fullmatch(text):
        raise BulletinError(f"{code}: {name} is {_quoted(text)}, which is no rate.")
    number = Decimal(text)
    if not number:
        raise BulletinError(f"{code}: {name} is zero.")
    return number


def _quoted(text: str) -> str:
    return repr(text[:_SHOWN])
