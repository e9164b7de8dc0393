"""The page of the log of reads: its filters from the address, and its links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import to_user_timezone

from portal.core.links import ListLinks, Option
from portal.core.pagination import Page
from portal.core.tables import Table
from portal.patients.duplicates import find_kept, merged_ids
from portal.privacy.queries import ReadFilter
from portal.privacy.words import READS

PATH = "/privacy/reads"


def read_filter(args: Mapping[str, str]) -> tuple[ReadFilter, UUID | None]:
    """Read the filter from an address or a form, and the patient it names; what makes no sense counts as not given."""
    patient_id, actor_id = _uuid(args.get("patient")), _uuid(args.get("person"))
    patient_id = patient_id and (find_kept(patient_id) or patient_id)
    return ReadFilter(merged_ids(patient_id) if patient_id else None, actor_id), patient_id


class ReadsView:
    """What the page shows."""

    def __init__(
        self, wanted: ReadFilter, patient_id: UUID | None, page: Page[Any], people: dict[UUID, str]
    ) -> None:  # fmt: skip
        self.page, self.people, self.patient_id = page, people, patient_id
        self.actor_id = wanted.actor_id
        self.links = ListLinks(PATH, {"patient": patient_id, "person": wanted.actor_id})
        self.previous_url, self.next_url = self.links.pages(page)

    def persons(self) -> list[Option]:
        """Return the links that pick one of the staff."""
        names = dict(sorted(self.people.items(), key=lambda person: person[1]))
        return self.links.options("person", {None: _("Everybody"), **names})

    @property
    def everybody_url(self) -> str:
        """The same list for every patient."""
        return self.links.url(patient=None)


def reads_table(rows: Any) -> Table:
    """Return the log as a table to download."""
    headings = [_("When"), _("Who"), _("What"), _("Patient"), _("Number"), _("Page"), _("Address")]
    return Table(
        headings,
        (
            (
                f"{to_user_timezone(row.at):%Y-%m-%d %H:%M:%S}", row.actor_name, str(READS[row.action]),
                f"{row.first_name} {row.last_name}".strip(), row.patient_no, row.page, row.ip,
            )
            for row in rows
        ),
    )  # fmt: skip


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None
