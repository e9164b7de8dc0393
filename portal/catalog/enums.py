"""The fixed choices of the catalogue; their values are what the database stores."""

from enum import StrEnum


class Scope(StrEnum):
    """What one line of a treatment is done to."""

    TOOTH = "tooth"
    MULTI = "multi"  # several teeth as one piece: a bridge
    QUADRANT = "quadrant"
    ARCH = "arch"
    MOUTH = "mouth"


class Pricing(StrEnum):
    """What the unit price of a treatment counts."""

    FLAT = "flat"
    PER_TOOTH = "per_tooth"
    PER_SURFACE = "per_surface"  # 1, 2 or 3 surfaces of a filling
    PER_ROLE = "per_role"  # pillars and pontics of a bridge
    PER_ARCH = "per_arch"
    PER_SESSION = "per_session"


class VatClass(StrEnum):
    """How tax law looks at a treatment; dated rules give each class its rate."""

    TREATMENT = "treatment"
    AESTHETIC_REVIEW = "aesthetic_review"  # disputed: the clinic's accountant decides
    NON_MEDICAL = "non_medical"  # transfer and hotel: never exempt


class Dentition(StrEnum):
    """Which teeth a treatment can be done on."""

    PERMANENT = "permanent"
    PRIMARY = "primary"
    BOTH = "both"


class Audience(StrEnum):
    """Whom a price list is for."""

    DOMESTIC = "domestic"
    INTERNATIONAL = "international"
    PARTNER = "partner"


class ToothRole(StrEnum):
    """What a tooth is in a piece that spans several: a pillar carries, a pontic is carried."""

    UNIT = "unit"
    PILLAR = "pillar"
    PONTIC = "pontic"


class PriceVariant(StrEnum):
    """What a price differs by within one treatment, besides its unit price."""

    SURFACES_2 = "surfaces_2"
    SURFACES_3 = "surfaces_3"
    PONTIC = "pontic"


class Residency(StrEnum):
    """Where a patient lives, as VAT law asks (law 3065, art. 13/1-l)."""

    RESIDENT = "resident"
    NON_RESIDENT = "non_resident"
