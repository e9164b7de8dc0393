"""The starting catalogue is complete and consistent, so a new clinic can price it at once."""

import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from portal.catalog.about import LANGUAGES
from portal.catalog.data import CATEGORIES, COMPONENTS, TREATMENTS, VAT_RULES, TreatmentData
from portal.catalog.enums import Dentition, Pricing, Scope, VatClass
from portal.catalog.names import NAMES, VISITS
from portal.catalog.queries import match_treatments
from portal.catalog.teeth import ALL_TEETH, Arch, arch, as_drawn, is_primary
from portal.core.money import Currency
from portal.core.text import clean_line, fold

BY_CODE = {treatment.code: treatment for treatment in TREATMENTS}


def test_each_heading_has_its_treatments() -> None:
    assert [category.position for category in CATEGORIES] == list(range(1, 11))
    assert Counter(treatment.category for treatment in TREATMENTS) == {
        "teshis": 11,
        "restoratif-endodonti": 11,
        "pedodonti": 7,
        "protez": 12,
        "cerrahi": 5,
        "implant": 8,
        "periodontoloji": 5,
        "ortodonti": 7,
        "estetik": 5,
        "ek-hizmet": 2,
    }
    assert list(dict.fromkeys(treatment.category for treatment in TREATMENTS)) == [c.key for c in CATEGORIES]


def test_codes_are_unique() -> None:
    assert len(BY_CODE) == len(TREATMENTS)
    assert len({category.key for category in CATEGORIES}) == len(CATEGORIES)


@pytest.mark.parametrize("treatment", TREATMENTS, ids=lambda treatment: treatment.code)
def test_every_treatment_can_be_stored_shown_and_priced(treatment: TreatmentData) -> None:
    for name in (treatment.name_tr, treatment.name_en, treatment.code):
        assert name
        assert name == clean_line(name)
    assert treatment.code.isascii()
    assert len(treatment.code) <= 40
    assert set(treatment.example_prices) == set(Currency)
    prices = treatment.example_prices
    assert Decimal(0) < prices[Currency.GBP] < prices[Currency.EUR] < prices[Currency.USD] < prices[Currency.TRY]


def test_example_prices_cannot_be_changed_by_a_reader() -> None:
    with pytest.raises(TypeError):
        TREATMENTS[0].example_prices[Currency.EUR] = Decimal(1)  # type: ignore[index]


@pytest.mark.parametrize(
    ("pricing", "scopes"),
    [
        (Pricing.PER_TOOTH, {Scope.TOOTH}),
        (Pricing.PER_SURFACE, {Scope.TOOTH}),
        (Pricing.PER_ROLE, {Scope.MULTI}),
        (Pricing.PER_ARCH, {Scope.ARCH}),
        (Pricing.PER_SESSION, {Scope.MOUTH}),
        (Pricing.FLAT, {Scope.TOOTH, Scope.QUADRANT, Scope.ARCH, Scope.MOUTH}),
    ],
)
def test_a_price_counts_what_the_treatment_is_done_to(pricing: Pricing, scopes: set[Scope]) -> None:
    assert {treatment.scope for treatment in TREATMENTS if treatment.pricing is pricing} == scopes


def test_only_wisdom_teeth_can_be_impacted_wisdom_teeth() -> None:
    assert BY_CODE["gomulu-yirmilik"].allowed_teeth == (18, 28, 38, 48)
    for treatment in TREATMENTS:
        assert set(treatment.allowed_teeth) <= set(ALL_TEETH)
        if treatment.dentition is Dentition.PERMANENT:
            assert not any(is_primary(tooth) for tooth in treatment.allowed_teeth)


def test_milk_teeth_get_only_treatments_meant_for_them() -> None:
    primary = {treatment.code for treatment in TREATMENTS if treatment.dentition is Dentition.PRIMARY}
    assert primary == {"sut-dolgu", "sut-pulpotomi", "sut-cekim"}
    assert BY_CODE["fissur-ortucu"].dentition is Dentition.BOTH
    assert BY_CODE["implant"].dentition is Dentition.PERMANENT


def test_rows_with_variants_became_treatments_of_their_own() -> None:
    assert {"kanal-1", "kanal-2", "kanal-3", "all-on-4", "all-on-6", "acik-sinus", "kapali-sinus"} <= set(BY_CODE)


def test_vat_class_follows_the_heading() -> None:
    expected = {"estetik": VatClass.AESTHETIC_REVIEW, "ek-hizmet": VatClass.NON_MEDICAL}
    for treatment in TREATMENTS:
        assert treatment.vat_class is expected.get(treatment.category, VatClass.TREATMENT)


