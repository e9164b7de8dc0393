"""Treatment categories, the catalogue, price lists and dated VAT rules of a clinic."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.catalog.enums import Audience, Dentition, PriceVariant, Pricing, Residency, Scope, VatClass
from portal.core.audit import Audited
from portal.core.database import Base, Identified, TenantScoped, Timestamped, one_of, tenant_reference
from portal.core.money import Currency


class TreatmentCategory(Audited, TenantScoped, Timestamped, Base):
    """A heading of the catalogue."""

    __tablename__ = "treatment_categories"
    __table_args__ = (sa.UniqueConstraint("clinic_id", "key"),)

    key: Mapped[str] = mapped_column(sa.String(40))
    name_tr: Mapped[str] = mapped_column(sa.String(120))
    name_en: Mapped[str] = mapped_column(sa.String(120))
    position: Mapped[int] = mapped_column(sa.SmallInteger)


class CatalogTreatment(Audited, TenantScoped, Timestamped, Base):
    """A treatment the clinic offers: what it applies to, how it is priced and taxed."""

    __tablename__ = "treatment_catalog"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "code"),
        tenant_reference("category_id", "treatment_categories"),
        sa.Index(None, "clinic_id", "category_id", "position"),
        one_of("scope", Scope),
        one_of("pricing", Pricing),
        one_of("vat_class", VatClass),
        one_of("dentition", Dentition),
    )

    category_id: Mapped[UUID]
    code: Mapped[str] = mapped_column(sa.String(40))
    name_tr: Mapped[str] = mapped_column(sa.String(200))
    name_en: Mapped[str] = mapped_column(sa.String(200))
    scope: Mapped[str] = mapped_column(sa.String(10))
    pricing: Mapped[str] = mapped_column(sa.String(12))
    vat_class: Mapped[str] = mapped_column(sa.String(20))
    dentition: Mapped[str] = mapped_column(sa.String(10))
    allowed_teeth: Mapped[list[int] | None] = mapped_column(ARRAY(sa.SmallInteger))
    duration_min: Mapped[int | None] = mapped_column(sa.SmallInteger)
    name_de: Mapped[str | None] = mapped_column(sa.String(200))
    name_ru: Mapped[str | None] = mapped_column(sa.String(200))
    aliases: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default="{}", default=list)
    about: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}", default=dict)  # language -> for patients
    brands: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default="{}", default=list)
    visits: Mapped[int | None] = mapped_column(sa.SmallInteger)
    healing_days: Mapped[int | None] = mapped_column(sa.SmallInteger)
    warranty_months: Mapped[int | None] = mapped_column(sa.SmallInteger)
    position: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    is_active: Mapped[bool] = mapped_column(server_default=sa.true(), default=True)
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own declarative setting


class PriceList(Audited, TenantScoped, Timestamped, Base):
    """Prices in one currency for one audience, within dates."""

    __tablename__ = "price_lists"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "name"),
        one_of("currency", Currency),
        one_of("audience", Audience),
        sa.CheckConstraint("valid_to >= valid_from", name="dates"),
    )

    name: Mapped[str] = mapped_column(sa.String(120))
    currency: Mapped[str] = mapped_column(sa.String(3))
    audience: Mapped[str] = mapped_column(sa.String(15))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class PriceListItem(Audited, TenantScoped, Timestamped, Base):
    """The unit price of one treatment in one price list."""

    __tablename__ = "price_list_items"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "price_list_id", "catalog_id"),
        tenant_reference("price_list_id", "price_lists", ondelete="CASCADE"),
        tenant_reference("catalog_id", "treatment_catalog", ondelete="CASCADE"),
        sa.Index(None, "clinic_id", "catalog_id"),
        sa.CheckConstraint("unit_price >= 0", name="unit_price"),
    )

    price_list_id: Mapped[UUID]
    catalog_id: Mapped[UUID]
    unit_price: Mapped[Decimal]


class VatRule(Audited, TenantScoped, Timestamped, Base):
    """The VAT rate of one class of treatments from one day to another."""

    __tablename__ = "vat_rules"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "vat_class", "valid_from"),
        one_of("vat_class", VatClass),
        sa.CheckConstraint("rate >= 0 AND rate <= 100", name="rate"),
    )

    vat_class: Mapped[str] = mapped_column(sa.String(20))
    rate: Mapped[Decimal] = mapped_column(sa.Numeric(5, 2))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class TreatmentComponent(Audited, TenantScoped, Timestamped, Base):
    """A part of a package such as All-on-4: the treatment it expands into, and on which teeth of which jaw."""

    __tablename__ = "treatment_components"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "package_id", "component_id"),
        tenant_reference("package_id", "treatment_catalog", ondelete="CASCADE"),
        tenant_reference("component_id", "treatment_catalog"),
        sa.Index(None, "clinic_id", "component_id"),
        sa.CheckConstraint("quantity > 0", name="quantity"),
    )

    package_id: Mapped[UUID]
    component_id: Mapped[UUID]
    upper_teeth: Mapped[list[int]] = mapped_column(ARRAY(sa.SmallInteger), server_default="{}", default=list)
    lower_teeth: Mapped[list[int]] = mapped_column(ARRAY(sa.SmallInteger), server_default="{}", default=list)
    quantity: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2), server_default="1")
    position: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")


class PriceListVariant(Audited, TenantScoped, Timestamped, Base):
    """The price of a treatment for more surfaces or another role, beside its unit price in the same list."""

    __tablename__ = "price_list_variants"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "price_list_id", "catalog_id", "variant"),
        tenant_reference("price_list_id", "price_lists", ondelete="CASCADE"),
        tenant_reference("catalog_id", "treatment_catalog", ondelete="CASCADE"),
        sa.Index(None, "clinic_id", "catalog_id"),
        one_of("variant", PriceVariant),
        sa.CheckConstraint("unit_price >= 0", name="unit_price"),
    )

    price_list_id: Mapped[UUID]
    catalog_id: Mapped[UUID]
    variant: Mapped[str] = mapped_column(sa.String(12))
    unit_price: Mapped[Decimal]


class VatExemption(Audited, TenantScoped, Timestamped, Base):
    """Whose treatments of a class are exempt from VAT, by which article, from one day to another."""

    __tablename__ = "vat_exemptions"
    __table_args__ = (
        sa.UniqueConstraint("clinic_id", "vat_class", "residency", "valid_from"),
        one_of("vat_class", VatClass),
        one_of("residency", Residency),
        sa.CheckConstraint("valid_to >= valid_from", name="dates"),
    )

    vat_class: Mapped[str] = mapped_column(sa.String(20))
    residency: Mapped[str] = mapped_column(sa.String(12))
    code: Mapped[str] = mapped_column(sa.String(20))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class ExchangeBulletin(Identified, Base):
    """One day's bulletin of exchange rates, of the central bank or typed by hand; the same for every clinic."""

    __tablename__ = "exchange_bulletins"
    __table_args__ = (sa.UniqueConstraint("source", "day"),)

    source: Mapped[str] = mapped_column(sa.String(10))
    day: Mapped[date]
    bulletin_no: Mapped[str | None] = mapped_column(sa.String(20))
    fetched_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())


class ExchangeRate(Base):
    """What one bulletin says of one currency, in lira for ``unit`` of it; what it leaves out is None."""

    __tablename__ = "exchange_rates"

    bulletin_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("exchange_bulletins.id", ondelete="CASCADE"), primary_key=True
    )
    currency: Mapped[str] = mapped_column(sa.String(3), primary_key=True)
    unit: Mapped[int]
    forex_buying: Mapped[Decimal | None] = mapped_column(sa.Numeric(18, 8))
    forex_selling: Mapped[Decimal | None] = mapped_column(sa.Numeric(18, 8))
    banknote_buying: Mapped[Decimal | None] = mapped_column(sa.Numeric(18, 8))
    banknote_selling: Mapped[Decimal | None] = mapped_column(sa.Numeric(18, 8))
