"""Finding rows by folded words, by prefix, in a way row-level security can use an index for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.core.database import ClinicOwned, bulk_insert, current_session
from portal.core.text import clean_line, fold, words

MAX_QUERY = 200
MAX_WORDS = 6
MAX_TERM = 100
Word = tuple[str, ...]
_DIGITS = re.compile(r"[\d\s()+./-]{3,}")
_DIALLED = re.compile(r"^(?:00(?=\d{4})|0)")  # before a number abroad, before a national one


def matches(term_model: Any, row_column: Any, owner: Any, query: str) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that a row has every word of ``query`` as the beginning of one of its terms.

    A query of punctuation only finds nothing.
    """
    found = [owner.in_(sa.select(row_column).where(begins(term_model.term, word))) for word in query_words(query)]
    return found or ([sa.false()] if query.strip() else [])


def begins(term: Any, spellings: Word) -> sa.ColumnElement[bool]:
    """Return the condition that ``term`` begins with one of the spellings of a word.

    ``^@`` is leakproof and keeps its index under row-level security; LIKE does not.
    """
    return sa.or_(*(term.op("^@")(spelling) for spelling in spellings))


def clean_query(typed: str) -> str:
    """Return what was typed into a search box, fit for one line and for the database."""
    return clean_line(typed)[:MAX_QUERY]


def query_words(query: str) -> list[Word]:
    """Return the folded words of a search, each in every spelling it may be stored in.

    A typed phone number counts as one word of digits.
    """
    text = query.strip()[:MAX_QUERY]
    if _DIGITS.fullmatch(text):
        digits = re.sub(r"\D", "", text)
        return [_spellings(digits, text)] if digits else []
    found = [fold(word) for word in text.split()] if "@" in text else words(text)
    return [_spellings(word[:MAX_TERM]) for word in found[:MAX_WORDS]]


def _spellings(word: str, typed: str | None = None) -> Word:
    """Return a word as it is, as typed and, for digits, without what is dialled before a number."""
    without_prefix = _DIALLED.sub("", word) if word.isdigit() else word
    return tuple(dict.fromkeys(filter(None, (word, typed, without_prefix))))


def phone_terms(e164: str | None, raw: str | None) -> set[str]:
    """Return the digit strings a phone is found by: whole, without country code, and its last digits."""
    found = set()
    digits = re.sub(r"\D", "", e164 or "")
    national = re.sub(r"\D", "", raw or "").removeprefix("00").removeprefix("0")
    for text in (digits, national):
        if text:
            found |= {text, text[-10:], text[-7:], text[-4:]}
    return found


def replace_terms(term_model: type[ClinicOwned], column: str, row_id: UUID, terms: Iterable[str]) -> None:
    """Make ``terms`` the words that find the row ``row_id``."""
    session = current_session()
    wanted = {term[:MAX_TERM] for term in terms if term}
    reference = getattr(term_model, column)
    known = set(session.scalars(sa.select(term_model.term).where(reference == row_id)))  # type: ignore[attr-defined]
    if gone := known - wanted:
        session.execute(
            sa.delete(term_model).where(reference == row_id, term_model.term.in_(gone)),  # type: ignore[attr-defined]
            execution_options={"synchronize_session": False},
        )
    bulk_insert(term_model, [{"term": term, column: row_id} for term in sorted(wanted - known)])
