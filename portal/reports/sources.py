"""What referral sources bring and cost in some days."""

from __future__ import annotations

import calendar
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.core.clock import today
from portal.core.links import Option
from portal.core.periods import Days, read_days
from portal.core.templating import day, money
from portal.patients.listing import PATH as PATIENTS
from portal.patients.listing import UNSOURCED
from portal.patients.queries import count_by_source
from portal.referrals.models import ReferralSource
from portal.reports.queries import count_accepted, list_all_sources

PATH = "/reports/sources"


@dataclass(frozen=True)
class Row:
    """One source: whom it brought, what they accepted, what it cost."""

    name: str
    colour: str | None
    patients: int
    url: str
    accepted: int
    cost: str
    per_offer: str


def cost_during(monthly: Decimal, days: Days) -> Decimal:
    """Return what a monthly cost comes to in some days: of a month begun, its share of that month's days."""
    per_month: Counter[tuple[int, int]] = Counter()
    first = days.first
    while first <= days.last:
        length = calendar.monthrange(first.year, first.month)[1]
        last = min(days.last, first.replace(day=length))
        per_month[first.year, first.month] += (last - first).days + 1
        first = last + timedelta(days=1)
    shares = (monthly * count / calendar.monthrange(*month)[1] for month, count in per_month.items())
    return sum(shares, Decimal(0)).quantize(Decimal("0.01"))


def presets(day_: date, zone: str) -> dict[str, Days]:
    """Return the stretches of time one picks with a click, by their names, the usual one first."""
    month = day_.replace(day=1)
    before = month - timedelta(days=1)
    year_ago = day_.replace(year=day_.year - 1, day=min(day_.day, 28)) + timedelta(days=1)
    return {
        _("Last 12 months"): Days(year_ago, day_, zone),
        _("This month"): Days(month, day_, zone),
        _("Last month"): Days(before.replace(day=1), before, zone),
        _("This year"): Days(day_.replace(month=1, day=1), day_, zone),
    }


class SourcesReport:
    """What the page shows: a row for each source that brought somebody or costs something."""

    def __init__(self, args: Mapping[str, str], zone: str) -> None:
        picked = presets(today(zone), zone)
        found = read_days(args, zone)
        self.refused = found is None and bool(args.get("from") or args.get("to"))
        self.days = found or next(iter(picked.values()))
        self.presets = [
            Option(name, f"{PATH}?{urlencode(days.args())}", days == self.days) for name, days in picked.items()
        ]
        self._patients, self._accepted = count_by_source(self.days), count_accepted(self.days)
        self._sources = list_all_sources()
        self.rows = [self._row(source) for source in self._sources if self._is_shown(source)]
        if self._patients.get(None) or self._accepted.get(None):
            self.rows.append(self._without())

    @property
    def total(self) -> Row:
        """All sources in one row; what they cost is added up by currency."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for source in self._sources:
            if source.is_active and source.monthly_cost and source.cost_currency:
                sums[source.cost_currency] += cost_during(source.monthly_cost, self.days)
        cost = " + ".join(money(amount, code) for code, amount in sorted(sums.items()))
        accepted = sum(row.accepted for row in self.rows)
        per_offer = " + ".join(money(amount / accepted, code) for code, amount in sorted(sums.items()) if accepted)
        patients = sum(row.patients for row in self.rows)
        return Row(_("All sources"), None, patients, self._url(None), accepted, cost, per_offer)

    @property
    def title(self) -> str:
        """The days, in words."""
        return f"{day(self.days.first)} – {day(self.days.last)}"

    @property
    def told(self) -> str:
        """What the chart shows, for those who do not see it."""
        rows = (f"{row.name}: {row.patients}" for row in self.ranked())
        return ngettext("%(num)d patient", "%(num)d patients", self.total.patients) + ". " + ", ".join(rows)

    def ranked(self) -> list[Row]:
        """Return the rows with patients, the most first."""
        return sorted((row for row in self.rows if row.patients), key=lambda row: -row.patients)

    def _is_shown(self, source: ReferralSource) -> bool:
        return source.is_active or source.id in self._patients or source.id in self._accepted

    def _row(self, source: ReferralSource) -> Row:
        patients, accepted = self._patients.get(source.id, 0), self._accepted.get(source.id, 0)
        cost = per_offer = ""
        if source.is_active and source.monthly_cost is not None and source.cost_currency:
            amount = cost_during(source.monthly_cost, self.days)
            cost = money(amount, source.cost_currency)
            per_offer = money(amount / accepted, source.cost_currency) if accepted else ""
        url = self._url(source.id)
        return Row(source.name, source.colour, patients, url, accepted, cost, per_offer)

    def _without(self) -> Row:
        patients, accepted = self._patients.get(None, 0), self._accepted.get(None, 0)
        return Row(_("Not known"), None, patients, self._url(UNSOURCED), accepted, "", "")

    def _url(self, source: UUID | str | None) -> str:
        chosen = {"source": str(source)} if source else {}
        return f"{PATIENTS}?{urlencode({**chosen, **self.days.args()})}"
