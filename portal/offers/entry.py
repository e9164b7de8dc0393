"""Lines typed as text: ``zir 11-21``, ``impl straumann 36 46``, ``dolgu 36 MOD``, ``all-on-4 üst``, ``zir 11 x2 -10%``.

A text line names a treatment, and in any order after or before it teeth, surfaces, a jaw, a brand, a quantity
(``x2``), a discount (``-10%``, ``-500 TL``) and a price (``@1.250``). What is unclear is asked, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from flask_babel import gettext as _

from portal.catalog.enums import Dentition, Pricing, Scope
from portal.catalog.queries import match_treatments
from portal.catalog.teeth import TeethError, is_primary, parse_teeth
from portal.core.i18n import language
from portal.core.text import clean_line, fold
from portal.core.text import words as words_of
from portal.offers.editing import TOOTH_SCOPES, LineError, PriceBook, TypedLine
from portal.offers.entry_parts import Parts, take_apart
from portal.offers.package_lines import with_components

MAX_ENTRIES = 60
MOST_CANDIDATES = 9
KNOWN_BRANDS = (
    "Straumann", "Nobel Biocare", "Osstem", "Megagen", "Medentika", "Neodent", "Astra Tech", "Hiossen", "Zimmer",
    "MIS", "Bego", "Dentium", "Camlog", "Ivoclar", "NucleOSS", "Implance", "Invisalign",
)  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """A treatment that an unclear text may mean."""

    code: str
    name: str


@dataclass(frozen=True)
class Entry:
    """What one line of text came to: lines, or else a message and the treatments it may mean."""

    text: str
    typed: tuple[TypedLine, ...] = ()
    message: str = ""
    candidates: tuple[Candidate, ...] = ()


def read_entries(
    text: str, book: PriceBook, *, chosen: Mapping[int, str] | None = None, teeth: str = ""
) -> list[Entry]:
    """Read every line of a text; ``chosen`` gives the code for the treatment of a line, by its place.

    ``teeth`` are those ticked in the chart, for lines that name none and need some.
    """
    rows = [line for line in map(clean_line, text.splitlines()) if line]
    if len(rows) > MAX_ENTRIES:
        message = _("Enter at most %(count)s lines at once.", count=MAX_ENTRIES)
        return [Entry(row, message=message if place == 0 else "") for place, row in enumerate(rows)]
    return [_read(row, book, (chosen or {}).get(place), teeth) for place, row in enumerate(rows)]


def _read(text: str, book: PriceBook, code: str | None, ticked: str) -> Entry:
    try:
        parts = take_apart(text)
        rows = _meant(parts, book, code)
        if len(rows) != 1:
            return _unclear(text, parts, book, rows)
        own = _typed_lines(parts, rows[0], _brand(parts, rows[0]), ticked)
        typed = tuple(line for typed_line in own for line in with_components(typed_line, book))
        for line in typed:
            _check(line, book)
    except LineError as error:
        return Entry(text, message=error.message)
    return Entry(text, typed)


def _check(line: TypedLine, book: PriceBook) -> None:
    """Raise LineError for what cannot be; a price or a VAT rate that is missing is asked in the line itself."""
    try:
        book.price_line(line)
    except LineError as error:
        if error.field not in {"unit_price", "vat_rate"} or line.unit_price is not None:
            raise


def _unclear(text: str, parts: Parts, book: PriceBook, rows: Sequence[Any]) -> Entry:
    said = " ".join(parts.words)
    if not said:
        return Entry(text, message=_("Which treatment? Begin with its name or code, like zir 11-21."))
    if rows:
        message = _("“%(text)s” may mean several treatments. Choose one.", text=said)
    else:
        rows = _close(said, list(book.treatments.values()))
        question = _("No treatment is called “%(text)s”. Did you mean one of these?", text=said)
        message = question if rows else _("No treatment is called “%(text)s”.", text=said)
    return Entry(text, (), message, tuple(_candidate(row) for row in rows[:MOST_CANDIDATES]))


def _candidate(row: Any) -> Candidate:
    return Candidate(row.code, row.name_tr if language() == "tr" else row.name_en)


def _meant(parts: Parts, book: PriceBook, code: str | None) -> Sequence[Any]:
    """Return the treatments a text may mean; words of a brand at its end are not the treatment's."""
    rows = [row for row in book.treatments.values() if row.is_active]
    if code is not None:
        found = [row for row in rows if row.code == code]
        if found:
            parts.words = _brand_words(parts.words, found[0])
        return found
    for length in range(len(parts.words), 0, -1):
        found = match_treatments(rows, " ".join(parts.words[:length]))
        if found:
            said, parts.words = parts.words[:length], parts.words[length:]
            narrowed = _narrowed(found, said, parts)
            if len(narrowed) != 1:
                parts.words = said + parts.words
            return narrowed
    return []


