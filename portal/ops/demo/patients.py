"""Patients for the demonstration clinics and for measuring, made of invented people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.core.audit import ActivityLog, ActorKind
from portal.core.database import bulk_insert
from portal.core.phones import parse_phone
from portal.core.search import MAX_TERM
from portal.core.text import sort_key
from portal.ops.demo.desk import Desk, take_numbers
from portal.ops.demo.dice import Dice
from portal.ops.demo.people import Person
from portal.patients.models import Patient, PatientTerm
from portal.patients.numbering import NUMBER_KIND
from portal.patients.services import patient_terms

INACTIVE_SHARE, ARCHIVED_SHARE, NO_SOURCE_SHARE, NOTE_SHARE = 0.08, 0.05, 0.1, 0.12
NOTES = (
    "Akşam saatlerinde aranmayı tercih ediyor.",
    "WhatsApp üzerinden yazışmak istiyor.",
    "Tedaviyi yaz tatilinde yaptırmak istiyor.",
    "Ödemeyi taksitle yapmak istiyor.",
    "Bir yakını da hastamız.",
    "Havalimanından karşılanması gerekiyor.",
)


@dataclass(frozen=True, slots=True)
class NewPatient:
    """A patient just made: the person, the row's id, the place in the clinic's crowd, and when she registered."""

    person: Person
    id: UUID
    index: int
    registered_at: datetime


def add_patients(desk: Desk, persons: Sequence[Person], *, first: int, total: int) -> list[NewPatient]:
    """Register people ``first``, ``first + 1``, ... of ``total``, spread in this order over the past year."""
    numbers = take_numbers(NUMBER_KIND, 0, len(persons))
    made, rows, terms, logs = [], [], [], []
    for index, (number, person) in enumerate(zip(numbers, persons, strict=True), start=first):
        dice = desk.dice(f"patient/{index}")
        registered_at = desk.year.moment((index + dice.random()) / total)
        patient = NewPatient(person, dice.uuid7(registered_at), index, registered_at)
        row = _row(desk, dice, patient, number)
        made.append(patient)
        rows.append(row)
        terms += _terms(row)
        logs += _logs(desk, dice, row)
    bulk_insert(Patient, rows)
    bulk_insert(PatientTerm, terms)
    bulk_insert(ActivityLog, logs)
    return made


def _row(desk: Desk, dice: Dice, patient: NewPatient, number: int) -> dict[str, Any]:
    person, since = patient.person, patient.registered_at
    weights = [(source, len(desk.sources) - place) for place, source in enumerate(desk.sources)]
    archived_at = dice.between(since, desk.year.end) if dice.chance(ARCHIVED_SHARE) else None
    return {
        "id": patient.id, "patient_no": f"{number:05d}", "first_name": person.first_name,
        "last_name": person.last_name, "name_key": sort_key(f"{person.first_name} {person.last_name}"),
        "phone_raw": person.phone, "phone_e164": parse_phone(person.phone, desk.clinic.country),
        "email": person.email, "birth_date": person.birth_date, "gender": person.gender,
        "nationality": person.nationality, "residence_country": person.residence, "locale": person.locale,
        "address": person.address, "city": person.city, "instagram": person.instagram,
        "referral_source_id": None if dice.chance(NO_SOURCE_SHARE) or not weights else dice.weighted(weights),
        "notes": dice.choice(NOTES) if dice.chance(NOTE_SHARE) else None,
        "is_active": not dice.chance(INACTIVE_SHARE), "archived_at": archived_at,
        "version": 1 if archived_at is None else 2, "created_at": since, "updated_at": archived_at or since,
    }  # fmt: skip


def _terms(row: dict[str, Any]) -> list[dict[str, Any]]:
    found = patient_terms(
        full_name=f"{row['first_name']} {row['last_name']}", patient_no=row["patient_no"],
        phone_e164=row["phone_e164"], phone_raw=row["phone_raw"], email=row["email"],
    )  # fmt: skip
    return [{"term": term, "patient_id": row["id"]} for term in sorted({term[:MAX_TERM] for term in found if term})]


def _logs(desk: Desk, dice: Dice, row: dict[str, Any]) -> list[dict[str, Any]]:
    actor_id, actor_name = dice.choice(desk.staff)
    moments = [("patient.created", row["created_at"]), ("patient.archived", row["archived_at"])]
    return [
        {
            "id": dice.uuid7(at), "at": at, "actor_kind": ActorKind.USER, "actor_id": actor_id,
            "actor_name": actor_name, "action": action, "object_type": Patient.__tablename__, "object_id": row["id"],
            "changes": {},
        }
        for action, at in moments
        if at is not None
    ]  # fmt: skip
