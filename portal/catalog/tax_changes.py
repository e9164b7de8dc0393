"""Changing a clinic's VAT: a rate or an exemption from a day on. What held before stays, for what was offered then."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalog.models import VatExemption, VatRule
from portal.core import audit
from portal.core.audit import Actor
from portal.core.database import current_session
from portal.core.errors import NotFoundError, RuleError
from portal.settings.registry import own_clinic

_DAY = timedelta(days=1)


def add_rate(actor: Actor, *, vat_class: str, rate: Decimal, valid_from: date, day: date) -> VatRule:
    """Let a rate of a class hold from a day on; the one before it ends the day before.

    Raises RuleError for a day that is over: what was offered then was counted with another rate.
    """
    own_clinic(lock=True)
    _check_future(valid_from, day)
    rows = current_session().scalars(sa.select(VatRule).where(VatRule.vat_class == vat_class)).all()
    if any(row.valid_from >= valid_from for row in rows):
        raise RuleError(_("There is a rate of this class from that day or a later one already."))
    for row in rows:
        if row.valid_to is None or row.valid_to >= valid_from:
            row.valid_to = valid_from - _DAY
            audit.record(actor, "vat.rate_ended", row)
    rule = VatRule(vat_class=vat_class, rate=rate, valid_from=valid_from)
    current_session().add(rule)
    audit.record(actor, "vat.rate_added", rule)
    current_session().flush()
    return rule


def add_exemption(
    actor: Actor, *, vat_class: str, residency: str, code: str, valid_from: date, day: date
) -> VatExemption:
    """Exempt a class for those who live here or abroad, from a day on; raises RuleError where one holds already."""
    own_clinic(lock=True)
    _check_future(valid_from, day)
    alike = sa.select(VatExemption).where(VatExemption.vat_class == vat_class, VatExemption.residency == residency)
    rows = current_session().scalars(alike).all()
    if any(row.valid_to is None or row.valid_to >= valid_from for row in rows):
        raise RuleError(_("Such an exemption holds then already. End that one first."))
    exemption = VatExemption(vat_class=vat_class, residency=residency, code=code, valid_from=valid_from)
    current_session().add(exemption)
    audit.record(actor, "vat.exemption_added", exemption)
    current_session().flush()
    return exemption


def end_exemption(actor: Actor, exemption_id: UUID, *, day: date) -> None:
    """Let an exemption hold through ``day`` and no longer; one that has not begun is taken away.

    Raises NotFoundError, and RuleError for one that has ended.
    """
    own_clinic(lock=True)
    row = current_session().scalars(sa.select(VatExemption).where(VatExemption.id == exemption_id)).one_or_none()
    if row is None:
        raise NotFoundError
    if row.valid_to is not None and row.valid_to <= day:
        raise RuleError(_("This exemption has ended already."))
    if row.valid_from > day:
        audit.record(actor, "vat.exemption_removed", row, changes={"valid_from": [row.valid_from, None]})
        current_session().delete(row)
        return
    row.valid_to = day
    audit.record(actor, "vat.exemption_ended", row)


def _check_future(valid_from: date, day: date) -> None:
    if valid_from < day:
        raise RuleError(_("This day is over: what was offered since then is counted already. Take today or later."))
