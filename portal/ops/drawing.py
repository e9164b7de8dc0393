"""The chart of table sizes: pygal draws the SVG, the page's own style sheet colours it by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pygal
from markupsafe import Markup

from portal.core.charts import clean_chart
from portal.ops.presenting import short_day, size
from portal.ops.sizing import Line

MARKED = 15  # up to so many days each one gets a dot


@dataclass(frozen=True)
class Shape:
    """How wide and high a chart is in its own units, and how many days its axis names."""

    name: str
    width: int
    height: int
    labels: int


_ROUND = (1, 2, 5, 10, 20, 50, 100, 200, 500)
WIDE, NARROW = Shape("wide", 960, 320, 8), Shape("narrow", 400, 300, 3)


def draw(shape: Shape, lines: Sequence[Line], days: Sequence[date], *, title: str, text: str) -> Markup:
    """Draw ``lines`` over ``days``; ``title`` and ``text`` are read out in place of the picture."""
    chart = pygal.DateLine(
        js=[], css=[], width=shape.width, height=shape.height, show_legend=False, margin=12, spacing=4,
        no_prefix=True, disable_xml_declaration=True, show_dots=len(days) <= MARKED, dots_size=2.5,
        x_value_formatter=short_day, value_formatter=lambda value: size(round(value)), include_x_axis=True,
        margin_right=28,
    )  # fmt: skip
    chart.x_labels = _named(days, shape.labels)
    chart.y_labels = _steps(max((value or 0 for line in lines for value in line.values), default=0))
    for line in lines:
        chart.add(line.name, list(zip(days, line.values, strict=True)))
    return clean_chart(chart.render_tree(), shape.name, title=title, text=text)


def _named(days: Sequence[date], most: int) -> list[date]:
    step = max(1, -(-len(days) // most))
    return list(days[::-1][::step])[::-1]


def _steps(largest: int) -> list[int]:
    """Return round sizes from nothing to above the largest, at most six of them."""
    unit = 1024
    while largest > 1000 * unit:
        unit *= 1024
    step = next(unit * round_one for round_one in _ROUND if unit * round_one * 5 >= largest)
    return [step * place for place in range(-(-largest // step) + 1)]
