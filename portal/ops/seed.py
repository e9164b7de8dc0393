"""What every new clinic starts with: catalogue, price lists, VAT rules, offer statuses, referral sources.

Seeding again adds only what is missing; what a clinic changed, renamed or priced itself stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from portal.catalog.data import (
    CATEGORIES,
    COMPONENTS,
    EXAMPLE_SURFACES,
    TREATMENTS,
    VAT_EXEMPTIONS,
    VAT_RULES,
    TreatmentData,
)
from portal.catalog.enums import Audience, Pricing
from portal.catalog.models import (
    CatalogTreatment,
    PriceList,
    PriceListItem,
    PriceListVariant,
    TreatmentCategory,
    TreatmentComponent,
    VatExemption,
    VatRule,
)
from portal.core.audit import ActivityLog, Actor, PlatformActivityLog
from portal.core.clinics import Clinic
from portal.core.clock import today
from portal.core.database import TenantScoped, bulk_insert, current_session, require_scope
from portal.core.hosts import is_subdomain
from portal.core.jobs import SYSTEM
from portal.core.money import Currency
from portal.core.scope import ClinicScope, ScopeError
from portal.offers.models import OfferKind, OfferStatus
from portal.referrals.models import ReferralSource

# Name, currency, audience.
PRICE_LISTS = (
    ("Yurt içi (TRY)", Currency.TRY, Audience.DOMESTIC),
    ("Yurt dışı (EUR)", Currency.EUR, Audience.INTERNATIONAL),
    ("Yurt dışı (GBP)", Currency.GBP, Audience.INTERNATIONAL),
    ("Yurt dışı (USD)", Currency.USD, Audience.INTERNATIONAL),
)

# Kind, Turkish, English, colour out of the tones of components/badges.html.
OFFER_STATUSES = (
    (OfferKind.DRAFT, "Taslak", "Draft", "grey"),
    (OfferKind.SENT, "Gönderildi", "Sent", "blue"),
    (OfferKind.VIEWED, "Görüntülendi", "Viewed", "purple"),
    (OfferKind.NEGOTIATING, "Görüşülüyor", "Negotiating", "amber"),
    (OfferKind.ACCEPTED, "Kabul edildi", "Accepted", "green"),
    (OfferKind.DECLINED, "Reddedildi", "Declined", "red"),
    (OfferKind.EXPIRED, "Süresi doldu", "Expired", "orange"),
    (OfferKind.CANCELLED, "İptal edildi", "Cancelled", "grey"),
)

REFERRAL_SOURCES = (
    *("Google", "Instagram", "Facebook", "WhatsApp", "Tavsiye", "Web sitesi", "Acente", "Tabela"),
    *("TikTok", "YouTube", "Eski hasta"),
)


def ensure_clinic(name: str, subdomain: str, **columns: Any) -> UUID:
    """Return the id of the clinic at ``subdomain``, made with ``name`` and ``columns`` if there is none.

    Runs in a platform scope. Raises ValueError for a subdomain that no clinic may have.
    """
    if not is_subdomain(subdomain):
        raise ValueError(f"A clinic cannot have the subdomain {subdomain!r}.")
    session = current_session()
    known = session.scalars(sa.select(Clinic.id).where(Clinic.subdomain == subdomain)).one_or_none()
    if known is not None:
        return known
    clinic = Clinic(name=name, subdomain=subdomain, **columns)
    session.add(clinic)
    session.flush()
    session.add(
        PlatformActivityLog(
            actor_kind=SYSTEM.kind, actor_name=SYSTEM.name, action="clinic.created",
            object_type="clinics", object_id=clinic.id, changes={"subdomain": [None, subdomain]},
        )
    )  # fmt: skip
    return clinic.id


def seed_clinic(actor: Actor, *, example_prices: bool = True) -> None:
    """Give the pinned clinic what it lacks of a clinic's first contents, and log what was added.

    Only a price list made by this very run gets the example prices: a price that a clinic removed,
    or never set, must not come back by itself. Raises ScopeError outside a clinic's scope.
    """
    scope = require_scope(current_session())
    if not isinstance(scope, ClinicScope):
        raise ScopeError("seed_clinic() needs a clinic's scope.")
    clinic = current_session().get_one(Clinic, scope.clinic_id)
    added = {
        TreatmentCategory: _add(TreatmentCategory, TreatmentCategory.key, _categories()),
        CatalogTreatment: _add(CatalogTreatment, CatalogTreatment.code, _treatments()),
        TreatmentComponent: _add_components(),
        PriceList: _add_price_lists(today(clinic.timezone), example_prices=example_prices),
        VatRule: _add(VatRule, VatRule.vat_class, _vat_rules(clinic.country)),
        VatExemption: _add(VatExemption, VatExemption.vat_class, _vat_exemptions(clinic.country)),
        OfferStatus: _add(OfferStatus, OfferStatus.kind, _statuses()),
        ReferralSource: _add_sources(),
    }
    changes = {model.__tablename__: [None, count] for model, count in added.items() if count}
    if filled := _fill_texts():
        changes["treatment_texts"] = [None, filled]
    if changes:
        current_session().add(
            ActivityLog(
                actor_kind=actor.kind, actor_id=actor.id, actor_name=actor.name, action="clinic.seeded",
                object_type="clinics", object_id=clinic.id, changes=changes,
            )
        )  # fmt: skip


def _add(model: type[TenantScoped], key: Any, rows: Iterable[dict[str, Any]]) -> int:
    """Insert the rows whose ``key`` no row of the clinic has yet; return how many."""
    known = set(current_session().scalars(sa.select(key)))
    missing = [row for row in rows if row[key.key] not in known]
    bulk_insert(model, missing)
    return len(missing)


def _ids(model: Any, key: Any) -> dict[str, UUID]:
    return {row[0]: row[1] for row in current_session().execute(sa.select(key, model.id))}


def _categories() -> Iterator[dict[str, Any]]:
    for category in CATEGORIES:
        yield {
            "key": category.key, "name_tr": category.name_tr, "name_en": category.name_en,
            "position": category.position,
        }  # fmt: skip


def _treatments() -> Iterator[dict[str, Any]]:
    categories = _ids(TreatmentCategory, TreatmentCategory.key)
    for position, treatment in enumerate(TREATMENTS, start=1):
        yield {
            "category_id": categories[treatment.category], "code": treatment.code, "name_tr": treatment.name_tr,
            "name_en": treatment.name_en, "scope": treatment.scope, "pricing": treatment.pricing,
            "vat_class": treatment.vat_class, "dentition": treatment.dentition,
            "allowed_teeth": list(treatment.allowed_teeth) or None, "duration_min": treatment.duration_min,
            "position": position, **_texts(treatment),
        }  # fmt: skip


def _texts(treatment: TreatmentData) -> dict[str, Any]:
    """Return the columns that treatments of clinics older than them lack."""
    return {
        "name_de": treatment.name_de, "name_ru": treatment.name_ru, "aliases": list(treatment.aliases),
        "about": dict(treatment.about), "visits": treatment.visits, "healing_days": treatment.healing_days,
    }  # fmt: skip


def _fill_texts() -> int:
    """Fill the texts of treatments that have none of them yet; return how many.

    One that has any is the clinic's own: what it emptied there stays empty.
    """
    known = {treatment.code: treatment for treatment in TREATMENTS}
    bare = sa.and_(
        CatalogTreatment.name_de.is_(None), CatalogTreatment.name_ru.is_(None), CatalogTreatment.visits.is_(None),
        CatalogTreatment.healing_days.is_(None), CatalogTreatment.aliases == [], CatalogTreatment.about == {},
    )  # fmt: skip
    rows = current_session().scalars(sa.select(CatalogTreatment).where(bare, CatalogTreatment.code.in_(known))).all()
    for row in rows:
        for name, value in _texts(known[row.code]).items():
            setattr(row, name, value)
    current_session().flush()
    return len(rows)


def _add_components() -> int:
    """Give packages without any component theirs; a package that the clinic composed is left to it."""
    composed = set(current_session().scalars(sa.select(TreatmentComponent.package_id).distinct()))
    ids = _ids(CatalogTreatment, CatalogTreatment.code)
    rows = [
        {
            "package_id": ids[part.package], "component_id": ids[part.component], "position": position,
            "upper_teeth": list(part.upper_teeth), "lower_teeth": list(part.lower_teeth), "quantity": part.quantity,
        }
        for position, part in enumerate(COMPONENTS, start=1)
        if ids[part.package] not in composed
    ]  # fmt: skip
    bulk_insert(TreatmentComponent, rows)
    return len(rows)


def _vat_exemptions(country: str) -> Iterator[dict[str, Any]]:
    """Yield a country's exemptions; they only hold where the clinic says it has the permit."""
    for exemption in VAT_EXEMPTIONS:
        if exemption.country == country:
            yield {
                "vat_class": exemption.vat_class, "residency": exemption.residency, "code": exemption.code,
                "valid_from": exemption.valid_from,
            }  # fmt: skip