@pytest.mark.parametrize(
    ("vat_class", "day", "rate"),
    [
        (VatClass.TREATMENT, date(2023, 7, 9), 8),
        (VatClass.TREATMENT, date(2023, 7, 10), 10),
        (VatClass.AESTHETIC_REVIEW, date(2026, 1, 1), 10),
        (VatClass.NON_MEDICAL, date(2023, 7, 9), 18),
        (VatClass.NON_MEDICAL, date(2023, 7, 10), 20),
    ],
)
def test_exactly_one_vat_rate_holds_on_a_day(vat_class: VatClass, day: date, rate: int) -> None:
    holding = [
        rule.rate
        for rule in VAT_RULES
        if rule.vat_class is vat_class and rule.valid_from <= day and (rule.valid_to is None or day <= rule.valid_to)
    ]
    assert holding == [Decimal(rate)]


@pytest.mark.parametrize("vat_class", list(VatClass))
def test_vat_rules_leave_no_gap_and_the_last_is_open(vat_class: VatClass) -> None:
    rules = sorted((r for r in VAT_RULES if r.vat_class is vat_class), key=lambda rule: rule.valid_from)
    assert {rule.country for rule in rules} == {"TR"}
    assert rules[-1].valid_to is None
    for earlier, later in pairwise(rules):
        assert earlier.valid_to is not None
        assert earlier.valid_to + timedelta(days=1) == later.valid_from


@pytest.mark.parametrize("treatment", TREATMENTS, ids=lambda treatment: treatment.code)
def test_every_treatment_has_a_name_in_the_patients_languages(treatment: TreatmentData) -> None:
    for name in (treatment.name_de, treatment.name_ru, *treatment.aliases, *treatment.about.values()):
        assert name
        assert name == clean_line(name)
    assert len(treatment.name_de) <= 200
    assert any("\u0430" <= letter <= "\u044f" for letter in treatment.name_ru.lower()) or treatment.code == "all-on-4"
    assert set(treatment.about) in ({*LANGUAGES}, set())


def test_names_and_visits_are_of_treatments_there_are() -> None:
    assert set(NAMES) == set(BY_CODE)
    assert set(VISITS) <= set(BY_CODE)


def test_at_least_twenty_treatments_are_explained_in_four_languages() -> None:
    assert sum(bool(treatment.about) for treatment in TREATMENTS) >= 20


def test_an_alias_means_one_treatment() -> None:
    compact = Counter(
        alias
        for row in TREATMENTS
        for alias in {re.sub(r"[ -]", "", fold(typed)) for typed in (row.code, *row.aliases)}
    )
    assert [alias for alias, count in compact.items() if count > 1] == []


@pytest.mark.parametrize("treatment", TREATMENTS, ids=lambda treatment: treatment.code)
def test_typing_a_code_or_an_alias_finds_its_treatment_first(treatment: TreatmentData) -> None:
    for typed in (treatment.code, treatment.code.upper(), *treatment.aliases):
        assert match_treatments(TREATMENTS, typed)[0] is treatment, typed


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("zir", "zirkonyum-kron"), ("zirkon", "zirkonyum-kron"), ("zirc", "zirkonyum-kron"), ("impl", "implant"),
        ("kanal", "kanal-1"), ("dolgu", "kompozit-dolgu"), ("detertraj", "detertraj"), ("DİŞ TAŞI", "detertraj"),
        ("Zirkonkrone", "zirkonyum-kron"), ("керамический винир", "laminate"), ("all on 4", "all-on-4"),
    ],
)  # fmt: skip
def test_what_coordinators_type_means_what_they_expect(typed: str, code: str) -> None:
    assert match_treatments(TREATMENTS, typed)[0].code == code


def test_the_parts_of_a_package_are_treatments_on_permanent_teeth_of_the_right_jaw() -> None:
    for part in COMPONENTS:
        assert {part.package, part.component} <= set(BY_CODE)
        assert {arch(tooth) for tooth in part.upper_teeth} <= {Arch.UPPER}
        assert {arch(tooth) for tooth in part.lower_teeth} <= {Arch.LOWER}
        for teeth in (part.upper_teeth, part.lower_teeth):
            assert teeth == as_drawn(teeth)
            assert not any(map(is_primary, teeth))
    implants = {part.package: part for part in COMPONENTS if part.component == "implant"}
    assert [len(implants[package].upper_teeth) for package in ("all-on-4", "all-on-6")] == [4, 6]
