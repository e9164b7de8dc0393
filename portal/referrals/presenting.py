"""How referral sources are written: the list's filter, what two editors differ in, what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.activity import Entry, list_entries
from portal.core.conflicts import NOTHING, Conflict, column_conflicts
from portal.core.links import ListLinks, Option, chosen
from portal.core.templating import moment, money
from portal.referrals.forms import KINDS, SourceForm
from portal.referrals.models import ReferralGroup, ReferralSource, ReferralTransfer
from portal.referrals.queries import SourceState, list_grouped, list_sources, list_transfers

PATH = "/sources/"
STATES = {None: _l("Active"), SourceState.ARCHIVED: _l("Archived")}
FIELDS: dict[str, str | LazyString] = {
    "name": _l("Name of the source"), "kind": _l("Kind"), "colour": _l("Colour"), "monthly_cost": _l("Cost a month"),
    "cost_currency": _l("Currency"),
}  # fmt: skip
ACTIONS = {
    "source.created": _l("added the source"),
    "source.changed": _l("changed the source"),
    "source.archived": _l("archived the source"),
    "source.restored": _l("offered the source again"),
    "source.shifted": _l("changed the order"),
    "source.emptied": _l("moved patients to another source"),
    "source.refilled": _l("moved patients back to this source"),
}
LOGGED = {**FIELDS, "patients": _l("Patients"), "to": _l("To")}


class SourcesView:
    """What the list's template shows."""

    def __init__(self, args: Mapping[str, str]) -> None:
        self.state = chosen(SourceState, args.get("state")) or SourceState.ACTIVE
        self.parts = list_grouped(self.state)
        kept = {"state": self.state} if self.state is SourceState.ARCHIVED else {}
        self.links = ListLinks(PATH, kept)
        count = sum(len(part.sources) for part in self.parts)
        self.total = ngettext("%(num)d source", "%(num)d sources", count)

    def states(self) -> list[Option]:
        """Return the links that pick a state."""
        return self.links.options("state", STATES)


def kind_text(source: ReferralSource) -> str:
    """Write what sort of source it is."""
    return str(KINDS.get(source.kind, source.kind))


def cost_text(source: ReferralSource) -> str:
    """Write what a source costs a month; nothing where that is not known."""
    if source.monthly_cost is None or source.cost_currency is None:
        return ""
    return money(source.monthly_cost, source.cost_currency)


def group_name(source: ReferralSource, groups: Sequence[ReferralGroup]) -> str:
    """Return the name of a source's group, "" where it is in none."""
    return next((group.name for group in groups if group.id == source.group_id), "")


def conflicts(form: SourceForm, source: ReferralSource, group: str) -> list[Conflict]:
    """Return where a refused form and the stored source, with the name of its group, differ."""
    found = column_conflicts(form, source, form.values(), FIELDS)
    typed = form.group.data or ""
    return found if typed == group else [*found, Conflict(_("Group"), group or NOTHING, typed or NOTHING)]


def activity(source: ReferralSource) -> list[Entry]:
    """Return what was done to a source."""
    values = {"kind": lambda value: str(KINDS.get(value, value))}
    return list_entries(ReferralSource.__tablename__, source.id, actions=ACTIONS, fields=LOGGED, values=values)


@dataclass(frozen=True)
class Moved:
    """Patients once moved between two sources, in words."""

    transfer_id: UUID
    text: str
    when: str
    undone: bool


def moves(source: ReferralSource) -> list[Moved]:
    """Return when patients were moved from or to a source."""
    names = {row.id: row.name for row in list_sources()}
    return [_moved(row, names) for row in list_transfers(source.id)]


def _moved(row: ReferralTransfer, names: Mapping[UUID, str]) -> Moved:
    text = ngettext(
        "%(num)d patient from %(source)s to %(target)s", "%(num)d patients from %(source)s to %(target)s",
        len(row.patient_ids), source=names[row.from_id], target=names[row.to_id],
    )  # fmt: skip
    return Moved(row.id, text, moment(row.moved_at), row.undone_at is not None)
