"""The list page of staff: its filters from the address, and its links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from portal.core.access import ClinicRole
from portal.core.identity import ROLE_LABELS
from portal.core.links import ListLinks, Option, chosen
from portal.core.search import clean_query
from portal.staff.labels import STATE_KINDS, STATE_LABELS
from portal.staff.queries import PersonState, StaffFilter, state_of

PATH = "/staff/"


def filter_from_args(args: Mapping[str, str]) -> StaffFilter:
    """Read the filter from an address; what makes no sense counts as not given."""
    return StaffFilter(
        query=clean_query(args.get("q", "")), state=chosen(PersonState, args.get("state")),
        role=chosen(ClinicRole, args.get("role")),
    )  # fmt: skip


class StaffListView:
    """What the list's template shows."""

    roles = ROLE_LABELS

    def __init__(self, wanted: StaffFilter, rows: Sequence[Any]) -> None:
        self.wanted, self.rows = wanted, rows
        self.links = ListLinks(PATH, {"q": wanted.query, "state": wanted.state, "role": wanted.role})
        count = len(rows)
        self.total = ngettext("%(num)s colleague", "%(num)s colleagues", count)

    def state(self, row: Any) -> tuple[str, str]:
        """Return how somebody stands, in words, and the kind of its badge."""
        state = state_of(row)
        return str(STATE_LABELS[state]), STATE_KINDS[state]

    def state_options(self) -> list[Option]:
        """Return the links that pick a state."""
        return self.links.options("state", {None: _l("All"), **STATE_LABELS})

    def role_options(self) -> list[Option]:
        """Return the links that pick a role."""
        return self.links.options("role", {None: _l("All"), **{role: ROLE_LABELS[role] for role in ClinicRole}})
