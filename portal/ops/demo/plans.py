"""Typical treatment plans of a dental clinic, to make offers of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from portal.catalog.teeth import PERMANENT_LOWER, PERMANENT_UPPER, Arch, arch
from portal.offers.models import Jaw
from portal.ops.demo.dice import Dice

LINING_SHARE = 0.3
TEEN, ADULT = 13, 18
FIRST_MOLAR = 6  # the last digit of its FDI number

_MOLARS = (16, 26, 36, 46, 17, 27, 37, 47)
_IMPLANT_SITES = (16, 15, 14, 24, 25, 26, 36, 35, 45, 46)
_FILLED = (14, 15, 16, 17, 24, 25, 26, 27, 34, 35, 36, 37, 44, 45, 46, 47)
_MILK_MOLARS = (54, 55, 64, 65, 74, 75, 84, 85)
_SMILES = ((13, 12, 11, 21, 22, 23), (14, 13, 12, 11, 21, 22, 23, 24), (15, 14, 13, 12, 11, 21, 22, 23, 24, 25))
_BRIDGES = ((14, 15, 16), (24, 25, 26), (35, 36, 37), (45, 46, 47), (12, 11, 21, 22))


@dataclass(frozen=True, slots=True)
class Wish:
    """A line somebody wants: a code of the catalogue, where, and how many; None as the catalogue counts."""

    code: str
    teeth: tuple[int, ...] = ()
    arch: Jaw | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of treatment: its title in both languages, how often it occurs, from which age, and its lines."""

    title_tr: str
    title_en: str
    weight: int
    youngest: int
    wishes: Callable[[Dice], list[Wish]]


def _check_up(_dice: Dice) -> list[Wish]:
    return [Wish("muayene"), Wish("panoramik"), Wish("detertraj", arch=Jaw.BOTH)]


def _fillings(dice: Dice) -> list[Wish]:
    teeth = tuple(dice.sample(_FILLED, dice.randint(1, 4)))
    lining = [Wish("kuafaj", teeth[:1])] if dice.chance(LINING_SHARE) else []
    return [Wish("muayene"), Wish("kompozit-dolgu", teeth), *lining]


def _root_canal(dice: Dice) -> list[Wish]:
    tooth = (dice.choice(_MOLARS),)
    steps = ["periapikal", "kanal-3", "fiber-post", dice.choice(["zirkonyum-kron", "emax-kron", "metal-porselen"])]
    return [Wish(code, tooth) for code in steps]


def _implants(dice: Dice) -> list[Wish]:
    teeth = tuple(dice.sample(_IMPLANT_SITES, dice.randint(1, 3)))
    jaws = {arch(tooth) for tooth in teeth}
    scan = Jaw.BOTH if len(jaws) == len(Arch) else Jaw(next(iter(jaws)))
    steps = ["implant", "iyilesme-basligi", "dayanak", "implant-ustu-kron"]
    return [Wish("panoramik"), Wish("cbct", arch=scan), *(Wish(code, teeth) for code in steps)]


def _smile(dice: Dice) -> list[Wish]:
    veneers = Wish(dice.choice(["laminate", "emax-kron", "kompozit-veneer"]), dice.choice(_SMILES))
    return [
        Wish("gulus-tasarimi"), Wish("agiz-ici-foto"), Wish("detertraj", arch=Jaw.BOTH), veneers,
        Wish("ofis-beyazlatma"),
    ]  # fmt: skip


def _bridge(dice: Dice) -> list[Wish]:
    teeth = dice.choice(_BRIDGES)
    return [Wish("periapikal", teeth[:1]), Wish("cekim", teeth[1:2]), Wish("kopru", teeth)]


def _full_arch(dice: Dice) -> list[Wish]:
    jaw = dice.choice([Jaw.UPPER, Jaw.LOWER])
    row = PERMANENT_UPPER if jaw is Jaw.UPPER else PERMANENT_LOWER
    old = tuple(dice.sample(row[1:-1], dice.randint(3, 6)))
    return [
        Wish("uzman-muayene"), Wish("cbct", arch=jaw), Wish("cekim", old),
        Wish(dice.choice(["all-on-4", "all-on-6"]), arch=jaw), Wish("bilincli-sedasyon"),
    ]  # fmt: skip


