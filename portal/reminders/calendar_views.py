"""The calendar's pages: a month, a week."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.core.access import Permission, access
from portal.core.clock import day_start, today
from portal.core.identity import current_clinic, current_identity
from portal.core.links import ListLinks
from portal.reminders import presenting, queries
from portal.reminders.calendar import Sheet, month_sheet, month_span, read_day, week_sheet, week_span
from portal.reminders.listing import read_whose, whose_key, whose_options
from portal.reminders.views import blueprint


@blueprint.get("/calendar")
@access(Permission.PATIENTS_READ)
def month() -> ResponseReturnValue:
    """Show a month of reminders."""
    return _page("month", month_span, month_sheet)


@blueprint.get("/calendar/week")
@access(Permission.PATIENTS_READ)
def week() -> ResponseReturnValue:
    """Show a week of reminders."""
    return _page("week", week_span, week_sheet)


def _page(
    shape: str, span: Callable[[date], tuple[date, date]], sheet: Callable[..., Sheet]
) -> ResponseReturnValue:  # fmt: skip
    zone = current_clinic().timezone
    now_day = today(zone)
    day = read_day(request.args.get("day"), now_day)
    wanted = read_whose(request.args.get("of"), current_identity().id)
    first, last = (day_start(end, zone) for end in span(day))
    rows = queries.list_between(first, last, wanted)
    kept = {"day": None if day == now_day else day, "of": whose_key(wanted)}
    links = ListLinks(url_for(f"reminders.{shape}"), kept)
    whose, colleagues = whose_options(links, presenting.people_choices())
    return render_template(
        "reminders/calendar.html", shape=shape, sheet=sheet(day, rows, today=now_day, zone=zone), links=links,
        whose=whose, colleagues=colleagues, is_full=len(rows) == queries.MOST, day=day, **presenting.row_context(),
    )  # fmt: skip
