"""Reading what an offer says beside the offer itself: options, visits, treatments, and who the clinic is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.catalog.models import CatalogTreatment
from portal.core.clinics import Clinic
from portal.core.database import current_session
from portal.offers.documents import PdfDocument
from portal.offers.models import OfferOption, OfferVisit


def list_options(offer_id: UUID) -> Sequence[OfferOption]:
    """Return an offer's options in their order."""
    statement = sa.select(OfferOption).where(OfferOption.offer_id == offer_id)
    return current_session().scalars(statement.order_by(OfferOption.position, OfferOption.label)).all()


def list_visits(offer_id: UUID) -> Sequence[OfferVisit]:
    """Return an offer's visits, the first one first."""
    statement = sa.select(OfferVisit).where(OfferVisit.offer_id == offer_id).order_by(OfferVisit.visit_no)
    return current_session().scalars(statement).all()


def treatments_of(ids: Collection[UUID]) -> Mapping[UUID, Any]:
    """Return the names and explanations of treatments by their ids."""
    if not ids:
        return {}
    row = CatalogTreatment
    statement = sa.select(row.id, row.name_tr, row.name_en, row.name_de, row.name_ru, row.about)
    return {found.id: found for found in current_session().execute(statement.where(row.id.in_(sorted(ids))))}


def get_clinic_words() -> Any:
    """Return the pinned clinic's name and time zone."""
    session = current_session()
    clinic_id = session.scope.clinic_id  # type: ignore[union-attr]
    return session.execute(sa.select(Clinic.name, Clinic.timezone).where(Clinic.id == clinic_id)).one()


def find_document(offer_id: UUID, locale: str, content_sha256: str) -> PdfDocument | None:
    """Return the document kept for what an offer says, or None."""
    row = PdfDocument
    statement = sa.select(row).where(row.offer_id == offer_id, row.locale == locale)
    return current_session().scalars(statement.where(row.content_sha256 == content_sha256)).one_or_none()
