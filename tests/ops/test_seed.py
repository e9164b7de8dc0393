"""A new clinic starts with everything it needs, and seeding again leaves alone what it made its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from structlog.testing import capture_logs

from portal.catalog.data import CATEGORIES, COMPONENTS, TREATMENTS, VAT_EXEMPTIONS, VAT_RULES
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
from portal.core import audit
from portal.core.audit import ActivityLog, PlatformActivityLog
from portal.core.clinics import Clinic
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.money import Currency
from portal.core.scope import ScopeError
from portal.core.work import clinic_work, platform_work
from portal.offers.models import OfferKind, OfferStatus
from portal.ops.seed import PRICE_LISTS, REFERRAL_SOURCES, ensure_clinic, seed_clinic
from portal.referrals.models import ReferralSource

TABLES = (
    CatalogTreatment,
    TreatmentCategory,
    PriceList,
    PriceListItem,
    PriceListVariant,
    TreatmentComponent,
    VatExemption,
    VatRule,
    OfferStatus,
    ReferralSource,
    ActivityLog,
)


def make_clinic(app: Flask, *, example_prices: bool = True) -> UUID:
    with platform_work(app, "a test"):
        clinic_id = ensure_clinic("Yeni Klinik", f"yeni-{uuid4().hex}")
    with clinic_work(app, clinic_id):
        seed_clinic(SYSTEM, example_prices=example_prices)
    return clinic_id


def rows(*columns: Any) -> Sequence[Any]:
    return current_session().execute(sa.select(*columns)).all()


def counts() -> dict[str, int]:
    return {model.__tablename__: rows(sa.func.count(model.id))[0][0] for model in TABLES}


def test_a_new_clinic_has_catalogue_rates_statuses_and_sources(world: Flask) -> None:
    with clinic_work(world, make_clinic(world)):
        assert counts() == {
            "treatment_categories": len(CATEGORIES),
            "treatment_catalog": len(TREATMENTS),
            "price_lists": len(PRICE_LISTS),
            "price_list_items": len(PRICE_LISTS) * len(TREATMENTS),
            "price_list_variants": len(PRICE_LISTS) * 2 * 3,  # two and three surfaces of three fillings
            "treatment_components": len(COMPONENTS),
            "vat_exemptions": len(VAT_EXEMPTIONS),
            "vat_rules": len(VAT_RULES),
            "offer_statuses": len(OfferKind),
            "referral_sources": len(REFERRAL_SOURCES),
            "activity_logs": 1,
        }
        log = current_session().scalars(sa.select(ActivityLog)).one()
        assert (log.action, log.actor_kind) == ("clinic.seeded", "system")


def test_prices_are_in_the_currency_of_their_list(world: Flask) -> None:
    with clinic_work(world, make_clinic(world)):
        found = {
            (row.currency, row.code): row.unit_price
            for row in current_session().execute(
                sa.select(PriceList.currency, CatalogTreatment.code, PriceListItem.unit_price)
                .join(PriceListItem, PriceListItem.price_list_id == PriceList.id)
                .join(CatalogTreatment, CatalogTreatment.id == PriceListItem.catalog_id)
            )
        }
    assert found == {
        (currency, treatment.code): treatment.example_prices[currency]
        for currency in Currency
        for treatment in TREATMENTS
    }


def test_every_kind_has_one_default_status_in_a_colour_of_the_palette(world: Flask) -> None:
    with world.app_context():
        source, _, _ = world.jinja_env.loader.get_source(world.jinja_env, "components/badges.html")  # type: ignore[union-attr]
    tones = re.findall(r"'(\w+)'", re.search(r"TONES = \[(.*?)\]", source).group(1))  # type: ignore[union-attr]
    with clinic_work(world, make_clinic(world)):
        statuses = current_session().scalars(sa.select(OfferStatus).where(OfferStatus.is_default)).all()
    assert sorted(status.kind for status in statuses) == sorted(OfferKind)
    assert {status.colour for status in statuses} <= set(tones)
    assert {status.label_tr for status in statuses} >= {"Taslak", "Görüntülendi", "İptal edildi"}


def test_seeding_again_adds_nothing_and_logs_nothing(world: Flask) -> None:
    clinic_id = make_clinic(world)
    with clinic_work(world, clinic_id):
        before = counts()
    with clinic_work(world, clinic_id):
        seed_clinic(SYSTEM)
    with clinic_work(world, clinic_id):
        assert counts() == before


def edit(model: Any, condition: Any, **values: Any) -> None:
    """Change one row past the services, as a clinic's own later choice."""
    session = current_session()
    row = session.scalars(sa.select(model).where(condition)).one()
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()
    session.info.pop("changed", None)


def test_what_a_clinic_renamed_or_repriced_is_neither_changed_nor_doubled(world: Flask) -> None:
    clinic_id = make_clinic(world)
    with clinic_work(world, clinic_id):
        edit(OfferStatus, OfferStatus.kind == OfferKind.DRAFT, key="hazirlik", label_tr="Hazırlanıyor", colour="teal")
        edit(PriceList, PriceList.currency == "EUR", name="Avrupa")
        edit(ReferralSource, ReferralSource.name == "Google", name="Google Ads")
        edit(CatalogTreatment, CatalogTreatment.code == "muayene", name_tr="İlk görüşme", is_active=False)
        before = counts()
    with clinic_work(world, clinic_id):
        seed_clinic(SYSTEM)
    with clinic_work(world, clinic_id):
        assert counts() == before
        draft = current_session().scalars(sa.select(OfferStatus).where(OfferStatus.kind == OfferKind.DRAFT)).one()
        assert (draft.label_tr, draft.colour) == ("Hazırlanıyor", "teal")
        assert "Avrupa" in {row.name for row in rows(PriceList.name)}
        assert "Google" not in {row.name for row in rows(ReferralSource.name)}
        assert ("İlk görüşme", False) in {
            tuple(row) for row in rows(CatalogTreatment.name_tr, CatalogTreatment.is_active)
        }


