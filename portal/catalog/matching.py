"""Finding treatments by what a coordinator types: "zir", "kanal 2", "DIS TASI", in any of the names' languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from portal.core.text import fold

Row = TypeVar("Row")

_WORD = re.compile(r"[^\W_]+")
_NAMES = ("name_tr", "name_en", "name_de", "name_ru")
_EXACT_CODE, _ALIAS, _PREFIX, _WORD_PREFIX = range(4)


def match_treatments(rows: Iterable[Row], text: str) -> list[Row]:
    """Return the rows that ``text`` means, the best first; empty text means none.

    Ranked: the exact code, an exact alias, the beginning of a code, alias or name, then rows where every
    word typed begins a word of theirs. Equals keep their order. Case, Turkish letters, hyphens and spaces
    make no difference: "all on 4" is all-on-4. A row has code and names, and aliases where there are any.
    """
    typed = _words(text)
    if not typed:
        return []
    ranked = [(rank, row) for row in rows if (rank := _rank(row, typed)) is not None]
    return [row for _rank_of_row, row in sorted(ranked, key=lambda pair: pair[0])]


def _rank(row: Any, typed: list[str]) -> int | None:
    """Return how well a row fits, 0 best; None where it does not."""
    whole = "".join(typed)
    code = "".join(_words(row.code))
    if code == whole:
        return _EXACT_CODE
    aliases = [_words(alias) for alias in getattr(row, "aliases", None) or ()]
    if whole in ("".join(alias) for alias in aliases):
        return _ALIAS
    known = [_words(row.code), *aliases, *map(_words, _names(row))]
    if any("".join(words).startswith(whole) for words in known):
        return _PREFIX
    own = {word for words in known for word in words}
    return _WORD_PREFIX if all(any(word.startswith(part) for word in own) for part in typed) else None


def _names(row: Any) -> Iterator[str]:
    return (name for column in _NAMES if (name := getattr(row, column, None)))


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))
