"""The list page of offers: its filters from the address, and its links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import to_user_timezone

from portal.core.clock import today
from portal.core.forms import plain_number
from portal.core.i18n import language
from portal.core.identity import current_clinic
from portal.core.links import ListLinks, Option, chosen
from portal.core.money import Currency
from portal.core.pagination import Page
from portal.core.search import clean_query
from portal.core.tables import Table
from portal.offers.models import OfferKind, OfferStatus
from portal.offers.people import SIGNERS
from portal.offers.queries import OfferFilter
from portal.offers.reading import reading_of
from portal.offers.rules import OPEN_KINDS

PATH = "/offers/"
KINDS = {
    OfferKind.DRAFT: _l("Draft"),
    OfferKind.SENT: _l("Sent"),
    OfferKind.VIEWED: _l("Viewed"),
    OfferKind.NEGOTIATING: _l("Negotiating"),
    OfferKind.ACCEPTED: _l("Accepted"),
    OfferKind.DECLINED: _l("Declined"),
    OfferKind.EXPIRED: _l("Expired"),
    OfferKind.CANCELLED: _l("Cancelled"),
}


class Versions(StrEnum):
    """Which versions of an offer a list shows; the newest alone unless told."""

    ALL = "all"


class Ending(StrEnum):
    """When open offers end."""

    SOON = "soon"
    OVER = "over"


SOON = timedelta(days=7)
PARAMETERS = ("q", "kind", "currency", "ends", "coordinator", "doctor", "versions")


def filter_from_args(args: Mapping[str, str]) -> OfferFilter:
    """Read the filter from an address or a form; what makes no sense counts as not given."""
    day = today(current_clinic().timezone)
    days: dict[Ending | None, tuple[date | None, date] | None] = {
        None: None, Ending.SOON: (day, day + SOON), Ending.OVER: (None, day - timedelta(days=1)),
    }  # fmt: skip
    return OfferFilter(
        query=clean_query(args.get("q", "")),
        kind=chosen(OfferKind, args.get("kind")),
        currency=chosen(Currency, args.get("currency")),
        coordinator_id=_uuid(args.get("coordinator")),
        doctor_id=_uuid(args.get("doctor")),
        ends=days[chosen(Ending, args.get("ends"))],
        replaced=chosen(Versions, args.get("versions")) is not None,
    )


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def status_label(status: OfferStatus) -> str:
    """Return a status in the reader's language."""
    return status.label_tr if language() == "tr" else status.label_en


class OfferListView:
    """What the list's template shows."""

    def __init__(
        self, args: Mapping[str, str], page: Page[Any], sums: Sequence[Any], statuses: Sequence[OfferStatus],
        *, staff: Sequence[Any], saved: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.wanted, self.page, self.sums, self.staff = filter_from_args(args), page, sums, staff
        self.links = ListLinks(PATH, self._kept(chosen(Ending, args.get("ends"))))
        self.saved = {name: f"{PATH}?{query}" for name, query in saved.items()}
        self.statuses = {status.id: status for status in statuses}
        self.labels = {status.id: status_label(status) for status in statuses}
        self.previous_url, self.next_url = self.links.pages(page)
        self.count = sum(row.count for row in sums)
        self.names = {row.id: row.name for row in staff}
        self.doctors = [row for row in staff if row.role in SIGNERS]
        self.today = today(current_clinic().timezone)

    def _kept(self, ends: Ending | None) -> dict[str, Any]:
        wanted = self.wanted
        return {
            "q": wanted.query, "kind": wanted.kind, "currency": wanted.currency, "ends": ends,
            "coordinator": wanted.coordinator_id, "doctor": wanted.doctor_id,
            "versions": Versions.ALL if wanted.replaced else None,
        }  # fmt: skip

    @property
    def is_filtered(self) -> bool:
        """Whether an empty list may only mean that nothing matches."""
        return bool(self.links.kept)

    def is_over(self, row: Any) -> bool:
        """Whether an offer waits past its last day."""
        kind = self.statuses[row.status_id].kind
        return (
            row.superseded_at is None
            and row.valid_until is not None
            and row.valid_until < self.today
            and kind in OPEN_KINDS
        )

    def reading(self, row: Any) -> str:
        """Say how the patient read an offer, "" where it was not shared."""
        waits = row.superseded_at is None and self.statuses[row.status_id].kind in OPEN_KINDS
        return reading_of(row, waits=waits)

    def endings(self) -> list[Option]:
        """Return the links that pick open offers by their last day."""
        labels = {None: _l("All"), Ending.SOON: _l("within 7 days"), Ending.OVER: _l("day is over")}
        return self.links.options("ends", labels)

    def kinds(self) -> list[Option]:
        """Return the links that pick a kind of status."""
        return self.links.options("kind", {None: _l("All"), **KINDS})

    def versions(self) -> list[Option]:
        """Return the links that leave replaced versions out, or show them too."""
        return self.links.options("versions", {None: _l("newest"), Versions.ALL: _l("replaced ones too")})

    def currencies(self) -> list[Option]:
        """Return the links that pick a currency."""
        return self.links.options("currency", {None: _l("All"), **{code: code.value for code in Currency}})


def export_table(rows: Sequence[Any], statuses: Sequence[OfferStatus]) -> Table:
    """Return the list as a table to download; decimals in the reader's language, moments in the clinic's zone."""
    labels = {status.id: status_label(status) for status in statuses}
    headings = [
        _("Number"), _("Title"), _("Patient"), _("Status"), _("Total"), _("Currency"), _("Valid until"), _("Created"),
    ]  # fmt: skip
    return Table(
        headings,
        (
            (
                row.offer_no, row.title, f"{row.first_name or ''} {row.last_name or ''}".strip(),
                labels[row.status_id], plain_number(row.grand_total), row.currency,
                row.valid_until.isoformat() if row.valid_until else "",
                f"{to_user_timezone(row.created_at):%Y-%m-%d %H:%M}",
            )
            for row in rows
        ),
    )  # fmt: skip
