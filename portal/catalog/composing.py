"""Composing a package: which treatments it expands into, and on which teeth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from portal.catalog.models import CatalogTreatment, TreatmentComponent
from portal.catalog.teeth import format_teeth
from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import StaleVersionError


@dataclass(frozen=True)
class Part:
    """A part as it is typed: a treatment, its teeth by jaw, and how often."""

    component_id: UUID
    upper_teeth: tuple[int, ...]
    lower_teeth: tuple[int, ...]
    quantity: Decimal


def list_parts(package_id: UUID) -> list[Part]:
    """Return the parts of a package as stored now, in their order."""
    return [
        Part(row.component_id, tuple(row.upper_teeth), tuple(row.lower_teeth), row.quantity)
        for row in _rows(package_id)
    ]


def compose_package(actor: Actor, package: CatalogTreatment, *, version: int, parts: Sequence[Part]) -> None:
    """Make a package consist of ``parts`` in their order; without a difference nothing is written.

    Raises StaleVersionError where somebody changed the package before.
    """
    session = current_session()
    session.refresh(package, with_for_update=True)
    before = list_parts(package.id)
    if before == list(parts):
        return
    if package.version != version:
        raise StaleVersionError
    package.updated_at = now()  # its version moves
    for row in _rows(package.id):
        session.delete(row)
    session.flush()
    for position, part in enumerate(parts, start=1):
        session.add(
            TreatmentComponent(
                package_id=package.id, component_id=part.component_id, position=position, quantity=part.quantity,
                upper_teeth=list(part.upper_teeth), lower_teeth=list(part.lower_teeth),
            )
        )  # fmt: skip
    changes = {"parts": [_written(before), _written(parts)]}
    audit.record(actor, "treatment.composed", package, changes=changes)
    session.flush()


def _rows(package_id: UUID) -> Sequence[TreatmentComponent]:
    statement = sa.select(TreatmentComponent).where(TreatmentComponent.package_id == package_id)
    return current_session().scalars(statement.order_by(TreatmentComponent.position, TreatmentComponent.id)).all()


def _written(parts: Sequence[Part]) -> str:
    """Write parts for the log: names of treatments by their code."""
    codes = {
        row.id: row.code for row in current_session().execute(sa.select(CatalogTreatment.id, CatalogTreatment.code))
    }
    return "; ".join(
        f"{codes[part.component_id]} {format_teeth((*part.upper_teeth, *part.lower_teeth))}".strip() for part in parts
    )
