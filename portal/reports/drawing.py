"""The chart of referral sources: one bar each, in the colour the clinic gave it."""

from __future__ import annotations

from collections.abc import Sequence

import pygal
from flask_babel import format_decimal
from flask_babel import gettext as _
from markupsafe import Markup

from portal.core.charts import clean_chart
from portal.reports.sources import Row, SourcesReport

MOST = 15  # further bars would be too thin; the table has them all
WIDE, NARROW = ("wide", 960, 40), ("narrow", 400, 18)  # width, and the letters a name may have


def draw_sources(report: SourcesReport) -> list[Markup]:
    """Return the chart for a desk and for a phone; none where nobody registered."""
    rows = report.ranked()[:MOST]
    title = _("Patients by source, %(days)s", days=report.title)
    return [_draw(shape, rows, title=title, text=report.told) for shape in (WIDE, NARROW)] if rows else []


def _draw(shape: tuple[str, int, int], rows: Sequence[Row], *, title: str, text: str) -> Markup:
    name, width, letters = shape
    chart = pygal.HorizontalBar(
        js=[], css=[], width=width, height=56 + 30 * len(rows), show_legend=False, margin=8, margin_right=48, spacing=6,
        no_prefix=True, disable_xml_declaration=True, print_values=True, print_values_position="top",
        show_x_guides=False, show_y_guides=False, value_formatter=lambda value: str(format_decimal(round(value))),
    )  # fmt: skip
    upwards = rows[::-1]  # pygal begins at the bottom
    chart.x_labels = [_cut(row.name, letters) for row in upwards]
    most = max(row.patients for row in rows)
    step = max(1, -(-most // 4))
    chart.y_labels = list(range(0, most + step, step))
    chart.add(
        "", [{"value": row.patients, "node": {"fill": row.colour} if row.colour else {}} for row in upwards]
    )  # fmt: skip
    return clean_chart(chart.render_tree(), name, title=title, text=text, values=True)


def _cut(name: str, letters: int) -> str:
    return name if len(name) <= letters else name[: letters - 1] + "…"
