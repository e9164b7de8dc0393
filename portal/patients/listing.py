"""The list page of patients: its filters from the address, and its links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from portal.core.identity import current_clinic
from portal.core.links import ListLinks, Option, chosen
from portal.core.pagination import Page
from portal.core.periods import read_days
from portal.core.search import clean_query
from portal.core.templating import count_label, day
from portal.patients.queries import COUNT_CAP, PatientFilter, PatientSort, PatientState

PATH = "/patients/"
UNSOURCED = "none"  # in place of a source's id
STATES = {
    None: _l("All"),
    PatientState.ACTIVE: _l("Active"),
    PatientState.INACTIVE: _l("Not active"),
    PatientState.ARCHIVED: _l("Archived"),
}
SORTS = {None: _l("Newest first"), PatientSort.NAME: _l("By name")}


def filter_from_args(args: Mapping[str, str]) -> PatientFilter:
    """Read the filter from an address or a form; what makes no sense counts as not given."""
    return PatientFilter(
        query=clean_query(args.get("q", "")),
        state=chosen(PatientState, args.get("state")),
        source_id=_uuid(args.get("source")),
        unsourced=args.get("source") == UNSOURCED,
        registered=read_days(args, current_clinic().timezone),
        sort=chosen(PatientSort, args.get("sort")) or PatientSort.NEWEST,
    )


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None


class ListView:
    """What the list's template shows."""

    def __init__(self, wanted: PatientFilter, page: Page[Any], count: int, sources: Sequence[Any]) -> None:
        self.wanted, self.page = wanted, page
        sort = None if wanted.sort is PatientSort.NEWEST else wanted.sort
        source = UNSOURCED if wanted.unsourced else wanted.source_id
        days = wanted.registered.args() if wanted.registered else {}
        kept = {"q": wanted.query, "state": wanted.state, "source": source, **days, "sort": sort}
        self.links = ListLinks(PATH, kept)
        self.source_names: dict[UUID, str] = {source.id: source.name for source in sources}
        self.previous_url, self.next_url = self.links.pages(page)
        self.total = count_label(count, COUNT_CAP, ngettext("patient", "patients", count))

    @property
    def is_filtered(self) -> bool:
        """Whether an empty list may only mean that nothing matches."""
        wanted = self.wanted
        return bool(wanted.query or wanted.state or wanted.source_id or wanted.unsourced or wanted.registered)

    def states(self) -> list[Option]:
        """Return the links that pick a state."""
        return self.links.options("state", STATES)

    def sorts(self) -> list[Option]:
        """Return the links that pick an order."""
        return self.links.options("sort", SORTS)

    def sources(self) -> list[Option]:
        """Return the links that pick a referral source."""
        unsourced = {UNSOURCED: _l("Not known")} if self.wanted.unsourced else {}
        return self.links.options("source", {None: _l("All"), **self.source_names, **unsourced})

    def registered(self) -> list[Option]:
        """Return the days in force, and the link that lets them go; nothing where every day counts."""
        days = self.wanted.registered
        if days is None:
            return []
        text = f"{day(days.first)} – {day(days.last)}"
        return [Option(str(_l("All")), self.links.url(**{"from": None, "to": None}), active=False),
                Option(text, self.links.url(), active=True)]  # fmt: skip