def _braces(dice: Dice) -> list[Wish]:
    kind = dice.choice(["metal-braket", "seramik-braket", "seffaf-plak"])
    records = ["muayene", "panoramik", "sefalometrik", "agiz-ici-foto"]
    return [*(Wish(code) for code in records), Wish(kind), Wish("lingual-retainer", arch=Jaw.BOTH)]


def _wisdom(dice: Dice) -> list[Wish]:
    teeth = tuple(dice.sample((18, 28, 38, 48), dice.randint(1, 4)))
    return [Wish("panoramik"), Wish("gomulu-yirmilik", teeth)]


def _gums(dice: Dice) -> list[Wish]:
    quadrants = Decimal(dice.randint(2, 4))
    return [Wish("uzman-muayene"), Wish("detertraj", arch=Jaw.BOTH), Wish("kok-yuzeyi", quantity=quadrants)]


def _whitening(_dice: Dice) -> list[Wish]:
    return [Wish("ofis-beyazlatma")]


def _dentures(_dice: Dice) -> list[Wish]:
    return [
        Wish("muayene"),
        Wish("panoramik"),
        Wish("tam-protez", arch=Jaw.UPPER),
        Wish("bolumlu-protez", arch=Jaw.LOWER),
    ]


def _child(dice: Dice) -> list[Wish]:
    teeth = tuple(dice.sample(_MILK_MOLARS, dice.randint(1, 4)))
    return [Wish("muayene"), Wish("flor"), Wish("sut-dolgu", teeth), Wish("paslanmaz-kron", teeth[:1])]


def _rehabilitation(_dice: Dice) -> list[Wish]:
    """Return 45 lines, tooth by tooth: an offer of three pages."""
    records = ["uzman-muayene", "konsultasyon", "panoramik", "agiz-ici-foto", "gulus-tasarimi"]
    implants = ["implant", "iyilesme-basligi", "dayanak", "implant-ustu-kron"]
    sites = (16, 26, 36, 46)
    crowns = [tooth for tooth in (*PERMANENT_UPPER, *PERMANENT_LOWER) if tooth % 10 < FIRST_MOLAR]
    return [
        *(Wish(code) for code in records), Wish("cbct", arch=Jaw.BOTH), Wish("detertraj", arch=Jaw.BOTH),
        Wish("kok-yuzeyi", quantity=Decimal(4)), Wish("gece-plagi", arch=Jaw.UPPER),
        *(Wish(code, (site,)) for site in sites for code in implants),
        *(Wish("emax-kron", (tooth,)) for tooth in crowns),
    ]  # fmt: skip


PLANS = (
    Plan("Kontrol ve diş taşı temizliği", "Check-up and cleaning", 14, TEEN, _check_up),
    Plan("Dolgu tedavisi", "Fillings", 14, TEEN, _fillings),
    Plan("Kanal tedavisi ve kaplama", "Root canal and crown", 14, ADULT, _root_canal),
    Plan("İmplant tedavisi", "Dental implants", 16, ADULT, _implants),
    Plan("Gülüş tasarımı", "Smile makeover", 12, ADULT, _smile),
    Plan("Köprü protezi", "Dental bridge", 6, ADULT, _bridge),
    Plan("Tek çene sabit implant protezi", "Full-arch implants", 6, ADULT, _full_arch),
    Plan("Ortodonti tedavisi", "Orthodontic treatment", 6, TEEN, _braces),
    Plan("Yirmilik diş çekimi", "Wisdom tooth removal", 5, 16, _wisdom),
    Plan("Diş eti tedavisi", "Gum treatment", 4, ADULT, _gums),
    Plan("Diş beyazlatma", "Teeth whitening", 4, ADULT, _whitening),
    Plan("Hareketli protez", "Dentures", 3, ADULT, _dentures),
)
CHILD_PLAN = Plan("Çocuk diş tedavisi", "Dental care for a child", 1, 0, _child)
LONG_PLAN = Plan("Tam ağız rehabilitasyonu", "Full-mouth rehabilitation", 1, ADULT, _rehabilitation)


def draw_plan(dice: Dice, years: int) -> Plan:
    """Draw a plan by its weight for a patient of this age; children under 13 get theirs."""
    if years < TEEN:
        return CHILD_PLAN
    return dice.weighted([(plan, plan.weight) for plan in PLANS if years >= plan.youngest])


def travel(dice: Dice) -> Iterable[Wish]:
    """Return what a visitor from abroad books besides the treatment."""
    return Wish("transfer", quantity=Decimal(2)), Wish("konaklama", quantity=Decimal(dice.randint(3, 7)))