def _narrowed(rows: list[Any], said: list[str], parts: Parts) -> list[Any]:
    """Leave what fits exactly, else what fits the teeth and surfaces, else codes that begin as typed."""
    whole = "".join(words_of(" ".join(said)))
    if whole in ["".join(words_of(name)) for name in (rows[0].code, *(rows[0].aliases or ()))]:
        return rows[:1]
    left = [row for row in rows if _fits(row, parts)] or rows
    begun = [row for row in left if "".join(words_of(row.code)).startswith(whole)]
    for best in ([row for row in begun if "-" not in row.code], begun):
        if len(best) == 1:
            return best
    return left


def _fits(row: Any, parts: Parts) -> bool:
    if any(surfaces for _teeth, surfaces in parts.groups) and row.pricing != Pricing.PER_SURFACE:
        return False
    if parts.arch and not parts.groups:
        return Scope(row.scope) not in TOOTH_SCOPES
    teeth = _teeth_or_none(" ".join(teeth for teeth, _surfaces in parts.groups))
    wrong_kind = {Dentition.PERMANENT: True, Dentition.PRIMARY: False}.get(row.dentition)
    return not any(
        is_primary(tooth) is wrong_kind or (row.allowed_teeth and tooth not in row.allowed_teeth) for tooth in teeth
    )


def _teeth_or_none(text: str) -> tuple[int, ...]:
    try:
        return parse_teeth(text)
    except TeethError:
        return ()


def _brand_words(words: list[str], row: Any) -> list[str]:
    """Leave the words that name one of a treatment's brands."""
    known = {word for name in (*KNOWN_BRANDS, *(row.brands or ())) for word in words_of(name)}
    return [word for word in words if fold(word) in known]


def _brand(parts: Parts, row: Any) -> str | None:
    """Return the brand that the words left over name; raises LineError where they name none."""
    if not parts.words:
        return None
    said = words_of(" ".join(parts.words))
    for name in (*(row.brands or ()), *KNOWN_BRANDS):
        own = words_of(name)
        if all(any(word.startswith(part) for word in own) for part in said):
            return str(name)
    raise LineError("entry", _("“%(text)s” is not understood here.", text=" ".join(parts.words)))


def _typed_lines(parts: Parts, row: Any, brand: str | None, ticked: str) -> Iterator[TypedLine]:
    line = TypedLine(
        row.id, None, "", parts.arch, parts.quantity, parts.price, parts.discount_kind, parts.discount, None,
        brand=brand,
    )  # fmt: skip
    groups = list(parts.groups)
    if not groups and Scope(row.scope) in {*TOOTH_SCOPES, Scope.QUADRANT} and parts.arch is None:
        groups = [(ticked, "")]
    by_surfaces: dict[str, list[str]] = {}
    for teeth, surfaces in groups:
        by_surfaces.setdefault(surfaces, []).append(teeth)
    for surfaces, teeth_of_them in by_surfaces.items():
        yield replace(line, teeth=" ".join(teeth_of_them).strip(",;+"), surfaces=surfaces)
    if not by_surfaces:
        yield line


def _close(said: str, rows: Sequence[Any]) -> list[Any]:
    """Return treatments that are spelled much like ``said``."""
    spellings: dict[str, Any] = {}
    for row in rows:
        for name in (row.code, row.name_tr, row.name_en, *(row.aliases or ())):
            for spelling in ("".join(words_of(name)), *words_of(name)):
                spellings.setdefault(spelling, row)
    wanted = "".join(words_of(said))[:60]
    near = get_close_matches(wanted, spellings, n=MOST_CANDIDATES, cutoff=0.75)
    return list({spellings[spelling].id: spellings[spelling] for spelling in near}.values())
