"""The list of reminders: its filters as links, and what its rows say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import LazyString, format_date, format_datetime
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.clock import day_start, now, today
from portal.core.identity import current_clinic
from portal.core.links import ListLinks, Option, chosen
from portal.core.pagination import Page
from portal.core.search import clean_query
from portal.core.tables import Table
from portal.core.templating import local_day, moment
from portal.reminders.labels import ICONS, KINDS, OUTCOMES, PRIORITIES
from portal.reminders.models import ReminderKind, ReminderStatus
from portal.reminders.queries import EVERYBODYS, ReminderFilter, When, Whose

TIMES: dict[When, LazyString] = {
    When.OPEN: _l("All open"), When.OVERDUE: _l("Overdue"), When.TODAY: _l("Until tonight"),
    When.UPCOMING: _l("Later"), When.DONE: _l("Done"),
}  # fmt: skip
PATH = "/reminders/"
EVERYBODY = "all"


def filter_from_args(args: Mapping[str, str], user_id: UUID) -> ReminderFilter:
    """Return what query parameters ask for: one's own reminders, unless those of all are wanted."""
    clinic = current_clinic()
    return ReminderFilter(
        now=now(),
        tonight=day_start(today(clinic.timezone) + timedelta(days=1), clinic.timezone),
        when=chosen(When, args.get("when")) or When.OPEN,
        kind=chosen(ReminderKind, args.get("kind")),
        whose=read_whose(args.get("of"), user_id),
        query=clean_query(args.get("q", "")),
    )


def read_whose(text: str | None, user_id: UUID) -> Whose:
    """Return whose reminders an address asks for: one's own and those for anybody, unless it names others."""
    if text == EVERYBODY:
        return EVERYBODYS
    try:
        return Whose(UUID(text), with_unassigned=False) if text else Whose(user_id)
    except ValueError:
        return Whose(user_id)


def whose_key(whose: Whose) -> str | None:
    """Return what an address says for ``whose``, None for one's own."""
    if whose.user_id is None:
        return EVERYBODY
    return None if whose.with_unassigned else str(whose.user_id)


def whose_options(links: ListLinks, people: Sequence[tuple[UUID, str]]) -> tuple[list[Option], list[Option]]:
    """Return the links that pick one's own reminders or all, and those that pick one colleague's."""
    few = links.options("of", {None: _l("Mine and unassigned"), EVERYBODY: _l("All")})
    return few, links.options("of", {str(user_id): name for user_id, name in people})


class ListView:
    """What the list's template shows."""

    def __init__(self, wanted: ReminderFilter, page: Page[Any], people: Sequence[tuple[UUID, str]]) -> None:
        self.wanted, self.page = wanted, page
        kept = {
            "q": wanted.query, "kind": wanted.kind, "of": whose_key(wanted.whose),
            "when": None if wanted.when is When.OPEN else wanted.when,
        }  # fmt: skip
        self.links = ListLinks(PATH, kept)
        self.previous_url, self.next_url = self.links.pages(page)
        self.whose, self.colleagues = whose_options(self.links, people)

    @property
    def is_filtered(self) -> bool:
        """Whether an empty list may only mean that nothing matches."""
        wanted = self.wanted
        return bool(wanted.query or wanted.kind or wanted.when is not When.OPEN or not wanted.whose.with_unassigned)

    def times(self) -> list[Option]:
        """Return the links that pick a time."""
        return self.links.options("when", {None if key is When.OPEN else key: text for key, text in TIMES.items()})

    def kinds(self) -> list[Option]:
        """Return the links that pick a kind."""
        return self.links.options("kind", {None: _l("All"), **KINDS})


def due_text(row: Any) -> str:
    """Write when a reminder is due."""
    return local_day(row.due_at) if row.is_all_day else moment(row.due_at)


def hour_text(row: Any) -> str:
    """Write the hour a reminder is due at, "" where it is due all day."""
    return "" if row.is_all_day else format_datetime(row.due_at, "HH:mm")


def month_name(day: date) -> str:
    """Write the month of a day."""
    return format_date(day, "LLLL y", rebase=False)


def weekday_name(day: date) -> str:
    """Write the weekday of a day, short."""
    return format_date(day, "EEE", rebase=False)


def is_overdue(row: Any) -> bool:
    """Tell whether an open reminder's time is over."""
    due: datetime = row.due_at
    return row.status == ReminderStatus.OPEN and due < now()


def subject_name(row: Any) -> str:
    """Name whom a reminder is about, "" where it is about nobody."""
    return f"{row.first_name or ''} {row.last_name or ''}".strip()


def export_table(rows: Sequence[Any]) -> Table:
    """Return reminders as a table for a spreadsheet."""
    headings = [
        _("Due"), _("What is to be done"), _("Kind"), _("Priority"), _("Patient"), _("Offer"), _("Who"), _("Outcome"),
        _("Done"),
    ]  # fmt: skip
    return Table(
        headings,
        (
            [
                due_text(row), row.title, str(KINDS[ReminderKind(row.kind)]), str(PRIORITIES[row.priority]),
                subject_name(row), row.offer_no, row.assignee_name,
                str(OUTCOMES[row.outcome]) if row.outcome else "", moment(row.completed_at),
            ]
            for row in rows
        ),
    )  # fmt: skip


HELPERS = {
    "due_text": due_text, "hour_text": hour_text, "is_overdue": is_overdue,
    "month_name": month_name, "weekday_name": weekday_name, "subject_name": subject_name,
    "kind_labels": KINDS, "kind_icons": ICONS, "priority_labels": PRIORITIES, "outcome_labels": OUTCOMES,
}  # fmt: skip
