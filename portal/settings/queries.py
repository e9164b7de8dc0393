"""Reading a clinic's document templates and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.settings.models import ClinicImage, PdfTemplate

OFFER_TEMPLATE = "offer"  # templates of offers are named "offer" and "offer de"


def list_offer_templates() -> Sequence[PdfTemplate]:
    """Return the clinic's templates of offers: one a language, and one for all where locale is None."""
    names = PdfTemplate.name == OFFER_TEMPLATE, PdfTemplate.name.like(f"{OFFER_TEMPLATE} __")
    statement = sa.select(PdfTemplate).where(sa.or_(*names)).order_by(PdfTemplate.name)
    return current_session().scalars(statement).all()


def get_image(image_id: UUID) -> ClinicImage:
    """Return one of the clinic's pictures; raises NotFoundError."""
    found = current_session().scalars(sa.select(ClinicImage).where(ClinicImage.id == image_id)).one_or_none()
    if found is None:
        raise NotFoundError
    return found
