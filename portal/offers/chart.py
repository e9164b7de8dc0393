"""The tooth chart: rows of teeth as drawn facing the patient, each with the lines that are done on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from portal.catalog.teeth import PERMANENT_LOWER, PERMANENT_UPPER, PRIMARY_LOWER, PRIMARY_UPPER, tooth_name

TONES = ("blue", "amber", "green", "purple", "orange", "pink")  # of css/theme.css
_FRONT, _CANINE, _FIRST_PREMOLAR, _LAST_PREMOLAR, _PRIMARY = 2, 3, 4, 5, 4


@dataclass(frozen=True)
class Mark:
    """What a line is called and the teeth it is done on."""

    label: str
    teeth: tuple[int, ...]


@dataclass(frozen=True)
class Tooth:
    """A tooth of the chart; ``lines`` are the numbers of the lines on it, from 1."""

    number: int
    name: str
    shape: str
    is_upper: bool
    lines: tuple[int, ...]
    ticked: bool

    @property
    def written_lines(self) -> str:
        """The numbers of its lines, as there is room for."""
        few = ",".join(map(str, self.lines[:2]))
        return few + "+" if len(self.lines) > 2 else few

    @property
    def tone(self) -> str:
        """The colour of its first line; "" without one."""
        return _tone(self.lines[0]) if self.lines else ""


@dataclass(frozen=True)
class LegendRow:
    """What a number in the chart stands for."""

    number: int
    label: str
    tone: str


@dataclass(frozen=True)
class Chart:
    """The four rows with their legend."""

    permanent: tuple[tuple[Tooth, ...], tuple[Tooth, ...]]
    primary: tuple[tuple[Tooth, ...], tuple[Tooth, ...]]
    legend: tuple[LegendRow, ...]

    def tones(self) -> dict[str, tuple[str, str]]:
        """Return tooth -> (its lines, their colour) of the marked teeth, for the page's script."""
        rows = (*self.permanent, *self.primary)
        marked = [tooth for row in rows for tooth in row if tooth.lines]
        return {str(tooth.number): (tooth.written_lines, tooth.tone) for tooth in marked}

    @property
    def is_empty(self) -> bool:
        """Whether no line is done on a tooth."""
        return not self.legend

    @property
    def uses_primary(self) -> bool:
        """Whether a primary tooth is marked or ticked, so that they must not be folded away."""
        return any(tooth.lines or tooth.ticked for row in self.primary for tooth in row)

    @property
    def uses_permanent(self) -> bool:
        """Whether a permanent tooth is marked or ticked."""
        return any(tooth.lines or tooth.ticked for row in self.permanent for tooth in row)


def tooth_chart(marks: Sequence[Mark], *, ticked: Collection[int] = ()) -> Chart:
    """Return the chart of some lines, in their order; ``ticked`` teeth are chosen."""
    lines: dict[int, list[int]] = {}
    for number, mark in enumerate(marks, 1):
        for tooth in mark.teeth:
            lines.setdefault(tooth, []).append(number)

    def row(numbers: Sequence[int], *, upper: bool) -> tuple[Tooth, ...]:
        return tuple(
            Tooth(tooth, str(tooth_name(tooth)), _shape(tooth), upper, tuple(lines.get(tooth, ())), tooth in ticked)
            for tooth in numbers
        )

    return Chart(
        (row(PERMANENT_UPPER, upper=True), row(PERMANENT_LOWER, upper=False)),
        (row(PRIMARY_UPPER, upper=True), row(PRIMARY_LOWER, upper=False)),
        tuple(LegendRow(number, mark.label, _tone(number)) for number, mark in enumerate(marks, 1) if mark.teeth),
    )


def offer_chart(lines: Iterable[Any]) -> Chart:
    """Return the chart of an offer's stored lines."""
    return tooth_chart([Mark(line.name, tuple(tooth.tooth for tooth in line.teeth)) for line in lines])


def _tone(number: int) -> str:
    return TONES[(number - 1) % len(TONES)]


def _shape(tooth: int) -> str:
    quadrant, place = divmod(tooth, 10)
    if place <= _FRONT:
        return "incisor"
    if place == _CANINE:
        return "canine"
    if quadrant <= _PRIMARY and place in (_FIRST_PREMOLAR, _LAST_PREMOLAR):
        return "premolar"
    return "molar"
