"""The list page of clinics."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from portal.core.clinics import ClinicStatus
from portal.core.links import ListLinks
from portal.core.pagination import Page
from portal.core.settings import settings

STATES = {
    ClinicStatus.TRIAL: _l("Trial"),
    ClinicStatus.ACTIVE: _l("Active"),
    ClinicStatus.PAST_DUE: _l("Payment overdue"),
    ClinicStatus.SUSPENDED: _l("Suspended"),
    ClinicStatus.CLOSED: _l("Closed"),
}


class ClinicListView:
    """What the list's template shows."""

    states = STATES

    def __init__(self, query: str, page: Page[Any]) -> None:
        self.query, self.page = query, page
        self.links = ListLinks("/clinics/", {"q": query})
        self.previous_url, self.next_url = self.links.pages(page)

    def address(self, subdomain: str) -> str:
        """Return the address of a clinic's own portal."""
        return settings().url_for_host(subdomain)
