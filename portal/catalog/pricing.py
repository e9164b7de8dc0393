"""What an offer is priced and taxed by: the price list that fits, its prices, and VAT by class and residence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from portal.catalog.enums import Audience, Residency
from portal.catalog.models import PriceList, PriceListItem, PriceListVariant, VatExemption, VatRule
from portal.core.database import current_session
from portal.settings.kinds import Flag
from portal.settings.registry import Definition, define, get_setting

PERMIT = define(Definition("vat.health_tourism_permit", Flag(), default=False, label=_l("Health tourism permit")))
_NO_VAT = Decimal(0)


def choose_price_list(audience: str, currency: str, on: date) -> UUID | None:
    """Return the price list of an audience in a currency that holds on a day, the newest of several.

    Where the audience has none, the other of home and abroad; a partner's list holds for partners only.
    """
    others = {audience} if audience == Audience.PARTNER else {audience, Audience.DOMESTIC, Audience.INTERNATIONAL}
    statement = (
        sa.select(PriceList.id)
        .where(
            PriceList.currency == currency,
            PriceList.audience.in_(others),
            PriceList.valid_from <= on,
            sa.or_(PriceList.valid_to.is_(None), PriceList.valid_to >= on),
        )
        .order_by((PriceList.audience == audience).desc(), PriceList.valid_from.desc(), PriceList.id.desc())
        .limit(1)
    )
    return current_session().scalars(statement).one_or_none()


def prices_of_list(price_list_id: UUID) -> dict[UUID, Decimal]:
    """Return catalog_id -> unit price of one price list."""
    statement = sa.select(PriceListItem.catalog_id, PriceListItem.unit_price).where(
        PriceListItem.price_list_id == price_list_id
    )
    return {row.catalog_id: row.unit_price for row in current_session().execute(statement)}


def variants_of_list(price_list_id: UUID) -> dict[tuple[UUID, str], Decimal]:
    """Return (catalog_id, variant) -> price of one price list; what is missing goes by the unit price."""
    statement = sa.select(PriceListVariant.catalog_id, PriceListVariant.variant, PriceListVariant.unit_price).where(
        PriceListVariant.price_list_id == price_list_id
    )
    return {(row.catalog_id, row.variant): row.unit_price for row in current_session().execute(statement)}


def holds_permit() -> bool:
    """Tell whether the clinic says that it holds the health tourism permit."""
    return get_setting(PERMIT)


def vat_of(vat_class: str, residency: str | None, on: date) -> tuple[Decimal, str | None]:
    """Return the VAT rate in percent of a class for a patient on a day, with the code of the exemption if one holds.

    An exemption only holds where the clinic has the permit and the residence is known. Without any rule the
    rate is 0, as for a country whose rates the clinic has not entered.
    """
    code = _exemption(vat_class, residency, on) if residency in set(Residency) and holds_permit() else None
    if code is not None:
        return _NO_VAT, code
    rule = (
        sa.select(VatRule.rate)
        .where(VatRule.vat_class == vat_class, *_holding(VatRule, on))
        .order_by(VatRule.valid_from.desc())
        .limit(1)
    )
    return current_session().scalars(rule).one_or_none() or _NO_VAT, None


def _exemption(vat_class: str, residency: str | None, on: date) -> str | None:
    statement = (
        sa.select(VatExemption.code)
        .where(
            VatExemption.vat_class == vat_class, VatExemption.residency == residency, *_holding(VatExemption, on)
        )
        .order_by(VatExemption.valid_from.desc())
        .limit(1)
    )  # fmt: skip
    return current_session().scalars(statement).one_or_none()


def _holding(dated: type[VatRule] | type[VatExemption], on: date) -> list[sa.ColumnElement[bool]]:
    return [dated.valid_from <= on, sa.or_(dated.valid_to.is_(None), dated.valid_to >= on)]
