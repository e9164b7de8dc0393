"""The medical record as a document: what is asked, how it is kept, and what everybody at the chair must see."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum

from portal.core.sealing import SealError

PURPOSE = "patient_medical"
FORMAT = 1


class Severity(StrEnum):
    """How badly somebody reacts."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class Flag(StrEnum):
    """What changes how a patient is treated, or with what."""

    PREGNANT = "pregnant"
    BREASTFEEDING = "breastfeeding"
    ANTICOAGULANT = "anticoagulant"
    BISPHOSPHONATE = "bisphosphonate"
    BLEEDING = "bleeding"
    ENDOCARDITIS = "endocarditis"
    PACEMAKER = "pacemaker"
    RADIOTHERAPY = "radiotherapy"
    IMMUNE = "immune"
    INFECTION = "infection"
    EPILEPSY = "epilepsy"
    DIABETES = "diabetes"
    HYPERTENSION = "hypertension"
    HEART = "heart"
    ASTHMA = "asthma"
    SMOKER = "smoker"


# What can do harm in the chair; the others are told on the record itself.
ALERTING = (
    Flag.ANTICOAGULANT, Flag.BISPHOSPHONATE, Flag.BLEEDING, Flag.ENDOCARDITIS, Flag.PREGNANT, Flag.PACEMAKER,
    Flag.RADIOTHERAPY, Flag.IMMUNE, Flag.INFECTION, Flag.EPILEPSY,
)  # fmt: skip


class DocumentError(SealError):
    """The document is of a release that this one does not know; it can be neither shown nor changed."""


@dataclass(frozen=True)
class Allergy:
    """A substance, how badly, and how it shows."""

    substance: str = field(repr=False)
    severity: Severity
    reaction: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Medication:
    """A medicine taken regularly."""

    name: str = field(repr=False)
    dose: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class MedicalRecord:
    """What is known of a patient's health. Fields stay out of ``repr``, and so out of logs."""

    history: str | None = field(default=None, repr=False)
    allergies: tuple[Allergy, ...] = field(default=(), repr=False)
    no_allergies: bool = field(default=False, repr=False)  # asked, and there are none: not the same as not asked
    medications: tuple[Medication, ...] = field(default=(), repr=False)
    flags: frozenset[Flag] = field(default=frozenset(), repr=False)

    @property
    def severe_allergies(self) -> list[Allergy]:
        """The allergies that endanger life."""
        return [allergy for allergy in self.allergies if allergy.severity is Severity.SEVERE]

    @property
    def alerting_flags(self) -> list[Flag]:
        """The flags that can do harm in the chair, in the order of their weight."""
        return [flag for flag in ALERTING if flag in self.flags]


def write_document(record: MedicalRecord) -> bytes:
    """Return a record as the bytes that are sealed."""
    values = {**asdict(record), "flags": sorted(record.flags)}
    return json.dumps({"format": FORMAT, **values}, ensure_ascii=False).encode()


def read_document(plain: bytes) -> MedicalRecord:
    """Return the record of opened bytes; raises DocumentError for one of another release."""
    values = json.loads(plain)
    known = {each.name for each in fields(MedicalRecord)} | {"format"}
    if values.get("format") != FORMAT or not values.keys() <= known:
        raise DocumentError("The medical record was written by another release of the portal.")
    return replace(
        MedicalRecord(),
        history=values["history"],
        allergies=tuple(
            Allergy(each["substance"], Severity(each["severity"]), each["reaction"]) for each in values["allergies"]
        ),
        no_allergies=values["no_allergies"],
        medications=tuple(Medication(each["name"], each["dose"]) for each in values["medications"]),
        flags=frozenset(Flag(flag) for flag in values["flags"]),
    )