def test_a_clinic_older_than_the_texts_gets_them_and_keeps_its_own(world: Flask) -> None:
    clinic_id = make_clinic(world)
    bare = {"name_de": None, "name_ru": None, "aliases": [], "about": {}, "visits": None, "healing_days": None}
    with clinic_work(world, clinic_id):
        edit(CatalogTreatment, CatalogTreatment.code == "implant", **bare, name_tr="Vida", brands=["Nobel"])
        edit(CatalogTreatment, CatalogTreatment.code == "cekim", **bare | {"about": {"tr": "Bizim metnimiz."}})
    with clinic_work(world, clinic_id):
        seed_clinic(SYSTEM)
    with clinic_work(world, clinic_id):
        found = {row.code: row for row in current_session().scalars(sa.select(CatalogTreatment))}
        implant, cekim = found["implant"], found["cekim"]
        assert (implant.name_tr, implant.name_de, implant.visits) == ("Vida", "Zahnimplantat", 2)
        assert "impl" in implant.aliases and set(implant.about) == {"tr", "en", "de", "ru"}
        assert (cekim.about, cekim.name_de, cekim.aliases) == ({"tr": "Bizim metnimiz."}, None, [])
        logs = current_session().scalars(sa.select(ActivityLog.changes).order_by(ActivityLog.id.desc())).first()
        assert logs == {"treatment_texts": [None, 1]}


def test_a_package_that_a_clinic_composed_gets_no_parts_back(world: Flask) -> None:
    clinic_id = make_clinic(world)
    with clinic_work(world, clinic_id):
        packages = {row.code: row.id for row in rows(CatalogTreatment.code, CatalogTreatment.id)}
        gone = sa.delete(TreatmentComponent).where(
            TreatmentComponent.package_id == packages["all-on-4"],
            TreatmentComponent.component_id == packages["cbct"],
        )
        current_session().execute(gone, execution_options={"synchronize_session": False})
        audit.record(SYSTEM, "tests.changed", CatalogTreatment)
    with clinic_work(world, clinic_id):
        seed_clinic(SYSTEM)
        assert counts()["treatment_components"] == len(COMPONENTS) - 1


def test_a_treatment_that_is_missing_comes_back_without_a_price(world: Flask) -> None:
    clinic_id = make_clinic(world)
    no_sync = {"synchronize_session": False}
    with clinic_work(world, clinic_id):
        gone = rows(CatalogTreatment.id)[0].id
        for prices in (PriceListItem, PriceListVariant):
            current_session().execute(sa.delete(prices).where(prices.catalog_id == gone), execution_options=no_sync)
        current_session().execute(
            sa.delete(CatalogTreatment).where(CatalogTreatment.id == gone), execution_options=no_sync
        )
        audit.record(SYSTEM, "tests.changed", CatalogTreatment)
    with clinic_work(world, clinic_id):
        seed_clinic(SYSTEM)
        assert counts()["treatment_catalog"] == len(TREATMENTS)
        assert counts()["price_list_items"] == (len(TREATMENTS) - 1) * len(PRICE_LISTS)


def test_a_real_clinic_gets_price_lists_without_invented_prices(world: Flask) -> None:
    clinic_id = make_clinic(world, example_prices=False)
    with clinic_work(world, clinic_id):
        assert counts()["price_lists"] == len(PRICE_LISTS)
        assert counts()["price_list_items"] == 0
    with clinic_work(world, clinic_id):
        seed_clinic(SYSTEM, example_prices=True)
        assert counts()["price_list_items"] == 0


def test_a_clinic_is_made_once_and_its_making_is_logged(world: Flask) -> None:
    with platform_work(world, "a test"):
        first = ensure_clinic("Yeni Klinik", "yeni", prices_include_vat=False)
        assert ensure_clinic("Anders", "yeni") == first
        clinic = current_session().get_one(Clinic, first)
        assert (clinic.name, clinic.prices_include_vat) == ("Yeni Klinik", False)
        logs = current_session().scalars(sa.select(PlatformActivityLog).where(PlatformActivityLog.object_id == first))
        assert [log.action for log in logs] == ["clinic.created"]


@pytest.mark.parametrize("subdomain", ["admin", "www", "Klinik", "a.b", "", "-x", "xn--e1a"])
def test_no_clinic_takes_a_subdomain_that_is_not_free(world: Flask, subdomain: str) -> None:
    with platform_work(world, "a test"), pytest.raises(ValueError, match="subdomain"):
        ensure_clinic("Klinik", subdomain)


def test_seeding_needs_a_clinic(world: Flask) -> None:
    with platform_work(world, "a test"), pytest.raises(ScopeError):
        seed_clinic(SYSTEM)


def test_work_that_fails_leaves_nothing(world: Flask) -> None:
    with suppress(ZeroDivisionError), platform_work(world, "a test"):
        ensure_clinic("Yarım Klinik", "yarim")
        raise ZeroDivisionError
    with platform_work(world, "a test") as session:
        assert session.scalars(sa.select(Clinic.id).where(Clinic.subdomain == "yarim")).one_or_none() is None


def test_work_tells_its_failure(world: Flask) -> None:
    with pytest.raises(ZeroDivisionError), platform_work(world, "a test"):
        raise ZeroDivisionError


def test_work_as_the_platform_says_why_in_the_log(world: Flask) -> None:
    with capture_logs() as logs, platform_work(world, "count the clinics"):
        pass
    assert {"event": "platform.work", "reason": "count the clinics", "log_level": "info"} in logs
