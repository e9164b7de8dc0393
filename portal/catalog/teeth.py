"""Teeth by their FDI (ISO 3950) numbers: reading, writing and placing them.

A tooth is an int: 11-18, 21-28, 31-38, 41-48 permanent, 51-55, 61-65, 71-75, 81-85 primary.
Orders are "as drawn", facing the patient: the patient's right is on the left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from flask_babel.speaklater import LazyString

from portal.catalog.tooth_names import TOOTH_NAMES

PERMANENT_UPPER = (*range(18, 10, -1), *range(21, 29))
PERMANENT_LOWER = (*range(48, 40, -1), *range(31, 39))
PRIMARY_UPPER = (*range(55, 50, -1), *range(61, 66))
PRIMARY_LOWER = (*range(85, 80, -1), *range(71, 76))
ROWS = (PERMANENT_UPPER, PERMANENT_LOWER, PRIMARY_UPPER, PRIMARY_LOWER)
ALL_TEETH = tuple(tooth for row in ROWS for tooth in row)
MAX_TEETH = 32

_PLACE = {tooth: place for place, tooth in enumerate(ALL_TEETH)}
_BY_TEXT = {str(tooth): tooth for tooth in ALL_TEETH}
_QUADRANTS = 4
_LONG_RUN = 3  # two neighbours are written "11, 12": as short as a range and easier to read
_DASH = re.compile(r"\s*[-\u2010-\u2015\u2212]\s*")
_SEPARATORS = re.compile(r"[\s,;+]+")
_TOKEN = re.compile(r"[0-9]+(?:-[0-9]+)?", re.ASCII)
_SHOWN_LENGTH = 20


class Arch(StrEnum):
    """One of the two jaws."""

    UPPER = "upper"
    LOWER = "lower"


class TeethProblem(StrEnum):
    """Why a list of teeth is refused."""

    UNKNOWN_TOOTH = "unknown_tooth"
    BAD_RANGE = "bad_range"
    DUPLICATE = "duplicate"
    SYNTAX = "syntax"
    TOO_MANY = "too_many"


class TeethError(ValueError):
    """A list of teeth was refused: ``code`` says why, ``value`` is the piece of text at fault."""

    def __init__(self, code: TeethProblem, value: str) -> None:
        self.code = code
        self.value = value[:_SHOWN_LENGTH]
        super().__init__(f"{code.value}: {self.value}")


def is_primary(tooth: int) -> bool:
    """Tell whether ``tooth`` is a primary (milk) tooth. Raises TeethError where it is no tooth."""
    return _known(tooth) // 10 > _QUADRANTS


def quadrant(tooth: int) -> int:
    """Return the quadrant, 1 to 4, of a permanent or primary tooth: 1 for 11 and for 51.

    Raises TeethError where it is no tooth.
    """
    return (_known(tooth) // 10 - 1) % _QUADRANTS + 1


def arch(tooth: int) -> Arch:
    """Return the jaw of ``tooth``. Raises TeethError where it is no tooth."""
    return Arch.UPPER if quadrant(tooth) in {1, 2} else Arch.LOWER


def tooth_name(tooth: int) -> LazyString:
    """Return the words for ``tooth``, "upper right first molar", translated when shown.

    Raises TeethError where it is no tooth.
    """
    return TOOTH_NAMES[_known(tooth)]


def parse_teeth(text: str) -> tuple[int, ...]:
    """Read teeth typed as ``11-13, 21 36`` and return them as drawn: (13, 12, 11, 21, 36).

    Commas, semicolons, plus signs and spaces separate. A range follows its row as drawn, in either
    direction and over the midline: 13-23 is 13 12 11 21 22 23. Empty text gives ().
    Raises TeethError: nothing is corrected by guess, a wrong tooth in a record does harm.
    """
    tokens = [token for token in _SEPARATORS.split(_DASH.sub("-", text)) if token]
    chosen: set[int] = set()
    for tooth in (tooth for token in tokens for tooth in _expand(token)):
        if tooth in chosen:
            raise TeethError(TeethProblem.DUPLICATE, str(tooth))
        chosen.add(tooth)
        if len(chosen) > MAX_TEETH:
            raise TeethError(TeethProblem.TOO_MANY, str(tooth))
    return as_drawn(chosen)


def as_drawn(teeth: Iterable[int]) -> tuple[int, ...]:
    """Sort teeth the way a chart shows them: permanent upper and lower row, then the primary ones.

    Raises TeethError where one is no tooth.
    """
    return tuple(sorted(teeth, key=lambda tooth: _PLACE[_known(tooth)]))


def format_teeth(teeth: Iterable[int]) -> str:
    """Write teeth compactly, quadrant by quadrant: ``11-13, 21``, with an en dash. Repeats are written once.

    Raises TeethError where one is no tooth. ``parse_teeth`` reads the result back.
    """
    return ", ".join(_written(run) for run in _runs(as_drawn(set(teeth))))


def _known(tooth: int) -> int:
    if tooth not in _PLACE:
        raise TeethError(TeethProblem.UNKNOWN_TOOTH, str(tooth))
    return tooth


def _expand(token: str) -> tuple[int, ...]:
    if not _TOKEN.fullmatch(token):
        raise TeethError(TeethProblem.SYNTAX, token)
    ends = []
    for number in token.split("-"):
        if number not in _BY_TEXT:
            raise TeethError(TeethProblem.UNKNOWN_TOOTH, number)
        ends.append(_BY_TEXT[number])
    if len(ends) == 1:
        return (ends[0],)
    first, last = ends
    row = next(row for row in ROWS if first in row)
    if last not in row or first == last:
        raise TeethError(TeethProblem.BAD_RANGE, token)
    low, high = sorted((row.index(first), row.index(last)))
    return row[low : high + 1]


def _runs(teeth: tuple[int, ...]) -> Iterator[list[int]]:
    """Yield neighbours of one quadrant together; a run over the midline would puzzle the reader."""
    run: list[int] = []
    for tooth in teeth:
        if run and abs(tooth - run[-1]) != 1:
            yield run
            run = []
        run.append(tooth)
    if run:
        yield run


def _written(run: list[int]) -> str:
    low, high = min(run), max(run)
    if len(run) >= _LONG_RUN:
        return f"{low}\N{EN DASH}{high}"
    return ", ".join(map(str, sorted(run)))
