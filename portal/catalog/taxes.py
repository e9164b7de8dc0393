"""A clinic's VAT as its page shows it, and whether it says that it holds the health tourism permit."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from portal.catalog.models import VatExemption, VatRule
from portal.catalog.pricing import PERMIT
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.settings.registry import set_setting


def list_rules() -> Sequence[VatRule]:
    """Return every rate by class, the newest first."""
    statement = sa.select(VatRule).order_by(VatRule.vat_class, VatRule.valid_from.desc())
    return current_session().scalars(statement).all()


def list_exemptions() -> Sequence[VatExemption]:
    """Return every exemption by class, the newest first."""
    statement = sa.select(VatExemption).order_by(VatExemption.vat_class, VatExemption.valid_from.desc())
    return current_session().scalars(statement).all()


def declare_permit(actor: Actor, *, held: bool) -> None:
    """Note whether the clinic holds the permit; said again, nothing is written."""
    set_setting(actor, PERMIT, held)
