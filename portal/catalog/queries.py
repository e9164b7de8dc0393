"""Reading the catalogue: treatments, price lists, prices and VAT rates. Every function runs one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.catalog.enums import Audience
from portal.catalog.matching import match_treatments as match_treatments
from portal.catalog.models import CatalogTreatment, PriceList, PriceListItem, TreatmentCategory, VatRule
from portal.core.clinics import Clinic
from portal.core.database import current_session
from portal.core.errors import NotFoundError
from portal.core.money import Currency

_CURRENCIES = list(Currency)
_CATEGORIES = sa.select(TreatmentCategory.id, TreatmentCategory.name_tr, TreatmentCategory.name_en).order_by(
    TreatmentCategory.position, TreatmentCategory.id
)
_TREATMENTS = (
    sa.select(
        CatalogTreatment.id, CatalogTreatment.code, CatalogTreatment.name_tr, CatalogTreatment.name_en,
        CatalogTreatment.scope, CatalogTreatment.pricing, CatalogTreatment.vat_class, CatalogTreatment.dentition,
        CatalogTreatment.allowed_teeth, CatalogTreatment.duration_min, CatalogTreatment.is_active,
        CatalogTreatment.name_de, CatalogTreatment.name_ru, CatalogTreatment.aliases, CatalogTreatment.brands,
        CatalogTreatment.visits, CatalogTreatment.healing_days, CatalogTreatment.warranty_months,
        TreatmentCategory.key.label("category_key"),
        TreatmentCategory.name_tr.label("category_tr"),
        TreatmentCategory.name_en.label("category_en"),
    )
    .join(
        TreatmentCategory,
        sa.and_(
            TreatmentCategory.clinic_id == CatalogTreatment.clinic_id,
            TreatmentCategory.id == CatalogTreatment.category_id,
        ),
    )
    .order_by(
        TreatmentCategory.position, TreatmentCategory.id,
        CatalogTreatment.position, CatalogTreatment.name_tr, CatalogTreatment.id,
    )
)  # fmt: skip


@dataclass(frozen=True)
class PriceListInfo:
    """A price list as plain values; ``shares_currency`` where another one listed beside it has its currency."""

    id: UUID
    name: str
    currency: str
    audience: str
    shares_currency: bool = False

    @property
    def log_key(self) -> str:
        """What a price of this list is called in the activity log: "price EUR", with the name only where needed."""
        return f"price {self.currency} {self.name}" if self.shares_currency else f"price {self.currency}"


def list_categories() -> Sequence[Any]:
    """Return the clinic's headings (id, name_tr, name_en) in its own order; a clinic has a dozen."""
    return current_session().execute(_CATEGORIES).all()


def list_treatments() -> Sequence[Any]:
    """Return every treatment with its heading, in the catalogue's order; a clinic has fewer than 150."""
    return current_session().execute(_TREATMENTS).all()


def list_choices() -> Sequence[Any]:
    """Return the treatments a new offer may use: the active ones, in the catalogue's order.

    A row has id, code, name_tr, name_en, scope, pricing, vat_class, dentition, allowed_teeth (None: every
    tooth), duration_min, name_de, name_ru, aliases, brands, visits, healing_days, warranty_months,
    category_key, category_tr and category_en.
    """
    return current_session().execute(_TREATMENTS.where(CatalogTreatment.is_active)).all()


def get_treatment(treatment_id: UUID) -> CatalogTreatment:
    """Return a treatment, active or not; raises NotFoundError, also for another clinic's."""
    statement = sa.select(CatalogTreatment).where(CatalogTreatment.id == treatment_id)
    treatment = current_session().scalars(statement).one_or_none()
    if treatment is None:
        raise NotFoundError
    return treatment


def find_by_code(code: str) -> CatalogTreatment | None:
    """Return the clinic's treatment with this code, or None."""
    return current_session().scalars(sa.select(CatalogTreatment).where(CatalogTreatment.code == code)).one_or_none()


