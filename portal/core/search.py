"""Finding rows by folded words, by prefix, in a way row-level security can use an index for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.core.database import ClinicOwned, bulk_insert, current_session
from portal.core.text import words

MAX_WORDS = 6
MAX_TERM = 100
_DIGITS = re.compile(r"[\d\s()+./-]{3,}")


def matches(term_model: Any, row_column: Any, owner: Any, query: str) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that a row has every word of ``query`` as the beginning of one of its terms.

    ``^@`` is leakproof and keeps its index under row-level security; LIKE does not.
    """
    return [
        owner.in_(sa.select(row_column).where(term_model.term.op("^@")(word)))
        for word in query_words(query)
    ]


def query_words(query: str) -> list[str]:
    """Return the folded words of a search; a typed phone number counts as one word of digits."""
    text = query.strip()[:200]
    if _DIGITS.fullmatch(text):
        digits = re.sub(r"\D", "", text)
        digits = digits.removeprefix("00").removeprefix("0")
        return [digits] if digits else []
    if "@" in text:
        return [word.lower()[:MAX_TERM] for word in text.split()][:MAX_WORDS]
    return [word[:MAX_TERM] for word in words(text)][:MAX_WORDS]


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