def _vat_rules(country: str) -> Iterator[dict[str, Any]]:
    """Yield a country's rates; a class for which the clinic has any rule of its own is left to it."""
    for rule in VAT_RULES:
        if rule.country == country:
            yield {
                "vat_class": rule.vat_class, "rate": rule.rate, "valid_from": rule.valid_from,
                "valid_to": rule.valid_to,
            }  # fmt: skip


def _statuses() -> Iterator[dict[str, Any]]:
    """Yield the default status of each kind; a kind for which the clinic has one of its own is left to it."""
    for position, (kind, label_tr, label_en, colour) in enumerate(OFFER_STATUSES, start=1):
        yield {
            "key": kind, "kind": kind, "label_tr": label_tr, "label_en": label_en, "colour": colour,
            "position": position, "is_default": True,
        }  # fmt: skip


def _add_sources() -> int:
    """Add the sources only where the clinic has none: a renamed one could not be told from a missing one."""
    if current_session().scalars(sa.select(ReferralSource.id).limit(1)).first() is not None:
        return 0
    rows = [{"name": name, "position": position} for position, name in enumerate(REFERRAL_SOURCES, start=1)]
    bulk_insert(ReferralSource, rows)
    return len(rows)


def _add_price_lists(day: date, *, example_prices: bool) -> int:
    """Add a list for each currency and audience that has none; one the clinic renamed is still that list."""
    rows = current_session().execute(sa.select(PriceList.currency, PriceList.audience, PriceList.name)).all()
    known = {(row.currency, row.audience) for row in rows}
    names = {row.name for row in rows}
    missing: list[dict[str, Any]] = [
        {"id": uuid7(), "name": name, "currency": currency, "audience": audience, "valid_from": day.replace(day=1)}
        for name, currency, audience in PRICE_LISTS
        if (currency, audience) not in known and name not in names
    ]
    bulk_insert(PriceList, missing)
    if example_prices:
        treatments = _ids(CatalogTreatment, CatalogTreatment.code)
        for row in missing:
            bulk_insert(PriceListItem, _prices(row["id"], row["currency"], treatments))
            bulk_insert(PriceListVariant, _surface_prices(row["id"], row["currency"], treatments))
    return len(missing)


def _prices(price_list_id: UUID, currency: Currency, treatments: dict[str, UUID]) -> list[dict[str, Any]]:
    return [
        {
            "price_list_id": price_list_id, "catalog_id": treatments[treatment.code],
            "unit_price": treatment.example_prices[currency],
        }
        for treatment in TREATMENTS
    ]  # fmt: skip


def _surface_prices(price_list_id: UUID, currency: Currency, treatments: dict[str, UUID]) -> list[dict[str, Any]]:
    """Return example prices of two and three surfaces, in whole units of the currency."""
    return [
        {
            "price_list_id": price_list_id, "catalog_id": treatments[treatment.code], "variant": variant,
            "unit_price": (treatment.example_prices[currency] * percent / 100).quantize(Decimal(1)),
        }
        for treatment in TREATMENTS if treatment.pricing is Pricing.PER_SURFACE
        for variant, percent in EXAMPLE_SURFACES.items()
    ]  # fmt: skip
