"""The starting catalogue every new clinic gets a copy of, and the VAT rates in force in Türkiye.

Headings 1-8 follow the Turkish Dental Association's tariff. The prices are examples, plausible for
2026, for the demonstration clinic only: a real clinic starts without prices. Where a treatment can be
done at two scopes (CBCT and scaling: arch or mouth; bone graft: tooth or quadrant), the first stands
here and a clinic may change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from portal.catalog.about import ABOUT
from portal.catalog.enums import Dentition, PriceVariant, Pricing, Residency, Scope, VatClass
from portal.catalog.names import NAMES, VISITS
from portal.core.money import Currency


@dataclass(frozen=True, slots=True)
class CategoryData:
    """A heading of the catalogue; ``position`` counts from 1."""

    key: str
    name_tr: str
    name_en: str
    position: int


@dataclass(frozen=True, slots=True)
class TreatmentData:
    """A treatment of the starting catalogue.

    ``allowed_teeth`` is empty where every tooth of the dentition will do. ``example_prices`` are unit
    prices as ``pricing`` counts them (one surface for ``per_surface``).
    """

    code: str
    category: str
    name_tr: str
    name_en: str
    scope: Scope
    pricing: Pricing
    vat_class: VatClass
    dentition: Dentition
    allowed_teeth: tuple[int, ...]
    duration_min: int
    example_prices: Mapping[Currency, Decimal] = field(hash=False)
    name_de: str
    name_ru: str
    aliases: tuple[str, ...]
    about: Mapping[str, str] = field(hash=False)
    visits: int | None
    healing_days: int | None


@dataclass(frozen=True, slots=True)
class ComponentData:
    """A part of a package, and on which teeth of which jaw; without teeth it is done once, or ``quantity`` times."""

    package: str
    component: str
    upper_teeth: tuple[int, ...] = ()
    lower_teeth: tuple[int, ...] = ()
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class VatExemptionData:
    """Whose treatments of a class are exempt in a country, by which article, from when on."""

    country: str
    vat_class: VatClass
    residency: Residency
    code: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class VatRuleData:
    """A VAT rate in percent, valid from and to these days, both included; ``valid_to`` None is open."""

    country: str
    vat_class: VatClass
    rate: Decimal
    valid_from: date
    valid_to: date | None


CATEGORIES: tuple[CategoryData, ...] = (
    CategoryData("teshis", "Teşhis ve Tedavi Planlaması", "Diagnosis", 1),
    CategoryData("restoratif-endodonti", "Tedavi ve Endodonti", "Restorative & endodontics", 2),
    CategoryData("pedodonti", "Pedodonti", "Paediatric", 3),
    CategoryData("protez", "Protez", "Prosthodontics", 4),
    CategoryData("cerrahi", "Ağız, Diş ve Çene Cerrahisi", "Oral surgery", 5),
    CategoryData("implant", "İmplant", "Implantology", 6),
    CategoryData("periodontoloji", "Periodontoloji", "Periodontics", 7),
    CategoryData("ortodonti", "Ortodonti", "Orthodontics", 8),
    CategoryData("estetik", "Estetik", "Aesthetic", 9),
    CategoryData("ek-hizmet", "Ek Hizmetler", "Non-medical extras", 10),
)

# What a row is done to, what its price counts and on which teeth.
_TOOTH = (Scope.TOOTH, Pricing.PER_TOOTH, Dentition.PERMANENT)
_ANY_TOOTH = (Scope.TOOTH, Pricing.PER_TOOTH, Dentition.BOTH)
_MILK_TOOTH = (Scope.TOOTH, Pricing.PER_TOOTH, Dentition.PRIMARY)
_FILLING = (Scope.TOOTH, Pricing.PER_SURFACE, Dentition.PERMANENT)
_MILK_FILLING = (Scope.TOOTH, Pricing.PER_SURFACE, Dentition.PRIMARY)
_BRIDGE = (Scope.MULTI, Pricing.PER_ROLE, Dentition.PERMANENT)
_SITE = (Scope.TOOTH, Pricing.FLAT, Dentition.PERMANENT)
_QUADRANT = (Scope.QUADRANT, Pricing.FLAT, Dentition.PERMANENT)
_ANY_QUADRANT = (Scope.QUADRANT, Pricing.FLAT, Dentition.BOTH)
_ARCH = (Scope.ARCH, Pricing.PER_ARCH, Dentition.PERMANENT)
_ANY_ARCH = (Scope.ARCH, Pricing.PER_ARCH, Dentition.BOTH)
_ARCH_FLAT = (Scope.ARCH, Pricing.FLAT, Dentition.BOTH)
_MOUTH = (Scope.MOUTH, Pricing.FLAT, Dentition.BOTH)
_MOUTH_PERMANENT = (Scope.MOUTH, Pricing.FLAT, Dentition.PERMANENT)
_SESSION = (Scope.MOUTH, Pricing.PER_SESSION, Dentition.BOTH)

_Kind = tuple[Scope, Pricing, Dentition]
_Row = tuple[str, str, str, _Kind, int, tuple[int, int, int, int]]

# code, Turkish, English, kind, minutes, example prices in TRY, EUR, GBP, USD
_TESHIS: tuple[_Row, ...] = (
    ("muayene", "Dişhekimi Muayenesi", "Dental examination", _MOUTH, 20, (1500, 35, 30, 40)),
    ("uzman-muayene", "Uzman Dişhekimi Muayenesi", "Specialist examination", _MOUTH, 30, (2500, 55, 50, 65)),
    ("konsultasyon", "Konsültasyon", "Consultation", _MOUTH, 30, (2000, 45, 40, 50)),
    ("periapikal", "Periapikal Röntgen", "Periapical X-ray", _ANY_TOOTH, 5, (500, 12, 10, 14)),
    ("bitewing", "Bite-wing Radyografi", "Bitewing X-ray", _ANY_QUADRANT, 5, (550, 13, 11, 15)),
    ("panoramik", "Panoramik Film", "Panoramic X-ray (OPG)", _MOUTH, 10, (1400, 35, 30, 40)),
    ("sefalometrik", "Lateral Sefalometrik Film", "Lateral cephalogram", _MOUTH, 10, (1500, 35, 30, 40)),
    ("cbct", "Dental Tomografi (CBCT)", "CBCT (3D scan)", _ANY_ARCH, 15, (3000, 75, 65, 85)),
    ("oral-hijyen", "Oral Hijyen Eğitimi", "Oral hygiene instruction", _MOUTH, 20, (1200, 30, 25, 35)),
    ("bilincli-sedasyon", "Bilinçli Sedasyon", "Conscious sedation", _SESSION, 60, (12000, 280, 240, 320)),
    ("agiz-ici-foto", "Ağız İçi Fotoğraf", "Intraoral photos", _MOUTH, 10, (800, 20, 18, 25)),
)
_RESTORATIF_ENDODONTI: tuple[_Row, ...] = (
    ("kompozit-dolgu", "Kompozit Dolgu (1/2/3 yüzlü)", "Composite filling", _FILLING, 45, (3500, 80, 70, 95)),
    ("amalgam-dolgu", "Amalgam Dolgu (1/2/3 yüzlü)", "Amalgam filling", _FILLING, 40, (2800, 65, 55, 75)),
    ("inley-onley", "İnley / Onley", "Inlay / onlay", _TOOTH, 60, (9500, 210, 180, 245)),
    (
        "kanal-1",
        "Kanal Tedavisi (tek kanal, dolgu hariç)",
        "Root canal (1 canal, filling excluded)",
        _TOOTH,
        60,
        (6500, 145, 125, 170),
    ),
    (
        "kanal-2",
        "Kanal Tedavisi (iki kanal, dolgu hariç)",
        "Root canal (2 canals, filling excluded)",
        _TOOTH,
        75,
        (8500, 190, 165, 220),
    ),
    (
        "kanal-3",
        "Kanal Tedavisi (üç kanal, dolgu hariç)",
        "Root canal (3 canals, filling excluded)",
        _TOOTH,
        90,
        (11000, 245, 210, 285),
    ),
    ("kanal-ilave", "İlave Kanal", "Additional canal", _TOOTH, 20, (2200, 50, 45, 60)),
    ("kanal-yenileme", "Kanal Tedavisi Yenileme", "Root canal retreatment", _TOOTH, 90, (12500, 280, 240, 325)),
    ("kuafaj", "Kuafaj (dolgu hariç)", "Pulp capping", _ANY_TOOTH, 20, (1500, 35, 30, 40)),
    ("amputasyon", "Amputasyon (dolgu hariç)", "Pulpotomy", _TOOTH, 30, (2500, 55, 50, 65)),
    ("fiber-post", "Fiber Post", "Fibre post", _TOOTH, 30, (3500, 80, 70, 95)),
)
_PEDODONTI: tuple[_Row, ...] = (
    ("fissur-ortucu", "Fissür Örtücü", "Fissure sealant", _ANY_TOOTH, 20, (1800, 40, 35, 45)),
    ("flor", "Flor Uygulaması", "Fluoride application", _MOUTH, 20, (2000, 45, 40, 50)),
    ("sut-dolgu", "Süt Dişi Dolgusu", "Primary tooth filling", _MILK_FILLING, 30, (2500, 55, 50, 65)),
    ("sut-pulpotomi", "Süt Dişi Pulpotomi", "Primary pulpotomy", _MILK_TOOTH, 40, (3200, 70, 60, 80)),
    (
        "paslanmaz-kron",
        "Prefabrike (Paslanmaz Çelik) Kron",
        "Stainless steel crown",
        _ANY_TOOTH,
        40,
        (4500, 100, 85, 115),
    ),
    ("sut-cekim", "Süt Dişi Çekimi", "Primary tooth extraction", _MILK_TOOTH, 20, (1500, 35, 30, 40)),
    ("yer-tutucu", "Yer Tutucu", "Space maintainer", _ARCH_FLAT, 30, (5500, 125, 105, 145)),
)
_PROTEZ: tuple[_Row, ...] = (
    ("zirkonyum-kron", "Zirkonyum Kron", "Zirconia crown", _TOOTH, 60, (12500, 200, 175, 230)),
    ("emax-kron", "E-max Kron", "E.max (lithium disilicate) crown", _TOOTH, 60, (14500, 250, 215, 290)),
    ("metal-porselen", "Metal Destekli Porselen Kron", "Metal-ceramic crown", _TOOTH, 60, (7500, 140, 120, 165)),
    ("gecici-kron", "Geçici Kron", "Temporary crown", _TOOTH, 20, (1200, 30, 25, 35)),
    ("gecici-kopru", "Geçici Köprü", "Temporary bridge", _BRIDGE, 30, (1200, 30, 25, 35)),
    ("kopru", "Köprü (ayak/gövde)", "Bridge (pillar/pontic)", _BRIDGE, 90, (12500, 200, 175, 230)),
    ("implant-ustu-kron", "İmplant Üstü Kron", "Implant crown", _TOOTH, 60, (14000, 250, 215, 290)),
    ("tam-protez", "Tam Protez", "Full denture", _ARCH, 60, (32000, 650, 560, 755)),
    ("bolumlu-protez", "Bölümlü (Parsiyel) Protez", "Partial denture", _ARCH, 60, (30000, 600, 515, 695)),
    ("overdenture", "İmplant Üstü Hareketli Protez", "Implant overdenture", _ARCH, 90, (55000, 1200, 1030, 1390)),
    ("gece-plagi", "Gece Plağı", "Night guard", _ANY_ARCH, 30, (6500, 150, 130, 175)),
    ("kron-sokum", "Kron Sökümü", "Crown removal", _TOOTH, 20, (1200, 30, 25, 35)),
)
_CERRAHI: tuple[_Row, ...] = (
    ("cekim", "Diş Çekimi", "Simple extraction", _TOOTH, 30, (2800, 60, 50, 70)),
    ("komplike-cekim", "Komplikasyonlu (Cerrahi) Çekim", "Surgical extraction", _TOOTH, 45, (5500, 125, 105, 145)),
    ("gomulu-yirmilik", "Gömülü 20 Yaş Dişi Çekimi", "Impacted wisdom tooth", _TOOTH, 60, (8500, 190, 165, 220)),
    ("apikal-rezeksiyon", "Apikal Rezeksiyon", "Apicoectomy", _TOOTH, 60, (10500, 235, 200, 270)),
    ("frenektomi", "Frenektomi", "Frenectomy", _ARCH_FLAT, 30, (6000, 135, 115, 155)),
)
_IMPLANT: tuple[_Row, ...] = (
    ("implant", "Dental İmplant (marka seçilir)", "Dental implant (brand)", _TOOTH, 60, (28000, 550, 475, 640)),
    ("dayanak", "Dayanak (Abutment)", "Abutment", _TOOTH, 30, (8000, 150, 130, 175)),
    ("iyilesme-basligi", "İyileşme Başlığı", "Healing abutment", _TOOTH, 20, (2500, 50, 45, 60)),
    ("all-on-4", "All-on-4", "All-on-4", _ARCH, 240, (210000, 4200, 3600, 4900)),
    ("all-on-6", "All-on-6", "All-on-6", _ARCH, 300, (270000, 5400, 4650, 6300)),
    ("acik-sinus", "Açık Sinüs Lifting", "Open sinus lift", _QUADRANT, 90, (28000, 600, 515, 695)),
    ("kapali-sinus", "Kapalı Sinüs Lifting", "Closed sinus lift", _QUADRANT, 45, (16000, 350, 300, 405)),
    ("kemik-grefti", "Kemik Grefti", "Bone graft", _SITE, 45, (14000, 300, 260, 350)),
)
_PERIODONTOLOJI: tuple[_Row, ...] = (
    ("detertraj", "Diş Taşı Temizliği (Detertraj)", "Scaling & polishing", _ARCH, 30, (2000, 45, 40, 50)),
    ("kok-yuzeyi", "Kök Yüzeyi Düzleştirme (Küretaj)", "Root planing", _QUADRANT, 45, (3500, 80, 70, 95)),
    ("gingivektomi", "Gingivektomi", "Gingivectomy", _TOOTH, 30, (1800, 40, 35, 45)),
    ("flap", "Flap Operasyonu", "Periodontal flap surgery", _QUADRANT, 75, (9500, 210, 180, 245)),
    ("diseti-grefti", "Diş Eti Grefti", "Gingival graft", _TOOTH, 60, (10000, 225, 195, 260)),
)
_ORTODONTI: tuple[_Row, ...] = (
    ("metal-braket", "Metal Braket Tedavisi", "Metal braces", _MOUTH_PERMANENT, 90, (95000, 2100, 1800, 2450)),
    ("seramik-braket", "Seramik Braket", "Ceramic braces", _MOUTH_PERMANENT, 90, (120000, 2650, 2300, 3100)),
    ("lingual", "Lingual Ortodonti", "Lingual braces", _MOUTH_PERMANENT, 120, (230000, 5000, 4300, 5800)),
    ("seffaf-plak", "Şeffaf Plak", "Clear aligners", _MOUTH_PERMANENT, 60, (140000, 3100, 2650, 3600)),
    ("lingual-retainer", "Sabit Pekiştirme Aygıtı", "Fixed retainer", _ARCH, 30, (5500, 125, 105, 145)),
    ("hawley", "Pekiştirme Aygıtı (Hawley)", "Removable retainer", _ARCH, 30, (6000, 135, 115, 155)),
    ("vida", "Vida Uygulaması (Tek Vida)", "Expansion screw", _ARCH_FLAT, 30, (9000, 200, 170, 230)),
)
_ESTETIK: tuple[_Row, ...] = (
    ("laminate", "Laminate Veneer (Yaprak Porselen)", "Porcelain veneer", _TOOTH, 60, (15500, 280, 240, 325)),
    ("kompozit-veneer", "Kompozit Veneer (Bonding)", "Composite bonding", _TOOTH, 45, (6500, 145, 125, 170)),
    ("ofis-beyazlatma", "Ofis Tipi Beyazlatma", "In-office whitening", _MOUTH_PERMANENT, 60, (9000, 180, 155, 210)),
    ("ev-beyazlatma", "Ev Tipi Beyazlatma", "At-home whitening", _MOUTH_PERMANENT, 30, (7000, 150, 130, 175)),
    ("gulus-tasarimi", "Gülüş Tasarımı", "Smile design", _MOUTH_PERMANENT, 60, (7500, 150, 130, 175)),
)
_EK_HIZMET: tuple[_Row, ...] = (
    ("transfer", "Havalimanı Transferi", "Airport transfer", _MOUTH, 60, (2500, 55, 45, 60)),
    ("konaklama", "Konaklama", "Accommodation", _MOUTH, 0, (4500, 95, 80, 110)),
)

_ROWS: dict[str, tuple[_Row, ...]] = {
    "teshis": _TESHIS,
    "restoratif-endodonti": _RESTORATIF_ENDODONTI,
    "pedodonti": _PEDODONTI,
    "protez": _PROTEZ,
    "cerrahi": _CERRAHI,
    "implant": _IMPLANT,
    "periodontoloji": _PERIODONTOLOJI,
    "ortodonti": _ORTODONTI,
    "estetik": _ESTETIK,
    "ek-hizmet": _EK_HIZMET,
}
_VAT_CLASSES = {"estetik": VatClass.AESTHETIC_REVIEW, "ek-hizmet": VatClass.NON_MEDICAL}  # others: treatment
_ALLOWED_TEETH = {"gomulu-yirmilik": (18, 28, 38, 48)}


def _treatment(category: str, row: _Row) -> TreatmentData:
    code, name_tr, name_en, (scope, pricing, dentition), minutes, prices = row
    currencies = (Currency.TRY, Currency.EUR, Currency.GBP, Currency.USD)
    name_de, name_ru, aliases = NAMES[code]
    visits, healing_days = VISITS.get(code, (None, None))
    return TreatmentData(
        code=code,
        category=category,
        name_tr=name_tr,
        name_en=name_en,
        scope=scope,
        pricing=pricing,
        vat_class=_VAT_CLASSES.get(category, VatClass.TREATMENT),
        dentition=dentition,
        allowed_teeth=_ALLOWED_TEETH.get(code, ()),
        duration_min=minutes,
        example_prices=MappingProxyType(dict(zip(currencies, map(Decimal, prices), strict=True))),
        name_de=name_de,
        name_ru=name_ru,
        aliases=aliases,
        about=MappingProxyType(ABOUT.get(code, {})),
        visits=visits,
        healing_days=healing_days,
    )


TREATMENTS: tuple[TreatmentData, ...] = tuple(
    _treatment(category, row) for category, rows in _ROWS.items() for row in rows
)

# What one more surface of a filling adds in the example prices, in percent of the price of one surface.
EXAMPLE_SURFACES = {PriceVariant.SURFACES_2: Decimal(125), PriceVariant.SURFACES_3: Decimal(150)}

_IMPLANTS = {
    "all-on-4": ((15, 12, 22, 25), (45, 42, 32, 35)),  # the outer two lean: they avoid the sinus and the nerve
    "all-on-6": ((16, 14, 12, 22, 24, 26), (46, 44, 42, 32, 34, 36)),
}
_TWELVE = ((16, 15, 14, 13, 12, 11, 21, 22, 23, 24, 25, 26), (46, 45, 44, 43, 42, 41, 31, 32, 33, 34, 35, 36))
COMPONENTS: tuple[ComponentData, ...] = tuple(
    component
    for package, implants in _IMPLANTS.items()
    for component in (
        ComponentData(package, "cbct"),
        ComponentData(package, "implant", *implants),
        ComponentData(package, "dayanak", *implants),
        ComponentData(package, "gecici-kopru", *_TWELVE),
        ComponentData(package, "kopru", *_TWELVE),
    )
)

# Law 3065 art. 13/1-l, since 2018-06-01: health services by permitted providers to people who live abroad.
# It covers treatment only; of aesthetic work the clinic's accountant decides.
VAT_EXEMPTIONS: tuple[VatExemptionData, ...] = (
    VatExemptionData("TR", VatClass.TREATMENT, Residency.NON_RESIDENT, "13/1-l", date(2018, 6, 1)),
)

# Decree 2007/13033 set the first rates from 2008-01-01; they rose on 2023-07-10. Aesthetic work is taxed
# like treatment until the clinic's accountant says otherwise.
_DECREE, _LAST_DAY, _RISE = date(2008, 1, 1), date(2023, 7, 9), date(2023, 7, 10)
_TR_RATES = {
    VatClass.TREATMENT: (Decimal(8), Decimal(10)),
    VatClass.AESTHETIC_REVIEW: (Decimal(8), Decimal(10)),
    VatClass.NON_MEDICAL: (Decimal(18), Decimal(20)),
}
VAT_RULES: tuple[VatRuleData, ...] = tuple(
    rule
    for vat_class, (before, since) in _TR_RATES.items()
    for rule in (
        VatRuleData("TR", vat_class, before, _DECREE, _LAST_DAY),
        VatRuleData("TR", vat_class, since, _RISE, None),
    )
)