def next_position(category_id: UUID) -> int:
    """Return the place after the last treatment of a heading; two at once may get the same, which does no harm."""
    last = sa.select(sa.func.max(CatalogTreatment.position)).where(CatalogTreatment.category_id == category_id)
    return (current_session().execute(last).scalar_one() or 0) + 1


def list_price_lists(on: date | None = None) -> list[PriceListInfo]:
    """Return the price lists valid on a day (None: all there ever were), by currency, audience and name."""
    statement = sa.select(PriceList.id, PriceList.name, PriceList.currency, PriceList.audience)
    if on is not None:
        statement = statement.where(*_valid(PriceList, on))
    rows = current_session().execute(statement).all()
    currencies = [row.currency for row in rows]
    lists = [PriceListInfo(*row, shares_currency=currencies.count(row.currency) > 1) for row in rows]
    return sorted(lists, key=lambda item: (_CURRENCIES.index(Currency(item.currency)), item.audience, item.name))


def list_prices(on: date) -> dict[tuple[UUID, UUID], Decimal]:
    """Return (catalog_id, price_list_id) -> unit price over every price list valid on a day."""
    statement = (
        sa.select(PriceListItem.catalog_id, PriceListItem.price_list_id, PriceListItem.unit_price)
        .join(
            PriceList,
            sa.and_(PriceList.clinic_id == PriceListItem.clinic_id, PriceList.id == PriceListItem.price_list_id),
        )
        .where(*_valid(PriceList, on))
    )  # fmt: skip
    return {(row.catalog_id, row.price_list_id): row.unit_price for row in current_session().execute(statement)}


def treatment_prices(treatment_id: UUID) -> dict[UUID, Decimal]:
    """Return price_list_id -> unit price of one treatment, over every price list there ever was."""
    statement = sa.select(PriceListItem.price_list_id, PriceListItem.unit_price).where(
        PriceListItem.catalog_id == treatment_id
    )
    return {row.price_list_id: row.unit_price for row in current_session().execute(statement)}


def list_items(treatment_id: UUID) -> dict[UUID, PriceListItem]:
    """Return price_list_id -> item of one treatment, as stored now, for writing."""
    statement = sa.select(PriceListItem).where(PriceListItem.catalog_id == treatment_id)
    items = current_session().scalars(statement, execution_options={"populate_existing": True})
    return {item.price_list_id: item for item in items}


def prices(currency: str, on: date) -> dict[UUID, Decimal]:
    """Return catalog_id -> unit price from the one price list of a currency that holds on a day.

    The list for patients at home holds for the clinic's own currency, the one for patients from abroad
    for any other; where that one is missing, the other of the two. Of several the newest holds. A
    partner's list never does: its prices were agreed with that partner.
    """
    preferred = sa.case((Clinic.default_currency == currency, Audience.DOMESTIC), else_=Audience.INTERNATIONAL)
    holding = (
        sa.select(PriceList.id)
        .join(Clinic, Clinic.id == PriceList.clinic_id)
        .where(PriceList.currency == currency, PriceList.audience != Audience.PARTNER, *_valid(PriceList, on))
        .order_by((PriceList.audience == preferred).desc(), PriceList.valid_from.desc(), PriceList.id.desc())
        .limit(sa.literal_column("1"))
    )
    statement = sa.select(PriceListItem.catalog_id, PriceListItem.unit_price).where(
        PriceListItem.price_list_id == holding.scalar_subquery()
    )
    return {row.catalog_id: row.unit_price for row in current_session().execute(statement)}


def vat_rates(on: date) -> dict[str, Decimal]:
    """Return vat_class -> rate in percent on a day; where two rules overlap, the newer one holds."""
    statement = sa.select(VatRule.vat_class, VatRule.rate).where(*_valid(VatRule, on)).order_by(VatRule.valid_from)
    return {row.vat_class: row.rate for row in current_session().execute(statement)}


def _valid(dated: type[PriceList] | type[VatRule], on: date) -> list[sa.ColumnElement[bool]]:
    return [dated.valid_from <= on, sa.or_(dated.valid_to.is_(None), dated.valid_to >= on)]
