"""Writing patients: registering, changing, archiving, restoring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm.exc import StaleDataError

from portal.core import audit
from portal.core.audit import Actor
from portal.core.clock import now
from portal.core.database import current_session
from portal.core.errors import StaleVersionError
from portal.core.search import phone_terms, replace_terms
from portal.core.text import fold, sort_key, words
from portal.patients.models import Patient, PatientTerm
from portal.patients.numbering import next_patient_no, short_number
from portal.patients.queries import PatientFilter, find_by_form_key


def create_patient(actor: Actor, *, form_key: UUID | None, values: Mapping[str, Any]) -> Patient:
    """Register a patient under the clinic's next number.

    The same form sent again returns the patient it made the first time: taking the number
    holds the counter, so a second sender waits until the first has committed.
    """
    number = next_patient_no()
    known = find_by_form_key(form_key)
    if known is not None:
        current_session().rollback()  # gives the number back
        return known
    patient = Patient(patient_no=number, form_key=form_key, name_key="")
    _apply(patient, values)
    current_session().add(patient)
    current_session().flush()
    audit.record(actor, "patient.created", patient, changes={})
    index_patient(patient)
    return patient


def update_patient(actor: Actor, patient: Patient, *, version: int, values: Mapping[str, Any]) -> None:
    """Change a patient; raises StaleVersionError where ``version`` is not the one now stored."""
    if patient.version != version:
        raise StaleVersionError
    _apply(patient, values)
    changes = audit.changes_of(patient)
    if not changes:
        return
    audit.record(actor, "patient.changed", patient, changes=changes)
    try:
        current_session().flush()
    except StaleDataError as error:
        current_session().rollback()  # so that the patient can be read again, as the other one saved her
        raise StaleVersionError from error
    index_patient(patient)


def archive_patient(actor: Actor, patient: Patient) -> None:
    """Take a patient off the lists; nothing is deleted."""
    if patient.archived_at is None:
        patient.archived_at = now()
        audit.record(actor, "patient.archived", patient, changes={})


def restore_patient(actor: Actor, patient: Patient) -> None:
    """Put an archived patient back on the lists."""
    if patient.archived_at is not None:
        patient.archived_at = None
        audit.record(actor, "patient.restored", patient, changes={})


def record_export(actor: Actor, wanted: PatientFilter, *, count: int) -> None:
    """Log that patients left the portal as a file: how many, and which list."""
    filters = {"state": wanted.state, "source_id": wanted.source_id, "searched": bool(wanted.query)}
    changes = {name: [None, value] for name, value in {**filters, "rows": count}.items() if value}
    audit.record(actor, "patients.exported", Patient, changes=changes)


def patient_terms(
    *, full_name: str, patient_no: str, phone_e164: str | None, phone_raw: str | None, email: str | None
) -> set[str]:
    """Return the folded words that find a patient: of her name, number, phone and e-mail address."""
    numbers = {patient_no, *words(patient_no), short_number(patient_no)}
    terms = {*words(full_name), *numbers, *phone_terms(phone_e164, phone_raw)}
    if email:
        terms |= {email, *words(email.partition("@")[0])}
    return {fold(term) for term in terms}


def _apply(patient: Patient, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(patient, name, value)
    patient.name_key = sort_key(patient.full_name)


def index_patient(patient: Patient) -> None:
    """Make the words that find a patient those of her present data."""
    terms = patient_terms(
        full_name=patient.full_name, patient_no=patient.patient_no, phone_e164=patient.phone_e164,
        phone_raw=patient.phone_raw, email=patient.email,
    )  # fmt: skip
    replace_terms(PatientTerm, "patient_id", patient.id, terms)


def unindex_patient(patient: Patient) -> None:
    """Let no search find a patient."""
    replace_terms(PatientTerm, "patient_id", patient.id, ())
