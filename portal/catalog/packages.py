"""Packages such as All-on-4: the visible lines they expand into."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from portal.catalog.models import CatalogTreatment, TreatmentComponent
from portal.core.database import current_session


@dataclass(frozen=True)
class Component:
    """A part of a package; ``upper_teeth`` and ``lower_teeth`` say where, by the jaw the package is done on.

    Without teeth it is done ``quantity`` times. ``pricing`` and ``scope`` are the treatment's own.
    """

    catalog_id: UUID
    code: str
    name_tr: str
    name_en: str
    scope: str
    pricing: str
    upper_teeth: tuple[int, ...]
    lower_teeth: tuple[int, ...]
    quantity: Decimal


def components_of(package_id: UUID) -> list[Component]:
    """Return the parts of a package in their order; none for a treatment that is no package."""
    statement = (
        sa.select(CatalogTreatment, TreatmentComponent)
        .join(
            TreatmentComponent,
            sa.and_(
                TreatmentComponent.clinic_id == CatalogTreatment.clinic_id,
                TreatmentComponent.component_id == CatalogTreatment.id,
            ),
        )
        .where(TreatmentComponent.package_id == package_id)
        .order_by(TreatmentComponent.position, TreatmentComponent.id)
    )
    return [
        Component(
            treatment.id, treatment.code, treatment.name_tr, treatment.name_en, treatment.scope, treatment.pricing,
            tuple(part.upper_teeth), tuple(part.lower_teeth), part.quantity,
        )
        for treatment, part in current_session().execute(statement)
    ]  # fmt: skip


def list_packages() -> set[UUID]:
    """Return the ids of the treatments that expand into others."""
    return set(current_session().scalars(sa.select(TreatmentComponent.package_id).distinct()))
