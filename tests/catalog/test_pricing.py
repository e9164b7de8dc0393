"""What an offer is priced and taxed by: the list that fits the patient, and VAT by class, residence and permit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from flask import Flask

from portal.catalog.enums import Audience, PriceVariant, Residency, VatClass
from portal.catalog.models import PriceList, VatExemption
from portal.catalog.packages import components_of, list_packages
from portal.catalog.pricing import PERMIT, choose_price_list, prices_of_list, variants_of_list, vat_of
from portal.catalog.queries import find_by_code
from portal.core import audit
from portal.core.clinics import ClinicInfo
from portal.core.database import current_session
from portal.core.jobs import SYSTEM
from portal.core.work import clinic_work
from portal.settings.models import Setting

DAY = date(2026, 11, 25)


def id_of(code: str) -> UUID:
    treatment = find_by_code(code)
    assert treatment is not None
    return treatment.id


def add(row: object) -> None:
    current_session().add(row)
    current_session().flush()
    audit.record(SYSTEM, "tests.changed", PriceList)


def add_list(name: str, audience: Audience, since: date, until: date | None = None) -> UUID:
    row = PriceList(name=name, currency="EUR", audience=audience, valid_from=since, valid_to=until)
    add(row)
    return row.id


def test_the_newest_list_of_the_audience_holds(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        old = add_list("2020", Audience.INTERNATIONAL, date(2020, 1, 1))
        past = add_list("2021", Audience.INTERNATIONAL, date(2021, 1, 1), date(2021, 12, 31))
        assert choose_price_list(Audience.INTERNATIONAL, "EUR", date(2020, 6, 1)) == old
        assert choose_price_list(Audience.INTERNATIONAL, "EUR", date(2021, 12, 31)) == past
        assert choose_price_list(Audience.INTERNATIONAL, "EUR", date(2022, 1, 1)) == old
        assert choose_price_list(Audience.INTERNATIONAL, "EUR", date(2019, 12, 31)) is None


def test_a_partners_list_is_for_partners_and_home_and_abroad_stand_in_for_each_other(
    portal: Flask, papatya: ClinicInfo
) -> None:
    with clinic_work(portal, papatya.id):
        agency = add_list("Acente", Audience.PARTNER, date(2020, 1, 1))
        abroad = add_list("Eski", Audience.INTERNATIONAL, date(2020, 1, 1))
        assert choose_price_list(Audience.PARTNER, "EUR", date(2020, 6, 1)) == agency
        assert choose_price_list(Audience.DOMESTIC, "EUR", date(2020, 6, 1)) == abroad
        assert choose_price_list(Audience.PARTNER, "GBP", DAY) is None


def test_a_list_has_its_prices_and_those_of_more_surfaces(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        euro = choose_price_list(Audience.INTERNATIONAL, "EUR", date.today())
        assert euro is not None
        filling = id_of("kompozit-dolgu")
        assert prices_of_list(euro)[filling] == Decimal(80)
        variants = variants_of_list(euro)
        assert variants[filling, PriceVariant.SURFACES_2] == Decimal(100)
        assert variants[filling, PriceVariant.SURFACES_3] == Decimal(120)


def test_another_clinics_list_has_no_prices(portal: Flask, papatya: ClinicInfo, lale: ClinicInfo) -> None:
    with clinic_work(portal, lale.id):
        theirs = choose_price_list(Audience.INTERNATIONAL, "EUR", date.today())
    assert theirs is not None
    with clinic_work(portal, papatya.id):
        assert (prices_of_list(theirs), variants_of_list(theirs)) == ({}, {})


@pytest.mark.parametrize(
    ("permit", "asked", "expected"),
    [
        ("yes", (VatClass.TREATMENT, Residency.NON_RESIDENT, DAY), (0, "13/1-l")),
        ("yes", (VatClass.TREATMENT, Residency.NON_RESIDENT, date(2018, 6, 1)), (0, "13/1-l")),
        ("yes", (VatClass.TREATMENT, Residency.NON_RESIDENT, date(2018, 5, 31)), (8, None)),
        ("yes", (VatClass.TREATMENT, Residency.RESIDENT, DAY), (10, None)),
        ("yes", (VatClass.TREATMENT, None, DAY), (10, None)),
        ("yes", (VatClass.AESTHETIC_REVIEW, Residency.NON_RESIDENT, DAY), (10, None)),
        ("yes", (VatClass.NON_MEDICAL, Residency.NON_RESIDENT, DAY), (20, None)),
        ("no", (VatClass.TREATMENT, Residency.NON_RESIDENT, DAY), (10, None)),
        (None, (VatClass.TREATMENT, Residency.NON_RESIDENT, DAY), (10, None)),
        (None, (VatClass.TREATMENT, Residency.RESIDENT, date(2007, 1, 1)), (0, None)),
    ],
)
def test_only_treatment_of_people_from_abroad_in_a_clinic_with_the_permit_is_exempt(
    portal: Flask, papatya: ClinicInfo, permit: str | None, asked: tuple[str, str | None, date], expected: object
) -> None:
    with clinic_work(portal, papatya.id):
        if permit:
            add(Setting(key=PERMIT.key, value=permit))
        assert vat_of(*asked) == expected


def test_an_exemption_ends_with_its_last_day(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        add(Setting(key=PERMIT.key, value="yes"))
        days = {"valid_from": date(2020, 1, 1), "valid_to": date(2020, 12, 31)}
        add(VatExemption(vat_class=VatClass.AESTHETIC_REVIEW, residency=Residency.NON_RESIDENT, code="x", **days))
        assert vat_of(VatClass.AESTHETIC_REVIEW, Residency.NON_RESIDENT, date(2020, 12, 31)) == (0, "x")
        assert vat_of(VatClass.AESTHETIC_REVIEW, Residency.NON_RESIDENT, date(2021, 1, 1)) == (8, None)


def test_a_package_expands_into_its_parts_with_their_teeth(portal: Flask, papatya: ClinicInfo) -> None:
    with clinic_work(portal, papatya.id):
        package = id_of("all-on-4")
        parts = components_of(package)
        assert [part.code for part in parts] == ["cbct", "implant", "dayanak", "gecici-kopru", "kopru"]
        assert (parts[1].upper_teeth, parts[1].lower_teeth) == ((15, 12, 22, 25), (45, 42, 32, 35))
        assert (parts[0].upper_teeth, parts[0].quantity) == ((), 1)
        assert components_of(id_of("implant")) == []
        assert list_packages() == {package, id_of("all-on-6")}
