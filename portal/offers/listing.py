"""The list page of offers: its filters from the address, and its links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import to_user_timezone

from portal.core.forms import plain_number
from portal.core.i18n import language
from portal.core.links import ListLinks, Option, chosen
from portal.core.money import Currency
from portal.core.pagination import Page
from portal.core.search import clean_query
from portal.core.tables import Table
from portal.offers.models import OfferKind, OfferStatus
from portal.offers.queries import OfferFilter

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


def filter_from_args(args: Mapping[str, str]) -> OfferFilter:
    """Read the filter from an address or a form; what makes no sense counts as not given."""
    return OfferFilter(
        query=clean_query(args.get("q", "")),
        kind=chosen(OfferKind, args.get("kind")),
        currency=chosen(Currency, args.get("currency")),
    )


def status_label(status: OfferStatus) -> str:
    """Return a status in the reader's language."""
    return status.label_tr if language() == "tr" else status.label_en


class OfferListView:
    """What the list's template shows."""

    def __init__(
        self, wanted: OfferFilter, page: Page[Any], sums: Sequence[Any], statuses: Sequence[OfferStatus]
    ) -> None:
        self.wanted, self.page, self.sums = wanted, page, sums
        self.links = ListLinks(PATH, {"q": wanted.query, "kind": wanted.kind, "currency": wanted.currency})
        self.statuses = {status.id: status for status in statuses}
        self.labels = {status.id: status_label(status) for status in statuses}
        self.previous_url, self.next_url = self.links.pages(page)
        self.count = sum(row.count for row in sums)

    @property
    def is_filtered(self) -> bool:
        """Whether an empty list may only mean that nothing matches."""
        return bool(self.wanted.query or self.wanted.kind or self.wanted.currency)

    def kinds(self) -> list[Option]:
        """Return the links that pick a kind of status."""
        return self.links.options("kind", {None: _l("All"), **KINDS})

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
