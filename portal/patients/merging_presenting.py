"""How duplicates and the joining of them are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.panels import Panel
from portal.core.phones import show_phone
from portal.core.templating import country, day, local_day
from portal.patients import duplicates, references
from portal.patients.duplicates import Group, Likeness
from portal.patients.forms import GENDERS
from portal.patients.merging import CHOSEN
from portal.patients.merging_forms import Difference
from portal.patients.models import Patient
from portal.patients.presenting import FIELDS, language_name
from portal.patients.queries import get_patient, staff_names
from portal.referrals.queries import list_sources

LIKENESSES: dict[Likeness, LazyString] = {
    Likeness.NAME: _l("Same name and birth date"),
    Likeness.EMAIL: _l("Same e-mail address"),
    Likeness.PHONE: _l("Same phone"),
}
LABELS: dict[str, str | LazyString] = {
    **FIELDS, "coordinator_id": _l("Coordinator"), "doctor_id": _l("Dentist"),
    "emergency_name": _l("Emergency contact"), "insurer": _l("Insurance"),
}  # fmt: skip
TABLES: dict[str, LazyString] = {
    "patient_offers": _l("Offers shown to the patient"), "offers": _l("Offers"), "notes": _l("Notes"),
    "reminders": _l("Reminders"), "patient_files": _l("Files"), "patient_medical": _l("Medical record"),
    "patient_consents": _l("Consents"), "data_subject_requests": _l("Requests about personal data"),
}  # fmt: skip


@dataclass(frozen=True)
class Share:
    """How many rows of one kind change hands, and how many stay because the kept patient has their like."""

    label: str
    moving: int
    staying: int


def groups() -> list[tuple[str, list[Group]]]:
    """Return the groups of possible duplicates under what they have in common."""
    return [(str(label), duplicates.list_duplicates(likeness)) for likeness, label in LIKENESSES.items()]


def differences(kept: Patient, other: Patient) -> list[Difference]:
    """Return what two patients differ in, as far as one chooses."""
    sources, people = {source.id: source.name for source in list_sources()}, staff_names()
    written = [_written(patient, sources, people) for patient in (kept, other)]
    return [
        Difference(name, str(LABELS[name]), written[0][name], written[1][name])
        for name in (name for name in LABELS if name in CHOSEN)
        if written[0][name] != written[1][name] and written[1][name]
    ]


def shares(kept: Patient, other: Patient) -> list[Share]:
    """Return what hangs on the duplicate, by kind."""
    found = []
    for reference in references.moving_references():
        ids = references.ids_of(reference, other.id)
        if ids:
            staying = len(references.colliding_ids(reference, kept.id, other.id))
            label = str(TABLES.get(reference.table, reference.table))
            found.append(Share(label, len(ids) - staying, staying))
    return found


def merge_panel(patient_id: UUID) -> Panel:
    """Return a patient's possible duplicates and those joined to her already, for her page."""
    patient = get_patient(patient_id)
    shown = {"patient": patient, "like": duplicates.list_like(patient), "merges": duplicates.list_merges(patient_id)}
    return Panel("patients/_duplicates.html", shown)


def _written(patient: Patient, sources: dict[UUID, str], people: dict[UUID, str]) -> dict[str, str]:
    special: dict[str, str] = {
        "phone_raw": show_phone(patient.phone_e164) or patient.phone_raw or "",
        "birth_date": day(patient.birth_date),
        "gender": str(GENDERS.get(patient.gender or "", "")),
        "nationality": country(patient.nationality),
        "residence_country": country(patient.residence_country),
        "locale": language_name(patient.locale),
        "referral_source_id": _named(sources, patient.referral_source_id),
        "coordinator_id": _named(people, patient.coordinator_id),
        "doctor_id": _named(people, patient.doctor_id),
        "is_active": _("yes") if patient.is_active else _("no"),
        "emergency_name": _joined(patient.emergency_name, patient.emergency_relation, patient.emergency_phone),
        "insurer": _joined(patient.insurer, patient.insurance_no),
    }
    return {name: special.get(name, getattr(patient, name) or "") for name in CHOSEN}


def _named(names: dict[UUID, str], row_id: UUID | None) -> str:
    return names.get(row_id, "") if row_id else ""


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def born_and_lives(row: Any) -> Sequence[str]:
    """Return what tells two people of one name apart, in words."""
    told = (show_phone(row.phone_e164) or row.phone_raw, row.email, day(row.birth_date), row.city)
    registered = _("registered %(day)s", day=local_day(row.created_at))
    archived = [_("Archived")] if row.archived_at else []
    return [*(text for text in told if text), registered, *archived]
