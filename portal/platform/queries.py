"""Reading clinics as the platform."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.core.clinics import Clinic
from portal.core.database import current_session
from portal.core.pagination import Order, Page, keyset_page

_ROWS = sa.select(Clinic.id, Clinic.name, Clinic.subdomain, Clinic.status, Clinic.country, Clinic.created_at)
_ORDER = Order((Clinic.subdomain,))


def list_clinics(query: str, cursor: str | None) -> Page[Any]:
    """Return one page of clinics whose name or subdomain holds ``query``."""
    statement = _ROWS
    if query:
        statement = statement.where(
            sa.or_(Clinic.name.icontains(query, autoescape=True), Clinic.subdomain.icontains(query, autoescape=True))
        )
    return keyset_page(statement, _ORDER, cursor)


def find_clinic(subdomain: str) -> UUID | None:
    """Return the id of the clinic at ``subdomain``, or None."""
    return current_session().scalars(sa.select(Clinic.id).where(Clinic.subdomain == subdomain)).one_or_none()
