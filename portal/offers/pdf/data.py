"""An offer's content as the data of its document: every text written out, nothing that typst could run."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from portal.core.patient_texts import Texts, mark_phrase, texts
from portal.offers.content import warranty_words
from portal.offers.content_parts import LineContent, OfferContent, Totals, VisitContent

_LONG_WORD = re.compile(r"\S{28,}")
_LABELS = {
    "title": mark_phrase("Treatment offer"), "teeth": mark_phrase("Teeth in this plan"),
    "treatment": mark_phrase("Treatment"), "quantity": mark_phrase("Quantity"),
    "unit_price": mark_phrase("Unit price"), "amount": mark_phrase("Amount"), "options": mark_phrase("Your options"),
    "every_option": mark_phrase("Part of every option"), "recommended": mark_phrase("Recommended"),
    "included": mark_phrase("Included"), "vat": mark_phrase("VAT"), "rate": mark_phrase("Rate"),
    "net": mark_phrase("Net"), "visits": mark_phrase("Your visits"), "note": mark_phrase("A note for you"),
    "bank": mark_phrase("How to pay"), "terms": mark_phrase("Terms"),
    "qr": mark_phrase("Open this offer on your phone"), "page": mark_phrase("Page"),
    "none": mark_phrase("This offer has no treatments yet."), "logo": mark_phrase("The clinic's logo"),
    "chart": mark_phrase("Tooth chart: the coloured teeth are treated in this plan."),
    "right": mark_phrase("Your right"), "left": mark_phrase("Your left"),
    "treated": mark_phrase("treated"), "pontic": mark_phrase("bridge unit without a root of its own"),
    "qr_alt": mark_phrase("QR code with the link to this offer"),
    "sha256": mark_phrase("Fingerprint of what you sign"),
}  # fmt: skip
PROVISIONAL = mark_phrase(
    "This offer is provisional: it is made from what you sent us. The plan may change after the examination."
)
DISCLAIMER = mark_phrase("Results vary from person to person. The final plan is made after the examination.")


def document_data(
    content: OfferContent, second: OfferContent | None, *, logo: bool, link_url: str | None
) -> dict[str, Any]:
    """Return what the document shows: in one language, or in two side by side."""
    told = [_told(content), *([_told(second)] if second else [])]
    cleaned: dict[str, Any] = _clean(
        {
            "lang": content.locale, "accent": content.clinic.accent, "logo": logo, "qr": bool(link_url),
            "number": content.number, "clinic": content.clinic.name, "offer": content.title, "told": told,
            "primary": any(tooth > 50 for tooth in _roles(content)), "teeth": _roles(content),
        }
    )  # fmt: skip
    teeth = {str(tooth): role for tooth, role in cleaned["teeth"].items()}
    return {**cleaned, "teeth": teeth, "sha256": content.sha256}  # the hash whole, to be searched for and compared


def _told(content: OfferContent) -> dict[str, Any]:
    words = texts(content.locale)
    groups = [_group(content, words, None), *(_group(content, words, row.id) for row in content.options)]
    return {
        "lang": content.locale,
        "labels": {key: words.phrase(text) for key, text in _LABELS.items()},
        "facts": _facts(content, words),
        "provisional": words.phrase(PROVISIONAL) if content.provisional else "",
        "groups": [group for group in groups if group["lines"] or group["sums"]],
        "visits": [_visit(visit, words) for visit in content.visits],
        "header": content.clinic.header, "note": content.patient_note, "bank": content.clinic.bank,
        "terms": content.terms, "footer": content.footer, "disclaimer": words.phrase(DISCLAIMER),
    }  # fmt: skip


def _label(key: str, words: Texts) -> str:
    text = _LABELS[key]
    return words.phrase(text)


def _facts(content: OfferContent, words: Texts) -> list[list[str]]:
    rows = [
        (words.phrase("Patient"), content.patient_name),
        (words.phrase("Offer number"), content.number),
        (words.phrase("Date"), words.day(content.dated)),
        (words.phrase("Valid until"), words.day(content.valid_until) if content.valid_until else ""),
    ]
    return [list(row) for row in rows if row[1]]


def _group(content: OfferContent, words: Texts, option_id: Any) -> dict[str, Any]:
    """Return the lines of one option, or those of every option, with the sums that belong below them."""
    option = next((row for row in content.options if row.id == option_id), None)
    totals = next((row for row in content.totals if row.option_id == option_id), None)
    short = words.phrase("Option %(label)s", label=option.label) if option else ""
    short = short or (_label("every_option", words) if content.options else "")
    return {
        "heading": f"{short}: {option.title}" if option and option.title else short,
        "short": short,
        "recommended": bool(option and option.recommended),
        "lines": [_line(line, content, words) for line in content.lines_of(option_id)],
        "sums": _sums(totals, content, words) if totals else [],
        "exempt": sorted({row.reason for row in totals.vat_rows if row.reason}) if totals else [],
    }


def _line(line: LineContent, content: OfferContent, words: Texts) -> dict[str, Any]:
    details = [part for part in (line.brand, line.material, line.abutment) if part]
    if line.warranty_months:
        details.append(warranty_words(line.warranty_months, words))
    if line.visit:
        details.append(words.phrase("visit %(number)s", number=line.visit))
    free = line.included and not line.price
    return {
        "name": line.name, "numbers": line.teeth_text, "where": line.teeth_words or line.place,
        "details": details, "about": line.about, "quantity": words.number(line.quantity),
        "unit_price": "" if free else words.money(line.unit_price, content.currency),
        "amount": _label("included", words) if free else words.money(line.price, content.currency),
        "discount": words.phrase("Discount %(amount)s", amount=words.money(-line.discount, content.currency))
        if line.discount else "",
    }  # fmt: skip


def _sums(totals: Totals, content: OfferContent, words: Texts) -> list[list[str]]:
    def money(amount: Any) -> str:
        return words.money(amount, content.currency)

    rows = []
    if totals.discount:
        rows += [
            [words.phrase("Subtotal"), money(totals.subtotal)],
            [words.phrase("Discount"), money(-totals.discount)],
        ]
    rows.append([words.phrase("Net"), money(totals.net)])
    for row in totals.vat_rows:
        label = words.phrase("VAT %(rate)s of %(net)s", rate=words.percent(row.rate), net=money(row.net))
        rows.append([label, money(row.vat)])
    return [*rows, [words.phrase("Total"), money(totals.gross)]]


def _visit(visit: VisitContent, words: Texts) -> dict[str, str]:
    gap = visit.gap_days_before
    return {
        "title": words.phrase("Visit %(number)s", number=visit.number),
        "days": words.phrase_n("%(num)d day", "%(num)d days", visit.days),
        "gap": words.phrase_n("after %(num)d day of healing", "after %(num)d days of healing", gap) if gap else "",
        "starts": words.phrase("from %(day)s", day=words.day(visit.starts_on)) if visit.starts_on else "",
        "note": visit.note or "",
    }


def _roles(content: OfferContent) -> dict[int, str]:
    return {tooth.number: tooth.role for line in content.lines for tooth in line.teeth}


def _clean(value: Any) -> Any:
    """Make texts printable: no emoji, which the fonts lack, and no word too long to be broken."""
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_clean(item) for item in value]
    if not isinstance(value, str):
        return value
    plain = "".join(letter for letter in value if not _unprintable(letter))
    return _LONG_WORD.sub(lambda found: "\u200b".join(found.group()), plain)


def _unprintable(letter: str) -> bool:
    kind = unicodedata.category(letter)
    picture = kind == "So" and letter > "\u2bff"
    return picture or kind in ("Cs", "Co", "Cn") or letter in "\ufe0f\u200d" or (kind == "Cc" and letter != "\n")
